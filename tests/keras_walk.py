"""A walk over the arguments of Keras layers: what may change, and what the graph must do about it."""

from __future__ import annotations

import copy
import inspect
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras
    from hgq.quantizer import Quantizer
    from hgq.quantizer.config import all_quantizer_keys

    from eqhls.frontends.layers.base import EqLayer
    from eqhls.frontends.layers.structure import TypedInput

from eqhls.fixed import Fixed
from eqhls.ir.graph import Graph
from eqhls.ir.types import Type

EVENTS = 48
PROBE = "probe"
Kind = Literal["follows", "shape", "inert", "refused", "denied"]


@dataclass(frozen=True)
class Change:
    """Another value of one argument.

    `follows`: Keras's numbers change, and the graph's with them. `shape`: the graph follows, and numbers
    need not differ (shapes and names). `inert`: Keras's numbers stay, `why` says for what reason.
    `refused`: reading raises CompileError that matches `why`. `denied`: the layer itself cannot be made,
    with an error that matches `why`. `also` are arguments that the layer has with and without the change,
    None for one of the minimal model that it has not.
    """

    kind: Kind
    value: Any
    why: str = ""
    also: dict[str, Any] = field(default_factory=dict)
    compare: str = ""
    """How numbers are compared, where not as the entry says."""


def follows(*values: Any, **also: Any) -> tuple[Change, ...]:
    return tuple(Change("follows", v, also=also) for v in values)


def as_floats(*values: Any, **also: Any) -> tuple[Change, ...]:
    return tuple(Change("follows", v, also=also, compare="floats") for v in values)


def exactly(*values: Any, **also: Any) -> tuple[Change, ...]:
    return tuple(Change("follows", v, also=also, compare="exact") for v in values)


def shape(*values: Any, **also: Any) -> tuple[Change, ...]:
    return tuple(Change("shape", v, also=also) for v in values)


def inert(why: str, *values: Any, **also: Any) -> tuple[Change, ...]:
    return tuple(Change("inert", v, why, also) for v in values)


def refused(why: str, *values: Any, **also: Any) -> tuple[Change, ...]:
    return tuple(Change("refused", v, why, also) for v in values)


def denied(why: str, *values: Any, **also: Any) -> tuple[Change, ...]:
    return tuple(Change("denied", v, why, also) for v in values)


@dataclass(frozen=True)
class Entry:
    """A layer with the arguments of its minimal model, the ports that it reads, and every change of an
    argument. Graph and Keras are compared as floats, exactly, or as both."""

    layer: type
    ports: tuple[str, ...]
    base: dict[str, Any]
    changes: dict[str, tuple[Change, ...]]
    compare: Literal["floats", "exact", "both"] = "both"
    build: Callable[[Entry, dict[str, Any]], Any] | None = None

    def model(self, arguments: dict[str, Any]) -> Any:
        """Return the minimal model, its weights seeded by their names and shapes."""
        given = {"name": PROBE} | copy.deepcopy(self.base | arguments)
        arguments = {name: value for name, value in given.items() if value is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = self.build(self, arguments) if self.build else self._wired(arguments)
        seed_weights(model)
        return model

    def _wired(self, arguments: dict[str, Any]) -> Any:
        raws, typed = zip(*(port(k, t) for k, t in enumerate(self.ports)), strict=True)
        layer = made(self.layer, arguments)
        if issubclass(self.layer, EqLayer):
            return keras.Model(list(raws), layer(*typed), name="net")
        plain = [keras.layers.Reshape(t.eqhls_type.shape[:-1] or (1,))(t) for t in typed]
        return keras.Model(list(raws), layer(plain if len(plain) > 1 else plain[0]), name="net")


def made(layer: type, arguments: dict[str, Any]) -> Any:
    """Return a layer. Those of eqhls go through their config, so that it must hold every argument."""
    instance = layer(**arguments)
    if not issubclass(layer, EqLayer):
        return instance
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(instance))


def port(k: int, text: str) -> tuple[Any, Any]:
    """Return a keras.Input and the tensor with its type."""
    raw = keras.Input(Type.parse(text).shape, name=f"raw{k}")
    return raw, TypedInput(text, name=f"x{k}")(raw)


def generator(text: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(text.encode()))


DRAWN = (
    "kernel",
    "bias",
    "gamma",
    "bn_gamma",
    "beta",
    "bn_beta",
    "moving_mean",
    "lora_kernel_a",
    "lora_kernel_b",
)
DRAWN += ("depthwise_kernel", "pointwise_kernel", "alpha", "scale", "code", "row", "column")
DRAWN += ("weight", "dual", "diagonal", "bends", "renorm_mean")
POSITIVE = ("moving_variance", "moving_stddev", "renorm_stddev")
KEPT = ("k", "i", "f", "b", "m", "e", "e0", "i_decay_speed", "ebops", "seed_generator_state", "kernel_scale")
"""The weights of quantizers are arguments themselves."""


def seed_weights(model: Any) -> None:
    """Give every weight numbers that depend on its name and shape alone."""
    for variable in model.variables:
        drawn = generator(f"{variable.name} {variable.shape}")
        if variable.name in DRAWN:
            variable.assign(drawn.normal(size=variable.shape))
        elif variable.name in POSITIVE:
            variable.assign(drawn.uniform(0.5, 2.0, size=variable.shape))
        else:
            assert variable.name in KEPT, f"say what to do with {variable.path}"


def events(graph: Graph) -> dict[str, np.ndarray]:
    """Return raw integers over the whole range of every port; ports without a format get one."""
    made = dict[str, np.ndarray]()
    for k, n in enumerate(graph.inputs):
        forms = n.type.formats or (Fixed(9, 4),)
        rows = [forms[c if len(forms) > 1 else 0] for c in range(n.type.dim)]
        drawn = generator(f"{k} {n.type.shape}")
        made[n.name] = np.stack(
            [drawn.integers(f.lo, f.hi + 1, (EVENTS, *n.type.shape[:-1])) for f in rows], -1
        )
    return made


def floats(graph: Graph, raw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n.name: raw[n.name] * (n.type.formats.lsb if n.type.formats else 2.0**-5) for n in graph.inputs}


def keras_numbers(model: Any, graph: Graph) -> np.ndarray:
    """Return what Keras computes at inference on the events, shape (events, elements)."""
    feeds = floats(graph, events(graph)).values()
    arrays = [v.reshape(-1, *t.shape[1:]).astype("float32") for v, t in zip(feeds, model.inputs, strict=True)]
    return np.asarray(model(arrays if len(arrays) > 1 else arrays[0], training=False)).reshape(EVENTS, -1)


def check_follows(model: Any, graph: Graph, compare: str) -> np.ndarray:
    """Assert that the graph computes Keras's numbers, and return these."""
    want, raw = keras_numbers(model, graph), events(graph)
    (name,) = graph.outputs
    if compare in ("floats", "both"):
        got = graph.scores(floats(graph, raw))[name].reshape(EVENTS, -1)
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5 * np.abs(want).max() + 1e-12)
    if compare in ("exact", "both"):
        exact = graph.formatted()
        got = exact.evaluate(raw)[name] * exact.node(name).type.formats.lsb
        np.testing.assert_array_equal(got.reshape(EVENTS, -1), want)
    return want


def arguments_of(layer: type) -> set[str]:
    """Return the names of all arguments that the layer's constructor may take: its own, and those of its
    bases as long as the rest is passed on."""
    found = set[str]()
    for cls in layer.__mro__:
        if "__init__" not in vars(cls):
            continue
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        found.update(p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


HIDDEN = ("input_shape", "input_dim")
"""What keras.layers.Layer takes out of its keywords."""


def hidden_of(layer: type) -> set[str]:
    """Return the arguments that a layer takes out of its keywords."""
    return {*HIDDEN, *(all_quantizer_keys if layer is Quantizer else ())}


def configured(entry: Entry) -> set[str]:
    """Return the keys of the config of the layer in the minimal model."""
    return set(entry.model({}).get_layer(PROBE).get_config())
