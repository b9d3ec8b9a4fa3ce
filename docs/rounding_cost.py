"""Print what exactness costs: each model as it is, and with its vectors rounded to the input steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.frontends.graphfile import load_model
from eqhls.ir.graph import Graph, Node
from eqhls.lower.schedule import lower
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.requantize import Requantize
from eqhls.options import Options

ROOT = Path(__file__).resolve().parents[1]


def rounded(graph: Graph) -> Graph:
    """Put an odd, saturating rounding to the steps of the inputs behind every vector sum."""
    kind = graph.node("p").type
    nodes: list[Node] = []
    renamed: dict[str, str] = {}
    for node in graph:
        nodes.append(replace(node, inputs=tuple(renamed.get(n, n) for n in node.inputs)))
        if isinstance(node.op, PairSum):
            formats = tuple(_format(node, c, kind.format_of(c).frac) for c in range(4))
            renamed[node.name] = f"{node.name}_rounded"
            nodes.append(Node(renamed[node.name], Requantize(formats), (node.name,), node.type))
    return replace(graph, nodes=tuple(nodes)).verify().formatted()


def _format(node: Node, component: int, frac: int) -> Fixed:
    exact = node.type.format_of(component)
    width = exact.width - (exact.frac - frac)
    return Fixed(width + 1, width + 1 - frac, True, Rounding.RND_CONV, Overflow.SAT_SYM)


if __name__ == "__main__":
    for name in ("lgn_top_small", "lgn_top"):
        graph = load_model(ROOT / "models" / name)
        exact, short = lower(graph, Options()), lower(rounded(graph), Options())
        print(
            f"{name}: exact {exact.lut_estimate:,.0f} LUT, {exact.stages} stages; "
            f"rounded {short.lut_estimate:,.0f} LUT, {short.stages} stages; "
            f"exactness costs {exact.lut_estimate / short.lut_estimate - 1:+.1%}"
        )
