"""Keras layers on tensors of rotations and on rings: read back, they are the same network."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

    from eqhls.frontends.keras import read_keras
    from eqhls.frontends.layers import geometry as g
    from eqhls.frontends.layers import structure as s

from eqhls.frontends.open import load_any
from eqhls.groups.rotation.group import ROTATION
from eqhls.verify.claims import Translation
from eqhls.verify.symmetry import derive

pytestmark = pytest.mark.filterwarnings("ignore")


def typed(name: str, text: str, shape: tuple[int, ...]) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    raw = keras.Input(shape, name=f"{name}_in")
    return raw, s.TypedInput(text, name=name)(raw)


def moments() -> keras.Model:
    """r_ij = r_i - r_j, its tensor, what the tensor does to the sum, and the volume that three sums span."""
    raw, r = typed("r", "1o.xyz[j:3@S]:fix<4,4>", (3, 3))
    d = s.AddLayer((1,), name="d")(s.RenameLayer("j", "i", name="ri")(r), r)
    pull = s.ParticleSumLayer("j", name="pull")(d)
    t = s.ParticleSumLayer("j", name="sum")(g.CgSquareLayer("1o*1o->2e", name="t")(d))
    turned = g.CgProductLayer("1o*2e->1o", name="turned")(pull, g.ToBasisLayer("t5", name="t5")(t))
    axial = g.CgProductLayer("1o*1o->1e", name="axial")(pull, turned)
    square = s.ParticleSumLayer("i", name="square")(g.InvariantsLayer(name="inv")(axial))
    return keras.Model(raw, square, name="moments")


def ring() -> keras.Model:
    """Differences of neighbours around a ring."""
    raw, x = typed("x", "S[x:6@Z]:fix<6,6>", (6, 1))
    d = s.AddLayer((1,), name="d")(x, s.ShiftLayer("x", 1, name="next")(x))
    return keras.Model(raw, g.PairSumLayer("x", name="energy")(d, d), name="ring")


def test_a_network_of_rotations(rng: np.random.Generator, tmp_path: Path) -> None:
    model = moments()
    graph = read_keras(model)
    x = rng.integers(-8, 8, (7, 3, 3)).astype("float64")
    np.testing.assert_allclose(
        np.asarray(model(x.astype("float32"))).ravel(), graph.scores({"r": x})["square"].ravel(), rtol=1e-5
    )
    exact = graph.formatted()
    got = exact.evaluate({"r": np.rint(x).astype(np.int64)})["square"]
    want = graph.scores({"r": x})["square"]
    np.testing.assert_allclose(got * exact.node("square").type.formats.lsb, want, rtol=1e-12)
    model.save(tmp_path / "moments.keras")
    assert str(load_any(tmp_path / "moments.keras")) == str(graph)


def test_what_it_claims() -> None:
    found = derive(read_keras(moments()).formatted())
    assert found.parent is ROTATION and found.whole and not found.proper_only
    assert Translation(("r",)) in found.claims
    assert [str(p) for p in found.permutations] == ["permutations of 3 of 3 along j"]


def test_a_ring(rng: np.random.Generator) -> None:
    model = ring()
    graph = read_keras(model).formatted()
    assert [str(c) for c in derive(graph).claims] == ["shifts around the ring of 6 along x"]
    x = rng.integers(-9, 9, (5, 6, 1))
    want = ((x - np.roll(x, -1, axis=1)) ** 2).sum(axis=1)
    np.testing.assert_array_equal(graph.evaluate({"x": x})["energy"], want)
    np.testing.assert_allclose(np.asarray(model(x.astype("float32"))), want)
