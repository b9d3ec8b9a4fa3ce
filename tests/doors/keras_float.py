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
L = keras.layers


def drawn(model: Any, name: str) -> None:
    """Give every weight numbers that depend on the door's name alone, of the size of trained ones."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for variable in model.weights:
        shape = tuple(variable.shape)
        if "variance" in variable.path:
            variable.assign(rng.uniform(0.5, 2.0, shape))
        elif "seed_generator" not in variable.path:
            fan = max(int(np.prod(shape[:-1])), 1)
            variable.assign(
                rng.normal(size=shape) / np.sqrt(fan) if len(shape) > 1 else rng.normal(size=shape) * 0.3
            )


def saved(model: Any, name: str, folder: Path, tolerance: float = 1e-5) -> Made:
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
    return Made(
        file,
        dict(zip(ports, arrays, strict=True)),
        dict(zip(makers, outputs, strict=True)),
        tolerance=tolerance,
    )


def kind(
    name: str, shape: tuple[int, ...], build: Callable[[Any], Any], tolerance: float = 1e-5, refused: str = ""
) -> Door:
    """Return the door of a functional model of one input `x`."""

    def make(folder: Path) -> Made:
        keras.utils.clear_session()
        x = keras.Input(shape, name="x")
        return saved(keras.Model(x, build(x), name=name), name, folder, tolerance)

    return Door(name, make, refused)


def mlp(x: Any) -> Any:
    return L.Dense(3, name="logits")(L.Dense(16, activation="relu", name="hidden")(x))


def mlp_norm(x: Any) -> Any:
    y = L.ReLU(name="bent")(L.BatchNormalization(name="norm")(L.Dense(16, name="hidden")(x)))
    return L.Dense(1, name="logit")(L.Dropout(0.2, name="dropped")(y))


def deep_set(x: Any) -> Any:
    y = L.GlobalAveragePooling1D(name="pooled")(L.Dense(8, activation="relu", name="each")(x))
    return L.Dense(2, name="logits")(y)


DOORS = [kind("mlp", (8,), mlp), kind("mlp_norm", (8,), mlp_norm), kind("deep_set", (8, 3), deep_set)]
