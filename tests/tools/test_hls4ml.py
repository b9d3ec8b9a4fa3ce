"""The layers of eqhls in models of hls4ml, and the two C simulations against each other, bit for bit."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import hgq.layers
    import hls4ml
    import keras
    from hls4ml.utils.serialization import deserialize_model
    from keras_own import OWN_LAYERS

    from eqhls.frontends.keras import read_keras
    from eqhls.frontends.layers.base import EqLayer
    from eqhls.frontends.layers.scalar import TableLayer
    from eqhls.frontends.layers.structure import AddLayer, ParticleSumLayer, TypedInput

from keras_walk import events, floats, made, seed_weights
from pages import ROOT, Block, parts

import eqhls
import eqhls.hls4ml
from eqhls import hls4mlkeys as keys
from eqhls.cli import app
from eqhls.errors import CompileError
from eqhls.ir.graph import Graph
from eqhls.ir.types import Type
from eqhls.options import Options
from eqhls.quantize.assign import assign

pytestmark = pytest.mark.filterwarnings("ignore")  # of TensorFlow and hls4ml

OWN = [e for e in OWN_LAYERS if issubclass(e.layer, EqLayer) and e.layer is not TypedInput]


def converted(model: Any, folder: Path, **settings: Any) -> Any:
    """Return a model of hls4ml."""
    eqhls.hls4ml.register()
    given = {"backend": "Vitis", "io_type": "io_parallel"} | settings
    return hls4ml.converters.convert_from_keras_model(model, output_dir=str(folder), **given)


def compiled(model: Any, folder: Path, **settings: Any) -> Any:
    """Return a model of hls4ml with its C simulation, which g++ does not optimise: that takes longest."""
    found = converted(model, folder, **settings)
    found.write()
    script = folder / "build_lib.sh"
    assert "-O3" in script.read_text()
    script.write_text(script.read_text().replace("-O3", "-O0"))
    found._compile()
    return found


def predicted(model: Any, graph: Graph, raw: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return what hls4ml's C simulation computes from raw integers, by output, shape (events, elements)."""
    feeds = [np.ascontiguousarray(v, dtype=np.float32) for v in floats(graph, raw).values()]
    found = model.predict(feeds if len(feeds) > 1 else feeds[0])
    size = len(feeds[0])
    return [np.reshape(f, (size, -1)) for f in (found if isinstance(found, list) else [found])]


def every_layer() -> Any:
    """Return a model with an output for each layer of eqhls."""
    raws, outputs = [], []
    for k, entry in enumerate(OWN):
        typed = []
        for n, text in enumerate(entry.ports):
            raws.append(keras.Input(Type.parse(text).shape, name=f"e{k}raw{n}"))
            typed.append(TypedInput(text, name=f"e{k}x{n}")(raws[-1]))
        outputs.append(made(entry.layer, {"name": f"e{k}"} | entry.base)(*typed))
    model = keras.Model(raws, outputs, name="every")
    seed_weights(model)
    return model


def test_every_layer_computes_the_same_bits(tmp_path: Path) -> None:
    model = every_layer()
    graph = assign(read_keras(model), {}, Options())
    raw = events(graph)
    want = graph.evaluate(raw)
    found = predicted(compiled(model, tmp_path / "every"), graph, raw)
    for k, (name, got) in enumerate(zip(graph.outputs, found, strict=True)):
        exact = want[name] * np.array(
            [graph.node(name).type.format_of(d).lsb for d in range(graph.node(name).type.dim)]
        )
        np.testing.assert_array_equal(got, exact.reshape(got.shape), err_msg=OWN[k].layer.__name__)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the page, run, and the folder that it leaves."""
    folder, (program,), (said,) = tmp_path_factory.mktemp("page"), *(first(k) for k in ("python", "text"))
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        exec(program.text, {})
    assert printed.getvalue().endswith(said.text)
    return folder


def first(language: str) -> list[Block]:
    return parts("hls4ml.md", language)[:1]


def test_the_program_of_the_page_prints_what_it_says(page: Path) -> None:
    assert (page / "mixed_hls4ml/firmware/nnet_utils/eqhls/gram.h").is_file()
    assert not (page / "mixed_hls4ml/firmware/nnet_utils/eqhls/table.h").exists()


def test_the_commands_of_the_page_write_the_same_project(page: Path) -> None:
    """A template says what compile does without it."""
    (block,) = first("sh")
    with contextlib.chdir(page):
        for line in block.text.splitlines():
            app(shlex.split(line)[1:], standalone_mode=False)
    old, new = (json.loads((page / name / "eqhls.json").read_text()) for name in ("mixed", "again"))
    assert old == new
    assert (
        "# fix<" in (page / "config.yml").read_text() and "weight: auto" in (page / "config.yml").read_text()
    )


def test_hls4mls_own_file_is_taken(page: Path) -> None:
    """With the tag of its model, its stamp and its shapes; the folder and the model are those of the file."""
    options = eqhls.read_options(page / "mixed_hls4ml/hls4ml_config.yml")
    assert (options.ClockPeriod, options.ClockUncertainty, options.Backend) == (5.0, "27%", "Vitis")
    assert options.KerasModel == "mixed_hls4ml/keras_model.keras" and options.OutputDir == "mixed_hls4ml"
    assert options.HLSConfig.Model.Precision.result == "fixed<16,6>"


def hgq_network(summed: bool) -> tuple[Any, dict[str, Any], tuple[int, ...]]:
    """Return an MLP, or a Deep Set by means, of HGQ2's layers, the settings of its port and its shape."""
    shape = (8, 3) if summed else (6,)
    x = keras.Input(shape, name="x")
    hidden = hgq.layers.QDense(6, activation="relu", name="h")(x)
    event = keras.layers.GlobalAveragePooling1D(name="s")(hidden) if summed else hidden
    model = keras.Model(x, hgq.layers.QDense(2, name="o")(event), name="net")
    seed_weights(model)
    return model, {"HLSConfig": {"LayerName": {"x": {"Precision": "fix<16,5,RND,SAT>"}}}}, shape


@pytest.mark.slow
@pytest.mark.parametrize("summed", [False, True])
def test_both_c_simulations_agree(summed: bool, tmp_path: Path) -> None:
    model, settings, shape = hgq_network(summed)
    model.save(tmp_path / "net.keras")
    project = eqhls.compile(tmp_path / "net.keras", None, tmp_path / "net", eqhls.read_options(settings))
    raw = events(project.graph)
    found = compiled(model, tmp_path / "theirs")
    feeds = floats(project.graph, raw)["x"].reshape(-1, *shape).astype(np.float32)
    np.testing.assert_array_equal(found.predict(feeds), project.predict(raw, engine="hls").reshape(-1, 2))


@pytest.mark.slow
def test_calibrated_formats_give_hls4ml_the_same_bits(tmp_path: Path, rng: np.random.Generator) -> None:
    x = keras.Input((6,), name="x")
    hidden = keras.layers.Dense(4, name="g")(keras.layers.Dense(8, activation="relu", name="h")(x))
    model = keras.Model(x, keras.layers.Dense(1, name="o")(keras.layers.ReLU(name="act")(hidden)), name="mlp")
    seed_weights(model)
    model.save(tmp_path / "mlp.keras")
    samples = {"x": rng.normal(size=(1000, 6, 1))}
    project = eqhls.compile(tmp_path / "mlp.keras", samples, tmp_path / "mlp")
    config = eqhls.hls4ml.config_of(project)
    found = compiled(model, tmp_path / "theirs", hls_config=config, bit_exact=False)
    raw = events(project.graph)
    np.testing.assert_array_equal(
        predicted(found, project.graph, raw)[0], project.predict(raw, engine="hls").reshape(-1, 1)
    )
    other = compiled(model, tmp_path / "default", hls_config={"Model": {"Precision": "fixed<16,6>"}})
    assert (predicted(other, project.graph, raw)[0] != predicted(found, project.graph, raw)[0]).any()


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "namespace"), [("Vitis", None), ("Vivado", "tagger")])
def test_a_whole_network_of_ours(backend: str, namespace: str | None, tmp_path: Path) -> None:
    """The LGN that eqhls ships, layer by layer in hls4ml."""
    model = keras.saving.load_model(ROOT / "models/lgn_top_small/model.keras", compile=False)
    graph = assign(read_keras(model), {}, Options())
    raw = events(graph)
    found = predicted(compiled(model, tmp_path / "lgn", backend=backend, namespace=namespace), graph, raw)
    for name, got in zip(graph.outputs, found, strict=True):
        np.testing.assert_array_equal(
            got, (graph.evaluate(raw)[name] * graph.node(name).type.formats.lsb).reshape(got.shape)
        )


def chain(formats: str = "S[c:4]:fix<9,4>") -> Any:
    """Return a model of two layers of ours."""
    x = TypedInput(formats, name="x0")(keras.Input((4, 1), name="raw"))
    total = ParticleSumLayer("c", name="total")(AddLayer(name="twice")(x, x))
    return keras.Model(x._keras_history.operation._inbound_nodes[0].input_tensors, total, name="chain")


def test_formats_follow_and_a_precision_by_name_rounds(tmp_path: Path) -> None:
    def precisions(**settings: Any) -> dict[str, str]:
        layers = converted(chain(), tmp_path / "x", **settings).get_layers()
        return {n.name: str(n.get_output_variable().type.precision) for n in layers}

    exact = precisions(hls_config={"Model": {"Precision": "fixed<3,1>"}})
    assert exact["twice"] == "fixed<10,5,TRN,WRAP,0>" and exact["total"] == "fixed<12,7,TRN,WRAP,0>"
    asked = {
        "Model": {"Precision": "fixed<3,1>"},
        "LayerName": {"twice": {"Precision": {"result": "fixed<8,5,RND,SAT>"}}},
    }
    rounded = precisions(hls_config=asked)
    assert rounded["twice"] == "fixed<8,5,RND,SAT,0>" and rounded["total"] == "fixed<10,7,TRN,WRAP,0>"


def test_what_hls4ml_is_refused(tmp_path: Path) -> None:
    for model, settings, words in (
        (chain(), {"io_type": "io_stream"}, "io_parallel"),
        (chain("S[c:4]"), {}, "without a format"),
    ):
        with pytest.raises(CompileError, match=words):
            converted(model, tmp_path / "x", **settings)


def test_a_table_of_a_wide_value_is_refused(tmp_path: Path) -> None:
    x = TypedInput("S[c:4]:fix<12,4>", name="x0")(raw := keras.Input((4, 1), name="raw"))
    with pytest.raises(CompileError, match=r"f: .*12 bits.*RequantizeLayer of at most 10 bits"):
        converted(keras.Model(raw, TableLayer([-1.0, 1.0], name="f")(x)), tmp_path / "x")


def test_a_saved_model_writes_the_same_project(tmp_path: Path) -> None:
    """hls4ml's .fml holds our layers as text."""
    model = converted(chain(), tmp_path / "theirs")
    model.write()
    firmware = tmp_path / "theirs/firmware"
    before = {p: p.read_bytes() for p in sorted(firmware.rglob("*")) if p.is_file()}
    assert firmware / "nnet_utils/eqhls/add.h" in before
    model.save(tmp_path / "saved.fml")
    shutil.rmtree(firmware)
    deserialize_model(tmp_path / "saved.fml").write()
    assert before == {p: p.read_bytes() for p in sorted(firmware.rglob("*")) if p.is_file()}


def test_importing_it_imports_neither_hls4ml_nor_keras() -> None:
    heavy = "{'hls4ml', 'keras', 'tensorflow', 'hgq'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", f"import sys, eqhls.hls4ml; sys.exit(bool({heavy}))"], check=True)


def test_a_model_may_come_from_the_configuration(page: Path, tmp_path: Path) -> None:
    given = tmp_path / "c.yml"
    with contextlib.chdir(page):
        given.write_text(f"KerasModel: mixed.keras\nOutputDir: {tmp_path / 'made'}\n")
        app(["compile", "--config", str(given)], standalone_mode=False)
        assert json.loads((tmp_path / "made/eqhls.json").read_text()) == json.loads(
            Path("mixed/eqhls.json").read_text()
        )
        with pytest.raises(CompileError, match="MODEL: is not given"):
            app(["compile", "-o", str(tmp_path / "x")], standalone_mode=False)


def test_all_layers_are_registered_once() -> None:
    names = eqhls.hls4ml.register()
    assert names == eqhls.hls4ml.register() and {e.layer.__name__ for e in OWN} | {"TypedInput"} <= set(names)


def test_the_page_lists_every_key() -> None:
    """Word by word as the refusals say it."""
    text = (ROOT / "docs/hls4ml.md").read_text()
    groups = (
        (keys.TOP, ""),
        (keys.WRITER, "WriterConfig."),
        (keys.SECTION, "HLSConfig."),
        (keys.ENTRY, "HLSConfig.*."),
        (keys.PRECISION, "Precision."),
    )
    for rules, prefix in groups:
        for key, rule in rules.items():
            assert f"| `{prefix}{key}` | {rule.values} | {rule.reason} |\n" in text
    for name in (*keys.RENAMED, *keys.TYPES, "OutputDir", "default", "bias"):
        assert name in text
