"""Keras 3 models of floats, as their users build them: one door for each kind."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

from doors import Door, Made

EVENTS = 200
L, ops = keras.layers, keras.ops
Build = Callable[[Any], Any]


def drawn(model: Any, name: str) -> None:
    """Give every weight numbers that depend on the door's name alone, of the size of trained ones."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for variable in model.weights:
        shape = tuple(variable.shape)
        if "seed_generator" in variable.path or variable.path.endswith("count"):
            continue
        if any(word in variable.path for word in ("variance", "gamma", "rms")):
            variable.assign(rng.uniform(0.5, 1.5, shape))
        elif len(shape) < 2:
            variable.assign(rng.normal(size=shape) * 0.3)
        else:
            variable.assign(rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1])))


def saved(model: Any, name: str, folder: Path) -> Made:
    """Return a model written to a folder, with events and what Keras computes from them."""
    drawn(model, name)
    rng = np.random.default_rng(zlib.crc32(name.encode()) + 1)
    ports = [t._keras_history.operation.name for t in model.inputs]
    arrays = [rng.normal(size=(EVENTS, *t.shape[1:])).astype("float32") for t in model.inputs]
    found = model(arrays if len(arrays) > 1 else arrays[0], training=False)
    outputs = [np.asarray(keras.ops.convert_to_numpy(v)) for v in keras.tree.flatten(found)]
    makers = [t._keras_history.operation.name for t in model.outputs]
    file = folder / f"{name}.keras"
    model.save(file)
    return Made(file, dict(zip(ports, arrays, strict=True)), dict(zip(makers, outputs, strict=True)))


def kind(name: str, shape: tuple[int, ...], build: Build, refused: str = "") -> Door:
    """Return the door of a functional model of one input `x`."""

    def make(folder: Path) -> Made:
        keras.utils.clear_session()
        x = keras.Input(shape, name="x")
        return saved(keras.Model(x, build(x), name=name), name, folder)

    return Door(name, make, refused)


def whole(name: str, build: Callable[[], Any], refused: str = "") -> Door:
    """Return the door of a model that is built in another way."""

    def make(folder: Path) -> Made:
        keras.utils.clear_session()
        return saved(build(), name, folder)

    return Door(name, make, refused)


def mlp(activation: Any = "relu", last: Any = None) -> Build:
    return lambda x: L.Dense(3, activation=last, name="y")(
        L.Dense(12, activation=activation, name="hidden")(x)
    )


def behind(*layers: Callable[[], Any]) -> Build:
    """Return a Dense of 8, some layers, and a Dense of 2."""

    def build(x: Any) -> Any:
        x = L.Dense(8, name="before")(x)
        for make in layers:
            x = make()(x)
        return L.Dense(2, name="y")(x)

    return build


def mlp_norm(x: Any) -> Any:
    y = L.ReLU(name="bent")(L.BatchNormalization(name="norm")(L.Dense(12, name="hidden")(x)))
    return L.Dense(1, name="y")(L.Dropout(0.2, name="dropped")(y))


def deep_set(pool: Callable[[Any], Any], size: int = 8) -> Build:
    def build(x: Any) -> Any:
        return L.Dense(2, name="y")(pool(L.Dense(size, activation="relu", name="each")(x)))

    return build


def headed(*layers: Callable[[], Any]) -> Build:
    """Return some layers in a row, and a Dense of 2 on all that they leave."""

    def build(x: Any) -> Any:
        for make in layers:
            x = make()(x)
        return L.Dense(2, name="y")(L.Flatten(name="flat")(x))

    return build


def two_outputs(x: Any) -> Any:
    y = L.Dense(8, activation="relu", name="hidden")(x)
    return [L.Dense(1, name="mass")(y), L.Dense(3, activation="softmax", name="label")(y)]


def attention(x: Any) -> Any:
    y = L.MultiHeadAttention(2, 4, name="attention")(x, x)
    return L.Dense(2, name="y")(L.GlobalAveragePooling1D(name="pooled")(L.Add(name="skip")([x, y])))


def transformer(x: Any) -> Any:
    y = L.LayerNormalization(name="norm1")(x)
    x = x + L.MultiHeadAttention(2, 3, name="attention")(y, value=y, key=y)
    y = L.Dense(6, activation="gelu", name="wide")(L.LayerNormalization(name="norm2")(x))
    return L.Dense(2, name="y")(ops.mean(x + L.Dense(4, name="narrow")(y), axis=1))


def sequential() -> Any:
    layers = [keras.Input((8,), name="x"), L.Dense(12, activation="relu"), L.Dense(2, name="y")]
    return keras.Sequential(layers, name="sequential")


def nested() -> Any:
    inner = keras.Sequential([keras.Input((4,)), L.Dense(6, activation="tanh"), L.Dense(4)], name="part")
    middle_in = keras.Input((4,), name="inside")
    middle = keras.Model(middle_in, L.Dense(3, name="last")(inner(middle_in)), name="middle")
    x = keras.Input((4,), name="x")
    return keras.Model(x, L.Dense(2, name="y")(middle(x)), name="nested")


def shared() -> Any:
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    layer = L.Dense(6, activation="relu", name="both")
    return keras.Model(
        [a, b], L.Dense(2, name="y")(L.Concatenate(name="side")([layer(a), layer(b)])), name="shared"
    )


def shared_model() -> Any:
    """A siamese network: one model called on two inputs."""
    inner = keras.Sequential([keras.Input((4,)), L.Dense(6, activation="relu"), L.Dense(3)], name="tower")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    return keras.Model([a, b], L.Dot(1, name="y")([inner(a), inner(b)]), name="shared_model")


def arithmetic(x: Any) -> Any:
    a, b = L.Dense(6, name="a")(x), L.Dense(6, name="b")(x)
    y = 2.0 * a * b - a / 4.0 + (1.0 - b) + ops.maximum(a, b) - ops.minimum(a, 0.5) + ops.abs(a) + (-b) ** 2
    return L.Dense(2, name="y")(y)


def reductions(x: Any) -> Any:
    y = L.Dense(6, name="each")(x)
    parts = [
        ops.sum(y, axis=1),
        ops.mean(y, axis=-1),
        ops.max(y, axis=1),
        ops.min(y, axis=2),
        ops.var(y, axis=1),
    ]
    return L.Dense(2, name="y")(ops.concatenate(parts, axis=-1))


def moves(x: Any) -> Any:
    y = ops.transpose(ops.reshape(L.Dense(6, name="each")(x), (-1, 3, 8)), (0, 2, 1))
    first, second = ops.split(ops.flip(y, axis=2)[:, 1:7, :], 2, axis=1)
    y = ops.stack([first, ops.roll(second, 1, axis=1)], axis=2)
    return L.Dense(2, name="y")(ops.reshape(ops.pad(y, ((0, 0), (1, 0), (0, 0), (0, 1))), (-1, 4 * 2 * 4)))


def products(x: Any) -> Any:
    a, b = L.Dense(3, name="a")(x), L.Dense(5, name="b")(x)
    gram = ops.matmul(ops.transpose(a, (0, 2, 1)), b)
    other = ops.einsum("bik,bkj->bij", ops.transpose(b, (0, 2, 1)), a)
    y = (
        ops.matmul(gram, np.linspace(-1, 1, 10).reshape(5, 2).astype("float32"))
        + ops.einsum("bji->bi", other)[..., None]
    )
    return L.Dense(2, name="y")(L.Flatten(name="flat")(y))


def functions(x: Any) -> Any:
    y = L.Dense(6, name="each")(x)
    parts = [
        ops.exp(y),
        ops.tanh(y),
        ops.sqrt(ops.relu(y) + 1.0),
        ops.log(ops.square(y) + 1.0),
        ops.sin(y),
        ops.glu(y),
        ops.softmax(y),
    ]
    return L.Dense(2, name="y")(ops.concatenate(parts, axis=-1))


def merges(x: Any) -> Any:
    a, b = L.Dense(6, name="a")(x), L.Dense(6, name="b")(x)
    parts = [make()([a, b]) for make in (L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum)]
    return L.Dense(2, name="y")(L.Concatenate(name="all")(parts))


def normalization() -> Any:
    layer = L.Normalization(mean=np.linspace(-1, 1, 8), variance=np.linspace(0.5, 2, 8), name="scaled")
    x = keras.Input((8,), name="x")
    return keras.Model(x, mlp()(layer(x)), name="normalization")


def unbuilt() -> Any:
    return keras.Sequential([L.Dense(2)], name="unbuilt")


ACTIVATIONS = ("sigmoid", "tanh", "gelu", "silu", "elu", "leaky_relu", "selu", "softplus", "softsign", "mish")
ACTIVATIONS += (
    "relu6",
    "exponential",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "log_sigmoid",
    "celu",
    "tanh_shrink",
)
ACTIVATIONS += ("soft_shrink", "squareplus", "sparse_plus", "sparse_sigmoid", "log_softmax")

DOORS = [
    kind("mlp", (8,), mlp()),
    kind("mlp_norm", (8,), mlp_norm),
    kind("two_outputs", (8,), two_outputs),
    *(kind(name, (6,), mlp(name)) for name in ACTIVATIONS),
    kind("glu", (6,), lambda x: L.Dense(4, activation="glu", name="y")(L.Dense(6, activation="relu")(x))),
    kind("softmax", (8,), mlp(last="softmax")),
    kind("sigmoid_end", (8,), mlp(last="sigmoid")),
    kind("softmax_layer", (6,), behind(lambda: L.Softmax(name="soft"))),
    kind("relu_bounds", (6,), behind(lambda: L.ReLU(1.5, 0.125, name="bent"))),
    kind("leaky_layers", (6,), behind(lambda: L.LeakyReLU(0.3), lambda: L.PReLU(), lambda: L.ELU(0.7))),
    kind("layer_norm", (6,), behind(lambda: L.LayerNormalization(name="norm"))),
    kind("rms_norm", (6,), behind(lambda: L.RMSNormalization(name="rms"), lambda: L.UnitNormalization())),
    whole("normalization", normalization),
    kind("rescaling", (6,), behind(lambda: L.Rescaling(0.1, -0.2), lambda: L.ActivityRegularization(l2=0.1))),
    kind("deep_set", (8, 3), deep_set(L.GlobalAveragePooling1D(name="pooled"))),
    kind("deep_set_max", (4, 2), deep_set(L.GlobalMaxPooling1D(name="pooled"), 3)),
    kind("deep_set_sum", (8, 3), deep_set(lambda y: ops.sum(y, axis=1))),
    kind("deep_set_mean", (5, 3), deep_set(lambda y: ops.mean(y, axis=1))),
    kind("time_distributed", (6, 3), headed(lambda: L.TimeDistributed(L.Dense(2, activation="relu")))),
    kind("conv1d", (8, 3), headed(lambda: L.Conv1D(4, 3, padding="same", activation="relu", name="conv"))),
    kind("conv1d_point", (8, 3), headed(lambda: L.Conv1D(4, 1, name="conv"), lambda: L.GlobalMaxPooling1D())),
    kind("conv1d_strided", (9, 4), headed(lambda: L.Conv1D(6, 3, strides=2, groups=2), lambda: L.Conv1D(2, 2, dilation_rate=2, padding="causal"))),
    kind("conv2d", (6, 6, 2), headed(lambda: L.Conv2D(3, 3, activation="relu"), lambda: L.MaxPooling2D(2))),
    kind("conv2d_apart", (5, 5, 2), headed(lambda: L.DepthwiseConv2D(2, depth_multiplier=2), lambda: L.SeparableConv2D(2, 2, padding="same"), lambda: L.AveragePooling2D(2))),
    kind("pooling1d", (9, 3), headed(lambda: L.MaxPooling1D(3, 2, padding="same"), lambda: L.AveragePooling1D(2, padding="same"))),
    kind("wires", (4, 4, 2), headed(lambda: L.ZeroPadding2D(1), lambda: L.Cropping2D(((0, 1), (2, 0))), lambda: L.UpSampling2D(2), lambda: L.AveragePooling2D(2), lambda: L.Permute((3, 1, 2)))),
    kind("einsum_dense", (4, 6), headed(lambda: L.EinsumDense("abc,cde->abde", (4, 2, 3), bias_axes="de", activation="relu"))),
    kind("einsum_rows", (4, 6), headed(lambda: L.EinsumDense("abc,bcd->abd", (4, 3), bias_axes="bd"))),
    kind("attention", (5, 4), attention),
    kind("transformer", (4, 4), transformer),
    whole("sequential", sequential),
    whole("nested", nested),
    whole("shared", shared),
    whole("shared_model", shared_model),
    kind("operators", (6,), arithmetic),
    kind("reductions", (4, 3), reductions),
    kind("moves", (4, 3), moves),
    kind("matrix_products", (4, 3), products),
    kind("functions", (6,), functions),
    kind("merges", (6,), merges),
    kind("repeated", (6,), headed(lambda: L.RepeatVector(3), lambda: L.Conv1D(2, 2), lambda: L.Reshape((4,)))),
    kind("lstm", (5, 3), lambda x: L.LSTM(4, name="cell")(x), refused="use Conv1D, attention or a Deep Set"),
    kind("embedding", (5,), lambda x: L.Embedding(4, 3, name="words")(x), refused="one-hot"),
    kind("masking", (5, 3), lambda x: L.GlobalAveragePooling1D()(L.Masking(name="flags")(x)), refused="multiply by flags"),
    kind("lambda", (5,), lambda x: L.Lambda(lambda v: v * 2.0, name="code")(x), refused="keras.ops"),
]  # fmt: skip
