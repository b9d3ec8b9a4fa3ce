"""Taggers of the trigger's words as families of `eqhls train`: what ships, one's own jets, resume, refusals."""

from __future__ import annotations

import json
import shlex
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eqhls import CompileError, load_any, train
from eqhls.cli import app
from eqhls.events.read import from_mapping
from eqhls.ops.table import Table

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

    from eqhls.frontends.keras import read_keras
    from eqhls.frontends.layers.structure import TypedInput
    from eqhls.frontends.layers.tables import CodeTableLayer, CurveLayer

pytestmark = pytest.mark.filterwarnings("ignore")
MODELS = Path(__file__).parents[2] / "models"
SIZES = {"words": 6, "sums": 1, "hidden": 1, "singles": 1, "axis": False}
SET = " ".join(f"--set {k}={v}" for k, v in SIZES.items())
JETS, KEPT = 400, 8


def jets(count: int = JETS) -> dict[str, np.ndarray]:
    """Jets of 400 GeV with 4 to 20 massless constituents, cut to the first eight; those of class 1 are wider
    and have more constituents."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, count)
    n = rng.integers(4, 15, count) + 6 * y
    share = np.where(np.arange(20) < n[:, None], rng.exponential(size=(count, 20)) + 0.05, 0.0)
    pt = -np.sort(-share / share.sum(axis=1, keepdims=True) * 400, axis=1)
    eta, phi = rng.normal(0, 0.05 + 0.15 * y[:, None], (2, count, 20))
    p4 = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    p4 = p4.astype(np.float32)
    return {"p4": p4[:, :KEPT], "jet": p4.sum(axis=1), "n": n, "y": y}


@pytest.mark.parametrize("name", ["tag16", "tag16_small", "tag32"])
def test_the_taggers_that_ship_are_of_these_families(name: str) -> None:
    """Node by node: names, wires, ops and formats; of tables all but what was trained."""
    graph = read_keras(train.family(name).builder(name)(True)).formatted()
    shipped = load_any(MODELS / name).formatted()
    assert [n.name for n in graph.inputs] == [n.name for n in shipped.inputs]
    assert {n.name: n.inputs for n in graph} == {n.name: n.inputs for n in shipped}
    for node in graph:
        op, other = node.op, shipped.node(node.name).op
        if not isinstance(op, Table):
            assert op == other and node.type.axes == shipped.node(node.name).type.axes
            continue
        assert isinstance(other, Table) and op.out == other.out
        if node.name.endswith("_code"):
            codes = np.arange(0, 41) / 4
            assert (op.function(codes, 0) == other.function(codes, 0)).all()
        else:
            assert (op.knots.array[1:-1] == other.knots.array).all()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with jets and the tagger that the command trains on them."""
    folder = tmp_path_factory.mktemp("words")
    np.savez(folder / "jets.npz", **jets())
    data, out = (shlex.quote(str(folder / name)) for name in ("jets.npz", "my_tag"))
    line = f"train tag16 --data {data} {SET} --epochs 2,1 --rates 0.05,0.02 --batch 32 -o {out}"
    assert not app(shlex.split(line), standalone_mode=False)
    return folder


def test_ones_own_jets_train_a_tagger(trained: Path) -> None:
    """The folder is ready to compile: a network of six words that tells the classes apart, whose integers the
    Keras model has bit for bit, with words, labels and expected outputs."""
    folder = trained / "my_tag"
    graph, told = load_any(folder), json.loads((folder / "metrics.json").read_text())
    assert graph.name == "my_tag" and graph.quantized and graph.inputs[0].type.shape == (6, 1)
    assert told["agreement"] == 1.0 and told["worth"]["validation"]["fixed_auc"] > 0.8
    assert [(e["phase"], e["epoch"]) for e in told["history"]] == [(1, 1), (1, 2), (2, 1)]
    assert all(0.5 < e["auc"] <= 1 for e in told["history"])
    with np.load(folder / "events.npz") as file:
        events = {k: file[k] for k in file.files}
    raw = {n.name: events[n.name].astype(np.int64) for n in graph.inputs}
    scores = graph.evaluate(raw)["logit"].ravel()
    assert len(events["y"]) == JETS // 5 and len(np.unique(scores)) > 10
    assert (scores == events["expected"]).all()
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    again = read_keras(model).formatted()
    assert (again.evaluate(raw)["logit"].ravel() == scores).all()


def test_the_multiplicity_is_that_of_the_whole_jet(trained: Path) -> None:
    """`n` says how many constituents there were before p4 was cut to eight, here and in the jets that are
    kept in GeV."""
    graph = load_any(trained / "my_tag")
    with np.load(trained / "my_tag" / "jets_p4.npz") as file:
        few = {k: file[k] for k in file.files}
    events = from_mapping(graph, few)
    with np.load(trained / "my_tag" / "events.npz") as file:
        found = {k: file[k] for k in file.files}
    assert (events.raw["multiplicity"] == found["multiplicity"]).all() and not events.notes
    assert (found["multiplicity"].ravel() == few["n"]).all() and few["n"].max() > KEPT
    assert (graph.evaluate(events.raw)["logit"].ravel() == found["expected"]).all()


def test_a_count_of_constituents_is_checked() -> None:
    """A note if jets look cut and nothing says how many constituents they had; an error for a count that
    cannot be one. The port by its name comes first."""
    graph = read_keras(train.family("tag16_small", **SIZES).builder("net")(True)).formatted()
    given = jets(60)
    bare = {k: v for k, v in given.items() if k != "n"}
    counted = from_mapping(graph, given)
    assert (counted.raw["multiplicity"].ravel() == given["n"]).all() and not counted.notes
    cut = from_mapping(graph, bare)
    assert cut.raw["multiplicity"].max() == KEPT
    assert [n for n in cut.notes if "8 constituents that are given" in n and "as n, or mult" in n]
    few = np.where(np.arange(KEPT)[:, None] < 6, bare["p4"], 0)
    assert not [n for n in from_mapping(graph, bare | {"p4": few}).notes if "multiplicity" in n]
    named = from_mapping(graph, given | {"multiplicity": np.full(60, 3)})
    assert (named.raw["multiplicity"] == 3).all()
    many = from_mapping(graph, given | {"n": np.full(60, 500.0)})
    assert (many.raw["multiplicity"] == 127).all() and many.saturated.sum() == 60
    for wrong, said in {
        "few": (np.full(60, 2), "n: is 2 in event 0, whose p4 has"),
        "half": (given["n"] + 0.5, r"n: is .*\.5 in event 0"),
        "shape": (np.zeros((60, 8)), r"n: is float64 of shape \(60, 8\)"),
        "text": (np.full(60, "a"), "n: is <U1"),
    }.values():
        with pytest.raises(CompileError, match=said):
            from_mapping(graph, given | {"n": wrong})


class StopHereError(Exception):
    """What a test ends a training with."""


class StopAt(keras.callbacks.Callback):
    """Ends a training at one of all its steps."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.left = step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if not self.left:
            raise StopHereError


def test_a_training_of_words_goes_on_where_it_was(tmp_path: Path) -> None:
    """Stopped in the quantized phase: the same history and the same integers as without a stop, up to what
    the backend rounds."""
    family = train.family("tag16_small", **SIZES | {"hidden": 0, "singles": 0})
    settings = replace(family.settings.varied(epochs=(1, 1)), batch=64)
    data, path = train.Data(jets(256), jets(100)), tmp_path / "state.npz"

    def run(step: int = 0, checkpoint: Path | None = None) -> train.Run:
        stop = [StopAt(step)] if step else []
        return train.fit(family.builder("net"), data, settings, checkpoint=checkpoint, callbacks=stop)

    whole = run()
    with pytest.raises(StopHereError):
        run(6, path)
    assert path.is_file()
    again = run(checkpoint=path)
    assert not path.exists() and [(e.phase, e.epoch) for e in again.history] == [(1, 1), (2, 1)]
    np.testing.assert_allclose([e.loss for e in again.history], [e.loss for e in whole.history], rtol=1e-3)
    for found, wanted in zip(again.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-2, atol=1e-3)


def test_a_network_that_must_be_exact_is_or_is_refused() -> None:
    """A float phase alone leaves a model that is not its integers."""
    family = train.family("tag16_small", **SIZES | {"hidden": 0, "singles": 0})
    settings = replace(family.settings, phases=(train.Phase(1, 5e-2, quantized=False),), batch=64)
    with pytest.raises(CompileError, match=r"net: is equal to its graph on \S+ of the train events"):
        train.fit(family.builder("net"), train.Data(jets(128)), settings)


def test_what_cannot_be_trained_is_refused(tmp_path: Path) -> None:
    given = jets(40)
    without = {
        "y": {k: v for k, v in given.items() if k != "y"},
        "p4": {"jet": given["jet"], "y": given["y"]},
    }
    np.savez(tmp_path / "jets.npz", **given)
    for name, arrays in without.items():
        np.savez(tmp_path / f"no_{name}.npz", **arrays)
    np.savez(tmp_path / "wrong_n.npz", **given | {"n": given["n"] * 0})
    out = shlex.quote(str(tmp_path / "m"))
    for file, options, said in (
        ("jets", "--set word=6", "--set: found 'word', expected one of angle_borders, axis, classes"),
        ("jets", "--set words=six", "--set: words: found 'six'"),
        ("jets", "--set words=0", "--set: words: found 0, expected 1 or more"),
        ("jets", "--set singles=6 --set words=6", "singles: found 6 words behind the first of 6"),
        ("jets", "--set pt_borders=[2,1]", r"pt_borders: found \(2.0, 1.0\)"),
        ("jets", "--set score=fix<4,4>", "an unsigned format"),
        ("jets", "--constituents 6 --set words=7", "--constituents: is words of this network"),
        ("no_y", "", "give the labels y"),
        ("no_p4", "", "give p4 in GeV, puppi, or raw integers or floats for pt, eta, phi"),
        ("wrong_n", "", "train: n: is 0 in event 0"),
    ):
        data = shlex.quote(str(tmp_path / f"{file}.npz"))
        with pytest.raises(CompileError, match=said):
            app(shlex.split(f"train tag16_small --data {data} {options} -o {out}"), standalone_mode=False)
    assert not (tmp_path / "m").exists()


def test_the_slots_have_one_name_for_all_families() -> None:
    for name in ("tag16", "lgn"):
        graph = read_keras(train.family(name, constituents=7).builder("net")(True))
        assert graph.inputs[0].type.shape[0] == 7


@pytest.mark.parametrize("grid", [1 / 16, 1 / 3])
def test_tables_are_the_integers_at_ties_too(grid: float) -> None:
    """Trained numbers on a coarse grid put entries of a curve just between two numbers of its format."""
    keras.utils.set_random_seed(7)
    code = keras.Input((8, 1), name="code_raw")
    typed = TypedInput("S[j:8]:ufix<8,8>", name="code")(code)
    curve = CurveLayer([0.0, 64.0, 128.0, 255.0], 256, 1.0, "fix<8,5,RND,SAT>", name="curve")
    scores = CodeTableLayer(16, 16, "ufix<4,4>", name="score")
    model = keras.Model(code, [curve(typed), scores(typed)], name="net")
    curve.bends.assign(np.array([-2.0, 3.0, -4.0, 5.0]) + grid)
    graph = read_keras(model).formatted()
    raw = np.arange(256).reshape(32, 8, 1)
    found = model.predict(raw.astype("float32"), verbose=0)
    exact = graph.evaluate({"code": raw})
    values = graph.node("curve").op.values.array * 8
    assert (values % 1 == 0.5).any() or grid != 1 / 16, "no entry is a tie"
    for node, y in zip(graph.results, found, strict=True):
        assert (y == exact[node.name] * node.type.formats.lsb).all() and len(np.unique(y)) > 8
