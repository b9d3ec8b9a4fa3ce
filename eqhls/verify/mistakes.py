"""Mistakes that the comparison with the given network must catch: one weight moved, operands exchanged, an
output doubled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np

from eqhls.errors import CompileError
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.logic import Logic
from eqhls.ir.op import Floats, Op, Tensor
from eqhls.ir.types import Type
from eqhls.ops.add import Add

STEPS = (1, 4, 16, 64)
"""Steps by which a weight is moved, until the mistake shows."""
PLACES = 4
"""Weights of each number of LSBs, and pairs of operands, that are tried."""


def moved_weights(graph: Graph, seed: int = 11) -> Iterator[tuple[str, Graph]]:
    """Yield graphs with one weight moved by more and more LSBs, with what was done.

    Weights are all tensors of ops, entries of functions and networks of a scalar included; large ones come
    first, for they count.
    """
    rng = np.random.default_rng(seed)
    holders = [(n, place) for n in graph for place in _tensors(n.op)]
    for steps in STEPS:
        for k in rng.permutation(len(holders))[:PLACES]:
            node, place = holders[k]
            made = _formatted(graph, replace(node, op=_moved(node.op, place, steps)))
            if made is not None:
                yield f"a weight of %{node.name} moved by {steps} LSB", made


def _tensors(op: Op) -> Iterator[tuple[str, ...]]:
    """Yield where the tensors of an op are: in a field, or in a field of a value of a network in a field. A
    netlist with constants is one of them."""
    for field in fields(op):
        value = getattr(op, field.name)
        if isinstance(value, Tensor) or (isinstance(value, Logic) and value.constants):
            yield (field.name,)
        if isinstance(value, Graph):
            yield from ((field.name, n.name, *rest) for n in value for rest in _tensors(n.op))


def _moved(op: Op, place: tuple[str, ...], steps: int) -> Op:
    name, *inner = place
    if inner:
        network: Graph = getattr(op, name)
        one = network.node(inner[0])
        changed = replace(one, op=_moved(one.op, tuple(inner[1:]), steps))
        nodes = tuple(changed if n is one else n for n in network)
        return replace(op, **{name: replace(network, nodes=nodes)})
    value = getattr(op, name)
    if isinstance(value, Logic):
        return replace(op, **{name: value.changed(value.constants - 1, steps)})
    tensor: Tensor = value
    array = tensor.array.copy()
    index = np.unravel_index(np.abs(array).argmax(), array.shape)
    array[index] += steps * _unit(array)
    return replace(op, **{name: Tensor(array)})


def _unit(array: Floats) -> float:
    """Return the LSB of weights: the last place of fixed-point numbers, 1/256 of the largest of others. Zeros
    have no last place: 1/256."""
    top = float(np.abs(array).max(initial=0.0))
    if not top:
        return 1 / 256
    for bits in range(-16, 24):
        if (array * 2.0**bits == np.rint(array * 2.0**bits)).all():
            return 2.0**-bits
    return top / 256


def exchanged_operands(graph: Graph, seed: int = 12) -> Iterator[tuple[str, Graph]]:
    """Yield graphs in which one op reads its operands in another order, or another value of the same type,
    with what was done."""
    rng = np.random.default_rng(seed)
    for k in rng.permutation(len(graph.nodes)):
        node = graph.nodes[k]
        for text, inputs in _rewired(graph, node, int(k), rng):
            made = _formatted(graph, replace(node, inputs=inputs))
            if made is not None:
                yield f"{text} of %{node.name} exchanged", made


def _rewired(
    graph: Graph, node: Node, place: int, rng: np.random.Generator
) -> Iterator[tuple[str, tuple[str, ...]]]:
    if len(set(node.inputs)) > 1:
        yield "operands", node.inputs[::-1]
    earlier = graph.nodes[:place]
    for position, name in enumerate(node.inputs):
        type = replace(graph.node(name).type, formats=())
        alike = [n.name for n in earlier if n.name != name and replace(n.type, formats=()) == type]
        if alike:
            other = alike[int(rng.integers(len(alike)))]
            yield "an operand", (*node.inputs[:position], other, *node.inputs[position + 1 :])


def doubled_outputs(graph: Graph) -> Iterator[tuple[str, Graph]]:
    """Yield graphs in which one output is twice what it was: networks that only move their inputs have no
    weights and no operands that could be mistaken."""
    for place, name in enumerate(graph.outputs):
        twice = Builder.reading(graph).fresh(f"{name}.twice")
        node = Node(twice, Add(), (name, name), replace(graph.node(name).type, formats=()))
        outputs = (*graph.outputs[:place], twice, *graph.outputs[place + 1 :])
        wrong = replace(graph, nodes=(*graph.nodes, node), outputs=outputs)
        yield f"%{name} doubled", wrong.verify().formatted()


def _formatted(graph: Graph, changed: Node) -> Graph | None:
    """Return the graph with one node changed and all formats derived again; None if it has none (a moved
    exponent may take numbers out of the range of floats), or if the outputs are of other types."""
    try:
        with np.errstate(over="raise", invalid="raise"):
            made = graph.rewrite(lambda n: changed if n.name == changed.name else n).verify().formatted()
    except (CompileError, FloatingPointError):
        return None
    return made if _shapes(made) == _shapes(graph) else None


def _shapes(graph: Graph) -> list[Type]:
    return [replace(n.type, formats=()) for n in graph.results]
