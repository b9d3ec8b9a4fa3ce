"""The config structs of functions of one scalar: entries by the bits of their address."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.backends.hls import indices
from eqhls.backends.hls.context import Context
from eqhls.backends.hls.formats import covering, plain
from eqhls.backends.hls.structs import Value
from eqhls.engines import INTERVALS
from eqhls.fixed import Fixed, Num
from eqhls.groups.rep import S
from eqhls.ir.types import Type
from eqhls.ops.composed import Composed
from eqhls.ops.exp2 import Exp2
from eqhls.ops.log2 import Log2
from eqhls.ops.log_add import LogAdd
from eqhls.ops.radial import Radial
from eqhls.ops.table import Table
from eqhls.ops.wrap import Wrap


def table_config(op: Table, c: Context) -> dict[str, Value]:
    type = c.types[0]
    by_bits = _entries(op, covering(type.formats), op.values.shape[0])
    row = indices.along(type, op.axis, type.size(op.axis)) if op.axis else np.zeros(c.size, dtype=int)
    assert op.out is not None
    return {"size": c.size, "row": row, "entry": by_bits, "entry_t": plain(op.out)}


def _entries(op: Table | Radial | Composed, form: Fixed, rows: int) -> NDArray[Any]:
    """Return the raw entries of each row by the bits of the address as an unsigned number."""
    address = Num(INTERVALS, None, form.lo, form.hi, form.frac)
    entries = np.array([op.entries(address, r) for r in range(rows)])
    return np.roll(entries, form.lo, axis=1) if form.signed else entries


def radial_config(op: Radial, c: Context) -> dict[str, Value]:
    assert op.out is not None
    channels = len(op.weight.array)
    entry = _entries(op, covering(c.types[0].formats), channels)
    size = c.size // channels
    return {"size": size, "channels": channels, "entry": entry, "entry_t": plain(op.out)}


def composed_config(op: Composed, c: Context) -> dict[str, Value]:
    assert op.out is not None
    type, own = c.types[0], Type(S, op.rows)
    channels = op.count // own.elements
    return {
        "size": c.size // channels,
        "channels": channels,
        "row": indices.over(own, type.axes),
        "entry": _entries(op, covering(type.formats), op.count),
        "entry_t": plain(op.out),
    }


def log2_config(op: Log2, c: Context) -> dict[str, Value]:
    form = covering(c.types[0].formats)
    top = op.scaled(op.turned(Num(INTERVALS, None, form.lo, form.hi, form.frac))).hi
    width = max(1, top.bit_length())
    count = 1 + max(0, -(-(width - op.window) // op.step))
    cells = range(1 << op.window)
    codes = np.array([[op.code(cell, k * op.step, form.frac) for cell in cells] for k in range(count)])
    point = op.grain - (np.frexp(op.floor)[1] - 1)
    scaled = Fixed(width, width - int(point), False)
    code_t = Fixed.covering(0, int(codes.max()), op.frac)
    return {
        "size": c.size,
        "magnitude": op.magnitude,
        "width": width,
        "windows": count,
        "window": op.window,
        "step": op.step,
        "odd": op.odd,
        "code": codes,
        "scaled_t": plain(scaled),
        "code_t": plain(code_t),
    }


def wrap_config(op: Wrap, c: Context) -> dict[str, Value]:
    form, cells, half = covering(c.types[0].formats), op.cells, op.cells // 2
    low, first, last = op.step.bit_length() - 1, op.out.lo // op.step, op.out.hi // op.step
    power = cells & (cells - 1) == 0
    kept = op.modulus.bit_length() - 1 if power else max(form.width, low + 1)
    tabled = not power or first > -half or last < half - 1
    high = np.arange(1 << (kept - low)) if tabled else np.zeros(1, dtype=np.int64)
    if form.signed:
        high = np.where(high >> (kept - low - 1) > 0, high - (1 << (kept - low)), high)
    wide = max(form.width + 1, kept)
    return {
        "size": c.size,
        "wide_t": plain(Fixed(wide, wide - form.frac)),
        "kept": kept,
        "low": low,
        "tabled": tabled,
        "cell": np.clip((high + half) % cells - half, first, last),
    }


def log_add_config(op: LogAdd, c: Context) -> dict[str, Value]:
    a, b = (covering(t.formats) for t in c.types)
    frac = max(a.frac, b.frac, 0)
    spans = [(f.lo << (frac - f.frac), f.hi << (frac - f.frac)) for f in (a, b)]
    lo, hi = spans[0][0] - spans[1][1], spans[0][1] - spans[1][0]
    difference = Fixed.covering(lo, hi, frac)
    known = op.entries(Num(INTERVALS, None, lo, hi, frac))
    rise = np.zeros(1 << difference.width, dtype=np.int64)
    rise[np.arange(lo, hi + 1) % len(rise)] = known
    axes = c.node.type.axes
    return {
        "size": c.size,
        "first": indices.over(c.types[0], axes),
        "second": indices.over(c.types[1], axes),
        "difference_t": plain(difference),
        "rise": rise,
        "rise_t": plain(Fixed.covering(0, max(known), op.frac)),
    }


def exp2_config(op: Exp2, c: Context) -> dict[str, Value]:
    form = covering(c.types[0].formats)
    frac = max(form.frac, 1)
    integer = form.integer + (not form.signed)
    reach = op.out.width
    return {
        "size": c.size,
        "code_t": plain(Fixed(max(integer, 1) + frac, max(integer, 1))),
        "frac": frac,
        "significand": np.array(op.significands(frac)),
        "offset": op.shift + op.out.frac - op.mantissa,
        "reach": reach,
        "guard": op.mantissa + 3,
        "wide": op.mantissa + 2 + reach,
        "most": op.out.hi,
        "out_t": plain(op.out),
    }
