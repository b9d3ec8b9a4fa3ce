"""What several ops share: examples' types, contractions, weights as integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed import (
    Fixed,
    Formats,
    Num,
    NumArray,
    Overflow,
    Rounding,
    const,
    constant_matmul,
    element,
    total,
)
from eqhls.fixed.ordered import rounded_once
from eqhls.groups.charge import Charges
from eqhls.groups.coupling import CGTable
from eqhls.groups.permutation import CHANNELS, PAIRS, PARTICLES, Action, points_of_pairs, triangle
from eqhls.groups.rep import Basis, Rep, S
from eqhls.ir.op import (
    TRUNCATED,
    Along,
    Floats,
    Logarithm,
    Op,
    Reading,
    Tensor,
    component_faults,
    disturbed,
    neutral,
)
from eqhls.ir.types import Axis, Type
from eqhls.ir.work import Work

LIGHT_CONE_FORMATS = (Fixed(10, 11, False), Fixed(8, 5, False), Fixed(9, 8), Fixed(9, 8))
"""p+, p-, y, z with LSBs of 2, 1/8, 1/2, 1/2 GeV: products of p+ p- and y y share a point."""


def example(
    rep: Rep, axes: str = "", formats: tuple[Fixed, ...] = (Fixed(8, 4),), basis: Basis | None = None
) -> Type:
    """Return a type for an example, in the first basis unless another is given; `axes` as in "i:2,j:3"."""
    named = [a.split(":") for a in axes.split(",") if a]
    return Type(rep, tuple(Axis(n, int(s)) for n, s in named), basis or rep.basis(), Formats(formats))


def entrywise(types: tuple[Type, ...], axis: str) -> Along:
    """Return what an op does along an axis by which its inputs are matched."""
    return Along.MAP if all(t.has(axis) for t in types) else Along.SPREAD


def paired(axis: Axis, to: str) -> Axis:
    """Return the axis of the pairs i <= j of the entries of an axis."""
    action = PAIRS if axis.action == PARTICLES else CHANNELS
    return Axis(to, axis.size * (axis.size + 1) // 2, action)


def particle_action(where: str, type: Type, pairs: bool = True) -> Action:
    """Return what moves the particles of S[i,j,c], triangular S[p,c] or, if not `pairs`, S[i,c]. Raises
    CompileError unless its axes but the last move as particles, or pairs of them, do, or not at all."""
    found = {a.action for a in type.axes[:-1]}
    want = PAIRS if pairs and len(type.axes) == 2 else PARTICLES
    if found not in ({CHANNELS}, {want}):
        raise CompileError(
            where, f"found {type}", f"give all its axes but the last the action @{want.name}, or none"
        )
    return PARTICLES if found == {want} else CHANNELS


def mapped(size: int, *maps: Tensor | None) -> int:
    """Return the products with constants of linear maps of weights (out, ..) that give `size` numbers."""
    return sum(size // len(m.array) * int(np.count_nonzero(m.array)) for m in maps if m is not None)


@dataclass(frozen=True, slots=True)
class Arithmetic(Op):
    """An op that adds, multiplies or chooses numbers: each bit counts for what it is worth, and the result
    has the format that it grows to."""

    constant: ClassVar[str] = ""
    reads: ClassVar[Reading] = Reading.VALUE
    has_format: ClassVar[bool] = False
    variadic: ClassVar[bool] = False

    def rounds_to(self) -> tuple[Fixed, ...]:
        return ()

    def rectifies(self, types: tuple[Type, ...]) -> bool:
        return False

    def logarithm(self) -> Logarithm | None:
        return None


@dataclass(frozen=True, slots=True)
class Plain(Arithmetic):
    """An op that adds, chooses or moves numbers. It has no weights, no products and no rounding."""

    weights: ClassVar[tuple[str, ...]] = ()

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work()

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return component_faults(self.infer(*types))


@dataclass(frozen=True, slots=True)
class ScalarFunction(Op):
    """A function of one scalar: nothing in it is a weight, and no factor of its argument comes out of it."""

    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False
    constant: ClassVar[str] = ""
    variadic: ClassVar[bool] = False

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work(lookups=self.infer(*types).elements)

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return None

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Function(ScalarFunction):
    """A function with a table for each result. Its entries are rounded, not its parameters."""

    has_format: ClassVar[bool] = True

    def with_formats(self, formats: tuple[Fixed, ...]) -> Op:
        if len(formats) != 1:
            raise self.error(f"found {len(formats)} formats, expected 1", "the entries of a table share one")
        return replace(self, out=formats[0])

    def coded(self, floor: float) -> Op:
        return replace(self, floor=floor)


@dataclass(frozen=True, slots=True)
class ScalarMap(Arithmetic):
    """An affine map of scalars: what those with weights (out, ..) and shifts have in common."""

    weights: ClassVar[tuple[str, ...]] = ("weight", "bias")
    moves_bits: ClassVar[bool] = False
    weight: Tensor
    bias: Tensor | None = None

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work(constants=mapped(self.infer(*types).elements, self.weight))

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        shifts = [getattr(self, name) for name in self.weights[1:]]
        return factors[0] if all(s is None for s in shifts) else None

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return ()


def contract(table: CGTable, dim: int, a: NumArray, b: NumArray) -> NumArray:
    """Contract two tensors of equal leading shape by a Clebsch-Gordan table, exactly.

    Each product of two components is formed once, however many results use it.
    """
    out = np.empty((*a.shape[:-1], dim), dtype=object)
    for index in np.ndindex(a.shape[:-1]):
        products: dict[tuple[int, int], Num] = {}
        rows: list[list[Num]] = [[] for _ in range(dim)]
        for term in table.terms:
            key = (term.left, term.right)
            if key not in products:
                products[key] = a[(*index, term.left)] * b[(*index, term.right)]
            weight = const(term.numerator, table.shift)
            rows[term.out].append(products[key] * weight)
        for c, row in enumerate(rows):
            out[(*index, c)] = total(row)
    return out


def contract_faulty(table: CGTable, dim: int, a: NumArray, b: NumArray, fault: str, cut: int) -> NumArray:
    """Contract as `contract` does, but for one fault: in the components of b, or in the last product of the
    table, which loses `cut` bits before it is added to the others."""
    if fault != TRUNCATED:
        return contract(table, dim, a, disturbed(b, fault))
    out, term = contract(table, dim, a, b), table.terms[-1]
    weight = const(term.numerator, table.shift)
    for index in np.ndindex(out.shape[:-1]):
        product = element(a, (*index, term.left)) * element(b, (*index, term.right))
        lost = product.floor_bits(cut).at(product.frac) - product
        out[(*index, term.out)] = out[(*index, term.out)] + lost * weight
    return out


def integers(weights: Tensor) -> tuple[NDArray[np.int64], int]:
    """Return weights as raw integers and their common number of fraction bits.

    Raises CompileError if they are not dyadic numbers of at most 24 bits, that is before
    quantization.
    """
    for frac in range(-8, 32):
        scaled = weights.array * 2.0**frac
        if (scaled == np.rint(scaled)).all():
            raw = scaled.astype(np.int64)
            if np.abs(raw).max(initial=0) < 2**24:
                return raw, frac
    raise CompileError(
        "weights", "are not fixed-point numbers of at most 24 bits", "quantize the graph first"
    )


def broadcast(*parts: NDArray[Any]) -> list[NDArray[Any]]:
    """Broadcast over all axes but the last."""
    lead = np.broadcast_shapes(*(p.shape[:-1] for p in parts))
    return [np.broadcast_to(p, (*lead, p.shape[-1])) for p in parts]


def map_numbers(x: NumArray, function: Any) -> NumArray:
    """Apply a function of (number, index) to every element."""
    out = np.empty(x.shape, dtype=object)
    for index in np.ndindex(x.shape):
        out[index] = function(x[index], index)
    return out


def scalars_only(kind: str, types: Sequence[Type]) -> None:
    """Raise CompileError unless every input is a Lorentz scalar."""
    for t in types:
        if t.rep is not S:
            raise CompileError(
                kind,
                f"found {t}, expected a scalar S",
                "a function of components is not equivariant; apply it to invariants",
            )


MAX_ADDRESS_BITS = 14


def tabulated(kind: str, x: Num, out: Fixed | None, function: Callable[[Floats], Floats]) -> list[int]:
    """Return the raw entry of a function for each raw address from x.lo to x.hi.

    Raises CompileError without a format or if the address is too wide for a table.
    """
    if out is None:
        raise CompileError(kind, "has no format for its entries", "quantize the graph first")
    if x.hi - x.lo >= 1 << MAX_ADDRESS_BITS:
        raise CompileError(
            kind,
            f"has an address of {Fixed.covering(x.lo, x.hi, x.frac).width} bits, "
            f"expected at most {MAX_ADDRESS_BITS}",
            "requantize the address, or encode it with log2",
        )
    y = rounded_once(function, addresses(x))
    return [int(v) for v in np.clip(np.rint(y / out.lsb), out.lo, out.hi)]


def nearest(form: Fixed, fit: Overflow) -> Fixed:
    """Return the format of entries that were rounded to the nearest number beforehand."""
    return Fixed(form.width, form.integer, form.signed, Rounding.RND_CONV, fit)


def tabled(out: Fixed) -> Fixed:
    """Return the format to which a table with entries of a format rounds: tables saturate."""
    return nearest(out, out.overflow if out.overflow is Overflow.SAT_SYM else Overflow.SAT)


def addresses(x: Num) -> Floats:
    """Return the real value of each raw address from x.lo to x.hi."""
    return np.arange(x.lo, x.hi + 1, dtype=np.float64) * 2.0**-x.frac


def clipped(values: Floats, out: Fixed | None) -> Floats:
    """Return values within the range of a format, those beyond it at its ends."""
    return values if out is None else np.clip(values, out.lo * out.lsb, out.hi * out.lsb)


def beyond(values: Floats, out: Fixed | None) -> list[int]:
    """Return 1 for each value that a format cannot hold, not even rounded, else 0."""
    if out is None:
        return [0] * len(values)
    raw = values / out.lsb
    return [int(v) for v in (raw < out.lo - 0.5) | (raw > out.hi + 0.5)]


def lookups(entries: Callable[[Num, int], list[int]], point: int) -> Callable[[Num, int], Num]:
    """Return the lookup of (address, row) in `entries` of `point` fraction bits; each interval of addresses
    is tabulated once, for all elements that share it."""
    known: dict[tuple[int, int, int, int], list[int]] = {}

    def lookup(x: Num, row: int) -> Num:
        key = (x.lo, x.hi, x.frac, row)
        if key not in known:
            known[key] = entries(x, row)
        return x.lookup(known[key], point)

    return lookup


def blocks(raw: NDArray[np.int64], groups: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return the matrix of some basis maps of weights of shape (out, in, basis): a row of matrices
    (out, in) for each group, so that one mix gives the results of all groups."""
    return np.concatenate([np.concatenate([raw[:, :, b] for b in g], axis=1) for g in groups])


def mixed(x: NumArray, matrix: NDArray[np.int64], frac: int, keep: int | None = None) -> NumArray:
    """Return (matrix * 2**-frac) @ x over the last axis, rounded down to `keep` fraction bits if given."""
    out = np.empty((*x.shape[:-1], len(matrix)), dtype=object)
    for index in np.ndindex(x.shape[:-1]):
        out[index] = constant_matmul(matrix, frac, list(x[index]))
    return out if keep is None else map_numbers(out, lambda num, _: num.floor_bits(num.frac - keep))


def biased(x: NumArray, bias: Tensor | None) -> NumArray:
    """Add a bias along the last axis."""
    if bias is None:
        return x
    shift, point = integers(bias)
    return np.asarray(x + np.array([const(int(b), point) for b in shift], dtype=object))


def pair_count(where: str, type: Type) -> int:
    """Return the number of particles of S[i,j,c] or, triangular, S[p,c]. Raises CompileError for others."""
    sizes = [a.size for a in type.axes]
    if len(sizes) == 3 and sizes[0] == sizes[1]:
        return sizes[0]
    if len(sizes) == 2:
        return points_of_pairs(sizes[0])
    raise CompileError(where, f"found {type}", "expected S[i,j,c] with as many i as j, or S[p,c]")


def full_pairs(x: NDArray[Any], lead: int) -> NDArray[Any]:
    """Return pairs as (.., n, n, c), whether they are so already or triangular (.., p, c)."""
    if x.ndim == lead + 3:
        return x
    return np.take(x, triangle(points_of_pairs(x.shape[lead])), axis=lead)


def check_maps(where: str, weight: Tensor, channels: int, basis: int, *shifts: Tensor | None) -> None:
    """Raise CompileError unless weights have the shape (out, channels, basis) and each shift (out,)."""
    if len(weight.shape) != 3 or weight.shape[1:] != (channels, basis):
        raise CompileError(
            where,
            f"found weights {weight.shape}, expected (out, {channels}, {basis})",
            "give the weights this shape",
        )
    for shift in shifts:
        if shift is not None and shift.shape != weight.shape[:1]:
            raise CompileError(
                where,
                f"found a bias {shift.shape}, expected {weight.shape[:1]}",
                "give one bias per output channel",
            )


MOST_KEPT = 32


def check_keep(where: str, keep: int | None) -> None:
    """Raise CompileError unless vectors keep 0 to 32 fraction bits, or all."""
    if keep is not None and not 0 <= keep <= MOST_KEPT:
        raise CompileError(where, f"found keep={keep}", f"keep 0 to {MOST_KEPT} fraction bits, or all")


def check_axes(where: str, type: Type, *names: str) -> None:
    """Raise CompileError unless the axes are these, in this order."""
    if tuple(a.name for a in type.axes) != names:
        raise CompileError(
            where,
            f"found {type}, expected axes {', '.join(names)}",
            "rename the axes, or reduce those that are too many",
        )


def check_last(where: str, type: Type, name: str) -> None:
    """Raise CompileError unless this is the last axis."""
    if not type.axes or type.axes[-1].name != name:
        raise CompileError(where, f"found {type}, expected {name} as its last axis", "put this axis last")
