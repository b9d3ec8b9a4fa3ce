"""Stages of a netlist: what lies between them, and what is put where."""

from __future__ import annotations

from eqhls.fixed import Fixed
from eqhls.lower.layout import Layout, Port
from eqhls.lower.netlist import Input, Netlist, Operand, Slice

BYTE = Fixed(8, 8, False)


def delayed(*stages: int, end: int) -> Netlist:
    """A byte that is read in some stages, each time as a result of its own that is computed in the last."""
    cells = (Input(8, False, 0, 0, 0.0, 0), *(Slice(8, False, 0, s, 0.0, Operand(0)) for s in stages))
    ports = (Layout((Port(n, (k,), (BYTE,) * k),)) for n, k in (("x", 1), ("y", len(stages))))
    results = tuple(Operand(k) for k in range(1, len(cells)))
    return Netlist("delayed", *ports, cells, results, end, 0.0)


def test_long_delays_become_shift_registers() -> None:
    """Three registers in a row and more, read behind the last one only: one LUT a bit and 16 registers."""
    assert delayed(0, end=1).srl_luts == delayed(1, end=2).srl_luts == 0
    assert delayed(2, end=3).srl_luts == delayed(15, end=16).srl_luts == 8, "the input register is the first"
    assert delayed(16, end=17).srl_luts == 16
    assert delayed(1, 3, 5, end=6).srl_luts == 16, "two results wait; the byte is read every second stage"
    assert delayed(0, end=2).srl_luts == 0 and delayed(0, end=3).srl_luts == 8, (
        "and so is the output register"
    )
