"""What an importer asks of a checkpoint: tensors of a shape, arguments of a kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.ir.op import Floats
from eqhls.ops.table import Activation

T = TypeVar("T", bool, int, float, str)

ACTIVATIONS = {
    "leakyrelu": Activation.LEAKY_RELU,
    "relu": Activation.RELU,
    "elu": Activation.ELU,
    "celu": Activation.ELU,
    "selu": Activation.SELU,
    "silu": Activation.SILU,
    "sigmoid": Activation.SIGMOID,
    "logsigmoid": Activation.LOG_SIGMOID,
    "tanh": Activation.TANH,
    "atan": Activation.ATAN,
    "soft": Activation.SOFTSIGN,
    "identity": Activation.NONE,
}
"""The functions of one scalar by the names that training codes give them."""
MAX_CONSTITUENTS = 1000
"""A larger number is almost certainly a typo, and tables of pairs would exhaust the memory."""


def flattened(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a configuration with those of its `args`. Null says nothing; if both have a
    key, the outer one holds: it is the size of what was fed, the inner one what was asked for."""
    inner = config.get("args")
    keys = {**inner, **without_nulls(config)} if isinstance(inner, Mapping) else config
    return {k: v for k, v in without_nulls(keys).items() if k != "args"}


def without_nulls(given: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in given.items() if v is not None}


@dataclass(frozen=True, slots=True)
class Fields:
    """The tensors and arguments of one network; `family` stands in the messages."""

    family: str
    state: Mapping[str, NDArray[Any]]
    arguments: Mapping[str, Any]

    def has(self, name: str) -> bool:
        return name in self.state

    def tensor(self, name: str, *shape: int) -> Floats:
        """Return a tensor in float64. Raises CompileError if it is missing or of another shape;
        a size of -1 is free."""
        if name not in self.state:
            raise CompileError(self.family, f"has no tensor {name}", "the checkpoint is of another network")
        found = self.state[name].shape
        if len(found) != len(shape) or any(
            want not in (-1, have) for want, have in zip(shape, found, strict=True)
        ):
            wanted = ", ".join("any" if n == -1 else str(n) for n in shape)
            raise CompileError(f"{self.family}: {name}", f"has the shape {found}", f"expected ({wanted})")
        return self.state[name].astype(np.float64)

    def argument(self, name: str, default: T) -> T:
        """Return an argument of the kind of its default, which holds if it is missing or None."""
        value = self.arguments.get(name)
        if value is None:
            return default
        kinds = (int, float) if isinstance(default, float) else (type(default),)
        if not isinstance(value, kinds) or (isinstance(value, bool) and not isinstance(default, bool)):
            raise CompileError(
                f"{self.family}: {name}", f"found {value!r}", f"expected a {type(default).__name__}"
            )
        return type(default)(value)

    def chosen(self, name: str, default: bool, function: Activation) -> Activation | None:
        """Return the activation if a flag of the arguments asks for it."""
        return function if self.argument(name, default) else None

    def require(self, name: str, default: T, *allowed: T, why: str) -> T:
        """Return an argument that must be one of a few; raises CompileError with the reason."""
        value = self.argument(name, default)
        if value not in allowed:
            raise self.refused(f"{name} = {value!r}", f"expected {' or '.join(map(repr, allowed))}: {why}")
        return value

    def refused(self, what: str, why: str) -> CompileError:
        return CompileError(self.family, f"cannot be compiled with {what}", why)
