"""The scores of a tagger among the outputs of a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.scores import Prediction
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats
from eqhls.verify.metrics import class_labels


@dataclass(frozen=True, slots=True)
class Tagger:
    """The scores of a tagger in the order of its classes: one output with K scores, or several outputs with
    one or more each."""

    outputs: tuple[str, ...]

    def scores(self, found: Prediction) -> Floats:
        """Return the scores (events, K) of a prediction."""
        return np.concatenate([found[name].scores for name in self.outputs], axis=1)

    def raw(self, found: Prediction) -> Ints:
        """Return the integers (events, K) of the prediction of an exact engine."""
        columns = [found[name].raw for name in self.outputs]
        return np.concatenate([c.astype(np.int64) for c in columns if c is not None], axis=1)

    def ports(self, graph: Graph) -> Iterator[tuple[str, float]]:
        """Yield the name of each score of a quantized graph, and what one count of it is worth."""
        for name in self.outputs:
            type = graph.node(name).type
            for index in np.ndindex(type.shape[:-1]):
                place = f"[{','.join(map(str, index))}]" if index else ""
                yield name + place, type.format_of(0).lsb


def tagger_of(graph: Graph, wanted: str, labels: NDArray[Any] | None) -> Tagger:
    """Return the tagger that `wanted` names: an output, or several with commas between them, in the order of
    the labels. If it is empty, that is the first output, or, if there are labels above 1 and the network has
    more than two outputs with a single score each and no others, all of them.

    Raises CompileError for names of no output, and, if there are labels, for an output that is a vector or a
    tensor and for labels that do not fit the scores.
    """
    names = tuple(wanted.split(",")) if wanted else _usual(graph, labels)
    if not set(names) <= set(graph.outputs) or len(set(names)) < len(names):
        raise CompileError(
            "score",
            f"found {wanted!r}, expected one of the outputs {', '.join(graph.outputs)}",
            "name one of these",
        )
    if labels is not None:
        types = [graph.node(name).type for name in names]
        for name, type in zip(names, types, strict=True):
            if type.rep is not S:
                raise CompileError(
                    "y",
                    f"labels events, but the output %{name}: {type} is not a score",
                    "leave y out of the events, or name an output of scalars as the score",
                )
        class_labels(labels, sum(type.elements for type in types))
    return Tagger(names)


def _usual(graph: Graph, labels: NDArray[Any] | None) -> tuple[str, ...]:
    single = all(node.type.rep is S and node.type.elements == 1 for node in graph.results)
    if labels is not None and single and len(graph.outputs) > 2 and bool((labels > 1).any()):
        return graph.outputs
    return graph.outputs[:1]
