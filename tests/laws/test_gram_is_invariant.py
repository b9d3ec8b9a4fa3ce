"""A proof where testing cannot reach: the integer output of the Gram op is, as a polynomial in the
components of its inputs, unchanged by every generator of the exact group.

`Gram.body` runs on an engine whose wires are polynomials with integer coefficients. It can only add
and multiply there (any rounding, wrap or table is an error), and `Num` refuses ranges of more than
63 bits, so equal polynomials mean equal integers for all inputs in range. Equality of polynomials is
decided exactly: no solver, no sampling.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from eqhls.engines import interval
from eqhls.fixed import Fixed, Num
from eqhls.groups.lattice import Element
from eqhls.groups.lorentz.basis import CARTESIAN, LIGHT_CONE
from eqhls.groups.lorentz.exact import lattice_group
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import Basis
from eqhls.ir.op import FLIPPED, TRUNCATED, Op
from eqhls.ir.types import Axis, Type
from eqhls.ops.common import LIGHT_CONE_FORMATS
from eqhls.ops.gram import Gram
from eqhls.verify.controls import Faulty

Polynomial = Counter[tuple[str, ...]]
"""Coefficient of each monomial, a sorted tuple of variables."""


def reduced(p: Polynomial) -> Polynomial:
    return Counter({m: c for m, c in p.items() if c})


class Polynomials:
    """The engine on which equality is provable."""

    def add(self, a: Polynomial, b: Polynomial, lo: int, hi: int) -> Polynomial:
        total = Counter(a)
        total.update(b)
        return reduced(total)

    def sub(self, a: Polynomial, b: Polynomial, lo: int, hi: int) -> Polynomial:
        return self.add(a, self.mul_const(b, -1, 0, 0), lo, hi)

    def mul(self, a: Polynomial, b: Polynomial, lo: int, hi: int) -> Polynomial:
        out: Polynomial = Counter()
        for m, c in a.items():
            for n, d in b.items():
                out[tuple(sorted(m + n))] += c * d
        return reduced(out)

    def mul_const(self, a: Polynomial, value: int, lo: int, hi: int) -> Polynomial:
        return reduced(Counter({m: c * value for m, c in a.items()}))

    def shift_left(self, a: Polynomial, bits: int) -> Polynomial:
        return self.mul_const(a, 1 << bits, 0, 0)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the Gram op uses {name}, which is not polynomial")


ENGINE: Any = Polynomials()
CASES = {CARTESIAN: (Fixed(14, 12),) * 4, LIGHT_CONE: LIGHT_CONE_FORMATS}
WIDE = 1 << 24


def variables(name: str, forms: tuple[Fixed, ...]) -> list[Num]:
    return [Num(ENGINE, Counter({(f"{name}{c}",): 1}), -WIDE, WIDE, f.frac) for c, f in enumerate(forms)]


def moved(element: Element, x: list[Num]) -> list[Num]:
    """The generator acts on raw integers; the binary points stay."""
    out: list[Num] = []
    for row, old in zip(element.matrix, x, strict=True):
        wire: Polynomial = Counter()
        for m, v in zip(row, x, strict=True):
            wire = ENGINE.add(wire, ENGINE.mul_const(v.wire, int(m), 0, 0), 0, 0)
        out.append(Num(ENGINE, wire, 16 * -WIDE, 16 * WIDE, old.frac))
    return out


def product(op: Op, basis: Basis, vectors: list[list[Num]]) -> list[tuple[Polynomial, int]]:
    x = np.empty((len(vectors), 4), dtype=object)
    for k, v in enumerate(vectors):
        x[k] = v
    type = Type(V, (Axis("i", len(vectors)),), basis)
    body = op.body((type,), x)
    return [(n.wire, n.frac) for n in body.ravel()]


ELEMENTS = [(basis, g) for basis in CASES for g in lattice_group(basis).generators]


@pytest.mark.parametrize(("basis", "element"), ELEMENTS, ids=lambda v: getattr(v, "name", str(v)))
def test_every_generator_leaves_the_polynomial(basis: Basis, element: Element) -> None:
    vectors = [variables(name, CASES[basis]) for name in "ab"]
    before = product(Gram("i", "p"), basis, vectors)
    after = product(Gram("i", "p"), basis, [moved(element, v) for v in vectors])
    assert before == after and len(before) == 3 and all(before)


@pytest.mark.parametrize("basis", CASES, ids=str)
def test_a_flipped_sign_is_no_invariant(basis: Basis) -> None:
    vectors = [variables(name, CASES[basis]) for name in "ab"]
    op = Faulty(Gram("i", "p"), FLIPPED)
    changed = [
        product(op, basis, vectors) != product(op, basis, [moved(g, v) for v in vectors])
        for g in lattice_group(basis).generators
    ]
    assert any(changed)


def test_a_truncated_product_is_no_polynomial() -> None:
    vectors = [variables(name, CASES[CARTESIAN]) for name in "ab"]
    with pytest.raises(AssertionError, match="shift_right"):
        product(Faulty(Gram("i", "p"), TRUNCATED), CARTESIAN, vectors)


@pytest.mark.parametrize("basis", CASES, ids=str)
def test_no_wire_overflows(basis: Basis) -> None:
    """Interval analysis: the corner of the input range that reaches the bound stays inside it."""
    type = Type(V, (Axis("i", 2),), basis, CASES[basis])
    bounds = Gram("i", "p").body((type,), interval(type.formats, type.shape))
    for num in bounds.ravel():
        assert Fixed.covering(num.lo, num.hi, num.frac).width <= 63
