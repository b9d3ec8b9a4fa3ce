"""The names of the engines, and two of `Num` arithmetic: intervals alone, and NumPy integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from eqhls.fixed import Fixed, Formats, Num, NumArray, const, element

Ints = NDArray[np.int64]

ExactEngine = Literal["integer", "emulator", "hls", "rtl"]
Engine = Literal["float", "integer", "emulator", "hls", "rtl"]
"""What evaluates a network: float64 references, exact integers in NumPy, the netlist in C++, the HLS C++, the
simulated Verilog."""
TracedEngine = Literal["float", "integer", "hls", "rtl"]
"""Those in which values inside a network have names."""
EXACT: tuple[ExactEngine, ...] = get_args(ExactEngine)
ENGINES: tuple[Engine, ...] = get_args(Engine)
TRACED: tuple[TracedEngine, ...] = get_args(TracedEngine)


class Intervals:
    """The engine without wires: arithmetic on it derives ranges and widths, nothing else."""

    def add(self, a: Any, b: Any, lo: int, hi: int) -> None: ...
    def sub(self, a: Any, b: Any, lo: int, hi: int) -> None: ...
    def mul(self, a: Any, b: Any, lo: int, hi: int) -> None: ...
    def add_const(self, a: Any, value: int, lo: int, hi: int) -> None: ...
    def mul_const(self, a: Any, value: int, lo: int, hi: int) -> None: ...
    def shift_left(self, a: Any, bits: int) -> None: ...
    def shift_right(self, a: Any, bits: int) -> None: ...
    def wrap(self, a: Any, width: int, signed: bool) -> None: ...
    def relu(self, a: Any) -> None: ...
    def nonzero(self, a: Any) -> None: ...
    def largest(self, terms: Sequence[Any], lo: int, hi: int) -> None: ...
    def select(self, cond: Any, yes: Any, no: Any, lo: int, hi: int) -> None: ...
    def table(self, a: Any, first: int, entries: Sequence[int]) -> None: ...
    def matvec(
        self, matrix: Sequence[Sequence[int]], x: Sequence[Any], spans: Sequence[tuple[int, int]]
    ) -> Sequence[None]:
        return [None] * len(matrix)


class Integers:
    """NumPy int64 over a batch of events; every wire is an array of shape (events,).

    No wire can overflow: `Num` refuses values of more than 63 bits.
    """

    def add(self, a: Ints, b: Ints, lo: int, hi: int) -> Ints:
        return a + b

    def sub(self, a: Ints, b: Ints, lo: int, hi: int) -> Ints:
        return a - b

    def mul(self, a: Ints, b: Ints, lo: int, hi: int) -> Ints:
        return a * b

    def add_const(self, a: Ints, value: int, lo: int, hi: int) -> Ints:
        return a + value

    def mul_const(self, a: Ints, value: int, lo: int, hi: int) -> Ints:
        return a * value

    def shift_left(self, a: Ints, bits: int) -> Ints:
        return a << bits

    def shift_right(self, a: Ints, bits: int) -> Ints:
        return a >> bits

    def wrap(self, a: Ints, width: int, signed: bool) -> Ints:
        offset = 1 << (width - 1) if signed else 0
        return ((a + offset) & ((1 << width) - 1)) - offset

    def relu(self, a: Ints) -> Ints:
        return cast(Ints, np.maximum(a, 0))

    def nonzero(self, a: Ints) -> Ints:
        return (a != 0).astype(np.int64)

    def largest(self, terms: Sequence[Ints], lo: int, hi: int) -> Ints:
        return cast(Ints, np.maximum.reduce(terms))

    def select(self, cond: Ints, yes: Ints | int, no: Ints | int, lo: int, hi: int) -> Ints:
        return np.where(cond != 0, yes, no)

    def table(self, a: Ints, first: int, entries: Sequence[int]) -> Ints:
        return np.asarray(entries, dtype=np.int64)[a - first]

    def matvec(
        self, matrix: Sequence[Sequence[int]], x: Sequence[Ints], spans: Sequence[tuple[int, int]]
    ) -> Sequence[Ints]:
        return list(np.asarray(matrix, dtype=np.int64) @ np.stack(x))


INTERVALS = Intervals()
INTEGERS = Integers()


def interval(formats: Sequence[Fixed], shape: tuple[int, ...]) -> NumArray:
    """Return inputs that may take any value of their formats; shape (*axes, components)."""
    out, forms = np.empty(shape, dtype=object), Formats(formats)
    for index in np.ndindex(shape):
        form = forms[index[-1]]
        out[index] = Num(INTERVALS, None, form.lo, form.hi, form.frac)
    return out


def load(formats: Sequence[Fixed], raw: Ints) -> NumArray:
    """Return raw integers of shape (events, *axes, components) as emulator inputs."""
    out, forms = np.empty(raw.shape[1:], dtype=object), Formats(formats)
    for index in np.ndindex(out.shape):
        form = forms[index[-1]]
        out[index] = Num(
            INTEGERS, np.ascontiguousarray(raw[(slice(None), *index)]), form.lo, form.hi, form.frac
        )
    return out


def store(nums: NumArray, formats: Sequence[Fixed], events: int) -> Ints:
    """Return emulator values as raw integers of shape (events, *axes, components)."""
    out, forms = np.empty((events, *nums.shape), dtype=np.int64), Formats(formats)
    for index in np.ndindex(nums.shape):
        form = forms[index[-1]]
        num = element(nums, index).at(form.frac)
        out[(slice(None), *index)] = num.lo if num.is_const else num.wire
    return out


def hull(nums: NumArray, apart: bool = False) -> Formats:
    """Return one covering format for all components, or, if they are taken `apart` because their binary
    points may differ, one for each component unless all agree."""
    formats: list[Fixed] = []
    columns = nums.reshape(-1, nums.shape[-1]).T if apart else nums.reshape(1, -1)
    for part in columns:
        column: list[Num] = list(part)
        frac = max(n.frac for n in column)
        column = [n.at(frac) for n in column]
        formats.append(Fixed.covering(min(n.lo for n in column), max(n.hi for n in column), frac))
    return Formats(formats[:1] if len(set(formats)) == 1 else formats)


def zeros(shape: tuple[int, ...]) -> NumArray:
    """Return an object array of the constant 0."""
    return np.full(shape, const(0, 0), dtype=object)
