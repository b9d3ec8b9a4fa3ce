"""Edge work becomes node work: sums over senders move inside whatever does not depend on the sender."""

from __future__ import annotations

from dataclasses import dataclass, replace

from eqhls.errors import CompileError
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Op
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.select import Select

WEIGHTED = parse_path("S*V->V")


def hoist_differences(graph: Graph) -> Graph:
    """Rewrite sum_j R_ij (p_i - p_j) (x) X_j as p_i (x) A_i - sum_j R_ij B_j with A_i = sum_j R_ij X_j
    and B_j = p_j (x) X_j: one Clebsch-Gordan product for every particle instead of every pair.
    """
    made = Builder.reading(graph)
    for node in graph:
        found = _pattern(made, node)
        if found is None or not found.gives(made, node.type):
            made.keep(node)
        else:
            _hoist(made, node.name, found)
    return made.graph()


@dataclass(frozen=True, slots=True)
class _Pattern:
    """sum over `over` of product(pick(weight * (here - there)), factor) with factor = copies(source)."""

    over: str
    product: CgProduct
    weight: str
    here: str
    there: str
    factor: str
    source: str
    pick: Select | None
    copies: Select | None

    def gives(self, made: Builder, wanted: Type) -> bool:
        """Whether the hoisted form exists and is of the same type, with its axes in the same order."""
        kinds = (made.type(n) for n in (self.weight, self.here, self.there, self.factor, self.source))
        weight, here, there, factor, source = kinds
        try:
            weight = self.pick.infer(weight) if self.pick else weight
            first = self.product.infer(here, PairSum(self.over).infer(weight, factor))
            pairs = self.product.infer(there, source)
            pairs = self.copies.infer(pairs) if self.copies else pairs
            found = Add((1,)).infer(first, PairSum(self.over).infer(weight, pairs))
        except CompileError:
            return False
        return found == replace(wanted, formats=())


def _pattern(made: Builder, node: Node) -> _Pattern | None:
    """Return the parts of a sum of products with weighted differences, or None for any other value."""
    if not isinstance(node.op, ParticleSum):
        return None
    product = made.find(node.inputs[0])
    if not isinstance(product.op, CgProduct):
        return None
    over, (edge, factor) = node.op.axis, product.inputs
    edge_node, pick = _unselected(made, edge)
    if not (isinstance(edge_node.op, CgProduct) and edge_node.op.path == WEIGHTED):
        return None
    weight, difference = edge_node.inputs
    minus = made.find(difference)
    if not (isinstance(minus.op, Add) and minus.op.minus == (1,) and len(minus.inputs) == 2):
        return None
    here, there = minus.inputs
    if made.type(here).has(over) or not made.type(factor).has(over):
        return None
    if pick is not None and made.type(difference).has(pick.axis):
        return None
    source, copies = _unselected(made, factor)
    if copies is not None and made.type(there).has(copies.axis):
        source, copies = made.find(factor), None
    return _Pattern(over, product.op, weight, here, there, factor, source.name, pick, copies)


def _hoist(made: Builder, name: str, found: _Pattern) -> None:
    """Append the hoisted form of one sum under its name."""

    def add(part: str, op: Op, *inputs: str) -> str:
        return made.add(made.fresh(f"{name}.{part}"), op, *inputs)

    weight = add("r", found.pick, found.weight) if found.pick else found.weight
    total = add("a", PairSum(found.over), weight, found.factor)
    first = add("here", found.product, found.here, total)
    pairs = add("b", found.product, found.there, found.source)
    pairs = add("bs", found.copies, pairs) if found.copies else pairs
    second = add("there", PairSum(found.over), weight, pairs)
    made.add(name, Add((1,)), first, second)


def _unselected(made: Builder, name: str) -> tuple[Node, Select | None]:
    """Return what a value takes its channels from, and how."""
    node = made.find(name)
    if isinstance(node.op, Select) and node.op.to == node.op.axis:
        return made.find(node.inputs[0]), node.op
    return node, None


def sum_products(graph: Graph) -> Graph:
    """Rewrite the sum of a product with scalars as one weighted sum."""

    def rule(node: Node) -> Node:
        product = graph.node(node.inputs[0]) if isinstance(node.op, ParticleSum) else node
        if not (isinstance(node.op, ParticleSum) and isinstance(product.op, CgProduct)):
            return node
        kinds = graph.types_into(product)
        over = node.op.axis
        if product.op.path.left is not S or product.op.path.dual or not all(k.has(over) for k in kinds):
            return node
        op = PairSum(over)
        return node if op.infer(*kinds) != node.type else replace(node, op=op, inputs=product.inputs)

    return graph.rewrite(rule)
