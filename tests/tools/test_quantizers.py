"""Models of HGQ2 and the QKeras API: integers equal to Keras, bit for bit; the rest refused by name."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_walk import check_follows, seed_weights

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import hgq.layers
    import keras
    from hgq.config import QuantizerConfig
    from hgq.quantizer import Quantizer
    from qkeras.quantizers import quantized_bits, quantized_relu

    from eqhls.frontends.keras import read_keras
    from eqhls.frontends.layers.geometry import GramLayer
    from eqhls.frontends.layers.networks import SeededConfig, seeded_lgn
    from eqhls.frontends.layers.quantizers import as_format
    from eqhls.frontends.layers.scalar import DenseLayer, RequantizeLayer
    from eqhls.frontends.layers.structure import TypedInput

from eqhls.errors import CompileError
from eqhls.events.prepare import InputForm, prepare
from eqhls.fixed import Fixed
from eqhls.ir.graph import Graph
from eqhls.lower.netlist import simulate
from eqhls.lower.schedule import lower
from eqhls.options import Options
from eqhls.quantize.assign import assign

pytestmark = pytest.mark.filterwarnings("ignore")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "toptag_test.npz"
EVENTS = 2000
BITS, RELU = "quantized_bits", "quantized_relu"


def qdense(units: int, name: str, bits: int = 6) -> Any:
    return hgq.layers.QDense(
        units,
        kq_conf=quantized_bits(bits, 0, alpha=1),
        bq_conf=quantized_bits(bits, 1, alpha=1),
        enable_iq=False,
        enable_ebops=False,
        name=name,
    )


def data_lane(**changes: Any) -> QuantizerConfig:
    return QuantizerConfig("kif", "datalane", f0=2, i0=3, **changes)


def lgn_features() -> tuple[Any, Any]:
    """The inputs of a small seeded network and its pair codes S[q:3], read before its read-out."""
    base = seeded_lgn(SeededConfig(levels=1, constituents=4), "lgn", True)
    return base.inputs[:2], base.get_layer("log_gram").output


def qkeras_tail() -> keras.Model:
    inputs, codes = lgn_features()
    x = Quantizer(quantized_bits(6, 4, alpha=1), name="enter")(keras.layers.Flatten(name="flat")(codes))
    x = Quantizer(quantized_relu(5, 3), name="relu1")(qdense(6, "dense1")(x))
    x = keras.layers.ReLU(name="relu2")(qdense(5, "dense2")(x))
    x = Quantizer(quantized_bits(5, 2, symmetric=1, alpha=2.0), name="scaled")(x)
    return keras.Model(inputs, qdense(1, "logit")(x), name="qkeras_tail")


def hgq_tail() -> keras.Model:
    inputs, codes = lgn_features()
    x = keras.layers.Flatten(name="flat")(codes)
    x = hgq.layers.QDense(6, iq_conf=data_lane(), activation="relu", name="dense1")(x)
    x = hgq.layers.QDense(1, iq_conf=data_lane(overflow_mode="SAT"), enable_oq=True, name="logit")(x)
    return keras.Model(inputs, x, name="hgq_tail")


def deep_sets() -> keras.Model:
    raw = keras.Input((4, 3, 1), name="raw")
    x = TypedInput("S[j:4,c:3]:fix<9,4>", name="x")(raw)
    x = keras.layers.Reshape((4, 3), name="drop")(x)
    shared = {"homogeneous_axis": (0, 1), "heterogeneous_axis": None}
    x = hgq.layers.QDense(3, iq_conf=data_lane(**shared), activation="relu", name="phi")(x)
    x = hgq.layers.QBatchNormalization(iq_conf=data_lane(**shared), name="norm")(x)
    x = hgq.layers.QSum(iq_conf=data_lane(**shared), axes=1, scale=0.25, name="pool")(x)
    lut = data_lane(overflow_mode="SAT", heterogeneous_axis=(), homogeneous_axis=None)
    gate = hgq.layers.QUnaryFunctionLUT("sigmoid", iq_conf=data_lane(), oq_conf=lut, name="gate")(x)
    x = keras.layers.Concatenate(name="both")([x, gate])
    x = hgq.layers.QDense(3, iq_conf=data_lane(), name="rho")(x)
    y = hgq.layers.QDense(3, iq_conf=data_lane(), name="rho2")(x)
    x = hgq.layers.QAdd(iq_confs=data_lane(), name="skip")([x, y])
    return keras.Model(raw, hgq.layers.QDense(1, iq_conf=data_lane(), name="logit")(x), name="deep_sets")


def events(graph: Graph, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Generated events over the whole range of every port, so that quantizers saturate and wrap."""
    return {
        n.name: np.stack(
            [
                rng.integers(f.lo, f.hi + 1, (EVENTS, *n.type.shape[:-1]))
                for f in (n.type.format_of(c) for c in range(n.type.dim))
            ],
            -1,
        )
        for n in graph.inputs
    }


def keras_inputs(graph: Graph, raw: dict[str, np.ndarray]) -> list[np.ndarray]:
    steps = {n.name: n.type.formats.lsb for n in graph.inputs}
    return [(raw[n.name] * steps[n.name]).astype("float32") for n in graph.inputs]


@pytest.mark.parametrize("build", [qkeras_tail, hgq_tail, deep_sets])
def test_trained_formats_are_imported_bit_for_bit(
    build: Callable[[], keras.Model], tmp_path: Path, rng: np.random.Generator
) -> None:
    """Train a few steps, save, read in safe mode: the integers are Keras's numbers on every event."""
    model = build()
    for kernel in (w for w in model.trainable_weights if w.path.endswith("kernel")):
        kernel.assign(rng.normal(size=kernel.shape))  # wide, so that many numbers reach the result
    ports = read_keras(model)
    raw = events(ports, rng)
    x = keras_inputs(ports, raw)
    model.compile(keras.optimizers.Adam(3e-2), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(x, rng.integers(0, 2, EVENTS).astype("float32"), batch_size=100, epochs=1, verbose=0)
    _vary_widths(model, rng)
    model.save(tmp_path / "m.keras")
    graph = read_keras(tmp_path / "m.keras").formatted()
    want = np.asarray(model.predict(x, batch_size=1000, verbose=0)).ravel()
    got = graph.evaluate(raw)[graph.outputs[0]].ravel() * graph.results[0].type.formats[0].lsb
    np.testing.assert_array_equal(got, want)
    assert len(np.unique(want)) >= 5
    assert build is deep_sets or sum(graph.saturation(raw).values()) > 0  # its rectifiers are wires
    assert assign(graph, {}, Options()).evaluate(raw).keys() == graph.evaluate(raw).keys()
    netlist = lower(graph, Options())
    few = {k: v[:100] for k, v in raw.items()}
    elements = netlist.inputs.columns(few)
    np.testing.assert_array_equal(
        simulate(netlist, elements)[0], graph.evaluate(few)[graph.outputs[0]].ravel()
    )


def _vary_widths(model: keras.Model, rng: np.random.Generator) -> None:
    """Give every trained width another value, zero bits included, as long training would."""
    for variable in model.variables:
        if variable.path.split("/")[-1] in ("f", "b") and variable.shape:
            now = np.asarray(variable)
            variable.assign(np.maximum(now - rng.integers(0, 3, now.shape), int(now.size == 1)))


def test_widths_differ_in_the_test(rng: np.random.Generator) -> None:
    model = hgq_tail()
    _vary_widths(model, rng)
    kinds = {n.op.name() for n in read_keras(model) if n.name.startswith("dense1.iq")}
    assert kinds >= {"select", "requantize", "concat"}


@pytest.mark.skipif(not SHARED.is_file(), reason="the full test set is not beside the checkout")
def test_all_test_jets(rng: np.random.Generator) -> None:
    """The equality on every jet of the full test set."""
    model = hgq_tail()
    _vary_widths(model, rng)
    graph = read_keras(model).formatted()
    formats = (tuple(graph.node(k).type.format_of(c) for c in range(4)) for k in ("p", "jet"))
    with np.load(SHARED) as file:
        made = prepare(file["p4"], file["jet"], InputForm.JET_LIGHT_CONE, 4, *formats)
    raw = {"p": made.p, "jet": made.jet, "valid": made.valid}
    raw = {n.name: raw[n.name] for n in graph.inputs}
    want = np.asarray(model.predict(keras_inputs(graph, raw), batch_size=2000, verbose=0)).ravel()
    got = graph.evaluate(raw)[graph.outputs[0]].ravel() * graph.results[0].type.formats[0].lsb
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("spec", "form"),
    [
        ("quantized_bits(6,1,alpha=1)", "fix<7,2,RND_CONV,SAT>"),
        ("quantized_bits(5,0,symmetric=1,alpha=1)", "fix<6,1,RND_CONV,SAT_SYM>"),
        ("quantized_bits(4,1,keep_negative=0,alpha=0.5)", "ufix<4,0,RND_CONV,SAT>"),
        ("quantized_relu(6,2)", "ufix<6,2,RND_CONV,SAT>"),
        ("ap_fixed<8,2,AP_RND,AP_SAT>", "fix<8,2,RND,SAT>"),
    ],
)
def test_text_of_quantizers(spec: str, form: str) -> None:
    """Rounds half to even, as measured on its ties; the sign is a bit of its own in ap_fixed."""
    assert str(as_format(spec)) == form


def test_ties_go_to_even() -> None:
    """What quantized_bits does with ties, measured: RND_CONV of ap_fixed."""
    quantizer = Quantizer(quantized_bits(6, 1, alpha=1))
    quantizer.build((None,))
    ties = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 1e3, -1e3], dtype="float32") / 32
    rounded = np.asarray(quantizer(ties)) * 32
    np.testing.assert_array_equal(rounded, [0.0, 2.0, 2.0, 0.0, -2.0, 63.0, -64.0])


def test_eqhls_layers_take_foreign_quantizers(tmp_path: Path) -> None:
    raw = keras.Input((2, 4), name="raw")
    v = TypedInput("V[i:2]:fix<8,4>", name="v")(raw)
    rounded = RequantizeLayer(["quantized_bits(6,2,symmetric=1,alpha=1)"], name="round")(v)
    mixed = DenseLayer(2, quantizer="quantized_bits(4,1,alpha=1)", name="d")(
        GramLayer("i", name="g")(rounded)
    )
    model = keras.Model(raw, mixed, name="mine")
    model.save(tmp_path / "m.keras")
    graph = read_keras(tmp_path / "m.keras")
    assert graph.node("round").op.formats == (Fixed.parse("fix<7,3,RND_CONV,SAT_SYM>"),)
    assert (graph.node("d").op.weight.array * 8 % 1 == 0).all()


BAD_TEXT = {
    "alpha=3": ("quantized_bits(6,1,alpha=3)", "power of two"),
    "trained scale": ("quantized_bits(6,1,alpha='trainable_po2')", "scale is trained"),
    "unknown": ("quantized_tanh(6)", "quantized_tanh"),
    "unreadable": ("quantized_bits(6,", "write e.g."),
    "format": ("int8", "expected e.g. fix<16,6>"),
}


@pytest.mark.parametrize("case", BAD_TEXT)
def test_quantizers_without_a_format_are_refused(case: str) -> None:
    text, message = BAD_TEXT[case]
    with pytest.raises(CompileError, match=message):
        as_format(text)


def _scalars() -> tuple[Any, Any]:
    raw = keras.Input((4, 3, 1), name="raw")
    return raw, keras.layers.Reshape((4, 3))(TypedInput("S[j:4,c:3]:fix<9,4>", name="x")(raw))


def _vectors() -> tuple[Any, Any]:
    raw = keras.Input((2, 4), name="raw")
    return raw, TypedInput("V.lc[i:2]:fix<9,4>", name="x")(raw)


WRAPPED = {"heterogeneous_axis": (), "homogeneous_axis": None}
REFUSED: dict[str, tuple[Callable[[], tuple[Any, Any]], Callable[[], Any], str]] = {
    "unknown layer": (_scalars, lambda: keras.layers.LSTM(2, name="bad"), "LSTM, which is not supported"),
    "wrapping table": (
        _scalars,
        lambda: hgq.layers.QUnaryFunctionLUT(
            "tanh", iq_conf=data_lane(), oq_conf=data_lane(**WRAPPED), name="bad"
        ),
        "saturating format",
    ),
    "dense on vectors": (_vectors, lambda: keras.layers.Dense(2, name="bad"), "expected scalars"),
    "wrap on vectors": (_vectors, lambda: Quantizer(data_lane(**WRAPPED), name="bad"), "wraps components"),
    "reflecting overflow": (
        _scalars,
        lambda: Quantizer(data_lane(overflow_mode="WRAP_SM"), name="bad"),
        "found RND with WRAP_SM",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_layers_without_exact_blocks_are_refused(case: str) -> None:
    start, make, message = REFUSED[case]
    raw, x = start()
    model = keras.Model(raw, make()(x), name="net")
    with pytest.raises(CompileError, match=message) as found:
        read_keras(model)
    assert "net: bad" in str(found.value)


ONCE_REFUSED: dict[str, Callable[[], Any]] = {
    "convolution": lambda: keras.layers.Conv1D(2, 1, name="probe"),
    "softmax": lambda: keras.layers.Dense(2, "softmax", name="probe"),
    "bounded relu": lambda: keras.layers.ReLU(6.0, name="probe"),
    "mixed axes": lambda: keras.layers.Reshape((3, 4), name="probe"),
    "kept axis": lambda: hgq.layers.QSum(iq_conf=data_lane(), axes=1, keepdims=True, name="probe"),
}


@pytest.mark.parametrize("case", ONCE_REFUSED)
def test_layers_that_have_become_exact_are_those_of_keras(case: str) -> None:
    raw, x = _scalars()
    model = keras.Model(raw, ONCE_REFUSED[case]()(x), name="net")
    seed_weights(model)
    check_follows(model, read_keras(model), "exact" if case == "kept axis" else "floats")


def test_components_of_their_own_are_refused(rng: np.random.Generator) -> None:
    raw, x = _vectors()
    model = keras.Model(raw, Quantizer(data_lane(overflow_mode="SAT_SYM"), name="bad")(x), name="net")
    read_keras(model)
    _vary_widths(model, rng)
    with pytest.raises(CompileError, match=r"net: bad: rounds the components of V.lc.*formats of their own"):
        read_keras(model)


def _saved(folder: Path) -> Path:
    qkeras_tail().save(folder / "m.keras")
    return folder / "m.keras"


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])


def _with_config(path: Path, change: Callable[[str], str]) -> None:
    with zipfile.ZipFile(path) as file:
        parts = {n: file.read(n) for n in file.namelist()}
    parts["config.json"] = change(parts["config.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "truncated": _cut,
    "not a zip": lambda p: p.write_bytes(b"no zip"),
    "empty": lambda p: p.write_bytes(b""),
    "not JSON": lambda p: _with_config(p, lambda t: t[:-20]),
    "unknown class": lambda p: _with_config(
        p, lambda t: t.replace('"QDense"', '"QDanse"').replace("hgq>QDense", "hgq>QDanse")
    ),
    "width of text": lambda p: _with_config(p, lambda t: t.replace('"bits": 6', '"bits": "six"')),
    "negative width": lambda p: _with_config(p, lambda t: t.replace('"bits": 6', '"bits": -6')),
    "not a model": lambda p: _with_config(p, lambda t: json.dumps({"class_name": "Dense", "config": {}})),
    "code in the file": lambda p: _with_config(
        p, lambda t: t.replace('"class_name": "ReLU"', '"class_name": "Lambda"')
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_files_are_refused(case: str, tmp_path: Path) -> None:
    path = _saved(tmp_path)
    DAMAGE[case](path)
    with pytest.raises(CompileError, match=r"m\.keras"):
        read_keras(path)


def test_reading_leaves_native_layers_alone() -> None:
    """qkeras.qlayers would switch input quantizers of every later HGQ2 layer off; reading does not import it."""
    layer = hgq.layers.QDense(2)
    layer(keras.Input((3,)))
    assert layer.enable_iq and layer.enable_ebops
