"""Keras models of HGQ2's layers and of its QKeras API, in arrangements that no handler reads layer by layer."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import hgq.layers as Q
    import keras
    from hgq.config import LayerConfigScope, QuantizerConfig, QuantizerConfigScope
    from hgq.quantizer.internal import FixedPointQuantizerBase
    from qkeras.quantizers import quantized_bits, quantized_relu

from doors import Door, Made
from eqhls.frontends.layers.geometry import InvariantsLayer
from eqhls.frontends.layers.structure import TypedInput

EVENTS, GRID, MOST = 200, 2.0**-4, 6.0
"""Events are multiples of GRID within MOST, which every first quantizer holds."""
L = keras.layers
Build = Callable[[Any], Any]


def drawn(model: Any, name: str) -> None:
    """Give every weight numbers of the size of trained ones, and every element a width of its own."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for part in model._flatten_layers():
        widths = {id(w) for w in part.weights} if isinstance(part, FixedPointQuantizerBase) else set()
        for w in part.weights:
            if id(w) in widths and w.path.endswith("/f"):
                bits = rng.integers(2, 6, tuple(w.shape)).astype("float32")
                bits.ravel()[:1] = 5
                w.assign(bits)
    for w in model.weights:
        last, shape = w.path.split("/")[-1], tuple(w.shape)
        if "variance" in last:
            w.assign(rng.uniform(0.5, 2.0, shape))
        elif "kernel" in last:
            fan = max(int(np.prod(shape[:-1])), 1)
            w.assign(rng.normal(size=shape) * (1.2 / np.sqrt(fan)))
        elif any(word in last for word in ("bias", "mean", "beta")):
            w.assign(rng.normal(size=shape) * 0.3)


def saved(model: Any, name: str, folder: Path) -> Made:
    """Return a model written to a folder, with events and what Keras computes from them."""
    rng = np.random.default_rng(zlib.crc32(name.encode()) + 1)
    typed = {id(part.input): part.name for part in model.layers if isinstance(part, TypedInput)}
    ports = [typed.get(id(t), t._keras_history.operation.name) for t in model.inputs]
    shapes = [(EVENTS, *t.shape[1:]) for t in model.inputs]
    arrays = [
        (np.rint(rng.normal(0, 2, s) / GRID) * GRID).clip(-MOST, MOST).astype("float32") for s in shapes
    ]
    found = model(arrays if len(arrays) > 1 else arrays[0], training=False)
    outputs = [np.asarray(keras.ops.convert_to_numpy(v)) for v in keras.tree.flatten(found)]
    makers = [t._keras_history.operation.name for t in model.outputs]
    file = folder / f"{name}.keras"
    model.save(file)
    events = dict(zip(ports, arrays, strict=True))
    return Made(file, events, dict(zip(makers, outputs, strict=True)), exact=True)


USUAL = ("conv1d_sat", "attention", "behind_invariants", "two_outputs", "qkeras_conv", "lut_gelu")
"""What `make test` takes; the others are left to `make test-all`."""


def kind(
    name: str,
    shapes: tuple[tuple[int, ...], ...],
    build: Callable[..., Any],
    fit: str = "WRAP",
    refused: str = "",
) -> Door:
    """Return the door of a functional model of inputs x0, x1, .. whose data overflows by `fit`."""

    def make(folder: Path) -> Made:
        keras.backend.clear_session()
        with (
            LayerConfigScope(enable_ebops=False),
            QuantizerConfigScope(place="weight", default_q_type="kbi", overflow_mode="SAT_SYM"),
            QuantizerConfigScope(place="bias", default_q_type="kbi", overflow_mode="WRAP"),
            QuantizerConfigScope(place="datalane", default_q_type="kif", overflow_mode=fit, i0=3, f0=4),
        ):
            inputs = [keras.Input(s, name=f"x{k}") for k, s in enumerate(shapes)]
            model = keras.Model(inputs, build(*inputs), name=name)
        drawn(model, name)
        return saved(model, name, folder)

    return Door(name, make, refused, not refused and name not in USUAL)


def out(x: Any) -> Any:
    return Q.QDense(2, name="y")(x)


def flat(x: Any) -> Any:
    return L.Flatten()(x)


def jedi(x: Any) -> Any:
    """An interaction network: messages to every particle from the three others, summed."""
    sent, taken = Q.QEinsumDense("bnc,cd->bnd", (4, 4))(x), Q.Quantizer()(x)
    turned = [keras.ops.concatenate([sent[:, k:], sent[:, :k]], axis=1) for k in (1, 2)]
    turned.append(keras.ops.take(sent, np.array([3, 0, 1, 2]), axis=1))
    messages = [Q.QDense(3, activation="relu")(Q.QAdd()([taken, t])) for t in turned]
    return out(Q.QSum(axes=1, scale=1 / 8)(keras.ops.concatenate(messages, axis=1)))


def mixed(x: Any) -> Any:
    y, z = Q.QDense(4, activation="relu")(x), Q.QDense(4)(x)
    parts = [Q.QMultiply()([y, z]), Q.QMaximum()([y, z]), keras.ops.abs(Q.Quantizer()(z))]
    return out(keras.ops.concatenate(parts, axis=-1))


def nested(x: Any) -> Any:
    steps = [keras.Input((4, 3)), Q.QDense(5, activation="relu"), Q.QMaxPool1D(2)]
    return out(flat(keras.Sequential(steps, name="inner")(x)))


def shared(x: Any) -> Any:
    layer = Q.QBatchNormDense(4, activation="relu")
    return out(layer(layer(x)))


def two_outputs(x: Any) -> Any:
    y = Q.QBatchNormDense(4, activation="relu")(x)
    return [Q.QDense(2, name="p")(y), Q.QDense(1, name="q")(y)]


def behind_invariants(p: Any) -> Any:
    """An equivariant front, and layers that only a netlist reads behind it."""
    masses = InvariantsLayer()(TypedInput("V.xyz[j:3]", name="p")(p))
    rows = keras.layers.Reshape((3, 1))(masses)
    return out(flat(Q.QConv1D(3, 2, activation="relu")(rows)))


def qkeras(x: Any) -> Any:
    """The QKeras API: quantizers by name, as layers of their own."""
    bits: Any = {"kq_conf": quantized_bits(6, 1, alpha=1), "bq_conf": quantized_bits(6, 1, alpha=1)}
    with LayerConfigScope(enable_iq=False, enable_ebops=False):
        y = Q.QConv1D(4, 3, **bits)(Q.Quantizer(quantized_bits(8, 3, alpha=1))(x))
        y = Q.Quantizer(quantized_relu(6, 2))(y)
        return Q.QDense(2, name="y", **bits)(flat(y))


def truncated_tanh(x: Any) -> Any:
    """A table whose results are cut off, which a table of eqhls would round."""
    form = QuantizerConfig("kif", "datalane", overflow_mode="SAT", round_mode="TRN", i0=2, f0=4)
    return Q.QUnaryFunctionLUT("tanh", enable_oq=True, oq_conf=form)(x)


DOORS = [
    kind(
        "conv1d",
        ((8, 3),),
        lambda x: out(flat(Q.QConv1D(4, 3, strides=2, padding="same", activation="relu")(x))),
    ),
    kind("conv1d_sat", ((8, 2),), lambda x: out(flat(Q.QConv1D(3, 3, activation="relu")(x))), "SAT"),
    kind(
        "conv2d", ((6, 6, 1),), lambda x: out(flat(L.MaxPooling2D(2)(Q.QConv2D(3, 3, activation="relu")(x))))
    ),
    kind("max_pool", ((8, 3),), lambda x: out(flat(Q.QMaxPool1D(2)(Q.QConv1D(4, 2)(x))))),
    kind("average_pool", ((8, 3),), lambda x: out(flat(Q.QAvgPool1D(2)(Q.QDense(4, activation="relu")(x))))),
    kind(
        "deep_set_max", ((6, 3),), lambda x: out(Q.QGlobalMaxPooling1D()(Q.QDense(4, activation="relu")(x)))
    ),
    kind("einsum", ((6, 3),), lambda x: out(flat(Q.QEinsumDense("bnc,nm->bmc", (4, 3))(x)))),
    kind(
        "einsum_norm",
        ((6, 3),),
        lambda x: out(
            flat(Q.QEinsumDenseBatchnorm("bnc,cd->bnd", (6, 4), bias_axes="d", activation="relu")(x))
        ),
    ),
    kind("dense_norm", ((6,),), lambda x: out(Q.QBatchNormDense(5, activation="relu")(x))),
    kind("softmax", ((5,),), lambda x: Q.QSoftmax(name="y")(Q.QDense(3)(x))),
    kind("attention", ((4, 3),), lambda x: out(flat(Q.QMultiHeadAttention(2, 2, fuse="none")(x, x)))),
    kind(
        "linformer",
        ((4, 3),),
        lambda x: out(flat(Q.QLinformerAttention(num_heads=1, key_dim=3, lin_kv_proj_dim=2)(x, x))),
    ),
    kind("jedi", ((4, 4),), jedi),
    kind("mixed", ((5,),), mixed),
    kind("nested", ((4, 3),), nested),
    kind("shared", ((4,),), shared),
    kind("two_outputs", ((4,),), two_outputs),
    kind(
        "two_inputs",
        ((3,), (4,)),
        lambda a, b: out(L.Concatenate()([Q.QBatchNormDense(3, activation="relu")(a), Q.QDense(2)(b)])),
    ),
    kind("behind_invariants", ((3, 4),), behind_invariants),
    kind("qkeras_conv", ((6, 2),), qkeras),
    kind("lut_gelu", ((5,),), lambda x: out(Q.QUnaryFunctionLUT("gelu", enable_oq=True)(Q.QDense(3)(x)))),
    kind("lut_truncated", ((5,),), lambda x: out(truncated_tanh(Q.QDense(3)(x)))),
    kind("dense_relu6", ((5,),), lambda x: out(Q.QDense(4, activation="relu6")(x))),
    kind("relu_threshold", ((5,),), lambda x: out(L.ReLU(threshold=0.5)(Q.QDense(4)(x)))),
    kind("dense_tanh", ((5,),), lambda x: out(Q.QDense(3, activation="tanh")(x))),
    kind(
        "tanh_end",
        ((5,),),
        lambda x: Q.QDense(3, activation="tanh", name="y")(x),
        refused="use relu, quantized_relu, or QUnaryFunctionLUT",
    ),
    kind(
        "softmax_unquantized",
        ((5,),),
        lambda x: Q.QSoftmax(name="y", enable_iq=False)(x),
        refused="quantize each input of a layer (iq)",
    ),
    kind(
        "average_of_three",
        ((3, 4),),
        lambda x: out(Q.QGlobalAveragePooling1D()(x)),
        refused="it multiplies by 0.333333, which is not a number of 24 bits",
    ),
    kind(
        "unquantized",
        ((4, 3),),
        lambda x: Q.QConv1D(2, 2, enable_iq=False, name="y")(x),
        refused="quantize each input of a layer (iq)",
    ),
    kind(
        "unknown",
        ((4, 3),),
        lambda x: out(flat(Q.QConv1D(2, 2)(keras.ops.roll(Q.Quantizer()(x), 1, axis=1)))),
        refused="the tracer does not know Roll",
    ),
]
