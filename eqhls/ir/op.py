"""What an op is: fields, `infer`, float `reference`, exact `body`, facts, examples."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, NumArray
from eqhls.groups.charge import NEUTRAL, Charges
from eqhls.groups.permutation import PARTICLES, RING, Action
from eqhls.groups.rep import S
from eqhls.ir.types import Type
from eqhls.ir.work import Work

Floats = NDArray[np.float64]
FLIPPED, EXCHANGED, TRUNCATED = "flipped metric sign", "exchanged components", "truncated product"
"""Faults that an op may be given, to see whether a test of the symmetry notices."""


class Reading(Enum):
    """Which bits of its inputs an op uses."""

    NOTHING = "it has no input"
    VALUE = "all, each for what it is worth"
    ADDRESS = "all: the word is the address of an entry of a table"
    LOGARITHM = "the leading ones, wherever they lie, or a code of them: equal ratios count about equally"
    CURVE = "all, as an address or a code of a logarithm, whichever its bends ask for"
    FORMAT = "those that the format of the result keeps"
    INNER = "those that formats of its own keep, to which it assigns its inputs first"


@dataclass(frozen=True, slots=True)
class Logarithm:
    """The code of Log2 that a function can read in place of its argument: of sign and log2(1 + |x| / floor)
    if `odd`, else of log2(|x| / floor). Below 1 / `steepest` the function has hardly left its value at 0."""

    odd: bool
    steepest: float


class Along(Enum):
    """What an op does along an axis of its inputs."""

    MAP = "map"
    """Entry k of the result needs entry k alone."""
    SPREAD = "spread"
    """As MAP, but an input without the axis meets every entry."""
    REDUCE = "reduce"
    """The axis goes, by a sum in which all entries are alike."""
    SHIFT = "shift"
    """Entry k needs entries at fixed distances from k, around a ring."""
    ALIKE = "alike"
    """The result needs the whole axis, but treats all entries alike: permuted together with every axis that
    goes with this one, they permute the result."""
    EVENT = "event"
    """Anything else: the op needs the whole axis and may tell entries apart."""

    def commutes(self, action: Action) -> bool:
        """Whether an op that is so along an axis commutes with what moves the axis."""
        match self:
            case Along.SHIFT:
                return action.group in ("", RING.group)
            case Along.ALIKE:
                return action.group in ("", PARTICLES.group)
            case Along.EVENT:
                return not action.moves
            case _:
                return True


@dataclass(frozen=True, slots=True)
class Part:
    """A function of one component: what it is but for its binary point, that point, and whether it is odd."""

    function: Hashable
    point: int
    odd: bool


class Tensor:
    """An immutable array of weights; equal and hashed by content."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        frozen = np.array(array, dtype=np.float64)
        if not np.isfinite(frozen).all():
            raise CompileError("weights", "found NaN or infinity", "train again or repair the file")
        frozen.setflags(write=False)
        self.array: Floats = frozen

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Tensor)
            and self.shape == other.shape
            and bool((self.array == other.array).all())
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.array.tobytes()))

    def __repr__(self) -> str:
        return f"Tensor{self.shape}"


@dataclass(frozen=True, slots=True)
class Op(ABC):
    """One op. Frozen: its fields are all that distinguishes two of a kind."""

    source: ClassVar[bool] = False
    """Whether the value is fed from outside."""
    group: ClassVar[str] = "op"
    """Where the catalogue lists it: input, geometry, message, scalar, structure."""
    weights: ClassVar[tuple[str, ...]]
    """The tensor fields that quantization rounds as weights. The others are parameters of a function that
    rounds its results, or the values of a `constant`."""
    constant: ClassVar[str]
    """The tensor field that holds the values of a constant; empty if the result is fed or computed."""
    reads: ClassVar[Reading]
    """Which bits of its inputs it uses."""
    has_format: ClassVar[bool]
    """Whether a field holds the format of the result (`with_formats` sets it, `rounds_to` says it), which
    otherwise is what the inputs make it."""
    variadic: ClassVar[bool]
    """Whether it takes any number of inputs."""
    moves_bits: ClassVar[bool]
    """Whether the result has bits of the inputs alone: to round it is to round them."""

    @classmethod
    def name(cls) -> str:
        """The name in text, file names and C++: snake case of the class."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    @abstractmethod
    def infer(self, *types: Type) -> Type:
        """Return the type of the result, without format. Raises CompileError for a
        combination for which the op is not equivariant."""

    @abstractmethod
    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        """Return the float64 result for inputs of shape (events, *axes, components)."""

    @abstractmethod
    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        """Return the exact result for inputs of shape (*axes, components), on any engine."""

    @classmethod
    @abstractmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return instances with input types, over which every law runs."""

    @abstractmethod
    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        """Return what the op does along an axis that some input has, by the name that it has there."""

    @abstractmethod
    def charges(self, types: tuple[Type, ...]) -> Charges:
        """Return the charges of the result (`eqhls.groups.charge`), for inputs that `infer` takes. Raises
        CompileError if the result does not add under the symmetries of the inputs (`neutral`)."""

    @abstractmethod
    def work(self, types: tuple[Type, ...]) -> Work:
        """Return what one event multiplies and looks up."""

    @abstractmethod
    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        """Return the factor of the result if each input is multiplied by a positive one, or None if there is
        no such factor, or a rounding whose LSB would not grow with the value."""

    @abstractmethod
    def rounds_to(self) -> tuple[Fixed, ...]:
        """Return the formats to which the body rounds its result, one for all components or one each; nothing
        if it is exact, or has no formats yet."""

    @abstractmethod
    def rectifies(self, types: tuple[Type, ...]) -> bool:
        """Return whether the float reference is max(x, 0) for inputs of these types."""

    @abstractmethod
    def logarithm(self) -> Logarithm | None:
        """Return the code that the op can read in place of its argument (`coded`); None if it needs the
        argument itself, or reads a code already."""

    @abstractmethod
    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        """Return the faults that the op can be given: none if it has nothing covariant to give
        (`component_faults`). An op with a scalar result of covariant inputs says more, and how, in
        `faulty`."""

    def with_formats(self, formats: tuple[Fixed, ...]) -> Op:
        """Return the op with these formats of its result, one for all components or one each. Raises
        CompileError for an op that has none of its own, and for a number of formats that do not fit."""
        raise self.error("has no format of its own", "round its result with requantize")

    def coded(self, floor: float) -> Op:
        """Return the same function of the code of a Log2 with this floor (`logarithm`). Raises CompileError
        for an op that reads no code."""
        raise self.error("reads no code of a logarithm", "feed it the argument itself instead of a Log2")

    def everywhere(self, x: Floats) -> Floats:
        """Return all float results of a function with tables at the scalars x, of all its rows, with x last.
        Raises CompileError for any other op."""
        raise self.error("has no table", "ask an op whose facts say that it is a function with tables")

    def constant_values(self) -> Floats:
        """Return the values of a constant, of shape (*axes, components). Raises CompileError for an op that
        is not a constant."""
        if not self.constant:
            raise self.error("is not a constant", "ask an op whose fact `constant` names a field")
        values: Tensor = getattr(self, self.constant)
        return values.array

    def rounding(self, types: tuple[Type, ...]) -> float | Floats:
        """Return the largest |body - reference| for inputs in format, for all components or one each;
        0 if nothing rounds."""
        return 0.0

    def bounded(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        """Return the float64 result within the range that the op's own format saturates to: rounding is an
        error, but the range of a trained format is part of the function."""
        return self.reference(types, *x)

    def ideal(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        """Return what the op stands for if quantization put it in or gave it a format: its float reference
        without a floor below which it no longer tells arguments apart, and without the range of a table."""
        return self.bounded(types, *x)

    def saturated(self, types: tuple[Type, ...], *x: NumArray) -> NumArray | None:
        """Return 1 where an element saturates, or None if the op cannot saturate."""
        return None

    def parity_odd(self) -> bool:
        """Whether the op breaks parity (a dual contraction), so that only proper
        Lorentz transformations commute with it."""
        return False

    def rounds_components(self, types: tuple[Type, ...]) -> bool:
        """Whether the body rounds or saturates covariant components."""
        return False

    def cuts_components(self, types: tuple[Type, ...]) -> bool:
        """Whether already the float reference bounds covariant components, so that of all Lorentz
        transformations only flips of sign and exchanges of axes commute with it."""
        return False

    def parts(self, types: tuple[Type, ...]) -> tuple[Part, ...] | None:
        """What an op that rounds components does to each, if it acts on each alone: flips of sign
        commute with odd functions, exchanges of components with equal ones. None if there is no more to
        say than that it rounds."""
        return None

    def faulty(self, fault: str, cut: int, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        """Return what `body` returns, but for one of the `faults`; `cut` counts the bits that a truncation
        drops. Here the components of the result are what is wrong."""
        return disturbed(self.body(types, *x), fault)

    def error(self, problem: str, remedy: str = "") -> CompileError:
        return CompileError(self.name(), problem, remedy)

    def expect(self, types: tuple[Type, ...], count: int) -> None:
        """Raise CompileError unless there are `count` inputs."""
        if len(types) != count:
            raise self.error(f"found {len(types)} inputs, expected {count}", "give it that many")


def typed(op: Op, *types: Type) -> Type:
    """Return the type of the result, as `infer` does, with its charges. Raises CompileError also if the op
    does not commute with what moves an axis, or with symmetries under which its inputs add."""
    try:
        out = replace(op.infer(*types), charges=op.charges(types))
    except ValueError as error:
        raise op.error(f"found {', '.join(map(str, types))}: {error}", "count both alike") from None
    for axis in dict.fromkeys(a for t in types for a in t.axes if a.action.moves):
        along = op.along(types, axis.name)
        if not along.commutes(axis.action):
            raise op.error(
                f"found {', '.join(map(str, types))} and tells the entries of axis {axis} apart "
                f"({along.value}), which {axis.action.group} moves",
                f"treat its entries alike, or declare {axis.name}:{axis.size}, which nothing moves",
            )
    return out


def neutral(op: Op, types: tuple[Type, ...]) -> Charges:
    """Return no charges, for an op that needs values which nothing moves. Raises CompileError for others."""
    charged = [t for t in types if t.charges]
    if charged:
        residue = all(not c.factor for c in charged[0].charges)
        raise op.error(
            f"found {charged[0]}, which is known up to multiples of a turn only"
            if residue
            else f"found {charged[0]}, which adds under {' and '.join(c.name for c in charged[0].charges)}",
            "reduce it into a window with wrap" if residue else "subtract another value of the same charge",
        )
    return NEUTRAL


def component_faults(result: Type) -> tuple[str, ...]:
    """Return the faults of an op whose result has these components; one alone can only be flipped."""
    if result.rep is S:
        return ()
    return (FLIPPED,) if result.dim == 1 else (FLIPPED, EXCHANGED)


def product_faults(factor: Type) -> tuple[str, ...]:
    """Return the faults of an op that multiplies by components of this type."""
    wrong = component_faults(factor)
    return (*wrong, TRUNCATED) if wrong else ()


def disturbed(x: NumArray, fault: str) -> NumArray:
    """Return a tensor with the sign of its last component flipped, or with its components moved on by one."""
    if fault == EXCHANGED:
        return np.roll(x, 1, axis=-1)
    out = x.copy()
    out[..., -1] = -out[..., -1]
    return out


@dataclass(frozen=True, slots=True)
class Example:
    """An op with the types (formats included) that it is tried on."""

    op: Op
    types: tuple[Type, ...]
    label: str = ""

    def __str__(self) -> str:
        return f"{self.op.name()}{'-' + self.label if self.label else ''}"
