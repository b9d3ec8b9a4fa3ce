"""The layers of eqhls in models of hls4ml, and the two C simulations against each other, bit for bit."""

from __future__ import annotations

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

    from eqhls.frontends.keras import read_keras
    from eqhls.frontends.layers.base import EqLayer
    from eqhls.frontends.layers.structure import TypedInput
    from keras_own import OWN_LAYERS

import eqhls
import eqhls.hls4ml
from eqhls.ir.graph import Graph
from eqhls.ir.types import Type
from eqhls.options import Options
from eqhls.quantize.assign import assign
from keras_walk import events, floats, made, seed_weights

pytestmark = pytest.mark.filterwarnings("ignore")  # of TensorFlow and hls4ml

OWN = [e for e in OWN_LAYERS if issubclass(e.layer, EqLayer) and e.layer is not TypedInput]


def converted(model: Any, folder: Path, **settings: Any) -> Any:
    """Return a model of hls4ml, compiled by g++."""
    eqhls.hls4ml.register()
    given = {"backend": "Vitis", "io_type": "io_parallel"} | settings
    found = hls4ml.converters.convert_from_keras_model(model, output_dir=str(folder), **given)
    found.compile()
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
    found = predicted(converted(model, tmp_path / "every"), graph, raw)
    for k, (name, got) in enumerate(zip(graph.outputs, found, strict=True)):
        exact = want[name] * np.array([graph.node(name).type.format_of(d).lsb for d in range(graph.node(name).type.dim)])
        np.testing.assert_array_equal(got, exact.reshape(got.shape), err_msg=OWN[k].layer.__name__)
