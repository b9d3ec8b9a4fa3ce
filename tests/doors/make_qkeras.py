"""Write the files of `tests/doors/qkeras_files.py` with Google's QKeras, which CI does not install:

    TF_USE_LEGACY_KERAS=1 python tests/doors/make_qkeras.py    # qkeras 0.9.0, tf_keras and TensorFlow 2.21

Each model gets random weights, some of them beyond their formats, and is scored, as it is loaded again, on events
on and off the grid of its inputs and beyond it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras
from qkeras import (
    QActivation,
    QAveragePooling2D,
    QBatchNormalization,
    QConv1D,
    QConv2D,
    QDense,
    QDepthwiseConv2D,
    QGlobalAveragePooling2D,
    binary,
    quantized_bits,
    quantized_po2,
    quantized_relu,
    quantized_sigmoid,
    quantized_tanh,
    stochastic_ternary,
    ternary,
)
from qkeras.quantizers import get_quantizer
from qkeras.utils import load_qmodel
from tf_keras import layers as K

FILES = Path(__file__).parent / "files"
EVENTS = 64


def jets() -> tf_keras.Model:
    """The network of hls4ml's tutorials: dense layers on features of a jet."""
    bits = quantized_bits(6, 0, alpha=1)
    return tf_keras.Sequential(
        [
            K.Input((16,), name="features"),
            QActivation(quantized_bits(10, 3), name="rounded"),
            QDense(16, kernel_quantizer=bits, bias_quantizer=bits, name="fc1"),
            QActivation(quantized_relu(6, 2), name="relu1"),
            QDense(
                8, kernel_quantizer="quantized_bits(5,0)", bias_quantizer=quantized_bits(8, 2), name="fc2"
            ),
            QActivation("quantized_tanh(6)", name="tanh1"),
            QDense(5, kernel_quantizer=quantized_po2(4), bias_quantizer=quantized_po2(4, 2), name="fc3"),
            QActivation(quantized_bits(12, 4, symmetric=1, alpha=1.0), name="logits"),
        ],
        name="jets",
    )


def branches() -> tf_keras.Model:
    """Two inputs and two outputs, a shared layer, a model inside, and one of each kind of quantizer."""
    one, two = K.Input((6,), name="one"), K.Input((4,), name="two")
    a = QActivation(quantized_bits(8, 2, symmetric=1), name="a")(one)
    b = QActivation(quantized_relu(7, 3), name="b")(two)
    shared = QDense(6, kernel_quantizer=binary(alpha=1), bias_quantizer=quantized_bits(4, 1), name="shared")
    leaky = QActivation(quantized_relu(6, 2, negative_slope=0.25), name="leaky")(shared(a))
    bounded = "quantized_relu(6,2,relu_upper_bound=1.5,is_quantized_clip=False)"
    again = QActivation(bounded, name="again")(shared(leaky))
    both = K.Concatenate(name="both")([again, b])
    inner = tf_keras.Sequential(
        [
            K.Input((10,)),
            QDense(
                6, kernel_quantizer=stochastic_ternary(), bias_quantizer=ternary(threshold=0.25), name="deep"
            ),
            QActivation(quantized_sigmoid(5), name="gate"),
        ],
        name="inner",
    )(both)
    added = K.Add(name="added")([inner, leaky])
    signs = QActivation(binary(alpha=1), name="signs")(
        QDense(6, activation=quantized_bits(6, 1), kernel_quantizer=binary(), use_bias=False, name="mixed")(
            added
        )
    )
    thirds = QActivation(ternary(threshold=0.5), name="thirds")(K.Subtract(name="less")([added, leaky]))
    kernel, positive = ternary(alpha="auto_po2"), quantized_bits(4, 0, keep_negative=0, alpha=0.5)
    last = {"bias_quantizer": quantized_bits(6, 1)}
    left = QDense(
        3, activation=quantized_tanh(8, symmetric=True), kernel_quantizer=kernel, name="left", **last
    )
    right = QDense(2, kernel_quantizer=positive, name="right", **last)
    mean = K.Average(name="mean")([thirds, added])
    return tf_keras.Model([one, two], [left(signs), right(mean)], name="branches")


def steps() -> tf_keras.Model:
    """Convolutions and pooling along one axis."""
    k = quantized_bits(5, 0)
    return tf_keras.Sequential(
        [
            K.Input((9, 3), name="series"),
            QActivation(quantized_bits(8, 2), name="rounded"),
            QConv1D(
                4, 3, padding="causal", dilation_rate=2, kernel_quantizer=k, bias_quantizer=k, name="causal"
            ),
            QActivation(quantized_relu(7, 2), name="relu1"),
            K.MaxPooling1D(3, strides=2, padding="same", name="largest"),
            QConv1D(3, 2, strides=2, padding="same", kernel_quantizer=k, bias_quantizer=k, name="strided"),
            QActivation(quantized_relu(6, 2), name="relu2"),
            K.AveragePooling1D(2, strides=1, name="mean"),
            K.Flatten(name="flat"),
            QDense(3, kernel_quantizer=k, bias_quantizer=k, name="dense"),
            QActivation(quantized_bits(10, 4), name="logits"),
        ],
        name="steps",
    )


def image() -> tf_keras.Model:
    """Convolutions and pooling in two dimensions."""
    k = quantized_bits(5, 0, alpha=1)
    return tf_keras.Sequential(
        [
            K.Input((6, 5, 2), name="pixels"),
            QActivation(quantized_bits(6, 1), name="rounded"),
            QConv2D(
                3, (3, 2), strides=(1, 2), padding="same", kernel_quantizer=k, bias_quantizer=k, name="conv"
            ),
            QActivation(quantized_relu(6, 1), name="relu1"),
            QDepthwiseConv2D((2, 2), depthwise_quantizer=k, bias_quantizer=k, name="alone"),
            QActivation(quantized_relu(6, 1), name="relu2"),
            QAveragePooling2D((2, 1), average_quantizer=quantized_bits(8, 0), name="halves"),
            QActivation(quantized_bits(7, 1), name="bits"),
            QGlobalAveragePooling2D(average_quantizer=quantized_bits(6, 0), name="all"),
            QDense(3, kernel_quantizer=quantized_bits(6, 0), bias_quantizer=k, name="dense"),
        ],
        name="image",
    )


def particles() -> tf_keras.Model:
    """A Deep Set: one network for each particle, and their mean."""
    k = quantized_bits(6, 1, alpha=1)
    return tf_keras.Sequential(
        [
            K.Input((8, 3), name="particles"),
            QActivation(quantized_bits(9, 3), name="rounded"),
            QDense(5, activation=quantized_relu(6, 2), kernel_quantizer=k, bias_quantizer=k, name="phi"),
            K.GlobalAveragePooling1D(name="mean"),
            QDense(2, kernel_quantizer=k, bias_quantizer=k, name="rho"),
        ],
        name="deep_set",
    )


def normed() -> tf_keras.Model:
    """Batch normalization, plain and rounded, and layers without quantizers: computed in floats."""
    return tf_keras.Sequential(
        [
            K.Input((7,), name="features"),
            QDense(
                8,
                kernel_quantizer=quantized_bits(6, 0, alpha=1),
                bias_quantizer=quantized_bits(6, 0),
                name="fc1",
            ),
            K.BatchNormalization(name="bn1"),
            K.Activation("relu", name="relu1"),
            K.Dense(6, activation="tanh", name="fc2"),
            K.Dropout(0.5, name="dropped"),
            QBatchNormalization(name="bn2"),
            K.Dense(3, activation="softmax", name="classes"),
        ],
        name="normed",
    )


def weighted(model: tf_keras.Model, rng: np.random.Generator) -> tf_keras.Model:
    """Give a model random weights; a few lie beyond the range of their quantizers."""
    for weight in model.weights:
        values = rng.normal(scale=0.5, size=weight.shape)
        weight.assign(np.abs(values) + 0.3 if "variance" in weight.name else values)
    return model


def events(model: tf_keras.Model, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return events on a grid of 1/64, off it, and far beyond the ranges of the inputs."""
    found = {}
    for tensor in model.inputs:
        x = rng.normal(scale=2.0, size=(EVENTS, *tensor.shape[1:]))
        x[: EVENTS // 2] = np.rint(x[: EVENTS // 2] * 64) / 64
        x[-4:] *= 8
        found[tensor.name.split(":")[0]] = x.astype(np.float32)
    return found


WEIGHTS = (
    "quantized_bits(4,0)",
    "quantized_bits(6,2,1,alpha=1)",
    "quantized_bits(8,0,alpha='auto_po2')",
    "quantized_bits(3,1,alpha='auto_po2')",
    "quantized_bits(5,1,keep_negative=0)",
    "quantized_bits(1,0)",
    "quantized_bits(1,0,keep_negative=0,alpha=0.5)",
    "quantized_bits(6,0,alpha=2.0,use_stochastic_rounding=1)",
    "quantized_relu(5,1)",
    "quantized_po2(4)",
    "quantized_po2(5,max_value=1)",
    "quantized_po2(4,max_value=2,log2_rounding='floor')",
    "quantized_relu_po2(4)",
    "quantized_relu_po2(4,negative_slope=0.5)",
    "quantized_relu_po2(4,2,quadratic_approximation=1)",
    "binary()",
    "binary(alpha='auto_po2')",
    "binary(use_01=1,alpha=0.5)",
    "stochastic_binary(alpha='auto_po2')",
    "ternary()",
    "ternary(threshold=0.5,alpha=2.0)",
    "ternary(alpha='auto_po2')",
    "stochastic_ternary(alpha='auto_po2')",
)
ACTIVATIONS = (
    "quantized_bits(4,0)",
    "quantized_bits(6,2,1)",
    "quantized_bits(5,3,keep_negative=0)",
    "quantized_bits(5,1,alpha=2.0)",
    "quantized_bits(1,0)",
    "quantized_relu(4)",
    "quantized_relu(6,2)",
    "quantized_relu(5,2,negative_slope=0.25)",
    "quantized_relu(5,1,negative_slope=2.0)",
    "quantized_relu(6,3,relu_upper_bound=2.5,is_quantized_clip=0)",
    "quantized_relu(6,3,relu_upper_bound=2.5)",
    "quantized_tanh(5)",
    "quantized_tanh(5,symmetric=1)",
    "quantized_tanh(6,use_real_tanh=1)",
    "quantized_sigmoid(4)",
    "quantized_sigmoid(5,symmetric=1)",
    "quantized_sigmoid(6,use_real_sigmoid=1)",
    "binary()",
    "binary(use_01=1,alpha=0.5)",
    "stochastic_binary(alpha=1)",
    "ternary(threshold=0.5)",
    "ternary(threshold=0.25,alpha=2.0)",
    "hard_tanh",
    "smooth_tanh",
    "smooth_sigmoid",
)
CELLS = 1024


def quantizers(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return what quantizers make of weights, ties and zeros among them, and of every number of fix<10,4>."""
    weights = (rng.normal(size=(12, 3)) * [0.2, 1.0, 3.0]).astype(np.float32)
    weights[:6] = np.rint(weights[:6] * 16) / 16
    weights[0] = 0.0
    numbers = ((np.arange(CELLS) - CELLS // 2) / 64.0).astype(np.float32)[:, None]
    found = {"weights": weights, "numbers": numbers}
    for text in WEIGHTS:
        found[f"weights {text}"] = get_quantizer(text)(tf.constant(weights)).numpy()
        found[f"bias {text}"] = get_quantizer(text)(tf.constant(weights[1:, 1])).numpy()
    return found | {f"numbers {t}": get_quantizer(t)(tf.constant(numbers)).numpy() for t in ACTIVATIONS}


def main() -> None:
    FILES.mkdir(exist_ok=True)
    rng = np.random.default_rng(14)
    np.savez_compressed(FILES / "qkeras_quantizers.npz", **quantizers(rng))
    for make in (jets, branches, steps, image, particles, normed):
        model, name = weighted(make(), rng), f"qkeras_{make.__name__}"
        model.save(FILES / f"{name}.h5", include_optimizer=False)
        again = load_qmodel(str(FILES / f"{name}.h5"), compile=False)
        given = events(model, rng)
        found = again.predict([given[n] for n in given], verbose=0)
        names = [t.node.layer.name for t in again.outputs]
        outputs = dict(zip(names, found if isinstance(found, list) else [found], strict=True))
        arrays = {f"in_{k}": v for k, v in given.items()} | {f"out_{k}": v for k, v in outputs.items()}
        np.savez_compressed(FILES / f"{name}.npz", **arrays)
        if make in (jets, branches):
            model.save(FILES / f"{name}.keras")
            shutil.rmtree(FILES / f"{name}_saved", ignore_errors=True)
            model.save(FILES / f"{name}_saved", save_traces=False, include_optimizer=False)


if __name__ == "__main__":
    main()
