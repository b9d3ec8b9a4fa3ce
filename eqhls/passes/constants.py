"""Values that no event changes become constants: labels, flags of spurions, their encodings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import element
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Floats, Tensor
from eqhls.ops.spurion import Spurion


def fold_constants(graph: Graph) -> Graph:
    """Replace every op of constants alone by its exact value. Needs formats, for tables have them."""
    made = Builder.reading(graph)
    for node in graph:
        sources = tuple(made.find(n) for n in node.inputs)
        constant = bool(sources) and all(isinstance(s.op, Spurion) for s in sources)
        made.keep(_folded(node, sources) if constant else node)
    return made.graph()


def _folded(node: Node, sources: tuple[Node, ...]) -> Node:
    types = tuple(s.type for s in sources)
    try:
        body = node.op.body(types, *(s.op.body(()) for s in sources))
    except CompileError as error:
        raise error.at(f"%{node.name}") from None
    values: Floats = np.empty(body.shape)
    for index in np.ndindex(body.shape):
        num = element(body, index)
        assert num.is_const
        values[index] = num.lo * 2.0**-num.frac
    return replace(node, op=Spurion(replace(node.type, formats=()), Tensor(values)), inputs=())
