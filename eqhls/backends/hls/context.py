"""What the config of a block may depend on, and formats as C++ types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eqhls.backends.hls.structs import Value
from eqhls.fixed import Fixed
from eqhls.ir.graph import Node
from eqhls.ir.types import Type


@dataclass(frozen=True, slots=True)
class Context:
    """A node with what its config may depend on."""

    node: Node
    types: tuple[Type, ...]
    place: Mapping[str, Value]

    @property
    def size(self) -> int:
        return self.node.type.elements // self.node.type.rep.dim


def covering(formats: tuple[Fixed, ...]) -> Fixed:
    """Return one format that holds every value of all of them."""
    frac = max(f.frac for f in formats)
    lo = min(f.lo << (frac - f.frac) for f in formats)
    hi = max(f.hi << (frac - f.frac) for f in formats)
    return Fixed.covering(lo, hi, frac)


def plain(form: Fixed) -> str:
    """Return the C++ type without modes: assignments to it are exact."""
    return f"ap_{'' if form.signed else 'u'}fixed<{form.width}, {form.integer}>"
