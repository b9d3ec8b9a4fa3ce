"""Netlists as values: their text, what they refuse, and real numbers assigned to formats."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from eqhls.engines import INTEGERS, load, store
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Num, Overflow, Rounding, quantize
from eqhls.fixed.reals import assigned
from eqhls.ir.logic import Kind, Logic
from eqhls.ir.op import Example
from eqhls.ops.circuit import Circuit

MODES = tuple(itertools.product(Rounding, Overflow))


@pytest.mark.parametrize(("rounding", "fit"), MODES, ids=lambda m: m.value)
def test_real_numbers_are_assigned_as_exact_ones(rounding: Rounding, fit: Overflow) -> None:
    """Every number of a fine grid, far beyond the ends of the format on both sides."""
    for form in (Fixed(4, 2, True, rounding, fit), Fixed(3, 3, fit is Overflow.WRAP_SM, rounding, fit)):
        raw = np.arange(-(1 << 9), 1 << 9)
        exact = quantize(Num(INTEGERS, raw, int(raw[0]), int(raw[-1]), 5), form).at(form.frac)
        np.testing.assert_array_equal(assigned(raw * 2.0**-5, form), exact.wire)


@pytest.mark.parametrize("example", Circuit.examples(), ids=str)
def test_a_netlist_is_read_back_from_its_text(example: Example) -> None:
    logic = example.op.logic
    assert Logic.parse(str(logic)) == logic and hash(Logic.parse(str(logic))) == hash(logic)
    assert Logic.parse(str(logic.changed(0, 1))) != logic


def test_examples_have_every_kind_of_cell() -> None:
    found = {c.kind for e in Circuit.examples() for c in e.op.logic.cells}
    assert found == set(Kind)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[3u const =1]", "has no output"),
        ("[3u const =1; out 1 0]", "has no output"),
        ("[3u not 0; out 0 0]", "reads a cell that is not before it"),
        ("[3u const =1; 3u not 0 0; out 0 0]", "found 2 terms"),
        ("[3u const =1; 3u any 0^1; out 0 0]", "terms are shifted"),
        ("[3u const =1; 3u relu -0; out 0 0]", "only sums take the negative"),
        ("[3u in; out 0 0]", "inputs have an element and a format"),
        ("[table 1 2; 3u const =1; 3u table 0; out 1 0]", "has 2 entries for an address of 3 bits"),
        ("[40u const =1; 40u mul 0 0; out 1 0]", "forms a result of more than 52 bits"),
        ("[53u const =1; out 0 0]", "words of 1 to 52 bits"),
    ],
)
def test_what_cannot_be_is_refused(text: str, part: str) -> None:
    with pytest.raises(CompileError, match=part):
        Logic.parse(text)


@pytest.mark.parametrize(
    "text", ["3u const", "[3 const =1; out 0 0]", "[3u nothing; out 0 0]", "[3u in =x; out 0 0]"]
)
def test_what_is_no_netlist_is_no_netlist(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Logic.parse(text)


def test_every_constant_counts(rng: np.random.Generator) -> None:
    """A netlist with one constant changed is another function, at some input, for most of them."""
    (example,) = (e for e in Circuit.examples() if e.label == "layers")
    op, types = example.op, example.types
    assert isinstance(op, Circuit)
    raw = [rng.integers(t.formats.lo, t.formats.hi + 1, (2000, *t.shape)) for t in types]
    nums = [load(t.formats, r) for t, r in zip(types, raw, strict=True)]

    def values(circuit: Circuit) -> np.ndarray:
        body = circuit.body(types, *nums)
        return store(body, [Fixed(40, 36)], 2000)

    plain = values(op)
    changed = [
        not np.array_equal(plain, values(Circuit(op.logic.changed(k, 1), op.sizes, op.result)))
        for k in range(op.logic.constants)
    ]
    assert sum(changed) > 0.7 * len(changed)
