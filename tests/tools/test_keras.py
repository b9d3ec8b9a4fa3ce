"""The trainable layers: bit-exact with the integer model, equivariant, loadable, type-checked."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

    from eqhls.frontends.keras import read_keras
    from eqhls.frontends.layers.networks import LAB_INPUTS, Inputs, SeededConfig, pair_lgn, seeded_lgn
    from eqhls.frontends.layers.structure import AddLayer, TypedInput

from eqhls.backends.hls.emit import emit
from eqhls.errors import CompileError
from eqhls.events.prepare import InputForm, prepare
from eqhls.frontends.graphfile import load_model
from eqhls.groups.lorentz.basis import CARTESIAN
from eqhls.groups.lorentz.reps import V, random_lorentz
from eqhls.groups.rep import Basis
from eqhls.ir.graph import Graph
from eqhls.lower.netlist import simulate
from eqhls.lower.plan import Plan
from eqhls.ops.common import integers
from eqhls.ops.input import Frame, frame_of
from eqhls.options import Options
from eqhls.quantize.assign import assign
from eqhls.text import write_project
from eqhls.verify.csim import CSim
from eqhls.verify.metrics import auc
from eqhls.verify.sampling import random_events as random_feeds

pytestmark = pytest.mark.filterwarnings("ignore")
ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
SHARED = ROOT.parent / "shared" / "data" / "toptag_test.npz"


GOALS = {
    "lgn_top": 0.981,
    "lgn_top_small": 0.980,
    "lgn_top_lab": 0.978,
    "pelican_top": 0.978,
    "pelican_nano": 0.960,
}
LOST = {"pelican_nano": 0.007}
"""How much AUC the formats may cost; 0.0015 where nothing is said. The nano pays for a third of its LUTs."""


def inputs(graph: Graph, raw: dict[str, np.ndarray]) -> list[np.ndarray]:
    steps = {n.name: n.type.formats.lsb for n in graph.inputs}
    return [(raw[n.name] * steps[n.name]).astype("float32") for n in graph.inputs]


@pytest.mark.parametrize("name", GOALS)
def test_shipped_keras_model_is_the_integer_model(name: str) -> None:
    """The quantized Keras model gives the shipped integers, bit for bit, on all shipped jets."""
    graph = load_model(MODELS / name)
    assert read_keras(MODELS / name / "model.keras").formatted() == graph
    with np.load(MODELS / name / "events.npz") as file:
        raw = {k: file[k].astype(np.int64) for k in ("p", "jet", "valid")}
        expected = file["expected"].astype(np.int64)
    np.testing.assert_array_equal(graph.evaluate(raw)["logit"].ravel(), expected)
    model = keras.saving.load_model(MODELS / name / "model.keras", compile=False)
    out = np.asarray(model.predict(inputs(graph, raw), batch_size=1000, verbose=0)).ravel()
    np.testing.assert_array_equal(out / graph.results[0].type.formats[0].lsb, expected)


@pytest.mark.parametrize("name", GOALS)
def test_auc_on_all_test_jets(name: str) -> None:
    """20,000 jets where they are at hand, else the shipped 4,000: goals of the issue either way."""
    graph = load_model(MODELS / name)
    source = SHARED if SHARED.is_file() else MODELS / name / "events.npz"
    with np.load(source) as file:
        labels = file["y"]
        if "p4" in file.files:
            form = InputForm.LAB_CARTESIAN if name.endswith("lab") else InputForm.JET_LIGHT_CONE
            formats = (tuple(graph.node(k).type.format_of(c) for c in range(4)) for k in ("p", "jet"))
            made = prepare(file["p4"], file["jet"], form, 16, *formats)
            raw = {"p": made.p, "jet": made.jet, "valid": made.valid}
            exact = {"p": made.p_exact, "jet": made.jet_exact, "valid": made.valid.astype(float)}
        else:
            raw = {k: file[k].astype(np.int64) for k in ("p", "jet", "valid")}
            exact = dict(
                zip(("p", "jet", "valid"), (x.astype(float) for x in inputs(graph, raw)), strict=True)
            )
    fixed = auc(graph.evaluate(raw)["logit"].ravel(), labels)
    floating = auc(graph.reference(exact)["logit"].ravel(), labels)
    allowed = LOST.get(name, 0.0015) + (0.0 if SHARED.is_file() else 0.001)
    assert abs(fixed - floating) <= allowed and fixed >= GOALS[name] - (0.0 if SHARED.is_file() else 0.001)


def random_events(rng: np.random.Generator, basis: Basis, n: int) -> tuple[np.ndarray, np.ndarray]:
    momenta = rng.normal(size=(6, n, 3)) * 10
    p = np.concatenate([np.linalg.norm(momenta, axis=-1, keepdims=True) + 1, momenta], -1)
    return p @ basis.matrix.astype(float).T, np.ones((6, n, 1))


PAIRS = [
    {"levels": 1, "channels": 2, "maxdim": 2},
    {"levels": 1, "channels": 2, "maxdim": 3},
    {"levels": 2, "channels": 1, "maxdim": 3},
    {"levels": 2, "channels": 2, "maxdim": 3, "receivers": (0, 2)},
    {"levels": 1, "channels": 2, "maxdim": 3, "inputs": Inputs()},
]


@pytest.mark.parametrize("arguments", PAIRS, ids=str)
def test_pair_network_is_equivariant_and_reads_as_a_graph(arguments: dict, rng: np.random.Generator) -> None:
    """The pair LGN is the same layers with other arguments; its float graph is invariant to 1e-9."""
    model = pair_lgn("pair", constituents=3, **arguments)
    graph = read_keras(model)
    basis = graph.node("p").type.basis
    p, valid = random_events(rng, basis, 3)
    element = random_lorentz(rng, 1.5)
    feeds = {"p": p, "valid": valid}
    plain = graph.reference(feeds)[graph.outputs[0]]
    moved = graph.reference({"p": V.act(basis, element, p), "valid": valid})[graph.outputs[0]]
    np.testing.assert_allclose(moved, plain, rtol=1e-9, atol=1e-9 * np.abs(plain).max())
    keras_out = np.asarray(model.predict([p.astype("float32"), valid.astype("float32")], verbose=0))
    np.testing.assert_allclose(keras_out.ravel(), plain.ravel(), rtol=2e-3, atol=2e-3 * np.abs(plain).max())


def test_a_network_asks_for_the_frame_of_its_seed(tmp_path: Path) -> None:
    """Both ports of four-vectors do, also from a file; nothing else of the network changes."""
    seeds = SeededConfig(constituents=4, inputs=Inputs(frame="seed"))
    model = seeded_lgn(seeds, "toy", True)
    model.save(tmp_path / "m.keras")
    found, usual = (
        read_keras(tmp_path / "m.keras"),
        read_keras(seeded_lgn(replace(seeds, inputs=Inputs()), "toy", True)),
    )
    frames = [[frame_of(n.op) for n in g.inputs] for g in (found, usual)]
    assert frames == [[Frame.SEED, Frame.SEED, None], [Frame.JET, Frame.JET, None]]
    assert [n.type for n in found] == [n.type for n in usual]
    with pytest.raises(CompileError, match="v: found the frame 'sead'; expected jet or seed"):
        TypedInput("V.lc[j:2]", "sead", name="v")


def test_wrong_wiring_does_not_build() -> None:
    v = TypedInput("V.lc[j:2]", name="v")(keras.Input((2, 4)))
    s = TypedInput("S[j:2]", name="s")(keras.Input((2, 1)))
    with pytest.raises(CompileError, match=r"bad: add: found V.lc\[j:2\] and S\[j:2\]"):
        AddLayer(name="bad")(v, s)


def test_foreign_layers_are_refused(tmp_path: Path) -> None:
    x = keras.Input((6, 6, 1))
    model = keras.Model(x, keras.layers.RandomFlip()(x), name="foreign")
    model.save(tmp_path / "m.keras")
    with pytest.raises(
        CompileError, match="foreign: random_flip.*is of type RandomFlip, which is not supported.*QDense"
    ):
        read_keras(tmp_path / "m.keras")


def test_a_float_model_trains_a_step(rng: np.random.Generator) -> None:
    model = seeded_lgn(SeededConfig(levels=1, constituents=4), "toy", True)
    graph = read_keras(model)
    raw = {
        "p": rng.integers(0, 50, (64, 4, 4)),
        "jet": rng.integers(50, 200, (64, 1, 4)),
        "valid": np.ones((64, 4, 1)),
    }
    model.compile(optimizer="adam", loss=keras.losses.BinaryCrossentropy(from_logits=True))
    before = [w.copy() for w in model.get_weights()]
    model.fit(inputs(graph, raw), rng.integers(0, 2, 64).astype("float32"), epochs=1, verbose=0)
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("quantizer", ["hgq", "fix<6,2,RND,SAT_SYM>"])
def test_weight_quantizers_export_what_they_train(
    quantizer: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    """HGQ2's trained widths or a given format: the graph holds dyadic weights, equal to the layer's."""
    model = pair_lgn("pair", constituents=3, maxdim=3, mix=quantizer)
    p, valid = random_events(rng, CARTESIAN, 3)
    x = [p.astype("float32"), valid.astype("float32")]
    model.compile(
        optimizer=keras.optimizers.Adam(1e-2), loss=keras.losses.BinaryCrossentropy(from_logits=True)
    )
    model.fit(x, rng.integers(0, 2, (6, 1, 1)).astype("float32"), epochs=2, verbose=0)
    graph = read_keras(model)
    for node in graph:
        if node.op.name() in ("dense", "channel_mix"):
            integers(node.op.weight)
    want = graph.reference({"p": p, "valid": valid})[graph.outputs[0]].ravel()
    np.testing.assert_allclose(
        np.asarray(model.predict(x, verbose=0)).ravel(), want, rtol=5e-3, atol=5e-3 * np.abs(want).max()
    )
    model.save(tmp_path / "m.keras")
    assert read_keras(tmp_path / "m.keras") == graph


def test_jax_gives_the_same_numbers(tmp_path: Path) -> None:
    """The same file on the other backend: equal integers."""
    program = (
        "import sys, numpy as np, keras\n"
        "from pathlib import Path\n"
        "from eqhls.frontends.keras import read_keras\n"
        "from eqhls.frontends.graphfile import load_model\n"
        "folder = Path(sys.argv[1])\n"
        "assert keras.backend.backend() == 'jax'\n"
        "assert read_keras(folder / 'model.keras').formatted() == load_model(folder)\n"
        "model = keras.saving.load_model(folder / 'model.keras', compile=False)\n"
        "f = np.load(folder / 'events.npz')\n"
        "steps = {'p': [2, .125, .5, .5], 'jet': [2, .125, .5, .5], 'valid': [1]}\n"
        "x = [(f[k][:500] * np.array(steps[k])).astype('float32') for k in steps]\n"
        "out = np.asarray(model.predict(x, verbose=0)).ravel() * 4\n"
        "assert (out == f['expected'][:500]).all()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, MODELS / "lgn_top_small"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ) | {"KERAS_BACKEND": "jax"},
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_core_needs_no_keras() -> None:
    """Importing eqhls, reading a graph and compiling must not import Keras or TensorFlow."""
    program = (
        "import sys, eqhls\n"
        f"eqhls.load_any({str(MODELS / 'lgn_top_small')!r})\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_lab_inputs_are_cartesian() -> None:
    assert seeded_lgn(SeededConfig(inputs=LAB_INPUTS), "lab", True).name == "lab"


def test_a_pair_network_compiles(tmp_path: Path, rng: np.random.Generator) -> None:
    """All paths of maxdim 3, nothing trained: calibrated formats, then integer = netlist = HLS."""
    graph = read_keras(pair_lgn("pair", constituents=2, channels=1, maxdim=3))
    p, valid = random_events(rng, CARTESIAN, 2)
    fixed = assign(graph, {"p": p, "valid": valid}, Options()).formatted()
    feeds = random_feeds(fixed, rng, 60)
    want = fixed.evaluate(feeds)[fixed.outputs[0]]
    plan = Plan.of(fixed, Options())
    np.testing.assert_array_equal(simulate(plan.netlist, plan.inputs.columns(feeds))[0], want.ravel())
    write_project({**emit(plan), "eqhls.json": "{}"}, tmp_path / "p")
    words = CSim(tmp_path / "p").run(plan.inputs.pack(feeds))
    np.testing.assert_array_equal(plan.outputs.unpack(words)[fixed.outputs[0]], want)
    assert len(np.unique(want)) > 5
