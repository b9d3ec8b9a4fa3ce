"""Formats and exact arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eqhls.engines import INTEGERS, Integers
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Num, Overflow, Rounding, const, constant_matmul, dyadic, quantize, total


@pytest.mark.parametrize("text", ["fix<16,6>", "ufix<8,-2,RND,SAT>", "fix<5,9,RND_CONV,SAT_SYM>"])
def test_format_text_round_trip(text: str) -> None:
    assert str(Fixed.parse(text)) == text


def test_format_reads_ap_fixed() -> None:
    assert Fixed.parse("ap_ufixed<16, 6, AP_RND, AP_SAT>") == Fixed(16, 6, False, Rounding.RND, Overflow.SAT)
    assert Fixed(4, 2).cpp == "ap_fixed<4, 2, AP_TRN, AP_WRAP>"


@pytest.mark.parametrize("text", ["fx<1,2>", "fix<8,3,UP>", "fix<0,0>", "fix<64,3>", ""])
def test_bad_formats(text: str) -> None:
    with pytest.raises(CompileError, match="format"):
        Fixed.parse(text)


@given(st.integers(-5000, 5000), st.integers(0, 5000), st.integers(-3, 9))
def test_covering_is_tight(lo: int, span: int, frac: int) -> None:
    form = Fixed.covering(lo, lo + span, frac)
    assert form.lo <= lo and lo + span <= form.hi and form.frac == frac
    if form.width > 1:
        less = Fixed(form.width - 1, form.integer - 1, form.signed)
        assert lo < less.lo or lo + span > less.hi


def num(values: list[int], lo: int, hi: int, frac: int) -> Num:
    return Num(INTEGERS, np.array(values), lo, hi, frac)


@settings(max_examples=200)
@given(st.lists(st.integers(-64, 63), min_size=2, max_size=5), st.integers(-2, 3), st.integers(-2, 3))
def test_arithmetic_is_exact(values: list[int], f: int, g: int) -> None:
    a, b = num(values, -64, 63, f), num(values[::-1], -64, 63, g)
    x, y = np.array(values) * 2.0**-f, np.array(values[::-1]) * 2.0**-g
    for got, want in (
        (a + b, x + y),
        (a - b, x - y),
        (a * b, x * y),
        (a * a, x * x),
        (-a, -x),
        (a + dyadic(1.75), x + 1.75),
        (a * dyadic(-2.5), x * -2.5),
        (a.relu(), np.maximum(x, 0)),
    ):
        np.testing.assert_array_equal(got.wire * 2.0**-got.frac, want)
        assert got.lo <= got.wire.min() and got.wire.max() <= got.hi


def test_squares_are_not_negative() -> None:
    a = num([0], -8, 7, 0)
    assert (a * a).lo == 0


def test_a_constant_folds() -> None:
    assert (const(3, 1) * const(5, 2)).lo == 15
    assert total([]).lo == 0
    assert const(-5, 0).wrap(3, False).lo == 3


def test_matmul_shares_constants() -> None:
    x = [num([1, -2], -4, 3, 1), const(3, 0)]
    out = constant_matmul(np.array([[2, 1], [0, 5]]), 1, x)
    np.testing.assert_array_equal(out[0].wire * 2.0 ** -out[0].frac, [0.5 + 1.5, -1.0 + 1.5])
    assert out[1].is_const and out[1].lo * 2.0 ** -out[1].frac == 7.5


def test_overflow_of_the_machine_is_refused() -> None:
    wide = Num(Integers(), np.array([0]), -(1 << 40), 1 << 40, 0)
    with pytest.raises(CompileError, match="more than 63 bits"):
        _ = wide * wide


def test_odd_rounding_commutes_with_sign() -> None:
    values = list(range(-128, 128))
    for rounding in Rounding:
        to = Fixed(5, 3, True, rounding, Overflow.SAT_SYM)
        plus = quantize(num(values, -128, 128, 5), to).wire
        minus = quantize(num([-v for v in values], -128, 128, 5), to).wire
        assert (rounding.odd) == bool((plus == -minus).all())
