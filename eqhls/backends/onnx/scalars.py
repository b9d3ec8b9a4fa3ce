"""Functions of one scalar in ONNX operators, and what QONNX's Quant leaves to do for a rounding."""

from __future__ import annotations

from math import ceil

import numpy as np
import onnx
from numpy.typing import NDArray

from eqhls.backends.onnx.body import Body
from eqhls.engines import interval
from eqhls.exchange.formats import QUANT_MODES
from eqhls.fixed import Fixed, Overflow
from eqhls.ir.op import Tensor
from eqhls.ir.types import Type
from eqhls.ops.log2 import Log2
from eqhls.ops.radial import Radial
from eqhls.ops.requantize import Requantize
from eqhls.ops.table import GELU_CUBE, GELU_SLOPE, SELU_ALPHA, SELU_SCALE, Activation, Table

BOOL = onnx.TensorProto.BOOL


def lower_table(op: Table, body: Body, types: tuple[Type, ...]) -> str:
    """Piecewise linear by cell, then the activation; exact: on the grid of the entries."""
    x, knots, values = body.real(), op.knots.array, op.values.array
    x = decoded(body, x, op.floor)
    slopes = np.diff(values) / np.diff(knots)
    cell = body.bucket(x, knots[1:-1])
    corner = body("Gather", body.const(knots[:-1]), cell)
    if op.axis:
        shape = [len(values) if a.name == op.axis else 1 for a in types[0].axes]
        row = np.arange(len(values)).reshape(1, *shape, 1) * slopes.shape[1]
        cell = body("Add", cell, body.const(row))
    start, slope = (body("Gather", body.const(t.ravel()), cell) for t in (values[:, :-1], slopes))
    line = body("Add", start, body("Mul", slope, body("Sub", x, corner)))
    return entered(body, _activated(body, op, types[0], line), op.out, op.levels)


def decoded(body: Body, code: str, floor: float) -> str:
    """Return the argument whose odd logarithmic code is given; without a floor it is the argument itself."""
    if not floor:
        return code
    size = body("Sub", body("Pow", body.const(2.0), body("Abs", code)), body.const(1.0))
    return body("Mul", body("Sign", code), body("Mul", size, body.const(floor)))


def entered(body: Body, y: str, out: Fixed | None, levels: Tensor | None = None) -> str:
    """Bound what saturates; exact: on the grid of the entries, or on the nearest of the levels."""
    if out is None:
        return y
    if out.overflow in (Overflow.SAT, Overflow.SAT_SYM) or body.exact:
        y = body("Clip", y, body.const(out.lo * out.lsb), body.const(out.hi * out.lsb))
    if not body.exact:
        return y
    if levels is not None:
        allowed = np.sort(levels.array)
        y = body("Gather", body.const(allowed), body.bucket(y, (allowed[1:] + allowed[:-1]) / 2))
    return body("Mul", body("Round", body("Div", y, body.const(out.lsb))), body.const(out.lsb))


def _activated(body: Body, op: Table, type: Type, y: str) -> str:
    one = body.const(1.0)
    match op.activation:
        case Activation.NONE:
            return y
        case Activation.RELU:
            return body("Max", y, body.const(0.0))
        case Activation.LEAKY_RELU:
            return body("Max", y, body("Mul", y, body.const(0.01)))
        case Activation.SIGMOID:
            return body("Div", one, body("Add", one, body("Exp", body("Neg", y))))
        case Activation.TANH:
            return body("Tanh", y)
        case Activation.EXP2:
            return body("Pow", body.const(2.0), y)
        case Activation.ROOT:
            return body("Sqrt", body("Abs", y))
        case Activation.LOG_ROOT:
            squared = body("Sub", body("Pow", body.const(2.0), body("Abs", y)), one)
            return body("Log", body("Add", one, body("Sqrt", squared)))
        case Activation.SLOG:
            return _slog(body, op, type, y)
        case Activation.POWER:
            zero = body("Equal", y, body.const(0.0))
            size = body("Pow", body("Where", zero, one, body("Abs", y)), body.const(_by_row(op, type)))
            return body("Where", zero, body.const(0.0), size)
        case Activation.GAUSSIAN | Activation.SOFT_STEP | Activation.STEP | Activation.SINE:
            return _radial(body, op.activation, y)
        case _:
            return _learned(body, op.activation, y)


def _learned(body: Body, kind: Activation, y: str) -> str:
    one = body.const(1.0)
    match kind:
        case Activation.ELU | Activation.SELU:
            alpha, scale = (SELU_ALPHA, SELU_SCALE) if kind is Activation.SELU else (1.0, 1.0)
            below = body("Sub", body("Exp", body("Min", y, body.const(0.0))), one)
            bent = body("Add", body("Max", y, body.const(0.0)), body("Mul", below, body.const(alpha)))
            return body("Mul", bent, body.const(scale))
        case Activation.SILU:
            return body("Div", y, body("Add", one, body("Exp", body("Neg", y))))
        case Activation.SOFTSIGN:
            return body("Div", y, body("Add", one, body("Abs", y)))
        case Activation.LOG_SIGMOID:
            decayed = body("Exp", body("Neg", body("Abs", y)))
            return body("Sub", body("Min", y, body.const(0.0)), body("Log", body("Add", one, decayed)))
        case Activation.ATAN:
            return _atan(body, y)
        case _:
            return _smooth(body, kind, y)


def _smooth(body: Body, kind: Activation, y: str) -> str:
    one = body.const(1.0)
    match kind:
        case Activation.GELU:
            half = body("Mul", y, body.const(0.5))
            return body("Mul", half, body("Add", one, _erf(body, body("Mul", y, body.const(0.5**0.5)))))
        case Activation.GELU_TANH:
            cube = body("Mul", body.const(GELU_CUBE), body("Mul", y, body("Mul", y, y)))
            bent = body("Mul", body.const(GELU_SLOPE), body("Add", y, cube))
            return body("Mul", body("Mul", y, body.const(0.5)), body("Add", one, body("Tanh", bent)))
        case Activation.SOFTPLUS:
            return _softplus(body, y)
        case Activation.MISH:
            return body("Mul", y, body("Tanh", _softplus(body, y)))
        case Activation.LOG:
            zero = body("Equal", y, body.const(0.0))
            return body("Log", body("Where", zero, one, body("Abs", y)))
        case _:
            raise AssertionError(kind)


def _softplus(body: Body, y: str) -> str:
    decayed = body("Exp", body("Neg", body("Abs", y)))
    return body("Add", body("Max", y, body.const(0.0)), body("Log", body("Add", body.const(1.0), decayed)))


def _erf(body: Body, y: str) -> str:
    """2 / sqrt(pi) exp(-y^2) times the sum of 2^n y^(2n+1) / (1 3 5 .. (2n+1)), of which all terms have one
    sign; |y| is at most 6, where 1 is reached: runtimes know Erf in float32 only."""
    y = body("Clip", y, body.const(-6.0), body.const(6.0))
    square = body("Mul", y, y)
    count = np.arange(160, dtype=np.float64)
    terms = np.cumprod(np.concatenate([[1.0], 2.0 / (2.0 * count[1:] + 1.0)]))
    powers = body("Pow", body("Unsqueeze", square, body.const([-1])), body.const(count))
    series = body.total(body("Mul", powers, body.const(terms)), -1)
    bell = body("Mul", body.const(2.0 / np.pi**0.5), body("Exp", body("Neg", square)))
    return body("Mul", y, body("Mul", bell, series))


def _atan(body: Body, y: str) -> str:
    """8 atan(t) with tan(8 atan(t)) = y by its series, |t| < 0.2: runtimes know Atan in float32 only."""
    one = body.const(1.0)
    for _ in range(3):
        root = body("Sqrt", body("Add", one, body("Mul", y, y)))
        y = body("Div", y, body("Add", one, root))
    square, total = body("Mul", y, y), body.const(1 / 25)
    for odd in range(23, 0, -2):
        total = body("Sub", body.const(1 / odd), body("Mul", square, total))
    return body("Mul", body("Mul", body.const(8.0), y), total)


def _radial(body: Body, kind: Activation, y: str) -> str:
    if kind is Activation.GAUSSIAN:
        return body("Exp", body("Neg", body("Mul", y, y)))
    if kind is Activation.SINE:
        return body("Sin", y)
    one, zero = body.const(1.0), body.const(0.0)
    above = body("Greater", y, zero)
    if kind is Activation.STEP:
        return body("Where", above, one, zero)
    bent = body("Exp", body("Neg", body("Div", one, body("Where", above, y, one))))
    return body("Where", above, bent, zero)


def _by_row(op: Table, type: Type) -> NDArray[np.float64]:
    """Return the parameters of an activation with one each row, so that they broadcast over the axes."""
    assert op.parameters is not None
    rows = op.parameters.array.ravel()
    return rows.reshape(1, *(len(rows) if a.name == op.axis else 1 for a in type.axes), 1)


def _slog(body: Body, op: Table, type: Type, y: str) -> str:
    """sign(y) ((1 + |y|)^a - 1) / a with an exponent a row, and its limit where a is 0."""
    rows = _by_row(op, type)
    power, flat = np.where(rows == 0, 1.0, rows), rows == 0
    one = body.const(1.0)
    grown = body("Log", body("Add", one, body("Abs", y)))
    curve = body("Sub", body("Exp", body("Mul", grown, body.const(power))), one)
    curve = body("Div", curve, body.const(power))
    size = body("Where", body("Cast", body.const(flat.astype(int)), to=BOOL), grown, curve)
    return body("Mul", body("Sign", y), size)


def lower_radial(op: Radial, body: Body, types: tuple[Type, ...]) -> str:
    """The sum of Lorentzians, channel by channel on a new axis."""
    x = body.real()
    x = body("Mul", body("Pow", body.const(2.0), x), body.const(op.floor)) if op.floor else body("Abs", x)
    one = body.const(1.0)
    terms = body("Div", one, body("Add", one, body("Mul", x, body.const(op.slope.array))))
    y = body("Add", body("MatMul", terms, body.const(op.weight.array.T)), body.const(op.offset.array))
    return entered(body, body("Unsqueeze", y, body.const([-1])), op.out)


def lower_log2(op: Log2, body: Body, types: tuple[Type, ...]) -> str:
    """The logarithm; exact: the small tables of the windows, one behind the other."""
    given = body.real()
    x = body("Abs", given) if op.odd or op.magnitude else given
    if not body.exact:
        size = body("Add", x, body.const(op.floor)) if op.odd else body("Max", x, body.const(op.floor))
        ratio = body("Log", body("Mul", size, body.const(1 / op.floor)))
        octaves = body("Min", body("Mul", ratio, body.const(1 / np.log(2.0))), body.const(op.top))
        return body("Mul", body("Sign", given), octaves) if op.odd else octaves
    top = op.scaled(op.turned(interval(types[0].formats, (1,))[0])).hi
    windows = 1 + max(0, ceil((top.bit_length() - op.window) / op.step))
    shifts = op.step * np.arange(windows)
    frac = max(f.frac for f in types[0].formats)
    entries = [op.code(c, int(s), frac) * 2.0**-op.frac for s in shifts for c in range(1 << op.window)]
    scaled = body("Floor", body("Mul", x, body.const(2.0**op.grain / op.floor)))
    whole = body("Max", scaled, body.const(0.0))
    window = body.bucket(whole, np.exp2(op.window + shifts[:-1]).astype(np.float64), inclusive=True)
    step = body("Gather", body.const(2.0**-shifts), window)
    cell = body("Cast", body("Floor", body("Mul", whole, step)), to=7)
    place = body("Add", cell, body("Mul", window, body.const(1 << op.window)))
    code = body("Gather", body.const(np.array(entries)), place)
    if op.odd and op.centred:
        return body("Where", body("Less", given, body.const(0.0)), body("Neg", code), code)
    return body("Mul", body("Sign", given), code) if op.odd else code


def lower_requantize(op: Requantize, body: Body, types: tuple[Type, ...]) -> str:
    """Float: at most a rectifier. Exact: what Quant cannot say: shifts by half an LSB, and whatever does not
    saturate."""
    if not body.exact and op.rectifies(types):
        return body("Relu", body.inputs[0])
    if not body.exact or not any(_needs_help(f) for f in op.formats):
        return body("Identity", body.inputs[0])
    x = body.real()
    if len(op.formats) == 1:
        return _before_quant(body, x, op.formats[0])
    parts = [_before_quant(body, body.take(x, [c], -1), form) for c, form in enumerate(op.formats)]
    return body("Concat", *parts, axis=-1)


def _needs_help(form: Fixed) -> bool:
    return not saturating(form) or QUANT_MODES[form.rounding][0] != 0.0


def saturating(form: Fixed) -> bool:
    """Whether a Quant node alone can fit a value into a format (its signed single bit is -1 or +1)."""
    return form.overflow in (Overflow.SAT, Overflow.SAT_SYM) and not (form.signed and form.width == 1)


def _before_quant(body: Body, x: str, form: Fixed) -> str:
    """Return what Quant fits into a format as ap_fixed would."""
    step, (shift, mode) = body.const(form.lsb), QUANT_MODES[form.rounding]
    if saturating(form):
        return body("Add", x, body.const(shift * form.lsb)) if shift else x
    scaled = body("Div", x, step)
    rounded = _rounded(body, body("Add", scaled, body.const(shift)), mode)
    return body("Mul", _fitted(body, rounded, scaled, form), step)


def _rounded(body: Body, x: str, mode: str) -> str:
    """Return x as an integer, rounded as QONNX names it."""
    half = body.const(0.5)
    match mode:
        case "FLOOR":
            return body("Floor", x)
        case "CEIL":
            return body("Ceil", x)
        case "ROUND":
            return body("Round", x)
        case "DOWN":
            size = body("Floor", body("Abs", x))
        case "HALF_UP":
            size = body("Floor", body("Add", body("Abs", x), half))
        case _:
            size = body("Ceil", body("Sub", body("Abs", x), half))
    return body("Mul", body("Sign", x), size)


def _fitted(body: Body, q: str, scaled: str, form: Fixed) -> str:
    """Fit integers into a format, as ap_fixed does on overflow."""
    lo, hi = body.const(float(form.lo)), body.const(float(form.hi))
    outside = body("Or", body("Less", q, lo), body("Greater", q, hi))
    match form.overflow:
        case Overflow.SAT | Overflow.SAT_SYM:
            return body("Clip", q, lo, hi)
        case Overflow.SAT_ZERO:
            return body("Where", outside, body.const(0.0), q)
        case Overflow.WRAP:
            return _wrapped(body, q, form.lo, form.width)
        case Overflow.WRAP_SM:
            kept, one = _wrapped(body, q, form.lo, form.width), body.const(1.0)
            deleted = _wrapped(body, _shifted(body, scaled, form.width), 0, 1)
            sign = body("Where", body("Less", kept, body.const(0.0)), one, body.const(0.0))
            flips = body("And", outside, body("Not", body("Equal", deleted, sign)))
            return body("Where", flips, body("Sub", body.const(-1.0), kept), kept)


def _wrapped(body: Body, q: str, lo: int, width: int) -> str:
    turns = _shifted(body, body("Sub", q, body.const(float(lo))), width)
    return body("Sub", q, body("Mul", turns, body.const(2.0**width)))


def _shifted(body: Body, q: str, bits: int) -> str:
    return body("Floor", body("Mul", q, body.const(2.0**-bits)))
