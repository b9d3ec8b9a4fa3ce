"""AXI4-Stream around a top: backpressure although the core cannot stall."""

from __future__ import annotations

from eqhls.backends.package.package import Package, Settings
from eqhls.backends.package.wrapping import demand_a_clock_per_event, screen, sources, wrapper
from eqhls.lower.plan import Plan
from eqhls.names import counted
from eqhls.text import Project

KIND = "axi"
LOOP = 2
"""Clocks, beyond those of the core, from an event that takes a place of the queue to the clock in which the
place is seen to be free again: one in the queue, one in the counter."""
SLICES = 3
"""Clocks that the wrapper adds to the latency of the core: a register on either side, and the queue."""
CELLS = ("skid", "fifo", "delay")


def write(plan: Plan, settings: Settings) -> Project:
    """Return ip/axi/. tuser has the bits of the token, or one if there is no token. Raises CompileError for a
    folded network."""
    demand_a_clock_per_event(plan, KIND)
    bits = address_bits(plan.latency_cycles)
    return wrapper(plan, KIND, CELLS, {**_ports(plan, settings), "address_bits": bits, "depth": 1 << bits})


def address_bits(latency_cycles: int) -> int:
    """Return the address bits of the queue: with fewer places than the loop has clocks, it would pause the
    stream although nobody else does."""
    return (latency_cycles + LOOP - 1).bit_length()


def _ports(plan: Plan, settings: Settings) -> dict[str, int]:
    return {
        "in_bytes": -(-plan.inputs.bits // 8),
        "out_bytes": -(-plan.outputs.bits // 8),
        "user": max(settings.token, 1),
    }


def connect(plan: Plan, settings: Settings) -> str:
    """Return how the wrapper is connected."""
    ports = _ports(plan, settings)
    return screen(
        [
            sources(plan, KIND),
            f"s_axis: an event per beat; tdata {counted(ports['in_bytes'], 'byte')}, of which "
            f"{plan.inputs.bits} bits from bit 0 are used;",
            f"  tuser {counted(ports['user'], 'bit')}, tlast.",
            f"m_axis: a result per beat in the same order; tdata {counted(ports['out_bytes'], 'byte')}, of "
            f"which {plan.outputs.bits} bits are used;",
            "  tuser and tlast are those of its event. There is no tkeep.",
            f"aclk: {plan.clock_mhz:g} MHz or less. aresetn: active low, at least one clock.",
            f"If nobody pauses, a beat passes per clock, and a result comes {plan.latency_cycles + SLICES} "
            "clocks after its event.",
        ]
    )


PACKAGE = Package(KIND, "AXI4-Stream slave and master with backpressure, tlast and tuser", write, connect)
