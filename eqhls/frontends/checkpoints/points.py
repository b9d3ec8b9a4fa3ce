"""What importers of networks on clouds of points share: differences of positions, settings that must hold.

A cloud has a fixed number of points. Positions enter by their differences alone, so that translations are
exact; distances are functions of the integer |r|^2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.fields import MAX_CONSTITUENTS, Fields
from eqhls.groups.permutation import PARTICLES
from eqhls.groups.rep import S
from eqhls.groups.rotation.reps import irrep
from eqhls.ir.graph import Builder
from eqhls.ir.op import Floats, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.rename import Rename
from eqhls.ops.spurion import Spurion

SENDERS, RECEIVERS, CHANNELS = "j", "i", "c"
POSITIONS = "pos"
"""The port of positions, and the array of events that fills it."""
VECTOR = irrep(1, "o")
AWAY, SQUARE, APART = "r", "r2", "apart"
"""Values of `differences`."""


def differences(b: Builder, points: int, outwards: bool) -> None:
    """Append the port of positions r_j 1o[j] and what follows from it: `r` 1o[i,j], r_i - r_j or, `outwards`,
    r_j - r_i; `r2` S[i,j], its square; `apart` S[i,j], 0 where i = j and else 1."""
    senders, receivers = cloud(SENDERS, points), cloud(RECEIVERS, points)
    pos = b.add(POSITIONS, Input(Type(VECTOR, (senders,))))
    own = b.add(f"{pos}_i", Rename(SENDERS, RECEIVERS), pos)
    b.add(AWAY, Add((0 if outwards else 1,)), own, pos)
    b.add(SQUARE, Invariants(), AWAY)
    constant(b, APART, (receivers, senders), 1 - np.eye(points))


def cloud(name: str, points: int) -> Axis:
    """Return an axis over the points, which are a set."""
    return Axis(name, points, PARTICLES)


def constant(b: Builder, name: str, axes: tuple[Axis, ...], values: Floats) -> str:
    """Append constant scalars."""
    return b.add(name, Spurion(Type(S, axes), Tensor(np.asarray(values)[..., None])))


def number_of_points(fields: Fields) -> int:
    """Return the setting n_points. Raises CompileError unless it is a number of points."""
    return whole(fields, "n_points", MAX_CONSTITUENTS)


def whole(fields: Fields, name: str, most: int = 4096) -> int:
    """Return a setting that counts something. Raises CompileError unless it is a whole number, at least 1."""
    value = fields.arguments.get(name)
    if type(value) is not int or not 1 <= value <= most:
        raise CompileError(
            f"{fields.family}: {name}", f"found {value!r}", f"give a whole number from 1 to {most}"
        )
    return value


def positive(fields: Fields, name: str) -> float:
    """Return a setting that is a positive number. Raises CompileError for anything else."""
    value = number(fields, name)
    if value <= 0:
        raise CompileError(f"{fields.family}: {name}", f"found {value!r}", "give a positive number")
    return value


def number(fields: Fields, name: str) -> float:
    """Return a setting that is a finite number. Raises CompileError for anything else."""
    return real(fields.family, fields.arguments, name)


def real(family: str, settings: Mapping[str, Any], name: str) -> float:
    """Return the finite number of this name. Raises CompileError for anything else."""
    value = settings.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise CompileError(f"{family}: {name}", f"found {value!r}", "give a finite number")
    return float(value)
