"""Angles on a circle and codes of logarithms: every word of small formats, against the definitions."""

from __future__ import annotations

from fractions import Fraction
from math import log2

import numpy as np
import pytest

from eqhls.engines import hull, interval, load, store
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.lower.schedule import lower
from eqhls.ops.add import Add
from eqhls.ops.common import example
from eqhls.ops.exp2 import Exp2
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.log_add import LogAdd
from eqhls.ops.table import Activation, Table
from eqhls.ops.wrap import Wrap
from eqhls.options import Options

SATURATED = (Rounding.RND, Overflow.SAT)


def run(op: Op, forms: tuple[Fixed, ...], *raw: np.ndarray) -> tuple[np.ndarray, Fixed]:
    """Return the raw results of a body for raw inputs of shape (n,), and their format."""
    types = tuple(example(S, "", (f,)) for f in forms)
    nums = [load(t.formats, r.reshape(-1, 1)) for t, r in zip(types, raw, strict=True)]
    body = op.body(types, *nums)
    (form,) = hull(body)
    return store(body, (form,), len(raw[0])).ravel(), form


def words(form: Fixed) -> np.ndarray:
    return np.arange(form.lo, form.hi + 1)


def pairs(a: Fixed, b: Fixed) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of words of two formats."""
    return tuple(v.ravel() for v in np.meshgrid(words(a), words(b)))


@pytest.mark.parametrize(
    ("modulus", "step", "out", "form"),
    [
        (1440, 32, Fixed(9, 9), Fixed(12, 12)),
        (1440, 32, Fixed(11, 11), Fixed(13, 13)),
        (1440, 1, Fixed(11, 11), Fixed(12, 12, False)),
        (90, 2, Fixed(5, 3), Fixed(8, 6)),
        (1024, 1, Fixed(10, 10), Fixed(14, 14)),
        (1024, 32, Fixed(8, 8), Fixed(12, 12)),
        (96, 32, Fixed(8, 8), Fixed(5, 5)),
    ],
    ids=str,
)
def test_a_wrapped_number_is_what_whole_turns_leave(modulus: int, step: int, out: Fixed, form: Fixed) -> None:
    """y = x - k * modulus inside the window, for a whole k; beyond `out`, the outermost cell."""
    x = words(form)
    y, _ = run(Wrap(modulus, step, out), (form,), x)
    first = -(modulus // step // 2) * step
    turns = np.array(
        [next(k for k in range(-40, 41) if first <= v - k * modulus < first + modulus) for v in x]
    )
    near = x - turns * modulus
    inside = (out.lo <= near) & (near <= out.hi)
    assert inside.any() and np.array_equal(y[inside], near[inside])
    assert (y[near < out.lo] // step == out.lo // step).all() and (
        y[near > out.hi] // step == out.hi // step
    ).all()
    assert ((y - x) % step == 0).all()


def difference(modulus: int) -> Graph:
    """The difference of two angles of 11 bits on a circle."""
    b = Builder("angles")
    type = Type(S, formats=(Fixed(11, 11),))
    for name in "ab":
        b.add(name, Input(type))
    b.add("d", Add((1,)), "a", "b")
    return b.graph(b.add("y", Wrap(modulus, 32, Fixed(9, 9)), "d")).formatted()


@pytest.mark.parametrize("modulus", [1440, 2048])
def test_a_difference_of_angles_stays_if_both_turn(modulus: int) -> None:
    """By any step of a circle of 1440, as words of -720 to 719; a modulus that is another's circle shows."""
    rng = np.random.default_rng(5)
    angles = rng.integers(-720, 720, (2, 3000))
    turned = (angles + rng.integers(0, 1440, 3000) + 720) % 1440 - 720
    graph = difference(modulus)
    before, after = (
        graph.evaluate({k: v[i].reshape(-1, 1) for i, k in enumerate("ab")})["y"] for v in (angles, turned)
    )
    assert (before == after).all() == (modulus == 1440)


def test_a_window_and_a_step_that_do_not_fit_are_refused() -> None:
    for op, problem in (
        (Wrap(1450, 32, Fixed(9, 9)), "found modulus 1450 and step 32"),
        (Wrap(32, 32, Fixed(9, 9)), "two cells or more"),
        (Wrap(1440, 32, Fixed(5, 5)), "does not end at cells"),
        (Wrap(1440, 32, Fixed(9, 8)), "requantize the input"),
    ):
        with pytest.raises(CompileError, match=problem):
            op.infer(example(S, "j:2", (Fixed(12, 12),)))


@pytest.mark.parametrize(("power", "frac"), [(1, 2), (2, 2), (3, 3), (2, 5)], ids=str)
@pytest.mark.parametrize("form", [Fixed(5, 3, False), Fixed(6, 4), Fixed(8, 6)], ids=str)
def test_a_sum_of_logarithms_lies_within_half_a_step(power: int, frac: int, form: Fixed) -> None:
    """For every pair; its interval is what occurs, so no bit of the result is idle."""
    op, other = LogAdd(power, frac), Fixed(5, 3, False)
    a, b = pairs(form, other)
    y, found = run(op, (form, other), a, b)
    want = np.logaddexp2(power * a * form.lsb, power * b * other.lsb) / power
    assert np.abs(y * 2.0**-frac - want).max() <= 0.5 * 2.0**-frac + 1e-12
    types = (example(S, "", (form,)), example(S, "", (other,)))
    (num,) = op.body(types, *(interval(t.formats, t.shape) for t in types)).ravel()
    assert (num.lo, num.hi) == (y.min(), y.max()) and found == Fixed.covering(num.lo, num.hi, frac)


def test_codes_of_two_steps_are_refused() -> None:
    with pytest.raises(CompileError, match="whose LSBs differ"):
        LogAdd(2, 3).infer(example(S, "", (Fixed(6, 4),)), example(S, "", (Fixed(6, 3),)))
    with pytest.raises(CompileError, match="give frac 3 or more"):
        LogAdd(2, 2).infer(*[example(S, "", (Fixed(6, 3),))] * 2)


POWERS = [
    (Exp2(-16, Fixed(9, 6, False, *SATURATED), 8), Fixed(8, 6, False)),
    (Exp2(-2, Fixed(11, 6, False, *SATURATED), 8), Fixed(8, 6)),
    (Exp2(3, Fixed(10, 8, False), 5), Fixed(11, 6)),
    (Exp2(0, Fixed(12, 12, True, *SATURATED), 16), Fixed(12, 5)),
    (Exp2(0, Fixed(8, 3, False), 0), Fixed(10, 4)),
    (Exp2(-40, Fixed(6, -2, False), 4), Fixed(7, 7)),
    (Exp2(40, Fixed(24, 64, False), 4), Fixed(7, 3)),
]


@pytest.mark.parametrize(("op", "form"), POWERS, ids=str)
def test_a_power_is_rounded_twice_and_no_more(op: Exp2, form: Fixed) -> None:
    """Every code against the definition in fractions, and against the bound that the op states."""
    x = words(form)
    y, _ = run(op, (form,), x)
    for code, found in zip(x, y, strict=True):
        value = Fraction(int(code)) * Fraction(form.lsb)
        octave = value.numerator // value.denominator
        significand = int(2.0 ** float(value - octave) * 2**op.mantissa + 0.5)
        exact = Fraction(2) ** (octave + op.shift + op.out.frac - op.mantissa) * significand
        assert found == min((2 * exact + 1) // 2, op.out.hi)
    plain = 2.0 ** (x * form.lsb + op.shift)
    inside = plain <= op.most
    error = np.abs(y * op.out.lsb - plain)[inside].max(initial=0.0)
    assert error <= op.rounding((example(S, "", (form,)),)) and (y[~inside] == op.out.hi).all()


def test_exp2_undoes_centred_logarithms_of_small_integers() -> None:
    """|d| = 1 to 8 have the codes of their own logarithms if centred; without, 1 has that of 1.125."""
    form, d = Fixed(9, 9), np.array([1, 2, 3, 4, 6, 8, -1, -8])
    for centred in (True, False):
        codes, code = run(Log2(1.0, 4, 150, 6, 4, magnitude=True, centred=centred), (form,), d)
        right = [round(16 * log2(abs(v))) == c for v, c in zip(d, codes, strict=True)]
        assert all(right) if centred else codes[0] == round(16 * log2(1.125))
    codes, code = run(Log2(1.0, 4, 150, 6, 4, magnitude=True, centred=True), (form,), d)
    back, _ = run(Exp2(0, Fixed(10, 10, False, *SATURATED), 8), (code,), codes)
    assert np.array_equal(back, np.abs(d))


@pytest.mark.parametrize("frac", [0, 3, 6])
@pytest.mark.parametrize("odd", [False, True])
def test_a_centred_cell_has_the_code_of_the_middle_of_its_words(frac: int, odd: bool) -> None:
    """By enumeration: the words of each cell, be they coarser or finer than the cells, and cut at the end."""
    form, op = Fixed(11, 11 - frac, False), Log2(1.0, 6, 2000, 6, 4, odd=odd, centred=True)
    x = words(form)
    codes, _ = run(op, (form,), x)
    w = np.floor(x * form.lsb * 2**op.grain).astype(int)
    shift = np.array([0 if v < 64 else 4 * -(-(int(v).bit_length() - 6) // 4) for v in w])
    cells = {(s, v >> s) for s, v in zip(shift, w, strict=True)}
    assert len(cells) > 60
    for s, cell in cells:
        mine = (shift == s) & (w >> s == cell)
        edge = (cell + 1) << s > w.max() + 1
        middle = (x[mine].min() + x[mine].max()) / 2 * form.lsb
        octaves = log2(1 + middle) if odd else log2(middle) if cell << s >= 1 << op.grain else 0.0
        assert edge or set(codes[mine]) == {round(octaves * 64)}


def cost(op: Op, *forms: str) -> float:
    """Return the estimated LUTs of an op for one element, of 16."""
    b = Builder("cost")
    type = Type(S, (Axis("j", 16),))
    names = [
        b.add(f"x{k}", Input(Type(S, type.axes, formats=(Fixed.parse(f),)))) for k, f in enumerate(forms)
    ]
    return lower(b.graph(b.add("y", op, *names)).formatted(), Options()).lut_estimate / 16


def test_what_they_cost() -> None:
    """docs/benchmarks.md has the table. A turn of 1440 is a table of 7 bits; powers of two are free; the
    octaves of a power cost less than a table of all its codes."""
    assert cost(Wrap(1440, 32, Fixed(9, 9)), "fix<12,12>") <= 9
    assert cost(Wrap(1024, 32, Fixed(10, 10)), "fix<12,12>") == 0
    assert cost(LogAdd(2, 2), "ufix<6,4>", "ufix<6,4>") < 20
    out = Fixed(9, 6, False, *SATURATED)
    line = Tensor([[-16.0, -15.0]])
    plain = Table(Tensor([0.0, 1.0]), line, Activation.EXP2, out=out)
    assert cost(Exp2(-16, out, 8), "ufix<9,6>") < 0.7 * cost(plain, "ufix<9,6>")
