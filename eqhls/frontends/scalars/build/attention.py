"""Attention: scores of queries and keys, softmax over the keys, sums of values."""

from __future__ import annotations

from eqhls.frontends.scalars.build.arithmetic import scaled
from eqhls.frontends.scalars.build.contract import einsum
from eqhls.frontends.scalars.build.softmax import softmax
from eqhls.frontends.scalars.site import Site, Value


def attended(site: Site, query: Value, key: Value, value: Value, scale: float) -> Value:
    """Return softmax(scale q k) v for queries (T, heads, d), keys (S, heads, d) and values (S, heads, d)."""
    scores = einsum(site.at("scores"), "thd,shd->hts", scaled(site.at("query"), query, scale), key)
    weights = softmax(site.at("softmax"), scores, (2,))
    return einsum(site.at("values"), "hts,shd->thd", weights, value)
