"""What the packages share: the sources as every tool wants them named, and whole files from templates."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from eqhls.backends.rtl.sources import sources
from eqhls.lower.plan import Plan

VENDOR, LIBRARY, VERSION = "eqhls", "ip", "1.0.0"
"""The vendor, the library and the version of the IP for all who ask, as HLS exports it too."""

PORT_SHARE = 0.2
"""The share of the period that the design around the IP has at each port: between its last register and our
first one, and between our last register and its first one."""


def is_system_verilog(path: str) -> bool:
    """Whether a source is SystemVerilog; the others are Verilog-2001."""
    return path.endswith(".sv")


def one_line(plan: Plan) -> str:
    """Return what the IP is, for fields of descriptions."""
    bits = f"{plan.inputs.bits} bits in, {plan.outputs.bits} bits out"
    return f"Network {plan.name}: {bits}, latency {plan.latency_cycles} clocks, one event {plan.every}"


def render(template: str, plan: Plan, **more: object) -> str:
    """Return a whole file from a template of this folder."""
    environment = Environment(
        loader=PackageLoader("eqhls.backends.package", "templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    period = plan.options.ClockPeriod
    return environment.get_template(template).render(
        name=plan.name,
        vendor=VENDOR,
        library=LIBRARY,
        version=VERSION,
        description=one_line(plan),
        sources=sources(plan.name),
        verilog=[s for s in sources(plan.name) if not is_system_verilog(s)],
        system_verilog=[s for s in sources(plan.name) if is_system_verilog(s)],
        part=plan.options.Part,
        period=f"{period:.4f}",
        mhz=f"{plan.clock_mhz:g}",
        delay=f"{PORT_SHARE * period:.4f}",
        share=f"{PORT_SHARE:.0%}",
        in_bits=plan.inputs.bits,
        out_bits=plan.outputs.bits,
        latency=plan.latency_cycles,
        every=plan.every,
        **more,
    )
