"""Sums of products by letters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from eqhls.frontends.onnx.algebra import Numbers
from eqhls.frontends.onnx.built import place_of, value_of, viewed
from eqhls.frontends.onnx.rules.entry import Entry
from eqhls.frontends.onnx.site import Site
from eqhls.frontends.onnx.views import View
from eqhls.frontends.scalars.build.contract import einsum

LETTERS = "ABCDEFGH"
"""What stands for the axes of an ellipsis."""


def summed_by_letters(site: Site, given: dict[str, Any]) -> View:
    """Einsum of two operands, one of which may be a constant."""
    text = given["equation"].decode().replace(" ", "")
    if len(site.node.input) != 2 or text.count("->") != 1 or text.count(",") != 1:
        raise site.refuse(f"has the equation {text!r}", "give two operands and the letters of the result")
    operands = [_operand(site, k) for k in (0, 1)]
    views = [v if isinstance(v, View) else None for v in operands]
    ranks = [v.rank if isinstance(v, View) else v.ndim for v in operands]
    letters = _letters(site, text, ranks)
    events = {word[v.event] for word, v in zip(letters, views, strict=False) if v is not None}
    if len(events) != 1 or any(v is not None and v.index.shape[v.event] != 1 for v in views):
        raise site.refuse(f"counts events by different letters ({text})", "keep the events in one axis")
    (event,) = events
    constant = next((k for k in (0, 1) if views[k] is None), None)
    if event not in letters[2] or (constant is not None and event in letters[constant]):
        raise site.refuse(f"sums or multiplies events ({text})", "every event is computed by itself")
    like = next(v for v in views if v is not None)
    a, b = (value_of(site.at(f"of{k}"), v) if isinstance(v, View) else v for k, v in enumerate(operands))
    found = einsum(place_of(site), f"{letters[0]},{letters[1]}->{letters[2]}", a, b)
    return replace(viewed(site, found, like), event=letters[2].index(event))


def _operand(site: Site, k: int) -> View | Numbers:
    values = site.known(k)
    return site.scalar(k) if values is None else values.astype(np.float64)


def _letters(site: Site, text: str, ranks: list[int]) -> list[str]:
    """Return the letters of both operands and of the result, those of an ellipsis spelled out."""
    inputs, out = text.split("->")
    words = inputs.split(",")
    free = [rank - len(word.replace("...", "")) for word, rank in zip(words, ranks, strict=True)]
    widest = max((f for f, word in zip(free, words, strict=True) if "..." in word), default=0)
    if any(f < 0 or (f > 0 and "..." not in word) for f, word in zip(free, words, strict=True)):
        raise site.refuse(f"has the equation {text!r} for tensors of {ranks} axes")
    spelled = [w.replace("...", LETTERS[widest - f : widest]) for w, f in zip(words, free, strict=True)]
    return [*spelled, out.replace("...", LETTERS[:widest])]


RULES: dict[str, Entry] = {
    "Einsum": Entry(
        summed_by_letters, "`PairSum` or `ChannelMix`", "of two operands, events in one axis", ("equation",)
    )
}
