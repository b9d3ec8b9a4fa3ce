"""Training with Keras: resume, early stop, several classes, families in any size, and the pages."""

from __future__ import annotations

import json
import shlex
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import parts
from rootfiles import write_root

from eqhls import CompileError, load_any, open_project, train
from eqhls.cli import app
from eqhls.ir.graph import Graph

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

    from eqhls.frontends.keras import read_keras
    from eqhls.train.callbacks import Batches
    from eqhls.train.families import FAMILIES, SHORT
    from eqhls.train.loop import Extras, hand_over, optimise

pytestmark = pytest.mark.filterwarnings("ignore")
JETS = 2000


class StopHereError(Exception):
    """What a test ends a training with."""


class StopAt(keras.callbacks.Callback):
    """Ends a training in the middle of an epoch, at one of all its steps."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.left = step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if not self.left:
            raise StopHereError


def small() -> Any:
    """A network whose training draws random numbers of its own."""
    x = keras.Input((3,), name="x")
    y = keras.layers.Dropout(0.25, name="drop")(keras.layers.Dense(4, activation="relu", name="hidden")(x))
    return keras.Model(x, keras.layers.Dense(1, name="logit")(y), name="small")


def sample(seed: int, events: int = 100) -> train.Sample:
    x = np.random.default_rng(seed).normal(size=(events, 3)).astype("float32")
    return train.Sample((x,), (x[:, 0] + 0.5 * x[:, 1] ** 2 > 0.3).astype(np.int64))


TWICE = train.Settings((train.Phase(3, 5e-2), train.Phase(2, 2e-2)), batch=32, seed=5, best=True)


def trained(path: Path | None = None, step: int = 0, settings: train.Settings = TWICE) -> Any:
    """Train the small network, and return its history and weights, or None if it was ended at a step."""
    keras.utils.set_random_seed(settings.seed)
    model = small()
    extras = Extras(callbacks=[StopAt(step)] if step else [], checkpoint=path)
    try:
        history = optimise([model] * 2, sample(1), sample(2, 50), settings, extras)
    except StopHereError:
        return None
    return history, model.get_weights()


def test_a_training_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    """In the middle of the third epoch, then in that of the fifth, each step before counted once: three steps
    an epoch. Losses, AUCs and weights are those of a training that was never stopped, dropout included."""
    path = tmp_path / "state.npz"
    whole = trained()
    assert trained(path, 8) is None and trained(path, 5) is None
    with pytest.raises(CompileError, match="state of a training with other settings"):
        trained(path, settings=replace(TWICE, seed=6))
    history, weights = trained(path)
    assert not path.exists()
    assert [(e.phase, e.epoch) for e in history] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]
    np.testing.assert_allclose([e.loss for e in history], [e.loss for e in whole[0]], rtol=1e-4)
    np.testing.assert_allclose([e.auc for e in history], [e.auc for e in whole[0]], atol=1e-3)
    for found, wanted in zip(weights, whole[1], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)
    assert len({round(e.loss, 3) for e in history}) > 3, "a training that stands still proves nothing"


def test_the_order_of_an_epoch_follows_from_its_number() -> None:
    """It is that of NumPy's generator, which Keras draws under JAX; every event is there once or waits."""
    data, drawn = sample(1), np.random.RandomState(5)
    orders = [drawn.permutation(100) for _ in range(4)]
    batches = Batches(data, 32, 5, skip=1)
    for epoch in (0, 2):
        batches.shuffle(epoch)
        found = np.concatenate([batches[k][0][0] for k in range(len(batches))])
        assert len(batches) == 3 and (found == data.x[0][orders[1 + epoch][:96]]).all()


def test_a_phase_ends_when_validation_does_not_improve() -> None:
    """Validation labels are exchanged, so that each epoch makes the AUC worse: the second one ends the phase,
    and the weights of the first one stay."""
    wrong = sample(2, 50)
    wrong = replace(wrong, y=1 - wrong.y)
    settings = train.Settings((train.Phase(9, 5e-2),), batch=16, patience=1)
    keras.utils.set_random_seed(1)
    x = keras.Input((3,), name="x")
    model = keras.Model(x, keras.layers.Dense(1, name="logit", kernel_initializer="zeros")(x), name="line")
    seen: list[list[np.ndarray]] = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()))
    history = optimise([model], sample(1), wrong, settings, Extras(callbacks=[watch]))
    best = int(np.argmax([e.auc for e in history]))
    assert len(history) == best + 2 < 9
    for kept, found in zip(model.get_weights(), seen[best], strict=True):
        np.testing.assert_allclose(kept, found, rtol=1e-6)
    assert any((a != b).any() for a, b in zip(seen[best], seen[-1], strict=True))
    with pytest.raises(CompileError, match="validation: is missing"):
        optimise([model], sample(1), None, settings)


def test_weights_go_to_the_next_network_by_name_or_not_at_all() -> None:
    def made(width: int, more: bool) -> Any:
        x = keras.Input((3,), name="x")
        y = keras.layers.Dense(width, name="hidden")(x)
        y = keras.layers.BatchNormalization(name="norm")(y) if more else y
        return keras.Model(x, keras.layers.Dense(1, name="logit")(y), name="net")

    first, second = made(4, False), made(4, True)
    hand_over(first, second)
    for name in ("hidden", "logit"):
        pair = first.get_layer(name).get_weights(), second.get_layer(name).get_weights()
        for a, b in zip(*pair, strict=True):
            assert (a == b).all()
    with pytest.raises(CompileError, match=r"net: has the weight hidden/kernel \(3, 4\)"):
        hand_over(first, made(5, True))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_comes_in_any_size(name: str) -> None:
    """Five constituents and three classes: a network of integers with a logit for each class."""
    family = train.family(name, constituents=5, classes=3)
    graph = read_keras(family.builder("net")(True)).formatted()
    assert graph.inputs[0].type.shape[0] == 5 and graph.quantized
    assert [n.type.elements for n in graph.results] == [3] and graph.outputs == ("logit",)
    assert [p.quantized for p in family.settings.phases] == [False, True]


def test_sizes_that_do_not_fit_are_refused() -> None:
    assert train.family("lgn") == FAMILIES[SHORT["lgn"]]
    with pytest.raises(CompileError, match="family: found 'lgm', expected one of lgn, pelican"):
        train.family("lgm")
    with pytest.raises(CompileError, match="--set: found 'level', expected one of classes, constituents"):
        train.family("lgn", level=2)
    with pytest.raises(CompileError, match="--set: levels: found 'two'"):
        train.family("lgn", levels="two")


def three_classes(rng: np.random.Generator, jets: int = 480) -> dict[str, np.ndarray]:
    """Four massless particles around a jet of 400 GeV, the wider the heavier its class."""
    y = rng.integers(0, 3, jets)
    pt = rng.dirichlet(np.full(4, 4.0), jets) * 400
    eta, phi = rng.normal(0, 0.05 * 3.0 ** y[None, :, None], (2, jets, 4))
    p4 = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    return {"p4": p4, "y": y}


def test_the_program_of_the_page(
    rng: np.random.Generator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A network of one's own for three classes. It learns; its folder says what was printed."""
    monkeypatch.chdir(tmp_path)
    np.savez("jets.npz", **three_classes(rng))
    (program,) = parts("train.md", "python")
    names: dict[str, Any] = {}
    exec(program.text, names)
    run, graph = names["run"], load_any(tmp_path / "masses")
    assert run.agreement == 1.0 and run.worth["validation"].fixed_auc > 0.8
    assert "masses validation: AUC float" in capsys.readouterr().out
    assert graph.quantized and not Path("state.npz").exists()
    events = np.load("masses/events.npz")
    found = graph.evaluate({"p": events["p"].astype(np.int64)})["logits"]
    assert (found[..., 0] == events["expected"]).all()
    told = json.loads(Path("masses/metrics.json").read_text())
    assert len(told["history"]) == 7 and told["worth"]["validation"]["events"] == len(events["y"])
    with pytest.raises(
        CompileError, match="is one model, and the settings have a float phase and a quantized"
    ):
        train.fit(names["build"](True), names["data"])
    two = {"p4": names["data"].train["p4"], "y": names["data"].train["y"] % 2}
    with pytest.raises(CompileError, match="has no event of class 2"):
        train.fit(names["build"], train.Data(two))


def test_a_network_without_formats_is_calibrated(rng: np.random.Generator, tmp_path: Path) -> None:
    """Plain layers on plain features: the folder has a format for every value, as `eqhls compile` would
    find."""
    held = sample(3, 80)
    data = train.Data({"x": held.x[0].astype(float), "y": held.y})
    run = train.fit(small(), data, train.Settings((train.Phase(2, 5e-2),), batch=40))
    run.save(tmp_path / "net")
    found = run.worth["train"]
    assert run.quantized.quantized and not run.graph.quantized and np.isnan(run.agreement)
    assert abs(found.float_auc - found.fixed_auc) < 0.05
    graph: Graph = load_any(tmp_path / "net")
    raw = {"x": np.load(tmp_path / "net" / "events.npz")["x"].astype(np.int64)}
    model = keras.saving.load_model(tmp_path / "net" / "model.keras", compile=False)
    want = np.asarray(model(raw["x"][..., 0] * graph.inputs[0].type.formats.lsb)).ravel()
    fixed = graph.evaluate(raw)["logit"].ravel() * graph.results[0].type.formats[0].lsb
    np.testing.assert_allclose(fixed, want, atol=0.05 * max(1.0, float(np.abs(want).max())))
    (tmp_path / "net" / "eqhls.json").write_text("{}")
    with pytest.raises(CompileError, match="holds a compiled project"):
        run.save(tmp_path / "net")


def eqhls(line: str) -> None:
    """Run a command of the page in this process."""
    name, *words = shlex.split(line)
    assert name == "eqhls" and not app(words, standalone_mode=False)


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Callable[[str], None]]:
    """A folder with the reader's jets in which the first three commands of the page have been run."""
    folder = tmp_path_factory.mktemp("quickstart")
    write_root(folder / "jets.root", JETS)
    lines = {
        text.split()[1]: text for block in parts("quickstart.md", "sh") for text in block.text.splitlines()
    }
    assert list(lines) == ["train", "compile", "predict", "verify"]

    def run(name: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            eqhls(lines[name])

    for name in ("train", "compile", "predict"):
        run(name)
    return folder, run


def test_the_quick_start_trains_a_network_that_is_one(quickstart: tuple[Path, Any]) -> None:
    """Ten constituents, a tagger that tells the classes apart, whose project gives the integers of the
    model."""
    folder, _ = quickstart
    graph = open_project(folder / "build" / "my_lgn").graph
    assert graph.inputs[0].type.shape == (10, 4) and graph.name == "my_lgn"
    told = json.loads((folder / "my_lgn" / "metrics.json").read_text())
    assert told["agreement"] == 1.0 and told["worth"]["validation"]["fixed_auc"] > 0.7
    assert not (folder / "my_lgn" / "training.npz").exists()
    events, scores = np.load(folder / "my_lgn" / "events.npz"), np.load(folder / "scores.npz")
    assert len(scores["scores"]) == JETS and len(events["y"]) == JETS // 5
    raw = open_project(folder / "build" / "my_lgn").prediction(folder / "my_lgn" / "events.npz").raw
    assert raw is not None and (raw.ravel() == events["expected"]).all()


def test_the_quick_start_refuses_what_cannot_be(quickstart: tuple[Path, Any], tmp_path: Path) -> None:
    folder, _ = quickstart
    jets = f"--data {shlex.quote(str(folder / 'jets.root'))}"
    out = shlex.quote(str(tmp_path / "m"))
    for line, said in {
        f"train lgn {jets} -o {folder / 'build' / 'my_lgn'}": "holds a compiled project; name another folder",
        f"train lgn {jets} --epochs 3 -o {out}": "epochs: found 1, expected 2",
        f"train lgn {jets} --epochs 3,x -o {out}": "--epochs: found '3,x', expected numbers",
        f"train lgn {jets} --set levels -o {out}": "--set: found 'levels', expected KEY=VALUE",
        f"train lgn {jets} --classes 3 --epochs 1,1 -o {out}": "has no event of class 2",
        f"train none.keras {jets} -o {out}": "none.keras: does not exist",
        f"train lgn {jets} --patience 2 --share 0 -o {out}": "validation: is missing",
    }.items():
        with pytest.raises(CompileError, match=said):
            app(shlex.split(line), standalone_mode=False)
    assert not (tmp_path / "m").exists()


@pytest.mark.slow
def test_the_quick_start_is_verified(quickstart: tuple[Path, Any], capfd: pytest.CaptureFixture[str]) -> None:
    """C++ and Verilog give every bit of the integers, and the symmetry holds; `verify` ends otherwise."""
    _, run = quickstart
    run("verify")
    assert "400 events, 0 mismatches for integer = emulator = HLS = RTL" in capfd.readouterr().out
