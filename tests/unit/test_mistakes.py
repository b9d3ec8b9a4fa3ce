"""The mistakes that the comparison with the given network has to catch."""

from __future__ import annotations

from eqhls.fixed import Fixed
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Type
from eqhls.ops.input import Input
from eqhls.ops.table import Activation, Table
from eqhls.verify.mistakes import STEPS, moved_weights

NARROW, WIDE = Fixed.parse("ufix<4,3>"), Fixed.parse("ufix<16,12,RND,SAT>")


def power(exponent: float) -> Graph:
    """x |-> x**exponent of a port that ends at 7.5."""
    b = Builder("power")
    x = b.add("x", Input(Type(S, formats=(NARROW,))))
    table = Table(activation=Activation.POWER, out=WIDE, parameters=Tensor([[exponent]]))
    return b.graph(b.add("y", table, x)).formatted()


def moved(graph: Graph) -> list[float]:
    """The exponents that were moved, in steps."""
    tables = [made.node("y").op for _, made in moved_weights(graph)]
    assert len(tables) > len(STEPS)
    found = [float(t.parameters.array[0, 0]) for t in tables if isinstance(t, Table) and t.parameters]
    return sorted(set(found) - {float(graph.node("y").op.parameters.array[0, 0])})


def test_zeros_are_moved_by_256ths() -> None:
    assert moved(power(0.0)) == [n / 256 for n in STEPS]


def test_weights_that_leave_the_range_of_floats_are_not_yielded() -> None:
    """7.5 ** (128 + 64 * 128) has 7,280 digits, more than any float of NumPy holds."""
    assert moved(power(128.0)) == [128.0 + 128.0 * n for n in STEPS if n < 64]
