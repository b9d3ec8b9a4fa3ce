"""A published-LGN checkpoint down to gates: integer = HLS = RTL, every bit."""

from __future__ import annotations

import numpy as np
import pytest
from lgn_numpy import Shape, jets, random_state

from eqhls.flow import Compiled, compile_model
from eqhls.frontends.checkpoints.lgn import graph_from

EVENTS, SLOTS = 200, 2
SHAPE = Shape(pmu_in=False, channels=(1, 1), beams=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compiled, np.ndarray]:
    rng = np.random.default_rng(5)
    p4 = 10 * jets(rng, EVENTS, SLOTS)
    p4[::5, 1:] = 0
    graph = graph_from(random_state(rng, SHAPE), SHAPE.arguments(SLOTS))
    return compile_model(graph, p4, tmp_path_factory.mktemp("lgn") / "p"), p4


def test_integers_follow_the_float_network(project: tuple[Compiled, np.ndarray]) -> None:
    compiled, p4 = project
    fixed, floating = compiled.predict(p4), compiled.predict(p4, "float")
    assert all(np.corrcoef(a, b)[0, 1] > 0.99 for a, b in zip(fixed.T, floating.T, strict=True))


@pytest.mark.parametrize("engine", ["hls", "rtl"])
def test_every_bit(project: tuple[Compiled, np.ndarray], engine: str) -> None:
    compiled, p4 = project
    np.testing.assert_array_equal(compiled.predict(p4, engine), compiled.predict(p4, "integer"))
