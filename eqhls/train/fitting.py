"""From events and a network to a trained network and its figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.events.read import Events
from eqhls.frontends.keras import read_keras
from eqhls.ir.graph import Graph
from eqhls.options import Options
from eqhls.passes import simplify
from eqhls.quantize.assign import assign
from eqhls.train.callbacks import scores_of
from eqhls.train.data import Data, Sample, prepared
from eqhls.train.loop import Extras, optimise
from eqhls.train.result import Run, integers, merit
from eqhls.train.settings import Settings
from eqhls.verify.given import Given
from eqhls.verify.metrics import class_labels
from eqhls.verify.tagger import Tagger, tagger_of

CALIBRATED = 10000
"""Events from which formats are found, if a network has none."""


def fit(network: Any, data: Data, settings: Settings, extras: Extras, score: str) -> Run:
    """Train a Keras model, or the models that `network(quantized)` builds, as eqhls.train.fit says."""
    keras.utils.set_random_seed(settings.seed)
    models = _models(network, settings)
    graph = read_keras(models[-1])
    parts = {name: prepared(graph, arrays, name) for name, arrays in data.parts.items()}
    tagger = tagger_of(graph, score, parts["train"][1].labels)
    places = [graph.outputs.index(name) for name in tagger.outputs]
    samples = {
        name: _sample(models[-1], graph, tagger, values, events, name)
        for name, (values, events) in parts.items()
    }
    history = optimise(models, samples["train"], samples.get("validation"), settings, extras, places)
    graph = read_keras(models[-1])
    quantized, own = _quantized(graph, parts["train"][1])
    name, arrays = data.measured
    agreement = _agreement(models[-1], quantized, samples[name].x, parts[name][1]) if own else math.nan
    if settings.exact and not agreement == 1.0:
        raise CompileError(
            graph.name,
            f"is equal to its graph on {agreement:.4%} of the {name} events, expected all of them",
            "end with a quantized phase; if it did, another backend of Keras (KERAS_BACKEND) must be tried",
        )
    told = {k: e for k, (_, e) in parts.items() if k != "train" or k == name}
    return Run(
        model=models[-1],
        graph=quantized if own else graph,
        quantized=quantized,
        settings=settings,
        history=history,
        worth={k: merit(graph, quantized, events, tagger) for k, events in told.items()},
        agreement=agreement,
        values=int(models[-1].count_params()),
        measured=parts[name][1],
        arrays=arrays,
        notes=tuple(
            dict.fromkeys([*data.notes, *(f"{k}: {n}" for k, (_, e) in parts.items() for n in e.notes)])
        ),
    )


def graph_of(network: Any) -> Graph:
    """Return the graph of a Keras model, or of the quantized one that a function builds."""
    return read_keras(network if isinstance(network, keras.Model) else network(True))


def _models(network: Any, settings: Settings) -> list[Any]:
    """Return a model for each phase: a float one and a quantized one, or the one that is given."""
    kinds = {phase.quantized for phase in settings.phases}
    if isinstance(network, keras.Model):
        if len(kinds) > 1:
            raise CompileError(
                network.name,
                "is one model, and the settings have a float phase and a quantized one",
                "give a function that builds the model for quantized = False and True, or phases of one kind",
            )
        return [network] * len(settings.phases)
    built = {kind: network(kind) for kind in sorted(kinds)}
    return [built[phase.quantized] for phase in settings.phases]


def _sample(
    model: Any, graph: Graph, tagger: Tagger, values: Sequence[NDArray[Any]], events: Events, part: str
) -> Sample:
    """Return what the model reads. Raises CompileError for labels that do not fit its scores."""
    assert events.labels is not None
    try:
        labels = class_labels(events.labels, sum(graph.node(n).type.elements for n in tagger.outputs))
    except CompileError as error:
        raise error.at(part) from None
    shapes = [tuple(t.shape[1:]) for t in model.inputs]
    x = [v.reshape(len(v), *shape) for v, shape in zip(values, shapes, strict=True)]
    return Sample(tuple(x), labels)


def _quantized(graph: Graph, events: Events) -> tuple[Graph, bool]:
    """Return the graph with a format for every value, and whether all of them are its own. What it lacks is
    found as `eqhls compile --calibrate` does."""
    simple, options = simplify(graph), Options()
    try:
        found = assign(simple, {}, options)
    except CompileError:
        few = {name: values[:CALIBRATED] for name, values in events.floats.items()}
        found = assign(simple, few, options)
    own = Given(graph, simple, found, options).exact
    return (graph.formatted() if own else found), own


def _agreement(model: Any, graph: Graph, x: Sequence[NDArray[Any]], events: Events) -> float:
    """Return the share of the events on which the model gives the numbers of the integers."""
    found = integers(graph, events)
    exact = np.concatenate([found[name].scores for name in graph.outputs], axis=1)
    return float((scores_of(model, x) == exact).all(axis=1).mean())
