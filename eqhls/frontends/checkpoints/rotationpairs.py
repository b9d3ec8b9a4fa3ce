"""Complex tensors of the rotation group as two real ones.

A complex channel of spin l is z = f_re * re + f_im * im, where re and im are real tensors of spin l over one
channel axis. Clebsch-Gordan products run on the real tensors; all factors, those of the complex coefficients
and those between coefficients and integer tables, wait until the next mix folds them into its weights.
Features have the natural parity (-1)^l; products with the Levi-Civita tensor are the paths with `~`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from eqhls.groups.coupling import Path
from eqhls.groups.rotation.bases import D5, T5, change
from eqhls.groups.rotation.factors import cormorant
from eqhls.groups.rotation.reps import irrep
from eqhls.groups.rotation.tables import formula_factor
from eqhls.ir.graph import Builder
from eqhls.ir.op import Op, Tensor
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.cg_square import CgSquare
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.select import Select
from eqhls.ops.to_basis import ToBasis

Coefficients = NDArray[np.complex128]
C = "c"
"""The axis of channels."""
THREE = change(D5, T5)[1]
"""By what `ToBasis` multiplies the components of results, so that they stay whole."""


@dataclass(frozen=True, slots=True)
class RealTensor:
    """`factor` times a value of a spin."""

    spin: int
    value: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Pair:
    """Complex channels of a spin: `factors` times the values `re` and `im`, a real tensor for each channel.

    The second factor is i times the first, but for squares, which only mixes may read."""

    spin: int
    re: str
    im: str
    factors: tuple[complex, complex] = (1, 1j)


def natural(*spins: int) -> Path:
    """Return the path of three spins with parities (-1)^l."""
    left, right, out = (irrep(spin, "eo"[spin % 2]) for spin in spins)
    return Path(left, right, out, dual=bool(sum(spins) % 2))


@dataclass(frozen=True, slots=True)
class Product:
    """A path of Cormorant's coefficients: (left, right) -> out on stored components, and what the integers of
    the path must be multiplied by."""

    b: Builder
    spins: tuple[int, int, int]

    @property
    def path(self) -> Path:
        return natural(*self.spins)

    def operand(self, value: str) -> str:
        """Return a value in the basis in which products have the fewest and smallest integers."""
        if self.path.trivial or self.b.type(value).basis != D5:
            return value
        name = f"{value}.t5"
        return name if self.b.has(name) else self.b.add(name, ToBasis(T5.name), value)

    def add(self, name: str, left: str, right: str) -> str:
        return self.b.add(name, CgProduct(self.path), self.operand(left), self.operand(right))

    def square(self, name: str, value: str) -> str:
        return self.b.add(name, CgSquare(self.path), self.operand(value))

    def formula(self, left: str, right: str) -> float:
        """Return the tensor formula as a multiple of what `add` gives for these values."""
        if self.path.trivial:
            return 1.0
        bases = [self.b.type(self.operand(v)).basis for v in (left, right)]
        changed = sum(self.operand(v) != v for v in (left, right))
        return float(formula_factor(self.path, *bases)) / THREE**changed

    def factor(self, left: str, right: str) -> complex:
        """Return Cormorant's product as a multiple of what `add` gives for these values."""
        return cormorant(*self.spins) * self.formula(left, right)


def each(b: Builder, suffix: str, op: Op, x: Pair) -> Pair:
    """Apply a linear op to both values."""
    return replace(x, re=b.add(f"{x.re}{suffix}", op, x.re), im=b.add(f"{x.im}{suffix}", op, x.im))


def coupled(b: Builder, name: str, left: RealTensor, right: Pair, out: int) -> Pair:
    """Append the product of a real tensor, the left factor, and a complex one."""
    p = Product(b, (left.spin, right.spin, out))
    re, im = (p.add(f"{name}.{part}", left.value, x) for part, x in (("re", right.re), ("im", right.im)))
    factor = left.factor * p.factor(left.value, right.re)
    return Pair(out, re, im, (right.factors[0] * factor, right.factors[1] * factor))


def product(b: Builder, name: str, left: Pair, right: Pair, out: int) -> Pair:
    """Append the product of two complex tensors, channel by channel: four real ones."""
    p = Product(b, (left.spin, right.spin, out))
    rr, ii = p.add(f"{name}.rr", left.re, right.re), p.add(f"{name}.ii", left.im, right.im)
    ri, ir = p.add(f"{name}.ri", left.re, right.im), p.add(f"{name}.ir", left.im, right.re)
    re, im = b.add(f"{name}.re", Add((1,)), rr, ii), b.add(f"{name}.im", Add(), ri, ir)
    factor = left.factors[0] * right.factors[0] * p.factor(left.re, right.re)
    return Pair(out, re, im, (factor, 1j * factor))


def square(b: Builder, name: str, x: Pair, out: int) -> Pair:
    """Append the product of a tensor with itself, symmetric in its factors: three real ones."""
    p = Product(b, (x.spin, x.spin, out))
    rr, ii, ri = p.square(f"{name}.rr", x.re), p.square(f"{name}.ii", x.im), p.add(f"{name}.ri", x.re, x.im)
    factor = x.factors[0] ** 2 * p.factor(x.re, x.re)
    return Pair(out, b.add(f"{name}.re", Add((1,)), rr, ii), ri, (factor, 2j * factor))


def norms(b: Builder, x: Pair) -> tuple[str, str, float]:
    """Append re.re and im.im, and return their factor: with it their difference is the real part of
    sum_m (-1)^m x_m x_-m, their sum is |x|^2."""
    p = Product(b, (x.spin, x.spin, 0))
    factor = p.factor(x.re, x.re) * bilinear(x.spin) * x.factors[0] ** 2
    rr, ii = (p.square(f"{v}.square", v) for v in (x.re, x.im))
    return rr, ii, float(factor.real)


def dot(b: Builder, name: str, left: Pair, right: Pair) -> Pair:
    """Append sum_m (-1)^m x_m y_-m."""
    found, factor = product(b, name, left, right, 0), bilinear(left.spin)
    return replace(found, factors=(found.factors[0] * factor, found.factors[1] * factor))


def bilinear(spin: int) -> float:
    """Return sum_m (-1)^m x_m y_-m as a multiple of the product to spin 0."""
    return (-1) ** spin * sqrt(2 * spin + 1)


def harmonics(b: Builder, name: str, r: str, most: int) -> list[RealTensor | None]:
    """Append the solid harmonics of vectors up to a spin; of spin 0 it is 1, for which None stands.

    They are the traceless tensors r, r r, r r r times 1, sqrt 3, 1: on orthonormal components, the sum of
    squares is r^(2l).
    """
    found: list[RealTensor | None] = [None, RealTensor(1, r)]
    if most > 1:
        p = Product(b, (1, 1, 2))
        second, factor = p.square(f"{name}2", r), p.formula(r, r)
        found.append(RealTensor(2, second, factor * sqrt(3)))
        if most > 2:
            p = Product(b, (1, 2, 3))
            found.append(RealTensor(3, p.add(f"{name}3", r, second), factor * p.formula(r, second)))
    return found[: most + 1]


def channels(b: Builder, x: Pair) -> int:
    return b.type(x.re).size(C)


def mix(b: Builder, name: str, weight: Coefficients, blocks: Sequence[Pair]) -> str:
    """Append y = weight @ [blocks], channel by channel: real parts of all rows, then imaginary parts."""
    columns, start = list[Coefficients](), 0
    for x in blocks:
        part = weight[:, start : start + channels(b, x)]
        columns += [part * factor for factor in x.factors]
        start += channels(b, x)
    every = np.concatenate(columns, axis=1)
    real = np.concatenate([every.real, every.imag])
    source = b.add(f"{name}.parts", Concat(C), *(v for x in blocks for v in (x.re, x.im)))
    return b.add(name, ChannelMix(Tensor(real)), source)


def split(b: Builder, value: str, spin: int) -> Pair:
    """Return the halves of a value: real parts, then imaginary parts."""
    size = b.type(value).size(C) // 2
    re, im = (
        b.add(f"{value}.{part}", Select(C, tuple(range(k * size, (k + 1) * size)), C), value)
        for k, part in enumerate(("re", "im"))
    )
    return Pair(spin, re, im)
