"""What a project says of its DSPs."""

from __future__ import annotations

from typing import Any

from eqhls.lower.netlist import Netlist, Product


def dsp_facts(netlist: Netlist) -> dict[str, Any]:
    """Return what a project says of its DSPs: how many, the widths of their products, and, if there are any,
    the estimate of LUTs without them."""
    facts: dict[str, Any] = {"dsp": len(netlist.dsps)}
    if netlist.dsps:
        facts["dsp_products"] = [_formats(netlist, c) for c in netlist.dsps]
        facts["lut_estimate_without_dsp"] = round(netlist.lut_without_dsp or 0)
    return facts


def _formats(netlist: Netlist, cell: Product) -> str:
    """Say a product as it stands in the Verilog, and its widths: mul_7 = u8 x s9."""
    a, b = (netlist.cells[o.cell] for o in (cell.a, cell.b))
    widths = (f"{'s' if c.signed else 'u'}{c.width}" for c in (a, b))
    return f"mul_{netlist.cells.index(cell)} = {' x '.join(widths)}"
