"""Quantizers of QONNX whose values no format of one op has: a step per channel, signs, truncation."""

from __future__ import annotations

from dataclasses import replace
from math import frexp
from typing import Any

import numpy as np
from onnx import helper

from eqhls.exchange.formats import QuantNode
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.frontends.onnx.algebra import constant, each, scaled
from eqhls.frontends.onnx.rules.arithmetic import wide
from eqhls.frontends.onnx.site import AXES, Site, arranged, everything, named, viewed
from eqhls.frontends.onnx.views import View
from eqhls.groups.rep import S
from eqhls.ir.types import Type
from eqhls.ops.concat import Concat
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.sign_select import SignSelect

FINEST = 16
"""The bits behind the point of factors that are exact as weights."""


def by_channel(site: Site, scales: np.ndarray, stated: QuantNode) -> View:
    """A Quant with a scale for each channel: channels of one scale are taken together, rounded to its format,
    and joined. Raises CompileError for scales that are not powers of two, or that vary along two axes."""
    _check_powers(site, scales)
    view, steps = wide(site, site.scalar(), scales)
    varying = [d for d, s in enumerate(steps.shape) if s > 1 and (np.diff(steps, axis=d) != 0).any()]
    if len(varying) > 1:
        raise site.refuse("has scales that vary along several axes", "give a scale for each channel, or one")
    (place,), (view, names) = varying, named(site.at("named"), view)
    if not names[place]:
        names = tuple("" if s == 1 else AXES[k] for k, s in enumerate(view.index.shape))
        view = arranged(site.at("opened"), view, names)
    along, axis = np.moveaxis(steps, place, 0).reshape(steps.shape[place], -1)[:, 0], names[place]
    parts, order = list[str](), list[int]()
    for k, scale in enumerate(np.unique(along)):
        picks = tuple(int(i) for i in np.flatnonzero(along == scale))
        taken = site.at(f"take{k}").add(Select(axis, picks, axis), view.name)
        form = replace(stated, scale=float(scale)).format()
        parts.append(site.at(f"part{k}").add(Requantize((form,)), taken))
        order.extend(picks)
    joined = viewed(site, site.add(Concat(axis), *parts), names, view, view.index.shape)
    return joined.at(joined.index.take(np.argsort(order), axis=place))


def signs(site: Site) -> View:
    """A BipolarQuant: its scale if x is not negative, else minus that. Raises CompileError for a scale that
    is not a fixed-point number."""
    scale = site.constant(1).astype(np.float64)
    if ((scale * 2.0**FINEST) % 1).any():
        raise site.refuse(
            f"has the scale {scale.ravel()[0]:g}, which is no multiple of 2**-{FINEST}",
            "give scales that are powers of two, as 1 or 0.5",
        )
    view = everything(site, site.scalar())
    one = constant(site.at("one"), np.ones(1), Type(S, ()))
    last = site if (scale == 1).all() else site.at("sign")
    found = replace(view, name=last.add(SignSelect(), one, view.name))
    return found if last is site else scaled(site, *wide(site, found, scale))


def truncated(site: Site) -> View:
    """A Trunc of version 1 or 2 of the domain, which differ in their inputs: x, scale, zero point, bits of x,
    then bits of the result, or scale and bits of the result. x is first rounded to its scale, with two bits
    more than it says. Version 1 multiplies the result by the scale of x. Raises CompileError for what is not
    fixed point."""
    second = len(site.node.input) == 6
    scale, zero, *more = (_number(site, k) for k in range(1, len(site.node.input)))
    if zero:
        raise site.refuse("has a zero point", "quantize symmetrically, with the zero point 0")
    given = _settings(site, ("signed", "narrow") if second else ())
    bits, out = int(more[0]), int(more[-1])
    _check_powers(site, np.array([scale, *more[1:-1]]))
    mode = bytes(given.get("rounding_mode", b"FLOOR")).decode()
    if second:
        last = QuantNode(more[1], out, bool(given.get("signed", 1)), bool(given.get("narrow", 0)), mode)
    else:
        last = QuantNode(scale * 2.0 ** (bits - out), out + 2, True, False, mode)
    view = _on_grid(site, site.scalar(), scale, bits + 2)
    if second or bits == out:
        return each(site, Requantize((last.format(),)), view)
    kept = each(site.at("kept"), Requantize((last.format(),)), view)
    return scaled(site, kept, np.full(kept.index.shape, 2.0 ** (out - bits)))


def _on_grid(site: Site, view: View, scale: float, bits: int) -> View:
    """Return values as multiples of a scale, rounded to these unless they are known to be."""
    known = site.state.nodes[view.name].op.rounds_to()
    if known and all(f.lsb >= scale for f in known):
        return view
    form = Fixed(bits, bits + frexp(scale)[1] - 1, True, Rounding.RND_CONV, Overflow.SAT)
    return each(site.at("grid"), Requantize((form,)), view)


def _number(site: Site, k: int) -> float:
    found = site.constant(k)
    if found.size != 1:
        raise site.refuse(f"has {found.size} numbers as input {k}", "give one for all channels")
    return float(found.item())


def _settings(site: Site, flags: tuple[str, ...]) -> dict[str, Any]:
    given = {a.name: helper.get_attribute_value(a) for a in site.node.attribute}
    wrong = [n for n in given if n not in ("rounding_mode", *flags)]
    if wrong:
        raise site.refuse(
            f"has the attribute {wrong[0]!r}", f"expected {', '.join(('rounding_mode', *flags))}"
        )
    return given


def _check_powers(site: Site, scales: np.ndarray) -> None:
    odd = [float(s) for s in scales.ravel() if not (np.isfinite(s) and frexp(float(s))[0] == 0.5)]
    if odd:
        raise site.refuse(
            f"has the scale {odd[0]}",
            "expected a power of two: train with quantizers of fixed point (Brevitas: ..FixedPoint)",
        )


VALUES = {"BipolarQuant": signs, "Trunc": truncated}
"""Operators of QONNX on values that are several ops."""
