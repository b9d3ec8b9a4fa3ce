"""What is known of an ONNX graph while it is read: ops so far, and what its values stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx

from eqhls.errors import CompileError
from eqhls.exchange.attributes import array_of
from eqhls.frontends.onnx.views import View
from eqhls.ir.graph import Builder, Node
from eqhls.ir.op import Op
from eqhls.ir.types import Type

BATCH = 1009
"""How many events shapes are computed for if a file leaves the number open: a prime that no layer has."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The graph so far: its ops in a builder, and what the values of the file stand for. `batch`: for how
    many events the constants of the file hold that depend on it; `typed`: the ports that an operator Input
    types; `integers`: values that are known as integers, in units of their LSB."""

    where: str
    ports: frozenset[str]
    opset: int = 0
    batch: int = BATCH
    typed: frozenset[str] = frozenset()
    builder: Builder = field(init=False)
    views: dict[str, View] = field(default_factory=dict[str, View])
    constants: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    integers: dict[str, tuple[View, float]] = field(default_factory=dict[str, tuple[View, float]])

    def __post_init__(self) -> None:
        object.__setattr__(self, "builder", Builder(self.where))

    @property
    def nodes(self) -> Mapping[str, Node]:
        return self.builder.nodes

    def add(self, name: str, op: Op, inputs: tuple[str, ...] = (), declared: Type | None = None) -> View:
        """Append an op. Raises CompileError for a type error or a name that is taken."""
        name = self.builder.add(identifier(name), op, *inputs, declared=declared)
        return View.whole(name, self.builder.type(name))

    def invent(self, name: str, op: Op, inputs: tuple[str, ...] = ()) -> View:
        """Append an op that the file does not have, under a name that no operator of the file has."""
        return self.add(self.builder.fresh(identifier(name)), op, inputs)

    def type(self, view: View) -> Type:
        return self.builder.type(view.name)

    def view(self, value: str, node: onnx.NodeProto) -> View:
        """Return what an input of a node stands for. Raises CompileError if no op gives it."""
        if value in self.views:
            return self.views[value]
        if value in self.ports:
            found, cure = "is a port without a type", "give the port a type with the operator Input"
        else:
            found = "is a constant" if value in self.constants else "no op computes"
            cure = "expected the result of an op, or a port"
        raise CompileError(self.place(node), f"reads {value!r}, which {found}", cure)

    def whole(self, value: str, node: onnx.NodeProto) -> View:
        """Return a value that is neither reshaped nor cut. Raises CompileError for others."""
        view = self.view(value, node)
        type = self.type(view)
        if (
            view.component is not None
            or not (view.in_front and view.natural(type))
            or view.shape != type.shape
        ):
            raise CompileError(
                self.place(node),
                f"reads {value!r} as {list(view.shape)}, but it is a {self.type(view)}",
                "give ops the tensors of other ops as they are",
            )
        return view

    def constant(self, value: str, node: onnx.NodeProto) -> np.ndarray:
        """Return a constant input. Raises CompileError if it is computed."""
        if value not in self.constants:
            raise CompileError(self.place(node), f"reads {value!r}, expected a constant", "fold it before")
        return self.constants[value]

    def tensor(self, tensor: onnx.TensorProto) -> np.ndarray:
        try:
            return array_of(tensor)
        except CompileError as error:
            raise error.at(self.where) from None

    def place(self, node: onnx.NodeProto) -> str:
        return f"{self.where}: {printable(name_of(node))}: {printable(node.op_type)}"


def name_of(node: onnx.NodeProto) -> str:
    """Return the name of a node, or that of its result."""
    return node.name or next((o for o in node.output if o), node.op_type)


def printable(text: str) -> str:
    """Return a text for one line of a message."""
    return "".join(c if c.isprintable() else "?" for c in text)


def identifier(name: str) -> str:
    """Return a name as programs may have it: letters, digits, underscores and dots, a letter in front."""
    plain = re.sub(r"[^\w.]", "_", name, flags=re.ASCII)
    return f"v{plain}" if plain[:1].isdigit() or plain.startswith(".") else plain
