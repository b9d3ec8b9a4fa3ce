"""Layers on angles and on codes of logarithms: differences on a circle, sizes and signs, sums and powers."""

from __future__ import annotations

from typing import Any

import numpy as np

from eqhls.fixed import Fixed
from eqhls.fixed.ordered import rounded_once
from eqhls.frontends.layers.base import EqLayer, K, constant, register, spread, straight_through
from eqhls.ir.op import Floats, Op
from eqhls.ops.exp2 import Exp2
from eqhls.ops.log_add import LogAdd
from eqhls.ops.magnitude import Magnitude
from eqhls.ops.sign_select import SignSelect
from eqhls.ops.wrap import Wrap

FRACTION = 10
"""Fraction bits of the finest code that Exp2Layer tells apart; what Log2Layer makes has at most 8."""


@register
class WrapLayer(EqLayer):
    """x modulo `modulus` LSBs of the format `out`, around zero, and saturated; gradients pass inside."""

    def __init__(self, modulus: int, step: int, out: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.wrap = Wrap(modulus, step, Fixed.parse(out))

    def op(self) -> Op:
        return self.wrap

    def call(self, x: Any) -> Any:
        op = self.wrap
        raw, half = x / op.out.lsb, op.cells // 2
        high = K.floor(raw / op.step)
        cell = high - op.cells * K.floor((high + half) / op.cells)
        bounded = K.clip(cell, op.out.lo // op.step, op.out.hi // op.step)
        y = (bounded * op.step + (raw - high * op.step)) * op.out.lsb
        return K.where(cell == bounded, y, K.stop_gradient(y))

    def get_config(self) -> dict[str, Any]:
        op = self.wrap
        return super().get_config() | {"modulus": op.modulus, "step": op.step, "out": str(op.out)}


@register
class MagnitudeLayer(EqLayer):
    """|x|."""

    def op(self) -> Op:
        return Magnitude()

    def call(self, x: Any) -> Any:
        return K.abs(x)


@register
class SignSelectLayer(EqLayer):
    """SignSelectLayer()(a, x): a if x >= 0, else -a, axes matched by name."""

    def op(self) -> Op:
        return SignSelect()

    def call(self, a: Any, x: Any) -> Any:
        axes = self.result_type().axes
        a, x = (spread(v, t, axes) for v, t in zip((a, x), self.types, strict=True))
        return K.where(x >= 0, a, -a)


@register
class LogAddLayer(EqLayer):
    """log2(2^(power a) + 2^(power b)) / power, axes matched by name; with exactly the table of the hardware
    if `quantized`."""

    def __init__(self, power: int, frac: int, quantized: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.log_add, self.quantized = LogAdd(power, frac), quantized

    def op(self) -> Op:
        return self.log_add

    def call(self, a: Any, b: Any) -> Any:
        axes, power, lsb = self.result_type().axes, self.log_add.power, 2.0**-self.log_add.frac
        a, b = (spread(v, t, axes) for v, t in zip((a, b), self.types, strict=True))
        apart, larger = K.abs(a - b), K.maximum(a, b)
        smooth = larger + K.log2(1.0 + K.power(2.0, -power * apart)) / power
        if not self.quantized:
            return smooth
        table = self._excess()
        place = K.cast(K.clip(K.round(apart / lsb), 0, len(table) - 1), "int32")
        return straight_through(smooth, larger + K.take(constant(table, larger), place))

    def _excess(self) -> Floats:
        """Return by how much the rounded result exceeds the larger of two codes, for each difference of
        multiples of its LSB, up to the first of which it exceeds none."""
        lsb = 2.0**-self.log_add.frac
        steps = np.arange((self.log_add.frac + 2) * round(1 / lsb) + 1)
        return np.rint(rounded_once(self.log_add.rise, -steps * lsb) / lsb) * lsb

    def get_config(self) -> dict[str, Any]:
        op = self.log_add
        return super().get_config() | {"power": op.power, "frac": op.frac, "quantized": self.quantized}


@register
class Exp2Layer(EqLayer):
    """2^(x + shift) in the format `out`; with both roundings of the hardware if `quantized`, for codes of
    at most 10 fraction bits."""

    def __init__(self, shift: int, out: str, mantissa: int, quantized: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.exp2, self.quantized = Exp2(shift, Fixed.parse(out), mantissa), quantized

    def op(self) -> Op:
        return self.exp2

    def call(self, x: Any) -> Any:
        op = self.exp2
        smooth = K.power(2.0, x + op.shift)
        if op.out.overflow.saturates:
            smooth = K.minimum(smooth, op.most)
        return straight_through(smooth, self._rounded(x)) if self.quantized else smooth

    def _rounded(self, x: Any) -> Any:
        op = self.exp2
        first, last = op.octaves(FRACTION)
        octave = K.floor(x)
        place = K.cast(K.clip(K.round((x - octave) * 2.0**FRACTION), 0, (1 << FRACTION) - 1), "int32")
        significand = K.take(constant(np.array(op.significands(FRACTION)), x), place)
        scales = np.exp2(np.arange(first, last + 1.0) + op.shift + op.out.frac - op.mantissa)
        scale = K.take(constant(scales, x), K.cast(K.clip(octave, first, last) - first, "int32"))
        return K.minimum(K.floor(significand * scale + 0.5), op.out.hi) * op.out.lsb

    def get_config(self) -> dict[str, Any]:
        op = self.exp2
        fields = {"shift": op.shift, "out": str(op.out), "mantissa": op.mantissa}
        return super().get_config() | fields | {"quantized": self.quantized}
