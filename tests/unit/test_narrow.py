"""A format of the configuration that cuts off most of what samples hold is named; others are not."""

from __future__ import annotations

import numpy as np
import pytest

from eqhls.ir.graph import Graph
from eqhls.ir.text import parse_graph
from eqhls.ops import BY_NAME
from eqhls.options import Options, read_options
from eqhls.quantize.assign import assign
from eqhls.quantize.narrow import too_narrow

NETWORK = """graph sums
%x = input() {type = S[j:4]} : S[j:4]
%s = particle_sum(%x) {axis = j} : S[]
output %s
"""


@pytest.fixture
def graph() -> Graph:
    return parse_graph(NETWORK, {}, BY_NAME)


def said(graph: Graph, samples: dict[str, np.ndarray], result: str) -> list[str]:
    options = Options()
    if result:
        options = read_options({"HLSConfig": {"LayerName": {"s": {"Precision": {"result": result}}}}})
    return too_narrow(graph, assign(graph, samples, options), options, samples)


def test_a_format_that_most_numbers_overflow_is_named(graph: Graph, rng: np.random.Generator) -> None:
    """Sums of about 40 in a format that ends at 2; one that ends at 64 holds them, and so does a calibrated one."""
    samples = {"x": 10 + rng.normal(size=(200, 4, 1))}
    (line,) = said(graph, samples, "fix<4,2,RND,SAT>")
    assert line.startswith("%s: 100% of its numbers saturate on 200 sample events in S[]:fix<4,2>")
    assert said(graph, samples, "fix<10,7,RND,SAT>") == said(graph, samples, "") == []


def test_a_format_that_cuts_tails_is_not(graph: Graph, rng: np.random.Generator) -> None:
    assert said(graph, {"x": rng.normal(size=(200, 4, 1))}, "fix<6,3,RND,SAT>") == []
