"""Where the LUTs of a network of words are: the estimate of its graph, cut after one part after the other.

    python models/words/cost.py models/tag16

Each line holds all parts up to its own, so that differences of lines are what a part costs beside the others.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from eqhls.frontends.graphfile import load_model
from eqhls.ir.graph import Graph
from eqhls.lower.schedule import lower
from eqhls.options import Options

PARTS = {
    "differences to the seed": ("deta", "dphi"),
    "log of pt": ("t",),
    "logs of the angles": ("g",),
    "codes of words": ("code",),
    "scores and their sums": ("sum",),
    "features of the jet and of single words": ("mass", "seed_pt", "axis", "word"),
    "direct read-outs, without their sum": ("f_",),
    "hidden sums and the logit": ("logit",),
}
"""What each part adds to the outputs: values whose names start so."""


def cut(graph: Graph, outputs: tuple[str, ...]) -> Graph:
    """Return the graph with other outputs and without what they do not read."""
    wanted = set(outputs)
    for node in reversed(graph.nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
    return replace(graph, nodes=tuple(n for n in graph if n.name in wanted), outputs=outputs)


def main() -> None:
    parser = argparse.ArgumentParser(description="cost of a network of words, by parts")
    parser.add_argument("model", type=Path)
    graph = load_model(parser.parse_args().model).formatted()
    outputs: tuple[str, ...] = ()
    print(f"{'up to':42s} {'LUT':>6s} {'clocks':>6s} {'registers':>9s}")
    for part, starts in PARTS.items():
        hidden = {f"f_h{k}" for k in range(len(graph.nodes))}
        new = [n.name for n in graph if n.name.startswith(starts) and n.name not in hidden]
        outputs = tuple(dict.fromkeys((*outputs, *new)))
        found = lower(cut(graph, outputs), Options())
        print(
            f"{part:42s} {found.lut_estimate:6.0f} {found.latency_cycles:6d} {found.register_bits:9d}",
            flush=True,
        )


if __name__ == "__main__":
    main()
