"""The body of one local function: plain ONNX operators, appended one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from eqhls.ir.types import Axis, Type

FLOAT, DOUBLE = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE


class Body:
    """Nodes in order; a value is its name.

    Values between ops have the type `element`. Arithmetic is done in double precision, so that only
    results are rounded, once. `exact` asks for the numbers of the firmware.
    """

    def __init__(self, inputs: int, element: int, exact: bool) -> None:
        self.inputs = [f"x{k}" for k in range(inputs)]
        self.nodes: list[onnx.NodeProto] = []
        self.exact = exact
        self.element = element
        self._wide = False

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Append an operator and return its result."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def within(self) -> Body:
        """Return a body for the parts of one op, to whose nodes it appends: all of them in double precision,
        nothing rounded. Give it its inputs before each part."""
        inner = Body(0, DOUBLE, False)
        inner.nodes = self.nodes
        return inner

    def real(self, k: int = 0) -> str:
        """Return input k in double precision."""
        self._wide = True
        return self.inputs[k] if self.element == DOUBLE else self("Cast", self.inputs[k], to=DOUBLE)

    def const(self, values: Any) -> str:
        """Return a constant: float64, or int64 if the values are integers."""
        array: NDArray[Any] = np.asarray(values)
        if array.dtype.kind == "f":
            self._wide = True
        wide = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
        return self("Constant", value=numpy_helper.from_array(np.ascontiguousarray(wide).reshape(wide.shape)))

    def result(self, value: str) -> str:
        """Return a value in the element type of the file."""
        return self("Cast", value, to=self.element) if self._wide and self.element != DOUBLE else value

    def total(self, value: str, axis: int, keep: bool = False) -> str:
        return self("ReduceSum", value, self.const([axis]), keepdims=int(keep))

    def take(self, value: str, indices: Any, axis: int) -> str:
        return self("Gather", value, self.const(np.asarray(indices, dtype=np.int64)), axis=axis)

    def reshape(self, value: str, shape: Sequence[int]) -> str:
        """Give one event another shape."""
        return self("Reshape", value, self.const(np.array([0, *shape], dtype=np.int64)))

    def spread(self, value: str, have: Type, want: tuple[Axis, ...]) -> str:
        """Order and insert axes so that a value of type `have` broadcasts over the axes `want`."""
        names = [a.name for a in want]
        order = sorted(range(len(have.axes)), key=lambda k: names.index(have.axes[k].name))
        if order != list(range(len(order))):
            value = self("Transpose", value, perm=[0, *(k + 1 for k in order), len(order) + 1])
        if len(have.axes) == len(want):
            return value
        return self.reshape(value, [*(have.size(n) if have.has(n) else 1 for n in names), have.dim])

    def last(self, value: str, axis: int, rank: int, back: bool = False) -> str:
        """Move an axis of a value of some rank to the end, or from the end back to its place."""
        order = [k for k in range(rank) if k != axis] + [axis]
        return self("Transpose", value, perm=[int(k) for k in np.argsort(order)] if back else order)

    def bucket(self, value: str, edges: NDArray[np.float64], inclusive: bool = False) -> str:
        """Return how many of the edges lie below the value (or at it), int64."""
        compare = "GreaterOrEqual" if inclusive else "Greater"
        above = self(compare, self("Unsqueeze", value, self.const([-1])), self.const(edges))
        return self.total(self("Cast", above, to=onnx.TensorProto.INT64), -1)
