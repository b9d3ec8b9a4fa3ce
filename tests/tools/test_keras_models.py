"""Keras models as wholes: ports, outputs, calls and low precision. The graph is the model, or it is refused."""

from __future__ import annotations

import re
import runpy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_foreign import FOREIGN
from keras_walk import check_follows, port, seed_weights

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import hgq.layers
    import keras
    from hgq.quantizer import Quantizer
    from qkeras.quantizers import quantized_relu

    from eqhls.frontends.keras import FOREIGN as READ
    from eqhls.frontends.keras import OWN, read_keras
    from eqhls.frontends.scalars.handlers import CALLS, CURES, HANDLERS
    from eqhls.frontends.scalars.operations import OPERATIONS

from eqhls.errors import CompileError
from eqhls.frontends.qkeras.layers import CURES as QKERAS_CURES
from eqhls.frontends.qkeras.layers import HANDLERS as QKERAS_LAYERS

pytestmark = pytest.mark.filterwarnings("ignore")
DOCS = Path(__file__).resolve().parents[2] / "docs" / "keras.md"
L = keras.layers


def two_ports(order: tuple[str, ...], outputs: tuple[str, ...]) -> Any:
    ins = {name: keras.Input((3,), name=name) for name in ("a", "b")}
    b = L.Dense(2, name="of_b")(ins["b"])
    made = {"of_b": b, "sum": L.Add(name="sum")([L.Dense(2, name="of_a")(ins["a"]), b]), "a": ins["a"]}
    model = keras.Model([ins[n] for n in order], [made[n] for n in outputs], name="net")
    seed_weights(model)
    return model


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("outputs", [("sum", "of_b"), ("of_b", "sum"), ("sum", "a")])
def test_ports_and_outputs_keep_their_order(
    order: tuple[str, ...], outputs: tuple[str, ...], rng: np.random.Generator
) -> None:
    model = two_ports(order, outputs)
    graph = read_keras(model)
    assert tuple(n.name for n in graph.inputs) == order
    assert graph.outputs == outputs
    x = [rng.normal(size=(5, 3)).astype("float32") for _ in order]
    want = model(x)
    got = graph.scores({n: v[..., None].astype(float) for n, v in zip(order, x, strict=True)})
    for name, values in zip(outputs, want, strict=True):
        np.testing.assert_allclose(got[name][..., 0], values, rtol=1e-5, atol=1e-5)


def dense(name: str = "net", **arguments: Any) -> Any:
    x = keras.Input((3,), name="x")
    return keras.Model(x, L.Dense(2, name="probe", **arguments)(x), name=name)


def quantized(mode: str) -> Any:
    model = dense()
    model.quantize(mode)
    return model


def under_policy(policy: str, make: Callable[[], Any]) -> Any:
    """Return a layer that is float32 itself, made while another policy is the global one."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        x = keras.Input((3,), name="x", dtype="float32")
        return keras.Model(x, make()(x), name="net")
    finally:
        keras.config.set_dtype_policy(before)


def called(make: Callable[[Any], Any]) -> Any:
    x = keras.Input((4, 3), name="x")
    return keras.Model(x, make(x), name="net")


def shared() -> Any:
    x, layer = keras.Input((3,), name="x"), L.Dense(3, name="probe")
    return keras.Model(x, layer(layer(x)), name="net")


def nested() -> Any:
    inner = keras.Sequential([keras.Input((3,)), L.Dense(2)], name="probe")
    x = keras.Input((3,), name="x")
    return keras.Model(x, inner(x), name="net")


def masked() -> Any:
    x, flags = keras.Input((4, 3), name="x"), keras.Input((4,), name="flags", dtype="bool")
    return keras.Model([x, flags], L.GlobalAveragePooling1D(name="probe")(x, mask=flags), name="net")


class Subclassed(keras.Model):
    def call(self, x: Any) -> Any:
        return x


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "int8": (lambda: quantized("int8"), "net: probe: is quantized by Keras .mode int8"),
    "float8": (lambda: quantized("float8"), "net: probe: is quantized by Keras .mode float8"),
    "float16": (lambda: dense(dtype="float16"), "net: probe: computes in float16"),
    "mixed": (lambda: dense(dtype="mixed_float16"), "net: probe: computes in float16 .mixed_float16"),
    "a quantizer of a layer in low precision": (
        lambda: under_policy("mixed_float16", lambda: hgq.layers.QDense(2, dtype="float32", name="probe")),
        "net: probe: has the part probe_.q, which computes in float16",
    ),
    "training": (
        lambda: called(lambda x: L.Dropout(0.5, name="probe")(x, training=True)),
        "net: probe: is called with training=True",
    ),
    "training of a normalization": (
        lambda: called(lambda x: L.BatchNormalization(name="probe")(x, training=True)),
        "net: probe: is called with training=True",
    ),
    "mask": (masked, "net: probe: is called with a mask"),
    "masking layer": (
        lambda: called(L.Masking(name="probe")),
        "net: probe: is of type Masking, which is not supported; multiply by flags",
    ),
    "operation": (
        lambda: called(lambda x: keras.ops.sort(x)),
        "net: sort.*: is of type Sort, which is not read",
    ),
    "all axes": (lambda: called(lambda x: keras.ops.sum(x)), "net: sum.*: reduces all axes, the events too"),
    "events by events": (
        lambda: called(lambda x: keras.ops.transpose(x, (1, 0, 2))),
        "leave axis 0, the events",
    ),
    "a diagonal": (lambda: called(lambda x: keras.ops.einsum("bii->bi", x[:, :3])), "takes a diagonal"),
    "a mask of attention": (
        lambda: called(lambda x: L.MultiHeadAttention(1, 2, name="probe")(x, x, use_causal_mask=True)),
        "net: probe: is called with a mask",
    ),
    "interpolation": (
        lambda: called(lambda x: L.UpSampling2D(2, interpolation="bilinear", name="probe")(x[..., None])),
        "net: probe: interpolates",
    ),
    "subclassed model": (Subclassed, "expected a functional or sequential Keras model; write what its call"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_inference_in_floats_is_refused(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises(CompileError, match=message):
        read_keras(make())


def sequential() -> Any:
    return keras.Sequential(
        [keras.Input((3,), name="x"), L.Dense(4, activation="relu"), L.Dense(1)], name="net"
    )


def inferring() -> Any:
    return called(
        lambda x: L.BatchNormalization(name="probe")(L.Dropout(0.5)(x, training=False), training=False)
    )


def part_of_a_model() -> Any:
    """A layer that other models call, too, is called once in this one."""
    layer = L.Dense(2, name="probe")
    layer(keras.Input((3,)))
    x = keras.Input((3,), name="x")
    return keras.Model(x, layer(x), name="net")


def channels_first() -> Any:
    return called(lambda x: L.Dense(2)(L.Flatten("channels_first")(x)))


def nested_twice() -> Any:
    """A model within a model within a model, called twice, one of whose layers is called twice, too."""
    x, layer = keras.Input((3,)), L.Dense(3, activation="relu", name="both")
    inner = keras.Model(x, layer(layer(x)), name="inner")
    middle = keras.Sequential([keras.Input((3,)), inner, L.Dense(3)], name="middle")
    x = keras.Input((3,), name="x")
    return keras.Model(x, L.Subtract()([middle(x), middle(L.Dense(3)(x))]), name="net")


@pytest.mark.parametrize(
    "make", [sequential, inferring, part_of_a_model, channels_first, shared, nested, nested_twice]
)
def test_the_graph_is_the_model(make: Callable[[], Any], tmp_path: Path) -> None:
    model = make()
    seed_weights(model)
    graph = read_keras(model)
    check_follows(model, graph, "floats")
    model.save(tmp_path / "m.keras")
    assert read_keras(tmp_path / "m.keras") == graph


def test_an_unbuilt_sequential_model_is_refused() -> None:
    with pytest.raises(
        CompileError, match="net: is a Sequential without an input.*begin it with keras.Input"
    ):
        read_keras(keras.Sequential([L.Dense(2)], name="net"))


def test_lora_is_read_with_its_scale() -> None:
    model = dense()
    model.get_layer("probe").enable_lora(2, lora_alpha=5.0)
    seed_weights(model)
    check_follows(model, read_keras(model), "floats")


def test_a_rectifying_quantizer_rectifies_floats() -> None:
    """quantized_relu is a function, not rounding alone: the float scores must show it."""
    raw, x = port(0, "S[c:3]:fix<9,4>")
    out = Quantizer(quantized_relu(9, 5), name="probe")(L.Reshape((3,))(x))
    graph = read_keras(keras.Model(raw, out, name="net"))
    values = np.array([[[-1.0], [2.0], [-3.0]]])
    np.testing.assert_array_equal(graph.scores({"x0": values})["probe"], np.maximum(values, 0.0))


def test_names_that_become_one_are_refused() -> None:
    x = keras.Input((3,), name="x")
    model = keras.Model(x, L.ReLU(name="a-b")(L.ReLU(name="a.b")(x)), name="net")
    with pytest.raises(CompileError, match="a_b: found two values of this name"):
        read_keras(model)


def test_the_page_lists_the_layers_that_are_read() -> None:
    """docs/keras.md names every layer that is read, and no other, once in the first column of a table: those of
    Keras 3 and HGQ2, and, in a section of its own, those of Google's QKeras."""
    before, title, rest = DOCS.read_text().partition("## Files of QKeras and of Keras 2")
    qkeras, end, behind = rest.partition("\n## ")
    assert title and end
    assert sorted(_named(before + behind)) == sorted({*READ, *OWN, "InputLayer"})
    layers = [n for n in (*QKERAS_LAYERS, *QKERAS_CURES) if n.startswith("Q") and n != "QAdaptiveActivation"]
    assert sorted(n for n in _named(qkeras) if n.startswith("Q")) == sorted(layers)


def _named(text: str) -> list[str]:
    rows = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


@pytest.mark.parametrize("entry", FOREIGN, ids=lambda e: e.layer.__name__)
def test_the_page_names_what_is_refused(entry: Any) -> None:
    """Each argument that some value of is refused stands in the layer's row."""
    rows = [r.split("|") for r in DOCS.read_text().splitlines() if r.startswith("|")]
    row = next(r for r in rows if f"`{entry.layer.__name__}`" in r[1])
    for name, changes in entry.changes.items():
        if any(c.kind == "refused" for c in changes) and name not in (
            "dtype",
            "iq_conf",
            "iq_confs",
            "oq_conf",
        ):
            assert f"`{name}`" in row[3], name


LAYERS = (DOCS.parent / "layers.md").read_text()
KERAS = {
    cells[0].strip(" `"): cells[1].strip()
    for line in LAYERS.splitlines()
    if line.startswith("| `") and len(cells := line.strip("|").split("|")) == 5
}
CALLED = {"GroupedQueryAttention": "GroupQueryAttention"}
"""Classes that keras.layers has under another name."""
SOME = (
    "Activation",
    "Dot",
    "EinsumDense",
    "GlobalMaxPooling1D",
    "LSTM",
    "Lambda",
    "Softmax",
    "TimeDistributed",
)


@pytest.fixture(scope="module")
def tried() -> dict[str, Any]:
    return runpy.run_path(str(DOCS.parent / "layers.py"))


@pytest.mark.parametrize("name", SOME)
def test_a_row_is_what_is_tried(name: str, tried: dict[str, Any]) -> None:
    assert KERAS[name] == tried["keras_layer"](name)


def test_the_page_has_every_reader_and_every_cure() -> None:
    read = {c.__name__ for c in (*HANDLERS, *CALLS) if c.__module__.startswith("keras.")}
    assert read == {name for name, cell in KERAS.items() if not cell.startswith(("refused", "not built"))}
    own = {n for n, cell in KERAS.items() if cell.startswith("refused:")}
    assert own == {CALLED.get(n, n) for n in CURES} - {"RNN", "Discretization"}
    listed = LAYERS[LAYERS.index("## Operations") : LAYERS.index("are wires")].split("\n\n")[1]
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted(OPERATIONS)


@pytest.mark.slow
def test_the_page_is_current(tried: dict[str, Any]) -> None:
    assert tried["page"]() == LAYERS, "run python docs/layers.py"
