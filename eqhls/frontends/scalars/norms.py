"""Layers that normalize each event by itself, and attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from eqhls.frontends.scalars.build import norm
from eqhls.frontends.scalars.build.attention import attended
from eqhls.frontends.scalars.functions import activated
from eqhls.frontends.scalars.linear import einsum_dense, numbers
from eqhls.frontends.scalars.site import Site, Value, position


def _places(site: Site, x: Value, axis: Any) -> tuple[int, ...]:
    axes = axis if isinstance(axis, list | tuple) else (axis,)
    return tuple(sorted(position(site, x, int(a)) for a in axes))


def _along(x: Value, places: tuple[int, ...], weights: Any) -> Any:
    """Return weights of some axes so that they broadcast against a value."""
    if weights is None:
        return None
    return np.asarray(weights).reshape([s if k in places else 1 for k, s in enumerate(x.shape)])


def layer_norm(site: Site, layer: Any, inputs: list[Value]) -> Value:
    if layer.rms_scaling:
        raise site.refuse("has rms_scaling", "use keras.layers.RMSNormalization")
    x = inputs[0]
    places = _places(site, x, layer.axis)
    factor, shift = (_along(x, places, numbers(layer, part)) for part in ("gamma", "beta"))
    return norm.layer_norm(site, x, places, float(layer.epsilon), factor, shift)


def rms_norm(site: Site, layer: Any, inputs: list[Value]) -> Value:
    places = _places(site, inputs[0], layer.axis)
    factor = _along(inputs[0], places, numbers(layer, "scale"))
    return norm.rms_norm(site, inputs[0], places, float(layer.epsilon), factor)


def unit_norm(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return norm.unit_norm(site, inputs[0], _places(site, inputs[0], layer.axis))


def attention(site: Site, layer: Any, given: dict[str, Any]) -> Value:
    """MultiHeadAttention, without masks."""
    for name in ("attention_mask", "query_mask", "value_mask", "key_mask", "use_causal_mask"):
        if given.get(name) is not None and given[name] is not False:
            raise site.refuse(f"is called with {name}", "leave masks out: multiply by flags instead")
    if given.get("return_attention_scores"):
        raise site.refuse("returns its scores", "leave return_attention_scores out")
    query, value = given["query"], given["value"]
    key = given.get("key") or value
    if len(query.shape) != 2 or layer._use_gate or layer._sliding_window is not None:
        raise site.refuse("has several axes of steps, a gate or a window", "use it on (steps, features)")
    q, k, v = (
        einsum_dense(site.at(part), dense, [x])
        for part, dense, x in (
            ("query", layer._query_dense, query),
            ("key", layer._key_dense, key),
            ("value", layer._value_dense, value),
        )
    )
    found = attended(site, q, k, v, float(layer._inverse_sqrt_key_dim))
    return activated(site, layer, einsum_dense(site.at("output"), layer._output_dense, [found]))
