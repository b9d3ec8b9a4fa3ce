"""Layers that are tables with an entry for every address: counts of borders, scores of codes, curves.

What a model computes with them in float32 is what the integers compute, on every backend of Keras: trained
numbers are cut to a grid on which their sums are exact in float32, and a sigmoid is compared with borders.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import frexp
from typing import Any

import keras
import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.frontends.layers.base import (
    PACKAGE,
    EqLayer,
    K,
    constant,
    fake_quantize,
    register,
    saturate,
    straight_through,
)
from eqhls.frontends.layers.scalar import bend_functions
from eqhls.ir.op import Floats, Op, Tensor
from eqhls.ir.types import Type
from eqhls.ops.table import Table

STEEP = 64
"""How many times a step of a count is steeper than a line from one code to the next."""
WITHIN = 0.5 - 2.0**-20
"""How far from a whole number what is rounded to it may be."""
GRAIN = 256.0
"""One over the steps of trained numbers and of the functions that they multiply: below 256, sums of their
products are exact in float32."""


@register
class CountLayer(EqLayer):
    """How many of the rising `borders` a code has reached, times `unit`. The code comes in multiples of
    `lsb`, a power of two; one that is not rounded has reached what the nearest multiple has."""

    def __init__(self, borders: Sequence[float], unit: int = 1, lsb: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.borders, self.unit, self.lsb = [float(b) for b in borders], int(unit), float(lsb)
        check_lsb(self.name, self.lsb)
        if not self.borders or (np.diff(self.steps) <= 0).any() or self.unit < 1:
            raise CompileError(
                self.name,
                f"found borders {self.borders}, unit {unit}, lsb {lsb}",
                "give borders that rise, no two of them to one code, and a unit from 1 on",
            )

    @property
    def steps(self) -> Floats:
        """Where the count rises: half of a LSB before the first code that has reached each border."""
        return np.ceil(np.array(self.borders) / self.lsb) * self.lsb - self.lsb / 2

    def prepare(self) -> None:
        check_lsb(self.name, self.lsb, self.types[0])

    def op(self) -> Op:
        unit, edge = self.unit, self.lsb / STEEP
        steps = [float(step + side * edge) for step in self.steps for side in (-1, 1)]
        counts = [float((k + side) * unit) for k in range(len(self.borders)) for side in (0, 1)]
        knots, values = (steps[0] - 1, *steps, steps[-1] + 1), (0.0, *counts, counts[-1])
        count = len(self.borders)
        return Table(Tensor(knots), Tensor([values]), out=Fixed.covering(0, count * unit, 0))

    def call(self, x: Any) -> Any:
        reached = K.cast(x[..., None] >= constant(self.steps, x), x.dtype)
        return K.sum(reached, -1) * self.unit

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"borders": self.borders, "unit": self.unit, "lsb": self.lsb}


@register
class CodeTableLayer(EqLayer):
    """A trained score of an integer code that is joined of two: row times `columns` plus column. The score
    is the largest number of the unsigned format `out` times the sigmoid of a sum of three trained numbers, of
    the row, of the column and of the code; that of column 0 is 0, so that an empty slot counts for nothing.
    Where `quantized`, it is rounded to the nearest number of the format."""

    def __init__(self, rows: int, columns: int, out: str, quantized: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows, self.columns, self.out, self.quantized = rows, columns, Fixed.parse(out), quantized
        if self.out.signed or rows < 1 or columns < 1 or rows * columns < 2:
            raise CompileError(
                self.name,
                f"found {rows} rows, {columns} columns and scores of {out}",
                "give two codes or more and an unsigned format, such as ufix<4,4>",
            )

    def prepare(self) -> None:
        if hasattr(self, "code"):
            return
        start = keras.initializers.RandomNormal(stddev=0.3)
        self.code = self.add_weight(shape=(self.rows, self.columns), name="code", initializer=_Sloped())
        self.row = self.add_weight(shape=(self.rows, 1), name="row", initializer=start)
        self.column = self.add_weight(shape=(1, self.columns), name="column", initializer=start)

    @property
    def borders(self) -> Floats:
        """The arguments of the sigmoid from which on a score is rounded to 1, 2, .. LSBs."""
        share = (np.arange(self.out.hi) + 0.5) / self.out.hi
        return np.log(share / (1 - share))

    @property
    def counts(self) -> Floats:
        """Zeros for the codes of column 0, otherwise ones, (rows, columns)."""
        on = np.ones((self.rows, self.columns))
        on[:, 0] = 0.0
        return on

    def scores(self) -> Any:
        """Return the scores by code, (codes,)."""
        shape = (self.rows, self.columns)
        # Keras takes a column (n, 1) beside a square matrix for a bias under TensorFlow, and adds it as a row
        z = self.code + K.broadcast_to(self.row, shape) + K.broadcast_to(self.column, shape)
        smooth = K.sigmoid(z) * self.out.hi
        if self.quantized:
            reached = K.cast(z[..., None] >= constant(self.borders, z), z.dtype)
            smooth = straight_through(smooth, K.sum(reached, -1))
        return K.reshape(smooth * constant(self.counts, z) * self.out.lsb, (-1,))

    def op(self) -> Op:
        """Return the table of the scores in float64, each on the side of a half to which `scores` rounds."""
        code, row, column = (np.asarray(K.convert_to_numpy(w)) for w in (self.code, self.row, self.column))
        z = (code + row) + column
        reached = (z[..., None] >= self.borders.astype(z.dtype)).sum(-1)
        smooth = self.out.hi / (1 + np.exp(-z.astype(np.float64)))
        values = (np.clip(smooth, reached - WITHIN, reached + WITHIN) * self.counts * self.out.lsb).ravel()
        return table_of(np.arange(float(len(values))), values, self.out)

    def call(self, x: Any) -> Any:
        code = K.clip(K.round(x), 0, self.rows * self.columns - 1)
        return K.take(self.scores(), K.cast(code, "int32"))

    def result_type(self) -> Type:
        size = self.rows * self.columns
        return table_of(np.arange(float(size)), np.zeros(size), self.out).infer(*self.types)

    def get_config(self) -> dict[str, Any]:
        fields = {"rows": self.rows, "columns": self.columns, "out": str(self.out)}
        return super().get_config() | fields | {"quantized": self.quantized}


@keras.saving.register_keras_serializable(PACKAGE)
class _Sloped(keras.initializers.Initializer):
    """Numbers that rise or fall smoothly with row and column, beside a little noise."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        rows, columns = (constant(np.arange(n) / n - 0.5) for n in shape)
        normal: Any = keras.random.normal
        row, column = normal((1,), stddev=3.0), normal((1,), stddev=3.0)
        noise = normal(tuple(shape), stddev=0.1)
        return K.cast((row * rows)[:, None] + column * columns + noise, dtype or keras.config.floatx())


@register
class CurveLayer(EqLayer):
    """A trained function of a scalar that comes in LSBs: one entry for each of the `size` addresses from
    `first` LSBs on, the ends beyond. Entries lie on straight lines between `knots`, within the saturating
    format `out`, to the nearest number of which they are rounded if `quantized`; a gradient is that of the
    lines."""

    def __init__(
        self,
        knots: Sequence[float],
        size: int,
        lsb: float,
        out: str,
        first: int = 0,
        spread: float = 0.2,
        quantized: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.knots, self.size, self.lsb = [float(k) for k in knots], size, float(lsb)
        self.out, self.first, self.spread, self.quantized = Fixed.parse(out), first, spread, quantized
        check_lsb(self.name, self.lsb)
        if size < 2 or len(self.knots) < 2 or (np.diff(self.knots) <= 0).any():
            raise CompileError(
                self.name,
                f"found knots {self.knots} for {size} addresses of {lsb}",
                "give two knots or more that rise, two addresses or more and the step between them",
            )
        if not self.out.rounding.value.startswith("RND") or not self.out.overflow.saturates:
            raise CompileError(
                self.name,
                f"found {out}, expected RND* with SAT or SAT_SYM",
                "give the format a rounding RND* and the overflow SAT or SAT_SYM",
            )

    @property
    def addresses(self) -> Floats:
        """The scalars that have an entry."""
        return np.arange(self.first, self.first + self.size, dtype=np.float64) * self.lsb

    @property
    def basis(self) -> Floats:
        """The functions whose sum is trained at all addresses, (knots, addresses), on their grid."""
        return np.rint(bend_functions(self.knots, self.addresses) * GRAIN) / GRAIN

    def prepare(self) -> None:
        check_lsb(self.name, self.lsb, self.types[0])
        if not hasattr(self, "bends"):
            start = keras.initializers.RandomNormal(stddev=self.spread)
            self.bends = self.add_weight(shape=(len(self.knots),), name="bends", initializer=start)

    def entries(self) -> Any:
        """Return the entries before they are rounded, (addresses,)."""
        bends = straight_through(self.bends, K.round(self.bends * GRAIN) / GRAIN)
        return saturate(K.sum(bends[:, None] * constant(self.basis, self.bends), 0), self.out)

    def op(self) -> Op:
        bends = np.rint(np.asarray(K.convert_to_numpy(self.bends), np.float64) * GRAIN) / GRAIN
        return table_of(self.addresses, bends @ self.basis, self.out)

    def call(self, x: Any) -> Any:
        entries = self.entries()
        at = K.clip(x / self.lsb - self.first, 0, self.size - 1)
        low = K.minimum(K.floor(at), self.size - 2)
        slopes, place = entries[1:] - entries[:-1], K.cast(low, "int32")
        if not self.quantized:
            lines = K.take(K.stack([entries[:-1], slopes], -1), place, axis=0)
            return lines[..., 0] + lines[..., 1] * (at - low)
        rounded = straight_through(entries, fake_quantize(K.stop_gradient(entries), self.out))
        slope = K.take(K.stop_gradient(slopes), place)
        return K.take(rounded, K.cast(K.round(at), "int32")) + slope * (at - K.stop_gradient(at))

    def result_type(self) -> Type:
        return table_of(self.addresses, np.zeros(self.size), self.out).infer(*self.types)

    def get_config(self) -> dict[str, Any]:
        fields = {"knots": self.knots, "size": self.size, "lsb": self.lsb, "out": str(self.out)}
        more = {"first": self.first, "spread": self.spread, "quantized": self.quantized}
        return super().get_config() | fields | more


def table_of(addresses: Floats, values: Floats, out: Fixed) -> Table:
    """Return the table with a value at each address, which rise by one step, and the first and the last value
    beyond."""
    step = addresses[1] - addresses[0]
    knots = np.concatenate([addresses[:1] - step, addresses, addresses[-1:] + step])
    return Table(Tensor(knots), Tensor([np.concatenate([values[:1], values, values[-1:]])]), out=out)


def check_lsb(name: str, lsb: float, type: Type | None = None) -> None:
    """Raise CompileError unless a LSB is a power of two, and none of the formats of a type is finer."""
    finest = min((float(f.lsb) for f in type.formats), default=lsb) if type else lsb
    if lsb <= 0 or frexp(lsb)[0] != 0.5 or finest < lsb:
        said = "" if type is None else f" of {type}"
        raise CompileError(
            name, f"found lsb {lsb}{said}", "give the power of two that the last bit of the input is worth"
        )
