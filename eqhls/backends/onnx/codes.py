"""Angles on a circle, and numbers that are known by their logarithms, in ONNX operators."""

from __future__ import annotations

import numpy as np

from eqhls.backends.onnx.body import Body
from eqhls.engines import INTERVALS
from eqhls.fixed import Num
from eqhls.ir.types import Type
from eqhls.ops.exp2 import Exp2
from eqhls.ops.log_add import LogAdd
from eqhls.ops.wrap import Wrap

INT64 = 7


def lower_wrap(op: Wrap, body: Body, types: tuple[Type, ...]) -> str:
    """Whole turns are subtracted from the cell that x lies in; what it lies above the cell stays."""
    n, step = op.modulus // op.step, op.step * op.out.lsb
    x = body.real()
    cell = body("Floor", body("Div", x, body.const(step)))
    above = body("Sub", x, body("Mul", cell, body.const(step)))
    ahead = body("Add", cell, body.const(float(n // 2)))
    turns = body("Floor", body("Div", ahead, body.const(float(n))))
    cell = body("Sub", cell, body("Mul", turns, body.const(float(n))))
    first, last = op.out.lo // op.step, op.out.hi // op.step
    cell = body("Clip", cell, body.const(float(first)), body.const(float(last)))
    return body("Add", body("Mul", cell, body.const(step)), above)


def lower_log_add(op: LogAdd, body: Body, types: tuple[Type, ...]) -> str:
    """The larger one, and what the smaller one adds to it; exact: by the table of the difference."""
    axes = op.infer(*types).axes
    a, b = (body.spread(body.real(k), t, axes) for k, t in enumerate(types))
    difference = body("Sub", a, b)
    if body.exact:
        return body("Add", b, _rise(op, body, types, difference))
    smaller = body("Exp", body("Mul", body("Abs", difference), body.const(-op.power * np.log(2.0))))
    more = body("Log", body("Add", body.const(1.0), smaller))
    return body("Add", body("Max", a, b), body("Mul", more, body.const(1 / (op.power * np.log(2.0)))))


def _rise(op: LogAdd, body: Body, types: tuple[Type, ...], difference: str) -> str:
    a, b = (t.formats[0] for t in types)
    point = max(a.frac, b.frac, 0)
    first, last = ((x << (point - a.frac)) - (y << (point - b.frac)) for x, y in ((a.lo, b.hi), (a.hi, b.lo)))
    entries = np.array(op.entries(Num(INTERVALS, None, first, last, point))) * 2.0**-op.frac
    place = body("Sub", body("Mul", difference, body.const(2.0**point)), body.const(float(first)))
    return body("Gather", body.const(entries), body("Cast", place, to=INT64))


def lower_exp2(op: Exp2, body: Body, types: tuple[Type, ...]) -> str:
    """The power of two; exact: the rounded significand of the fraction, times the power of the floor."""
    x, most = body.real(), body.const(op.out.hi * op.out.lsb)
    if not body.exact:
        y = body("Pow", body.const(2.0), body("Add", x, body.const(float(op.shift))))
        return body("Min", y, most) if op.out.overflow.saturates else y
    form = types[0].formats[0]
    frac = max(form.frac, 0)
    whole = body("Floor", x)
    place = body("Mul", body("Sub", x, whole), body.const(2.0**frac))
    table = np.array(op.significands(frac)) * 2.0**-op.mantissa
    significand = body("Gather", body.const(table), body("Cast", place, to=INT64))
    low, high = (int(v * form.lsb // 1) for v in (form.lo, form.hi))
    octaves = np.arange(low, high + 1)
    scale = np.exp2((octaves + op.shift + op.out.frac).astype(np.float64))
    octave = body("Cast", body("Sub", whole, body.const(float(octaves[0]))), to=INT64)
    y = body("Mul", significand, body("Gather", body.const(scale), octave))
    y = body("Mul", body("Floor", body("Add", y, body.const(0.5))), body.const(op.out.lsb))
    return body("Min", y, most)
