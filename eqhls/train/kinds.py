"""Kinds of networks that come in any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from eqhls.errors import CompileError
from eqhls.train.settings import Phase, Settings

DEFAULT = Settings()
CONSTITUENTS = "constituents"


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of network: `make(config, name, quantized)` builds it, and `settings` trains it. `slots` is the
    field of its configuration that says how many constituents it reads, and `constituents` names that."""

    make: Callable[[Any, str, bool], Any]
    config: Any
    settings: Settings = DEFAULT
    slots: str = CONSTITUENTS

    def sized(self, changes: Mapping[str, Any]) -> Family:
        """Return the family with other fields of its configuration, numbers and texts as YAML gives them.
        Raises CompileError for unknown fields and for values of another kind."""
        known = {f.name: getattr(self.config, f.name) for f in fields(self.config)}
        if CONSTITUENTS in changes and self.slots in changes and self.slots != CONSTITUENTS:
            raise CompileError("--constituents", f"is {self.slots} of this network", "give one of them")
        changes = {self.slots if name == CONSTITUENTS else name: value for name, value in changes.items()}
        for name in changes:
            if name not in known:
                raise CompileError(
                    "--set", f"found {name!r}, expected one of {', '.join(sorted(known))}", "correct the name"
                )
        try:
            made = TypeAdapter(type(self.config)).validate_python(known | dict(changes))
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            raise CompileError(
                "--set", f"{name}: found {changes[name]!r}: {first['msg']}", "correct the value"
            ) from None
        return replace(self, config=made)

    def builder(self, name: str) -> Callable[[bool], Any]:
        """Return a function from `quantized` to the Keras model of that name."""
        return lambda quantized: self.make(self.config, name, quantized)


def cycles(epochs: tuple[int, int], rates: tuple[float, float], seed: int = 1) -> Settings:
    """Return a float phase and a quantized one."""
    phases = (Phase(epochs[0], rates[0], quantized=False), Phase(epochs[1], rates[1]))
    return Settings(phases, seed=seed)
