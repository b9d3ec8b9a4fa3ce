"""What the config of an op may depend on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eqhls.backends.hls.structs import Value
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
        return self.node.type.elements // self.node.type.dim
