"""Pair layers and pair ops: what commutes with permutations, in Keras, float and integers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

    from eqhls.frontends.keras import read_keras
    from eqhls.frontends.layers import pairs
    from eqhls.frontends.layers.pelican import PelicanConfig, kinds_of, pelican
    from eqhls.frontends.layers.pelican_full import FullConfig, NanoConfig, full_pelican, published_nano
    from eqhls.frontends.layers.scalar import RequantizeLayer
    from eqhls.frontends.layers.structure import TypedInput

from eqhls import ops
from eqhls.errors import CompileError
from eqhls.groups.permutation import pairs_of, points_of_pairs, triangle
from eqhls.ir.op import Example, Tensor
from eqhls.ir.types import Type
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.eq2to2_symmetric import Eq2to2Symmetric
from eqhls.verify.symmetry import derive

pytestmark = pytest.mark.filterwarnings("ignore")
PAIR_EXAMPLES = [e for e in ops.examples() if e.op.name().startswith("eq")]
LAYERS = {
    "full": ("S[i:4,j:4,c:2]", pairs.Eq2to2Layer),
    "symmetric": ("S[p:10,c:2]", pairs.Eq2to2SymmetricLayer),
    "1to2": ("S[i:4,c:2]", pairs.Eq1to2Layer),
    "2to1": ("S[i:4,j:4,c:2]", pairs.Eq2to1Layer),
    "2to1-triangular": ("S[p:10,c:2]", pairs.Eq2to1Layer),
    "2to0": ("S[i:4,j:4,c:2]", pairs.Eq2to0Layer),
    "2to0-triangular": ("S[p:10,c:2]", pairs.Eq2to0Layer),
}


@pytest.mark.parametrize("case", LAYERS)
def test_layer_is_the_float_formula(case: str, rng: np.random.Generator) -> None:
    kind, layer = LAYERS[case]
    x = TypedInput(kind, name="x")(keras.Input(Type.parse(kind).shape, name="raw"))
    y = layer(3, shift=1, name="y")
    model = keras.Model(x._keras_history.operation._inbound_nodes[0].input_tensors[0], y(x))
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    graph = read_keras(model)
    events = rng.normal(size=(7, *graph.node("x").type.shape))
    want = graph.reference({"x": events})["y"]
    np.testing.assert_allclose(model.predict(events, verbose=0), want, rtol=2e-4, atol=2e-4)


def moved(x: np.ndarray, axes: tuple[str, ...], order: np.ndarray) -> np.ndarray:
    """Permute the particles of a tensor (events, *axes, components)."""
    for k, name in enumerate(axes, 1):
        if name in ("i", "j"):
            x = np.take(x, order, axis=k)
        elif name == "p":
            n = points_of_pairs(x.shape[k])
            at = triangle(n)
            x = np.take(x, [at[order[a], order[b]] for a, b in pairs_of(n)], axis=k)
    return x


@pytest.mark.parametrize("example", PAIR_EXAMPLES, ids=str)
def test_blocks_commute_with_permutations(example: Example, rng: np.random.Generator) -> None:
    type, out = example.types[0], example.op.infer(*example.types)
    x = rng.normal(size=(5, *type.shape))
    order = np.array([2, 0, 1])
    names = tuple(a.name for a in type.axes), tuple(a.name for a in out.axes)
    got = example.op.reference(example.types, moved(x, names[0], order))
    want = moved(example.op.reference(example.types, x), names[1], order)
    np.testing.assert_allclose(got, want, atol=1e-12)
    assert not np.allclose(got, example.op.reference(example.types, x)) or len(out.axes) == 1


def test_the_fifteen_maps_are_independent(rng: np.random.Generator) -> None:
    """dim Hom(pairs, pairs) is 15 from n = 4 on, 9 between symmetric tensors."""
    for op, shape, axes in ((Eq2to2, (4, 4), "S[i:4,j:4,c:1]"), (Eq2to2Symmetric, (10,), "S[p:10,c:1]")):
        type = Type.parse(axes)
        count = 15 if op is Eq2to2 else 9
        x = rng.normal(size=(30, *shape, 1, 1))
        rows = [op(Tensor(np.eye(count)[None, None, b])).reference((type,), x) for b in range(count)]
        assert np.linalg.matrix_rank(np.stack(rows).reshape(count, -1)) == count


def test_the_tied_maps_are_the_full_ones_on_symmetric_tensors(rng: np.random.Generator) -> None:
    tied = rng.normal(size=(2, 3, 9))
    full = np.zeros((2, 3, 15))
    for b, places in enumerate(((0,), (2,), (3, 4), (8,), (9, 10), (11,), (12,), (13,), (14,))):
        full[:, :, list(places)] = tied[:, :, [b]]
    at, n = triangle(4), 4
    x = rng.normal(size=(6, 10, 3, 1))
    small = Eq2to2Symmetric(Tensor(tied)).reference((Type.parse("S[p:10,c:3]"),), x)
    large = Eq2to2(Tensor(full)).reference((Type.parse(f"S[i:{n},j:{n},c:3]"),), x[:, at])
    np.testing.assert_allclose(large, small[:, at], atol=1e-12)


@pytest.mark.parametrize(
    ("op", "kind", "message"),
    [
        (Eq2to2(Tensor(np.ones((1, 2, 15)))), "S[i:3,j:4,c:2]", "as many rows"),
        (Eq2to2(Tensor(np.ones((1, 2, 14)))), "S[i:3,j:3,c:2]", "expected .out, 2, 15."),
        (Eq2to2(Tensor(np.ones((1, 2, 15)))), "V[i:3,j:3,c:2]", "expected a scalar"),
        (Eq2to2Symmetric(Tensor(np.ones((1, 2, 9)))), "S[p:7,c:2]", "7 pairs"),
    ],
)
def test_wrong_pairs_are_refused(op: Eq2to2, kind: str, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        op.infer(Type.parse(kind))


def scattered(model: keras.Model, rng: np.random.Generator) -> keras.Model:
    """Return the model with weights that let every part of it speak."""
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape) * (2.0 if "bends" in weight.path else 1.5))
    return model


@pytest.mark.parametrize(("beams", "keep", "pairs"), [(True, None, 28), (False, 2, 15)])
def test_pelican_in_keras_is_the_integer_model(
    beams: bool, keep: int | None, pairs: int, rng: np.random.Generator
) -> None:
    config = PelicanConfig(encoders=2, blocks=(2, 2), readouts=2, constituents=4, beams=beams, keep=keep)
    assert sum(map(len, kinds_of(4, config.spurions).values())) == pairs
    model = scattered(pelican(config, "tiny", quantized=True), rng)
    graph = read_keras(model).formatted()
    feeds = {n.name: rng.integers(0, 200, (60, *n.type.shape)) for n in graph.inputs}
    feeds["valid"] = rng.integers(0, 2, feeds["valid"].shape)
    lsb = {n.name: n.type.formats.lsb for n in graph.inputs}
    x = [(feeds[n] * lsb[n]).astype("float32") for n in ("p", "jet", "valid")]
    out = np.asarray(model.predict(x, verbose=0)).ravel() / graph.results[0].type.formats[0].lsb
    raw = graph.evaluate(feeds)["logit"].ravel()
    assert len(np.unique(raw)) > 3
    np.testing.assert_array_equal(out, raw)
    order = rng.permutation(4)
    turned = feeds | {k: feeds[k][:, order] for k in ("p", "valid")}
    np.testing.assert_array_equal(graph.evaluate(turned)["logit"].ravel(), raw)


FULL = {
    "score": lambda: full_pelican(
        FullConfig(encoders=2, blocks=(2,), messages=(2,), readouts=4, constituents=3), "full", True
    ),
    "momentum": lambda: full_pelican(
        FullConfig(encoders=1, blocks=(2,), messages=(2,), constituents=3, momentum=True), "full", True
    ),
    "nano": lambda: published_nano(NanoConfig(constituents=3), "nano", True),
}


@pytest.mark.parametrize("case", FULL)
def test_full_pelican_in_keras_is_the_integer_model(case: str, rng: np.random.Generator) -> None:
    model = scattered(FULL[case](), rng)
    graph = read_keras(model).formatted()
    feeds = {n.name: rng.integers(0, 200, (80, *n.type.shape)) for n in graph.inputs}
    feeds["valid"] = rng.integers(0, 2, feeds["valid"].shape)
    x = [(feeds[n.name] * n.type.formats.lsb).astype("float32") for n in graph.inputs]
    out = np.asarray(model.predict(x, verbose=0)) / graph.results[0].type.formats.lsb
    raw = graph.evaluate(feeds)[graph.outputs[0]]
    assert len(np.unique(raw)) > 3
    np.testing.assert_array_equal(out.reshape(raw.shape), raw)
    order = rng.permutation(3)
    turned = feeds | {k: feeds[k][:, order] for k in ("p", "valid")}
    np.testing.assert_array_equal(graph.evaluate(turned)[graph.outputs[0]], raw)
    assert derive(graph).group is not None


@pytest.mark.parametrize("mode", ["RND", "RND_CONV", "RND_ZERO", "RND_INF", "RND_MIN_INF"])
def test_requantize_rounds_ties_as_the_hardware_does(mode: str) -> None:
    x = TypedInput("S[]:fix<8,4>", name="x")(keras.Input((1,), name="raw"))
    y = RequantizeLayer([f"fix<5,3,{mode},SAT>"], name="y")(x)
    model = keras.Model(x._keras_history.operation._inbound_nodes[0].input_tensors[0], y)
    graph = read_keras(model).formatted()
    raw = np.arange(-128, 128)[:, None]
    out = model.predict((raw / 16).astype("float32"), verbose=0) * 4
    np.testing.assert_array_equal(out, graph.evaluate({"x": raw})["y"])
