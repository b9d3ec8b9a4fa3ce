"""Values side by side, and layers that do nothing at inference."""

from __future__ import annotations

from typing import Any

from eqhls.frontends.scalars.build.tensors import joined
from eqhls.frontends.scalars.site import Site, Value, position


def concatenate(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return joined(site, inputs, position(site, inputs[0], layer.axis))


def same(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return inputs[0]
