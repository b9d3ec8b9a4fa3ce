"""Write the files of `tf2onnx_files.py`: Keras networks through tf2onnx 1.17, and what Keras computes from them:
`python tests/doors/make_tf2onnx.py` where keras, tensorflow and tf2onnx are installed."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from keras import layers

FOLDER = Path(__file__).parent / "files" / "tf2onnx"
EVENTS = 96


def mlp() -> keras.Model:
    x = keras.Input((6,), name="x")
    y = layers.BatchNormalization()(layers.Dense(8, activation="relu")(x))
    return keras.Model(x, layers.Dense(3, activation="softmax")(layers.Dense(8, activation="tanh")(y)))


def deep_set() -> keras.Model:
    x = keras.Input((4, 3), name="x")
    y = layers.GlobalAveragePooling1D()(layers.Dense(6, activation="relu")(x))
    return keras.Model(x, layers.Dense(2)(layers.Dense(6, activation="swish")(y)))


def conv2d() -> keras.Model:
    x = keras.Input((6, 6, 1), name="x")
    y = layers.MaxPooling2D()(layers.Conv2D(3, 3, padding="same", activation="relu")(x))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 2, activation="tanh")(y))
    return keras.Model(x, layers.Dense(2)(y))


NETWORKS = {"mlp": mlp, "deep_set": deep_set, "conv2d": conv2d}


def write(name: str) -> None:
    keras.utils.set_random_seed(sum(map(ord, name)))
    model, rng = NETWORKS[name](), np.random.default_rng(4)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    shape = model.input_shape[1:]
    signature = [tf.TensorSpec((None, *shape), tf.float32, name="x")]
    made, _ = tf2onnx.convert.from_function(
        tf.function(lambda x: tf.identity(model(x, training=False), "y"), signature),
        input_signature=signature,
        opset=17,
    )
    for part in (made, made.graph, *made.graph.node):
        part.ClearField("doc_string")
    del made.graph.value_info[:]
    onnx.save(made, FOLDER / f"{name}.onnx")
    x = np.round(rng.normal(size=(EVENTS, *shape)) * 256).astype(np.float32) / 256
    output = made.graph.output[0].name.replace(":", "_")
    np.savez_compressed(FOLDER / f"{name}.npz", **{"x": x, output: model.predict(x, verbose=0)})


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for each in NETWORKS:
        write(each)
