"""Functions of one scalar: activations, radial functions, encodings, read-outs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from math import erf
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, Num, NumArray, Overflow, Rounding
from eqhls.fixed.ordered import power
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, Logarithm, Reading, Tensor
from eqhls.ir.types import Type
from eqhls.ops.common import (
    Function,
    addresses,
    beyond,
    clipped,
    example,
    lookups,
    map_numbers,
    scalars_only,
    tabled,
    tabulated,
)

NOTHING = np.zeros(0)
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
GELU_SLOPE, GELU_CUBE = 0.7978845608028654, 0.044715


class Activation(Enum):
    """What follows the piecewise linear function; some have parameters, a row of them each function."""

    NONE = "none"
    RELU = "relu"
    LEAKY_RELU = "leaky_relu"
    SIGMOID = "sigmoid"
    TANH = "tanh"
    EXP2 = "exp2"
    SLOG = "slog"
    """sign(x) ((1 + |x|)**a - 1) / a, PELICAN's encoding; sign(x) log(1 + |x|) for a = 0. Computed as it is
    written, as PELICAN does: for small a rounding is what networks agree on."""
    LOG_ROOT = "log_root"
    """log(1 + m) of x = log2(1 + m^2), of either sign: how LorentzNet sees a mass."""
    ROOT = "root"
    ELU = "elu"
    SELU = "selu"
    SILU = "silu"
    SOFTSIGN = "softsign"
    LOG_SIGMOID = "log_sigmoid"
    ATAN = "atan"
    GAUSSIAN = "gaussian"
    """exp(-x^2)."""
    SOFT_STEP = "soft_step"
    """exp(-1 / x) for x > 0, else 0: smooth everywhere, of what bases with a finite support are made."""
    STEP = "step"
    """1 for x > 0, else 0."""
    SINE = "sine"
    POWER = "power"
    """|x|**p, and 0 at x = 0 whatever the exponent p."""
    GELU = "gelu"
    """x times the share of a standard normal distribution below x."""
    GELU_TANH = "gelu_tanh"
    """The same by its approximation with a hyperbolic tangent."""
    SOFTPLUS = "softplus"
    MISH = "mish"
    """x tanh(softplus(x))."""
    ERF = "erf"
    LOG = "log"
    """log |x|, and 0 at x = 0."""

    @property
    def logarithmic(self) -> bool:
        """Whether equal ratios of large arguments matter about equally."""
        return self is Activation.SLOG

    @property
    def arity(self) -> int:
        """The number of parameters of one term; several terms of it may be given."""
        return 1 if self in (Activation.SLOG, Activation.POWER) else 0

    def __call__(self, x: Floats, parameters: Floats = NOTHING) -> Floats:
        match self:
            case Activation.NONE:
                return x
            case Activation.RELU:
                return np.maximum(x, 0.0)
            case Activation.LEAKY_RELU:
                return np.where(x < 0, 0.01 * x, x)
            case Activation.SIGMOID:
                return _logistic(x)
            case Activation.TANH:
                return np.tanh(x)
            case Activation.EXP2:
                return np.exp2(x)
            case Activation.SLOG:
                (a,) = parameters
                x = x.astype(np.float64)
                return np.sign(x) * ((power(1 + np.abs(x), a) - 1) / a if a else np.log1p(np.abs(x)))
            case Activation.LOG_ROOT:
                return np.log1p(np.sqrt(np.expm1(np.abs(x) * np.log(2.0))))
            case Activation.ROOT:
                return np.sqrt(np.abs(x))
            case Activation.POWER:
                (p,) = parameters
                return np.where(x == 0, 0.0, np.where(x == 0, 1.0, np.abs(x)) ** p)
            case _:
                return (_radial if self in RADIAL else _learned)(self, x)


def _logistic(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)), without overflow at large negative x."""
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1.0) / (1.0 + small)


RADIAL = (Activation.GAUSSIAN, Activation.SOFT_STEP, Activation.STEP, Activation.SINE)
"""What bases and cuts of a distance are made of (`eqhls.frontends.radial`)."""


def _radial(kind: Activation, x: Floats) -> Floats:
    """Return one of RADIAL."""
    match kind:
        case Activation.GAUSSIAN:
            return np.exp(-(x**2))
        case Activation.SOFT_STEP:
            return np.where(x > 0, np.exp(-1.0 / np.where(x > 0, x, 1.0)), 0.0)
        case Activation.STEP:
            return np.where(x > 0, 1.0, 0.0)
        case Activation.SINE:
            return np.sin(x)
        case _:
            raise AssertionError(kind)


def _learned(kind: Activation, x: Floats) -> Floats:
    """Return what networks put between layers, as their papers define it."""
    match kind:
        case Activation.ELU:
            return np.where(x < 0, np.expm1(np.minimum(x, 0.0)), x)
        case Activation.SELU:
            return SELU_SCALE * np.where(x < 0, SELU_ALPHA * np.expm1(np.minimum(x, 0.0)), x)
        case Activation.SILU:
            return x * _logistic(x)
        case Activation.SOFTSIGN:
            return x / (1.0 + np.abs(x))
        case Activation.LOG_SIGMOID:
            return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))
        case Activation.ATAN:
            return np.arctan(x)
        case _:
            return _smooth(kind, x)


def _smooth(kind: Activation, x: Floats) -> Floats:
    """Return what is said of the others."""
    match kind:
        case Activation.GELU:
            return 0.5 * x * (1.0 + _erf(x / np.sqrt(2.0)))
        case Activation.GELU_TANH:
            return 0.5 * x * (1.0 + np.tanh(GELU_SLOPE * (x + GELU_CUBE * x**3)))
        case Activation.SOFTPLUS:
            return _softplus(x)
        case Activation.MISH:
            return x * np.tanh(_softplus(x))
        case Activation.ERF:
            return _erf(x)
        case Activation.LOG:
            return np.log(np.where(x == 0, 1.0, np.abs(x)))
        case _:
            raise AssertionError(kind)


def _softplus(x: Floats) -> Floats:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _erf(x: Floats) -> Floats:
    return np.array([erf(v) for v in x.ravel()]).reshape(x.shape)


IDENTITY = Tensor([0.0, 1.0])
ONE_LINE = Tensor([[0.0, 1.0]])


@dataclass(frozen=True, slots=True)
class Table(Function):
    """y = activation(f(x)), f piecewise linear through (knots, values), straight outside.

    `values` has one row for all, or one for each entry of `axis`, and so have the `parameters` of an
    activation that takes some. `out` is the format of an entry
    (a saturating one also bounds the float reference: the bound is part of the function);
    `levels`, if given, are the only values an entry may take, nearest first (shift codes).
    A positive `floor` says that the argument comes as an odd code of Log2 with this floor.
    """

    group: ClassVar[str] = "scalar"
    reads: ClassVar[Reading] = Reading.ADDRESS
    knots: Tensor = IDENTITY
    values: Tensor = ONE_LINE
    activation: Activation = Activation.NONE
    axis: str = ""
    out: Fixed | None = None
    levels: Tensor | None = None
    parameters: Tensor | None = None
    floor: float = 0.0

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        scalars_only(self.name(), types)
        rows = types[0].size(self.axis) if self.axis else 1
        if self.values.shape != (rows, *self.knots.shape) or self.knots.shape[0] < 2:
            raise self.error(
                f"found knots {self.knots.shape} and values {self.values.shape} for {types[0]}, "
                f"expected (K,) and ({rows}, K) with K >= 2",
                "give every row of values one value per knot",
            )
        if (np.diff(self.knots.array) <= 0).any():
            raise self.error("found knots that do not rise", "sort them and drop equal ones")
        self._check_parameters(rows)
        return types[0].like(S)

    def _check_parameters(self, rows: int) -> None:
        arity = self.activation.arity
        found = (rows, 0) if self.parameters is None else self.parameters.shape
        width = found[-1]
        if found != (rows, width) or not (width > 0 and width % arity == 0 if arity else width == 0):
            raise self.error(
                f"found parameters {found} for {self.activation.value}",
                f"expected ({rows}, {arity} per term)" if arity else "it takes none",
            )

    def function(self, x: Floats, row: int) -> Floats:
        """Return the real function of one row, decoded and bounded if the fields say so."""
        x = np.sign(x) * self.floor * (np.exp2(np.abs(x)) - 1) if self.floor else x
        knots, values = self.knots.array, self.values.array[row]
        slopes = np.diff(values) / np.diff(knots)
        cell = np.clip(np.searchsorted(knots, x) - 1, 0, len(slopes) - 1)
        parameters = NOTHING if self.parameters is None else self.parameters.array[row]
        y = self.activation(values[cell] + slopes[cell] * (x - knots[cell]), parameters)
        if self.out is not None and self.out.overflow in (Overflow.SAT, Overflow.SAT_SYM):
            y = clipped(y, self.out)
        return y

    def everywhere(self, x: Floats) -> Floats:
        return np.stack([self.function(x, row) for row in range(len(self.values.array))])

    def rectifies(self, types: tuple[Type, ...]) -> bool:
        plain = (self.knots, self.values) == (IDENTITY, ONE_LINE) and not self.floor
        return plain and self.activation is Activation.RELU

    def logarithm(self) -> Logarithm | None:
        if not self.activation.logarithmic or self.floor:
            return None
        slopes = np.diff(self.values.array) / np.diff(self.knots.array)
        return Logarithm(True, float(np.abs(slopes).max()))

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.EVENT if axis == self.axis and len(self.values.array) > 1 else Along.MAP

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        if not self.axis:
            return self.function(x[0], 0)
        where = 1 + types[0].index(self.axis)
        rows = np.moveaxis(x[0], where, 0)
        return np.moveaxis(np.stack([self.function(v, k) for k, v in enumerate(rows)]), 0, where)

    def bounded(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return clipped(self.reference(types, *x), self.out)

    def ideal(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return replace(self, out=None).reference(types, *x)

    def entries(self, x: Num, row: int) -> list[int]:
        """Return the raw entry for each raw address from x.lo to x.hi."""

        def value(address: Floats) -> Floats:
            y = self.function(address, row)
            if self.levels is None:
                return y
            allowed = np.sort(self.levels.array)
            return allowed[np.argmin(np.abs(y[:, None] - allowed), axis=1)]

        return tabulated(self.name(), x, self.out, value)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        where = types[0].index(self.axis) if self.axis else 0
        lookup = lookups(self.entries, self.out.frac if self.out else 0)
        return map_numbers(x[0], lambda num, index: lookup(num, index[where] if self.axis else 0))

    def rounding(self, types: tuple[Type, ...]) -> float:
        assert self.out is not None
        if self.levels is None:
            return 0.5 * self.out.lsb
        allowed = np.sort(self.levels.array)
        return 0.5 * float(np.diff(allowed).max()) + 0.5 * self.out.lsb

    def saturated(self, types: tuple[Type, ...], *x: NumArray) -> NumArray | None:
        where = types[0].index(self.axis) if self.axis else 0
        lookup = lookups(self._beyond, 0)
        return map_numbers(x[0], lambda num, index: lookup(num, index[where] if self.axis else 0))

    def _beyond(self, x: Num, row: int) -> list[int]:
        """Return 1 for each raw address whose value lies beyond the format of the entries, else 0."""
        y = replace(self, out=None).function(addresses(x), row)
        return beyond(y, self.out)

    def rounds_to(self) -> tuple[Fixed, ...]:
        return () if self.out is None else (tabled(self.out),)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        saturating = Fixed(6, 4, True, Rounding.RND, Overflow.SAT)
        address = example(S, "j:3,c:2", (Fixed(6, 4),))
        knots, values = Tensor([-4.0, 0.0, 4.0]), Tensor([[-2.0, 1.0, 0.5], [3.0, -1.0, 2.0]])
        shifts = Tensor([0.0, 0.25, 0.5, 1.0])
        return (
            Example(cls(knots, values, axis="c", out=saturating), (address,), "piecewise"),
            Example(
                cls(activation=Activation.SIGMOID, out=Fixed(3, 1, False), levels=shifts),
                (address,),
                "shifts",
            ),
            Example(
                cls(out=Fixed(9, 8, True, Rounding.RND, Overflow.SAT), floor=0.25),
                (example(S, "j:3", (Fixed(7, 5),)),),
                "decoded",
            ),
            *(
                Example(
                    cls(
                        activation=a,
                        out=Fixed(12, 6, True, Rounding.RND, Overflow.SAT),
                        parameters=Tensor([[0.25] * a.arity]) if a.arity else None,
                    ),
                    (address,),
                    a.value,
                )
                for a in Activation
            ),
        )
