"""Models in memory: each kind gives the graph of its file, and the proof says whose network it is."""

from __future__ import annotations

import argparse
import inspect
import json
import pkgutil
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

    import eqhls.frontends.layers
    import eqhls.layers

import awkward as ak
import onnx
import vector
from pages import blocks

import eqhls
from eqhls.backends.onnx.write import onnx_model
from eqhls.errors import CompileError
from eqhls.flow import events_of, predict_float, read_model
from eqhls.frontends.graphfile import graph_files
from eqhls.frontends.memory import record_of
from eqhls.frontends.open import load_any, source_files
from eqhls.text import sums
from eqhls.tune import quantize_model

pytestmark = pytest.mark.filterwarnings("ignore")
ROOT = Path(__file__).resolve().parents[2]
CHECKPOINT = ROOT / "models" / "checkpoints" / "nano"
MADE = """
import keras, numpy as np
x = keras.Input((4,), name="x")
model = keras.Model(x, keras.layers.Dense(1, name="score")(x), name="mlp")
model.set_weights([np.linspace(-1, 1, 4).reshape(4, 1), np.array([0.5])])
"""


def mlp() -> Any:
    """A network of one layer, the same in every process."""
    names: dict[str, Any] = {}
    exec(MADE, names)
    return names["model"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> eqhls.Compiled:
    samples = {"x": np.random.default_rng(1).normal(size=(300, 4))}
    return eqhls.compile(mlp(), samples, tmp_path_factory.mktemp("memory") / "p")


def test_a_keras_model_is_compiled(project: eqhls.Compiled) -> None:
    x = np.random.default_rng(2).normal(size=(50, 4))
    want = x @ np.linspace(-1, 1, 4) + 0.5
    assert project.manifest["name"] == "mlp"
    assert (
        np.abs(np.asarray(project.predict({"x": x}, "float"))[:, 0] - want).max() < 1e-6
    )  # weights are float32
    assert np.abs(np.asarray(project.predict({"x": x}))[:, 0] - want).max() < 0.05


def test_the_proof_says_whose_network_it_is(project: eqhls.Compiled) -> None:
    """Another process names the same model the same; a weight or a setting that changes is another model,
    the settings of a training are not."""
    mine = project.manifest["model_sha256"]
    assert list(mine) == ["Keras model in memory: config", "Keras model in memory: weights"]
    code = (
        f"{MADE}\nimport json\nfrom eqhls.frontends.open import source_files\nfrom eqhls.text import sums\n"
    )
    code += "model.compile('adam', 'mse')\nprint(json.dumps(sums(source_files(model))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == mine
    other = mlp()
    other.set_weights([np.linspace(-1, 1, 4).reshape(4, 1), np.array([0.25])])
    theirs = sums(source_files(other))
    assert theirs.keys() == mine.keys()
    assert [theirs[k] == mine[k] for k in mine] == [True, False]
    renamed = sums(source_files(keras.Model(other.inputs, other.outputs, name="other")))
    assert [renamed[k] == theirs[k] for k in mine] == [False, True]


def test_an_onnx_model_is_read() -> None:
    graph = load_any(ROOT / "models" / "lgn_top_small")
    model = onnx_model(graph)
    assert graph_files(load_any(model)) == graph_files(graph)
    again = onnx.load_model_from_string(model.SerializeToString())
    assert source_files(again) == source_files(model) and list(source_files(model)) == [
        "ONNX model in memory: bytes"
    ]


def arrays() -> dict[str, Any]:
    with np.load(CHECKPOINT / "state_dict.npz") as file:
        return dict(file)


CONFIG = json.loads((CHECKPOINT / "config.json").read_text())


class Tensor:
    """Stands for a tensor of torch: `detach`, `cpu`, and numbers, which NumPy does not have in bfloat16."""

    def __init__(self, numbers: Any, dtype: str = "torch.float32") -> None:
        self.numbers, self.dtype = numbers, dtype

    def detach(self) -> Tensor:
        return self

    cpu = detach

    def float(self) -> Tensor:
        return Tensor(self.numbers)

    def numpy(self) -> Any:
        if self.dtype != "torch.float32":
            raise TypeError(f"Got unsupported ScalarType {self.dtype}")
        return self.numbers


STATES: dict[str, tuple[Any, Any]] = {
    "arrays and a dictionary": (arrays(), CONFIG),
    "arrays and a file": (arrays(), CHECKPOINT / "config.json"),
    "tensors": ({k: Tensor(v) for k, v in arrays().items()}, CONFIG),
    "bfloat16": ({k: Tensor(v, "torch.bfloat16") for k, v in arrays().items()}, CONFIG),
    "what torch.save was given": (
        {
            "state_dict": {f"module.{k}": v for k, v in arrays().items()},
            "args": argparse.Namespace(**CONFIG["args"]),
            "optimizer": {"state": [np.ones(3)]},
        },
        None,
    ),
}


@pytest.mark.parametrize("kind", STATES)
def test_a_state_dict_is_the_network_of_its_file(kind: str) -> None:
    state, config = STATES[kind]
    assert graph_files(load_any(state, config)) == graph_files(load_any(CHECKPOINT))
    assert graph_files(read_model(state, config)) == graph_files(read_model(CHECKPOINT))
    want = sums(record_of(*STATES["arrays and a dictionary"]))
    assert sums(source_files(state, config)) == want
    assert list(want) == ["state dict in memory: arguments", "state dict in memory: tensors"]


def test_a_config_beside_a_checkpoint_is_part_of_its_record(tmp_path: Path) -> None:
    (tmp_path / "state_dict.npz").write_bytes((CHECKPOINT / "state_dict.npz").read_bytes())
    assert graph_files(load_any(tmp_path, CONFIG)) == graph_files(load_any(CHECKPOINT))
    assert list(source_files(tmp_path, CONFIG)) == ["state_dict.npz", "config"]
    assert list(source_files(tmp_path)) == ["state_dict.npz"]


REFUSED: dict[str, tuple[Any, Any, str]] = {
    "a number": (3, None, "model: is a builtins.int; give a path, a Graph, a Keras model"),
    "a state without its network": (
        {"w": np.ones(3)},
        None,
        "state dict: holds w and others, which match no supported network",
    ),
    "no tensors": ({}, None, "state dict: checkpoint: holds no tensor"),
    "a list among tensors": ({"a.w": np.ones(3), "a.b": [1]}, None, "'a.b' is a list"),
    "NaN": ({"w": np.array([np.nan])}, None, "holds NaN or infinity"),
    "a config of a Keras model": (
        mlp(),
        {"a": 1},
        "config: applies only to a state dict, and the model is a Keras model",
    ),
    "a tensor of another kind": ({"w": Tensor(np.ones(3), "torch.qint8")}, None, "has no numbers"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_reader_takes_is_refused(what: str) -> None:
    model, config, message = REFUSED[what]
    with pytest.raises(CompileError, match=message):
        load_any(model, config)


def test_a_model_of_keras_2_is_sent_to_its_file() -> None:
    model = type("Model", (), {"__module__": "tf_keras.src.engine.training"})()
    with pytest.raises(CompileError, match="is a model of Keras 2 .tf_keras.; save it as an .h5 file"):
        eqhls.compile(model)


def test_a_torch_module_with_a_config_is_a_published_network() -> None:
    """A module is known by the class that torch gives it; its state says the rest."""
    base = type("Module", (), {"__module__": "torch.nn.modules.module"})
    kind = type(
        "Tagger", (base,), {"state_dict": lambda self: arrays(), "named_modules": lambda self: [("", self)]}
    )
    assert graph_files(load_any(kind(), CONFIG)) == graph_files(load_any(CHECKPOINT))
    assert "torch module in memory: modules" in source_files(kind(), CONFIG)


def test_a_search_takes_a_model_in_memory(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="no labels"):
        quantize_model(mlp(), {"x": np.zeros((5, 4))}, tmp_path / "q")


def test_all_layers_are_exported() -> None:
    """Every layer, every network, and the configuration of each: what has no underscore and is ours."""
    package = eqhls.frontends.layers
    modules = [m.name for m in pkgutil.iter_modules(package.__path__)]
    ours: dict[str, Any] = {}
    for name in modules:
        module = pkgutil.resolve_name(f"{package.__name__}.{name}")
        ours |= {k: v for k, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__}
    layers = {k for k, v in ours.items() if isinstance(v, type) and issubclass(v, keras.layers.Layer)}
    networks = {
        k
        for k, v in ours.items()
        if inspect.isfunction(v) and v.__annotations__.get("return") == "keras.Model"
    }
    configs = {
        k
        for k, v in ours.items()
        if isinstance(v, type) and (k.endswith("Config") or k in ("Inputs", "Mixes"))
    }
    public = {k for k in layers | networks | configs if not k.startswith("_")}
    assert public | {"ports"} == set(eqhls.layers.__all__)
    assert eqhls.layers.__all__ == sorted(eqhls.layers.__all__) and len(layers) > 30
    assert all(getattr(eqhls.layers, name) is ours[name] for name in eqhls.layers.__all__)


def test_layers_come_when_they_are_asked_for() -> None:
    """`import eqhls` knows the name and imports no Keras; without Keras, it says what to install."""
    code = (
        "import sys, eqhls\nassert 'layers' in dir(eqhls) and 'keras' not in sys.modules\n"
        "sys.modules['keras'] = None\n"
        "try: eqhls.layers\n"
        "except eqhls.CompileError as error: print(error)\n"
        "try: eqhls.layer\n"
        "except AttributeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first.startswith("Keras: is needed") and first.endswith(
        "pip install 'eqhls[keras,jax]' or 'eqhls[keras,tensorflow]'"
    )
    assert second == "module 'eqhls' has no attribute 'layer'"


def test_the_page_of_python(tmp_path: Path) -> None:
    """Its program prints what it says: the shapes of scores, and whose network it is."""
    program, _ = (b.text for b in blocks("python.md") if b.language == "python")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[-3:] == [
        "(500, 1) (500, 1)",
        "Keras model in memory: config 64",
        "Keras model in memory: weights 64",
    ]


def test_events_of_awkward_and_vector() -> None:
    """Particles in any order, with or without labels beside them, are the events of the plain array."""
    graph = load_any(ROOT / "models" / "lgn_top_small")
    rng = np.random.default_rng(3)
    momenta = rng.normal(size=(20, graph.node("p").type.size("j"), 3)) * 20
    falling = np.argsort(-np.hypot(momenta[..., 0], momenta[..., 1]), axis=1)
    momenta = np.take_along_axis(momenta, falling[..., None], axis=1)
    momenta[rng.random(20) < 0.5, 3:] = 0
    p4 = np.concatenate([np.sqrt((momenta**2).sum(axis=-1, keepdims=True)), momenta], axis=-1)
    want = events_of({"p4": p4, "jet": p4.sum(axis=1)}, graph)
    columns = dict(zip(("E", "px", "py", "pz"), np.moveaxis(p4[:, ::-1], -1, 0), strict=True))
    whole = vector.arr(columns)
    jagged = vector.zip({k: ak.from_regular(np.ascontiguousarray(v)) for k, v in columns.items()})
    jagged = jagged[jagged.E > 0]
    labels = np.arange(20) % 2
    for given in (whole, jagged, {"p4": jagged, "y": labels}, {"p4": whole, "jet": p4.sum(axis=1)}):
        found = events_of(given, graph)
        for name, raw in want.raw.items():
            assert np.abs(found.raw[name] - raw).max() <= (name == "jet"), name
    assert (events_of({"p4": jagged, "y": labels}, graph).labels == labels).all()
    with pytest.raises(CompileError, match="holds records of x, y; give records with pt"):
        events_of(jagged[["x", "y"]], graph)


def test_the_page_scores_particles(tmp_path: Path) -> None:
    """The second program of the page, on a network that reads jets."""
    _, program = (b.text for b in blocks("python.md") if b.language == "python")

    class Project:
        def predict(self, jets: Any) -> Any:
            graph = load_any(ROOT / "models" / "lgn_top_small")
            return predict_float(graph, events_of(jets, graph)).scores

    names: dict[str, Any] = {"project": Project()}
    exec(program, names)
    assert names["scores"].shape == (2, 1) and np.isfinite(names["scores"]).all()


def test_types_are_shipped() -> None:
    """Checkers believe the annotations of an installed package only if it brings this file."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert (ROOT / "eqhls" / "py.typed").is_file() and "py.typed" in settings["setuptools"]["package-data"][
        "eqhls"
    ]
    assert "tests/typed_user.py" in settings["pyright"]["include"]
