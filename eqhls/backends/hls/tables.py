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
from eqhls.ops.log2 import Log2
from eqhls.ops.radial import Radial
from eqhls.ops.table import Table


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
