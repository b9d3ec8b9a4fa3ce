"""Builders that all front ends share, on the values of ONNX."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eqhls.frontends.onnx.reading import identifier, name_of
from eqhls.frontends.onnx.site import Site, named
from eqhls.frontends.onnx.views import View, places_of
from eqhls.frontends.scalars.build import functions
from eqhls.frontends.scalars.site import Site as Place
from eqhls.frontends.scalars.site import Value
from eqhls.ir.graph import Builder
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.magnitude import Magnitude
from eqhls.ops.relu import Relu
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Table

LEAST = 2.0**-10
"""Where codes of the logarithm of a size begin, if nothing is known of it."""


def built(site: Site, view: View, builder: Callable[[Place, Value], Value]) -> View:
    """Return what a builder makes of a view, in places that count the same events."""
    return viewed(site, builder(place_of(site), value_of(site, view)), view)


def place_of(site: Site) -> Place:
    """Return where the builders add the ops of an operator."""
    parts = [name_of(site.node), site.part] if site.part else [name_of(site.node)]
    return Place(site.state.builder, identifier(".".join(parts)))


def value_of(site: Site, view: View) -> Value:
    """Return a view as the builders have it; the events are an axis of size 1."""
    view, names = named(site, view)
    return Value(view.name, view.index.shape, names)


def viewed(site: Site, value: Value, like: View) -> View:
    """Return a value of the builders as a view that counts events as another one does."""
    if value.axes is None:
        return like.of(value.name, np.arange(np.prod(value.shape)).reshape(value.shape))
    return like.of(value.name, places_of(site.type(value.name), value.axes, value.shape))


def inverted_power(site: Site, view: View, exponent: float) -> View:
    """Return a negative power of a size."""
    return built(site, view, lambda s, x: functions.coded_power(s, x, exponent, 0.0, LEAST))


def inverted(site: Site, view: View) -> View:
    """Return 1 / x of a number of either sign."""
    return built(site, view, functions.reciprocal)


def origin(builder: Builder, name: str) -> str:
    """Return the value of which another one is a function, element by element."""
    node = builder.find(name)
    if isinstance(node.op, Table | Relu | Magnitude):
        return origin(builder, node.inputs[0])
    if isinstance(node.op, Add | CgProduct):
        variable = [n for n in node.inputs if not isinstance(builder.find(n).op, Spurion)]
        found = {origin(builder, n) for n in variable}
        return found.pop() if len(found) == 1 else name
    return name
