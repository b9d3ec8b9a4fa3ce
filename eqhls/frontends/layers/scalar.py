"""Layers on invariants: logarithmic codes, trained functions, dense layers, rounding."""

from __future__ import annotations

from math import frexp
from typing import Any

import keras
import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats
from eqhls.fixed.ordered import ordered_product
from eqhls.frontends.layers.base import (
    TRAINED,
    EqLayer,
    K,
    constant,
    fake_quantize,
    register,
    requantize,
    saturate,
    stored,
    straight_through,
)
from eqhls.frontends.layers.quantizers import as_format
from eqhls.frontends.layers.weights import quantizer_of
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Type
from eqhls.ops.dense import Dense
from eqhls.ops.log2 import Log2
from eqhls.ops.requantize import Requantize
from eqhls.ops.table import Activation, Table

_ACTIVATIONS = {
    Activation.NONE: lambda x: x,
    Activation.RELU: K.relu,
    Activation.SIGMOID: K.sigmoid,
    Activation.TANH: K.tanh,
    Activation.LEAKY_RELU: lambda x: K.where(x < 0, 0.01 * x, x),
    Activation.EXP2: lambda x: K.power(2.0, x),
}


@register
class Log2Layer(EqLayer):
    """log2(max(x, floor) / floor), with exactly the cells of the hardware if `quantized`.

    The other arguments are the fields of Log2. `centred` codes depend on the LSB of x: that of its port, or
    `lsb` if x is computed.
    """

    def __init__(
        self,
        floor: float = 1.0,
        frac: int = 2,
        codes: int = 64,
        quantized: bool = True,
        step: int = 4,
        window: int = 6,
        odd: bool = False,
        magnitude: bool = False,
        centred: bool = False,
        lsb: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.log2, self.quantized = Log2(floor, frac, codes, window, step, odd, magnitude, centred), quantized
        self.lsb = lsb

    def op(self) -> Op:
        return self.log2

    def prepare(self) -> None:
        mantissa, exponent = frexp(self.lsb)
        ports = {f.frac for f in self.types[0].formats}
        said = {1 - exponent} if self.lsb else set[int]()
        if (self.lsb and mantissa != 0.5) or (self.log2.centred and len(ports | said) != 1):
            raise CompileError(
                self.name,
                f"found lsb {self.lsb} of {self.types[0]}, centred: {self.log2.centred}",
                "give the power of two that the last bit of a computed input is worth",
            )
        self.point = max(ports | said, default=0)

    def call(self, x: Any) -> Any:
        log2 = self.log2
        size = K.abs(x) if log2.odd or log2.magnitude else x
        sign = K.where(x < 0, -1.0, 1.0) if log2.odd else 1.0
        ratio = 1 + size / log2.floor if log2.odd else K.maximum(size, log2.floor) / log2.floor
        smooth = sign * K.minimum(K.log2(ratio), log2.top)
        return straight_through(smooth, sign * self._code(size)) if self.quantized else smooth

    def _code(self, x: Any) -> Any:
        """Return the code of x by the windows of the hardware."""
        log2 = self.log2
        w = K.floor(K.maximum(x, 0.0) * (2.0**log2.grain / log2.floor))
        shifts = range(0, 40, log2.step)
        window = K.zeros_like(w)
        for shift in shifts[1:]:
            window = window + K.cast(w >= 2.0 ** (shift - log2.step + log2.window), w.dtype)
        cell = K.floor(w / K.power(2.0, window * log2.step))
        cells = 1 << log2.window
        rows = [[log2.code(c, s, self.point) for c in range(cells)] for s in shifts]
        index = K.cast(K.clip(window * cells + K.minimum(cell, cells - 1), 0, cells * len(rows) - 1), "int32")
        return K.take(constant(np.array(rows).ravel() * 2.0**-log2.frac, x), index)

    def get_config(self) -> dict[str, Any]:
        b = self.log2
        names = ("floor", "frac", "codes", "step", "window", "odd", "magnitude", "centred")
        fields = {name: getattr(b, name) for name in names}
        return super().get_config() | fields | {"quantized": self.quantized, "lsb": self.lsb}


@register
class TableLayer(EqLayer):
    """A trained function of one scalar: values at fixed knots, straight lines between.

    `axis` gives each of its entries a function of its own. `out` is the format of the result,
    `levels` the only values it may take; both act straight through if `quantized`.
    """

    def __init__(
        self,
        knots: Any,
        axis: str = "",
        activation: str = "none",
        out: str = "",
        levels: Any = (),
        trainable_values: bool = True,
        spread: float = 0.2,
        quantized: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.knots = [float(k) for k in knots]
        self.axis, self.activation, self.levels = axis, Activation(activation), [float(v) for v in levels]
        if self.activation not in _ACTIVATIONS:
            raise CompileError(self.name, f"found the activation {activation}", "it has no trainable layer")
        self.out = Fixed.parse(out) if out else None
        self.trained, self.spread, self.quantized = trainable_values, spread, quantized

    def prepare(self) -> None:
        if hasattr(self, "bends"):
            return
        rows = self.types[0].size(self.axis) if self.axis else 1
        start = keras.initializers.RandomNormal(stddev=self.spread) if self.trained else _Straight(self.knots)
        self.bends = self.add_weight(
            shape=(rows, len(self.knots)), name="bends", trainable=self.trained, initializer=start
        )

    @property
    def values(self) -> Any:
        """The values at the knots, shape (rows, knots), as training forms them. `op` forms them in float64:
        a file must be the same graph on every processor."""
        return K.matmul(self.bends, constant(bend_basis(self.knots), self.bends))

    def op(self) -> Op:
        levels = Tensor(self.levels) if self.levels else None
        values = ordered_product(stored(self.bends), bend_basis(self.knots))
        return Table(Tensor(self.knots), Tensor(values), self.activation, self.axis, self.out, levels)

    def call(self, x: Any) -> Any:
        knots = np.array(self.knots)
        widths = np.diff(knots)
        steps = K.clip((x - constant(knots[:-1], x)) / constant(widths, x), 0.0, 1.0)
        low, high = (x - knots[0]) / widths[0], (x - knots[-1]) / widths[-1]
        first = steps[..., :1] + K.minimum(low, 0.0)
        last = steps[..., -1:] + K.maximum(high, 0.0)
        steps = (
            K.concatenate([first, steps[..., 1:-1], last], axis=-1)
            if len(widths) > 1
            else steps + K.minimum(low, 0.0) + K.maximum(high, 0.0)
        )
        rise = self.values[:, 1:] - self.values[:, :-1]
        y = K.sum(steps * self._rows(rise), -1, keepdims=True) + self._rows(self.values[:, :1])
        y = saturate(_ACTIVATIONS[self.activation](y), self.out)
        return self._rounded(y) if self.quantized else y

    def _rows(self, values: Any) -> Any:
        """Shape (rows, n) so that it broadcasts along `axis`, components last."""
        if not self.axis:
            return values[0]
        rank = len(self.types[0].axes)
        where = self.types[0].index(self.axis)
        shape = [1] * rank
        shape[where] = values.shape[0]
        return K.reshape(values, (*shape, values.shape[1]))

    def _rounded(self, y: Any) -> Any:
        if self.levels:
            allowed = constant(np.sort(self.levels), y)
            nearest = K.argmin(K.abs(y - allowed), axis=-1, keepdims=True)
            return straight_through(y, K.take(allowed, nearest))
        return fake_quantize(y, self.out) if self.out else y

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "knots": self.knots,
            "axis": self.axis,
            "activation": self.activation.value,
            "out": str(self.out) if self.out else "",
            "levels": self.levels,
            "trainable_values": self.trained,
            "spread": self.spread,
            "quantized": self.quantized,
        }

    def result_type(self) -> Type:
        rows = self.types[0].size(self.axis) if self.axis else 1
        blank = Table(Tensor(self.knots), Tensor(np.zeros((rows, len(self.knots)))), axis=self.axis)
        return blank.infer(*self.types)


def bend_basis(knots: list[float]) -> np.ndarray:
    """Return the functions whose sum is trained, at the knots: a constant, a line, and a bend at every
    inner knot. One step of the optimiser then moves the function over its whole range, which a
    step of a single value at a knot would not."""
    return bend_functions(knots, np.array(knots))


def bend_functions(knots: list[float], x: np.ndarray) -> np.ndarray:
    """Return the functions of `bend_basis` at any x, (knots, x)."""
    first, *inner, last = knots
    unit = (last - first) / 4
    bends = [np.maximum(x - k, 0.0) / unit for k in inner]
    return np.stack([np.ones_like(x), (x - first) / (2 * unit), *bends])


@keras.saving.register_keras_serializable("eqhls")
class _Straight(keras.initializers.Initializer):
    """The identity, in terms of `bend_basis`."""

    def __init__(self, knots: list[float]) -> None:
        self.knots = knots

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        row = np.linalg.solve(bend_basis(self.knots).T, np.array(self.knots))
        return K.broadcast_to(K.cast(constant(row), dtype or keras.config.floatx()), shape)

    def get_config(self) -> dict[str, Any]:
        return {"knots": self.knots}


@register
class DenseLayer(EqLayer):
    """A dense layer over all scalars of the event."""

    def __init__(self, units: int, quantizer: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.quantizer = units, quantizer

    def prepare(self) -> None:
        if hasattr(self, "weight"):
            return
        shape = (self.units, self.types[0].elements)
        self.weight = self.add_weight(shape=shape, initializer="glorot_uniform", name="weight")
        self.bias = self.add_weight(shape=shape[:1], initializer="zeros", name="bias")
        self.weight_quantizer = quantizer_of(self, "weight", shape)
        self.bias_quantizer = quantizer_of(self, "bias", shape[:1])

    def _values(self) -> tuple[Any, Any]:
        """Return weight and bias as they multiply."""
        return self.weight_quantizer(self.weight), self.bias_quantizer(self.bias)

    def op(self) -> Op:
        weight, bias = (Tensor(stored(w)) for w in self._values())
        return Dense(weight, bias)

    def call(self, x: Any) -> Any:
        flat = K.reshape(x, (-1, self.types[0].elements))
        weight, bias = self._values()
        return (K.matmul(flat, K.transpose(weight)) + bias)[..., None]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"units": self.units, "quantizer": self.quantizer}

    def result_type(self) -> Type:
        return Dense(Tensor(np.zeros((self.units, self.types[0].elements)))).infer(*self.types)


@register
class RequantizeLayer(EqLayer):
    """Round to a format, straight through; nearest rounding or the next number below (TRN), with saturation
    only.

    `formats`: one for all components or one each, as text (quantized_bits(...) too) or as HGQ2's
    QuantizerConfig with fixed widths.
    """

    def __init__(self, formats: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.formats = Formats(as_format(f) for f in formats)
        for form in self.formats:
            if form.rounding not in TRAINED or not form.overflow.value.startswith("SAT"):
                raise CompileError(
                    self.name,
                    f"found {form}, expected RND* or TRN with SAT or SAT_SYM",
                    "give the format such a rounding and overflow",
                )

    def op(self) -> Op:
        return Requantize(self.formats)

    def call(self, x: Any) -> Any:
        parts = [requantize(x[..., c : c + 1], self.formats[c]) for c in range(self.types[0].dim)]
        return K.concatenate(parts, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"formats": [str(f) for f in self.formats]}
