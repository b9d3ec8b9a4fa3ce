"""What a tensor is: its representation, its named axes, its fixed-point format."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed import NO_FORMATS, Fixed, Formats
from eqhls.groups.charge import NEUTRAL, PATTERN, Charges, checked, parse_charges
from eqhls.groups.permutation import ACTIONS, CHANNELS, Action
from eqhls.groups.registry import rep as rep_named
from eqhls.groups.registry import reps
from eqhls.groups.rep import Basis, Rep, S


@dataclass(frozen=True, slots=True)
class Axis:
    """A named axis, and the group that moves its entries: `j:16@S` is a set of 16 particles, `x:8@Z` a ring
    of 8 sites, `c:4` four channels, which nobody moves. The name itself has no meaning."""

    name: str
    size: int
    action: Action = CHANNELS

    @property
    def moved_with(self) -> tuple[str, int]:
        """The group and the number of points that it permutes: axes that agree in it are moved together."""
        return (self.action.group, self.action.points(self.size))

    def named(self, name: str) -> Axis:
        """Return the same axis under another name."""
        return replace(self, name=name)

    def __str__(self) -> str:
        return f"{self.name}:{self.size}{'@' if self.action.moves else ''}{self.action.name}"

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Read what `str` prints. Raises ValueError, with what is wrong, for anything else."""
        found = _AXIS.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"the axis {text.strip()!r} is not NAME:SIZE or NAME:SIZE@ACTION")
        name, size, action = found.groups()
        if (action or "") not in ACTIONS:
            raise ValueError(f"the action @{action} is not one of {', '.join(f'@{a}' for a in ACTIONS if a)}")
        return cls(name, int(size), ACTIONS[action or ""])


_AXIS = re.compile(r"(\w+)\s*:\s*(\d+)(?:@(\w+))?")
_TYPE = re.compile(rf"(\w+)({PATTERN})(?:\.(\w+))?\[([^\]]*)\](?::(.+))?")
_FIRST = Basis("", ())
"""Stands for the first basis of a representation."""


@dataclass(frozen=True, slots=True)
class Type:
    """A tensor of shape (*axes, components) that transforms in `rep`.

    Scalars may have `charges`: they add under symmetries of one parameter, as angles do under turns.
    `formats` is empty before quantization; after it, one format for all components or one each. Any tuple
    of formats may be given.
    """

    rep: Rep
    axes: tuple[Axis, ...] = ()
    basis: Basis = _FIRST
    formats: Formats = NO_FORMATS
    charges: Charges = NEUTRAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "formats", Formats(self.formats))
        if self.basis == _FIRST or self.rep is S:
            object.__setattr__(self, "basis", self.rep.basis())
        if self.basis not in self.rep.bases:
            known = ", ".join(b.name for b in self.rep.bases)
            raise CompileError(
                "type", f"found the basis {self.basis} of {self.rep}", f"expected one of {known}"
            )
        names = [a.name for a in self.axes]
        if len(set(names)) != len(names) or any(a.size < 1 for a in self.axes):
            raise CompileError(
                "type",
                f"found axes [{', '.join(map(str, self.axes))}]",
                "axes need different names and sizes of at least 1",
            )
        for axis in self.axes:
            axis.action.points(axis.size)
        if len(self.formats) not in (0, 1, self.dim):
            raise CompileError(
                "type",
                f"found {len(self.formats)} formats, expected 1 or {self.dim}",
                "give one for all components, or one for each",
            )
        if self.charges and self.rep is not S:
            raise CompileError("type", f"found charges of {self.rep}", "only scalars S have charges")
        try:
            object.__setattr__(self, "charges", checked(self.charges))
        except ValueError as error:
            raise CompileError("type", f"found {error}", "give one charge per symmetry") from None

    @property
    def dim(self) -> int:
        """Stored components."""
        return self.rep.size(self.basis)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one event: (*axes, components)."""
        return (*(a.size for a in self.axes), self.dim)

    @property
    def elements(self) -> int:
        """Numbers in one event."""
        size = self.dim
        for axis in self.axes:
            size *= axis.size
        return size

    def index(self, name: str) -> int:
        """Return the position of an axis, or raise CompileError naming those that exist."""
        for position, axis in enumerate(self.axes):
            if axis.name == name:
                return position
        raise CompileError(
            "axes", f"found no axis {name!r} in {self}", f"it has {[a.name for a in self.axes]}"
        )

    def axis(self, name: str) -> Axis:
        """Return an axis by name, or raise CompileError naming those that exist."""
        return self.axes[self.index(name)]

    def has(self, name: str) -> bool:
        return any(a.name == name for a in self.axes)

    def size(self, name: str) -> int:
        return self.axes[self.index(name)].size

    def without(self, name: str) -> Type:
        """Return the type with one axis gone and no format."""
        position = self.index(name)
        return replace(self, axes=self.axes[:position] + self.axes[position + 1 :], formats=())

    def with_axis(self, name: str, *to: Axis) -> Type:
        """Return the type with one axis replaced and no format."""
        position = self.index(name)
        return replace(self, axes=(*self.axes[:position], *to, *self.axes[position + 1 :]), formats=())

    def like(self, rep: Rep, axes: tuple[Axis, ...] | None = None) -> Type:
        """Return a type of another representation over the same axes, in the basis of the same name if it
        has one, without a format."""
        basis = next((b for b in rep.bases if b.name == self.basis.name), _FIRST)
        return Type(rep, self.axes if axes is None else axes, basis)

    def format_of(self, component: int) -> Fixed:
        return self.formats[component]

    def __str__(self) -> str:
        basis = "" if self.dim == 1 else f".{self.basis}"
        formats = ":" + "|".join(map(str, self.formats)) if self.formats else ""
        charges = "".join(map(str, self.charges))
        return f"{self.rep}{charges}{basis}[{', '.join(map(str, self.axes))}]{formats}"

    @classmethod
    def parse(cls, text: str) -> Type:
        """Read what `str` prints. Raises CompileError for anything else."""
        found = _TYPE.fullmatch(text.strip())
        try:
            if not found:
                raise ValueError("it is not REP+CHARGES.BASIS[AXES]:FORMATS")
            name, charges, basis, axes, formats = found.groups()
            if name not in (names := [r.name for r in reps()]):
                raise ValueError(f"the representation {name} is not one of {', '.join(names)}")
            rep = rep_named(name)
            return cls(
                rep,
                tuple(Axis.parse(a) for a in axes.split(",") if a.strip()),
                rep.basis(basis or ""),
                Formats(map(Fixed.parse, formats.split("|")) if formats else ()),
                parse_charges(charges),
            )
        except ValueError as error:
            raise CompileError(
                "type",
                f"found {text.strip()!r}: {error}",
                "expected e.g. V.lc[j:16]:fix<10,4>, 1o.xyz[j:8@S] or S+phi%1440[j:16]",
            ) from None


def joined_axes(a: Type, b: Type) -> tuple[Axis, ...]:
    """Return the axes of an element-wise product: those of `a`, then the new ones of `b`.

    Axes of the same name must have the same size; raises CompileError otherwise.
    """
    for axis in b.axes:
        if a.has(axis.name) and a.axes[a.index(axis.name)] != axis:
            raise CompileError(
                "axes",
                f"found {a} and {b}, expected the same size and action of axis {axis.name!r}",
                "give both axes one size and one action",
            )
    return a.axes + tuple(x for x in b.axes if not a.has(x.name))


def spread(x: NDArray[Any], have: Type, want: tuple[Axis, ...], lead: int = 0) -> NDArray[Any]:
    """Order and insert axes so that `x`, of type `have`, broadcasts over the axes `want`.

    `lead` counts leading axes that are not named (the events); the components stay last.
    """
    names = [a.name for a in want]
    order = sorted(range(len(have.axes)), key=lambda k: names.index(have.axes[k].name))
    last = x.ndim - 1
    x = np.transpose(x, (*range(lead), *(lead + k for k in order), last))
    sizes = [have.size(n) if have.has(n) else 1 for n in names]
    return x.reshape(*x.shape[:lead], *sizes, x.shape[-1])
