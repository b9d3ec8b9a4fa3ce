"""The formats of a project as a configuration of hls4ml."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.flow import Compiled
from eqhls.hls4ml.single import holding
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Tensor
from eqhls.ops.common import integers
from eqhls.quantize.weights import weights_of

ROUNDED = ".q"
"""What eqhls appends to the name of a value that it rounds."""
PARTS = ("", "sum")
"""Parts of a layer that have its own name in hls4ml; others are layers there, as NAME_relu."""
RESERVED = frozenset("input")
"""Letters that hls4ml 1.3 keeps for itself as names of layers, by mistake: it appends a number."""


def config_of(project: Compiled) -> dict[str, Any]:
    """Return the `hls_config` with which hls4ml computes with the formats of a project.

    Give it to `convert_from_keras_model` with `bit_exact=False`, for models whose plain layers have float
    weights: hls4ml then rounds weights and results as eqhls does. Models of HGQ2's layers need none.
    """
    graph = project.given.quantized
    ports = [f for n in graph.inputs for f in n.type.formats]
    default = {"default": _text(holding(ports))}
    layers = {_layer(n.name): {"Precision": _precision(graph, n)} for n in graph if _is_layer(n)}
    return {"Model": {"Precision": default, "ReuseFactor": 1, "Strategy": "Latency"}, "LayerName": layers}


def _is_layer(node: Node) -> bool:
    return not node.name.endswith(ROUNDED)


def _layer(name: str) -> str:
    """Return what hls4ml calls the layer of a value."""
    base, _, part = name.partition(".")
    if part not in PARTS:
        return f"{base}_{part.replace('.', '_')}"
    return f"{base}_0" if base in RESERVED else base


def _precision(graph: Graph, node: Node) -> dict[str, str]:
    """Return the formats of a layer: of its result, rounded if eqhls rounds it, of its weights and sums."""
    rounded = next((n for n in graph if n.name == f"{node.name}{ROUNDED}"), None)
    forms = node.type.formats if rounded is None else rounded.op.rounds_to()
    result = forms[0] if len(set(forms)) == 1 else holding(forms)
    return {"result": _text(result)} | (_sums(node) if weights_of(node.op) else {})


def _sums(node: Node) -> dict[str, str]:
    """Return the formats of the weights of a layer, which round as eqhls does, and of its exact sums."""
    made = {"accum": _text(holding(node.type.formats))}
    for name in node.op.weights:
        tensor = getattr(node.op, name)
        if isinstance(tensor, Tensor):
            raw, frac = integers(tensor)
            form = Fixed.covering(int(raw.min()), int(raw.max()), frac)
            made[name] = _text(replace(form, rounding=Rounding.RND_CONV, overflow=Overflow.SAT))
    return made


def _text(form: Fixed) -> str:
    """Return a format in hls4ml's words."""
    sign = "" if form.signed else "u"
    return f"{sign}fixed<{form.width},{form.integer},{form.rounding.value},{form.overflow.value}>"
