"""Softmax and its kin, by tables whose ranges are known: no format depends on the events."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, e, log2, prod

from eqhls.frontends.scalars.build.arithmetic import added, largest, multiplied, subtracted, summed
from eqhls.frontends.scalars.build.functions import ranged, share, tabled
from eqhls.frontends.scalars.build.tensors import opened, reshaped
from eqhls.frontends.scalars.site import Site, Value
from eqhls.ir.op import Tensor
from eqhls.ops.table import Activation, Table

DISTANCE = share(10, 4)
"""How far a logit may lie below the largest, in steps of 1/64: exp(-16) is 0 for every purpose."""
WEIGHT = share(12, 1)
"""exp of minus a distance, at most 1."""


_FROM_ONE, _LINE = Tensor([0.0, 1.0, 2.0]), Tensor([[1.0, 1.0, 2.0]])
"""A sum of weights as it is, from 1 on: the largest of them is 1."""


def softmax(site: Site, x: Value, places: Sequence[int]) -> Value:
    """Return exp(x) / sum of exp(x) over some places of the shape."""
    weights, total = _weights(site, opened(site, x), places)
    op = Table(_FROM_ONE, _LINE, Activation.POWER, out=WEIGHT, parameters=Tensor([[-1.0]]))
    inverse = Value(site.add(op, total.name, part="inverse"), total.shape, total.axes)
    return multiplied(site, weights, inverse)


def log_softmax(site: Site, x: Value, places: Sequence[int]) -> Value:
    """Return x - log(sum of exp(x)) over some places of the shape."""
    x = opened(site, x)
    return subtracted(site, x, log_sum(site, x, places, keep=True))


def log_sum(site: Site, x: Value, places: Sequence[int], keep: bool = False) -> Value:
    """Return log(sum of exp(x)) over some places of the shape: the largest x, and a little."""
    x = opened(site, x)
    total = _weights(site, x, places)[1]
    size = prod(x.shape[p] for p in places)
    op = Table(_FROM_ONE, _LINE, Activation.LOG, out=share(12, _bits(size)))
    more = Value(site.add(op, total.name, part="logarithm"), total.shape, total.axes)
    y = added(site, largest(site, x, places, keep=True), more)
    return y if keep else reshaped(site, y, tuple(s for k, s in enumerate(x.shape) if k not in places))


def _weights(site: Site, x: Value, places: Sequence[int]) -> tuple[Value, Value]:
    """Return exp(x - its largest) and the sum of that, which lies between 1 and the number of terms."""
    top = largest(site, x, places, keep=True)
    below = ranged(site, subtracted(site, top, x), DISTANCE)
    weights = tabled(site, below, Activation.EXP2, -log2(e), out=WEIGHT)
    total = summed(site, weights, places, keep=True)
    return weights, ranged(site, total, share(10, _bits(prod(x.shape[p] for p in places))))


def _bits(terms: int) -> int:
    """Return the integer bits of a sum of `terms` numbers of at most 1."""
    return max(ceil(log2(terms + 1)), 1)
