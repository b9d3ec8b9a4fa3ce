"""A netlist by stages of its pipeline: where the logic is, and how deep."""

from __future__ import annotations

from eqhls.lower.netlist import Netlist


def stage_facts(netlist: Netlist) -> list[dict[str, float]]:
    """Return alkaid's estimate of the LUTs and of the logic in ns of every stage, in order. The sum of the
    LUTs and the largest depth are those of the netlist."""
    luts = [0.0] * netlist.stages
    for cell in netlist.cells:
        luts[cell.stage] += cell.lut
    each = zip(luts, netlist.stage_depths_ns, strict=True)
    return [{"lut": round(lut, 1), "depth_ns": round(ns, 3)} for lut, ns in each]
