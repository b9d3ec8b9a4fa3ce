"""Quantizers of a layer's inputs and results as Requantize; where widths differ by element, elements of one
format are taken out, rounded together and put back."""

from __future__ import annotations

from typing import Any

import numpy as np

from eqhls.fixed import Fixed
from eqhls.frontends.layers.quantizers import WRAPPING, Forms, element_formats
from eqhls.frontends.scalars.build.tensors import settled
from eqhls.frontends.scalars.site import Site, Value
from eqhls.groups.rep import S
from eqhls.ir.op import Tensor
from eqhls.ir.types import Type
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select


def quantized(site: Site, x: Value, layer: Any, which: str) -> Value:
    if not getattr(layer, f"enable_{which}", False):
        return x
    return requantized(site.at(which), x, element_formats(getattr(layer, which), x.shape))


def quantizer(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return requantized(site, inputs[0], element_formats(layer, inputs[0].shape))


def each_quantized(site: Site, inputs: list[Value], layer: Any) -> list[Value]:
    if not getattr(layer, "enable_iq", False):
        return inputs
    pairs = zip(inputs, layer.iq, strict=True)
    return [requantized(site.at(f"iq{k}"), x, element_formats(q, x.shape)) for k, (x, q) in enumerate(pairs)]


def requantized(site: Site, x: Value, forms: Forms | None) -> Value:
    """Round every element to its format. Raises CompileError on covariant tensors if components
    would be rounded apart, or wrap."""
    if forms is None:
        return x
    x = settled(site, x)
    type = site.type(x)
    forms = forms.reshape(type.shape)
    if type.rep is not S:
        _check_covariant(site, type, forms)
    return Value(_split(site, x.name, forms[..., 0]), x.shape)


def _check_covariant(site: Site, type: Type, forms: Forms) -> None:
    if any(len(set(row)) > 1 for row in forms.reshape(-1, type.dim)):
        raise site.refuse(
            f"rounds the components of {type} to formats of their own",
            "share them: QuantizerConfig(heterogeneous_axis=()) or RequantizeLayer",
        )
    if any(f is None or f.overflow in WRAPPING for f in forms.ravel()):
        raise site.refuse(f"wraps components of {type}, which breaks the symmetry", "use SAT_SYM")


def _split(site: Site, x: str, forms: Forms) -> str:
    """Round groups of entries of one axis that share their formats, and put them back in order."""
    groups = {k: _groups(forms, k) for k in range(forms.ndim)}
    varying = [k for k, g in groups.items() if len(g) > 1]
    if not varying:
        return _rounded(site, x, forms)
    where = min(varying, key=lambda k: len(groups[k]))
    axis = site.builder.type(x).axes[where].name
    parts = list[str]()
    for k, chosen in enumerate(groups[where]):
        taken = site.add(Select(axis, chosen, axis), x, part=f"take{k}")
        parts.append(_split(site.at(f"part{k}"), taken, np.take(forms, chosen, axis=where)))
    joined = site.add(Concat(axis), *parts, part="join")
    order = np.argsort([i for chosen in groups[where] for i in chosen])
    return site.add(Select(axis, tuple(int(i) for i in order), axis), joined)


def _groups(forms: Forms, axis: int) -> list[tuple[int, ...]]:
    found: dict[tuple[Fixed | None, ...], list[int]] = {}
    for k, row in enumerate(np.moveaxis(forms, axis, 0)):
        found.setdefault(tuple(np.ravel(row)), []).append(k)
    return [tuple(g) for g in found.values()]


def _rounded(site: Site, x: str, forms: Forms) -> str:
    form = forms.flat[0]
    if form is not None:
        return site.add(Requantize((form,)), x)
    axes = site.builder.type(x).axes
    if not axes:
        raise site.refuse("has no bits left, so that its result is always zero", "train with more bits")
    last = axes[-1]
    return site.add(ChannelMix(Tensor(np.zeros((last.size, last.size))), axis=last.name), x)
