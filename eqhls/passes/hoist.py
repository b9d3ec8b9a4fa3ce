"""Edge work becomes node work: sums over senders move inside whatever does not depend on the sender."""

from __future__ import annotations

from dataclasses import replace

from eqhls.groups.cg import parse_path
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Graph, Node
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.select import Select
from eqhls.passes.rebuild import Rebuild

WEIGHTED = parse_path("S*V->V")


def hoist_differences(graph: Graph) -> Graph:
    """Rewrite sum_j R_ij (p_i - p_j) (x) X_j as p_i (x) A_i - sum_j R_ij B_j with A_i = sum_j R_ij X_j
    and B_j = p_j (x) X_j: one Clebsch-Gordan product for every particle instead of every pair.
    """
    made = Rebuild(graph)
    for node in graph:
        product = made.find(node.inputs[0]) if isinstance(node.op, ParticleSum) else None
        if product is None or not isinstance(product.op, CgProduct) or not _hoist(made, node, product):
            made.keep(node)
    return made.graph()


def _hoist(made: Rebuild, node: Node, product: Node) -> bool:
    """Append the hoisted form of one sum under its name; False where the pattern is another."""
    assert isinstance(node.op, ParticleSum) and isinstance(product.op, CgProduct)
    over, (edge, factor) = node.op.axis, product.inputs
    edge_node, pick = _unselected(made, edge)
    if not (isinstance(edge_node.op, CgProduct) and edge_node.op.path == WEIGHTED):
        return False
    weight, difference = edge_node.inputs
    minus = made.find(difference)
    if not (isinstance(minus.op, Add) and minus.op.minus == (1,) and len(minus.inputs) == 2):
        return False
    here, there = minus.inputs
    if made.type(here).has(over) or not made.type(factor).has(over):
        return False
    weight = weight if pick is None else made.add(f"{node.name}.r", pick, weight)
    total = made.add(f"{node.name}.a", PairSum(over), weight, factor)
    first = made.add(f"{node.name}.here", product.op, here, total)
    source, copies = _unselected(made, factor)
    pairs = made.add(f"{node.name}.b", product.op, there, source.name)
    pairs = pairs if copies is None else made.add(f"{node.name}.bs", copies, pairs)
    second = made.add(f"{node.name}.there", PairSum(over), weight, pairs)
    made.add(node.name, Add((1,)), first, second)
    return True


def _unselected(made: Rebuild, name: str) -> tuple[Node, Select | None]:
    """Return what a value takes its channels from, and how."""
    node = made.find(name)
    if isinstance(node.op, Select) and node.op.to == node.op.axis:
        return made.find(node.inputs[0]), node.op
    return node, None


def sum_products(graph: Graph) -> Graph:
    """Rewrite the sum of a product with scalars as one weighted sum."""
    by_name = {n.name: n for n in graph}

    def rule(node: Node) -> Node:
        product = by_name[node.inputs[0]] if isinstance(node.op, ParticleSum) else node
        if not (isinstance(node.op, ParticleSum) and isinstance(product.op, CgProduct)):
            return node
        kinds = graph.types_into(product)
        over = node.op.axis
        if product.op.path.left is not Rep.S or product.op.path.dual or not all(k.has(over) for k in kinds):
            return node
        op = PairSum(over)
        return node if op.infer(*kinds) != node.type else replace(node, op=op, inputs=product.inputs)

    return graph.rewrite(rule)
