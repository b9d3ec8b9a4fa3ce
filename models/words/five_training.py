"""What the training of five classes needs: roundings that gradients pass, bends of functions, a loop.

Functions work on float32 and float64 alike. Training runs in float32; with float64 integers are exact up to
2^53, so that the network that was trained can be held bit for bit against the graph that is built from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray

from eqhls.fixed import Fixed, Rounding
from eqhls.ops.log2 import Log2

Array = Any
Weights = dict[str, Array]
Loss = Callable[[Weights, dict[str, Array]], Array]
"""Weights and a batch to the mean loss."""

RISE, START, LEAST = 0.3, 0.04, 1e-5
FIRST, SECOND, TINY = 0.9, 0.999, 1e-7


@dataclass(frozen=True)
class Phase:
    """One cycle of training: epochs, highest rate, and whether numbers are rounded as in hardware."""

    epochs: int
    rate: float
    rounded: bool


def straight(smooth: Array, rounded: Array) -> Array:
    """Return `rounded` with the gradient of `smooth`."""
    return smooth + jax.lax.stop_gradient(rounded - smooth)


def bounded(x: Array, form: Fixed) -> Array:
    """Return x, saturated to the range of a format."""
    return jnp.clip(x, form.lo * form.lsb, form.hi * form.lsb)


def fixed(x: Array, form: Fixed) -> Array:
    """Return x rounded to a format, to the nearest with halves up or down, and saturated."""
    if form.rounding not in (Rounding.RND, Rounding.TRN):
        raise ValueError(f"found {form}, expected RND or TRN: no other rounding is trained")
    kept, half = bounded(x, form), 0.5 if form.rounding is Rounding.RND else 0.0
    return straight(kept, jnp.floor(kept / form.lsb + half) * form.lsb)


def nearest(x: Array, levels: Sequence[float]) -> Array:
    """Return the nearest of the levels."""
    allowed = jnp.asarray(levels, x.dtype)
    return straight(x, allowed[jnp.argmin(jnp.abs(x[..., None] - allowed), -1)])


def log_code(op: Log2, x: Array, frac: int) -> Array:
    """Return what `op` makes of numbers x of `frac` fraction bits, with the gradient of the logarithm."""
    shifts = range(0, 64, op.step)
    cells = [[op.code(c, s, frac) for c in range(1 << op.window)] for s in shifts]
    table = jnp.asarray(np.array(cells) * 2.0**-op.frac, x.dtype)
    smooth = jnp.minimum(jnp.log2(jnp.maximum(x, op.floor) / op.floor), op.top)
    v = jnp.floor(jnp.maximum(x, 0) * 2.0**op.point)
    bits = jnp.frexp(jnp.maximum(v, 1.0))[1]
    place = jnp.where(bits > op.window, -((op.window - bits) // op.step), 0)
    cell = jnp.floor(v * 2.0 ** (-float(op.step) * place.astype(x.dtype)))
    return straight(smooth, table[place, jnp.minimum(cell, (1 << op.window) - 1).astype(int)])


def bends(knots: NDArray[Any], grid: NDArray[Any]) -> NDArray[Any]:
    """Return functions whose sum is trained, (knots, grid): a constant, a line, a bend at every inner knot.
    One step of the optimiser moves the function over its whole range."""
    unit = (knots[-1] - knots[0]) / 4
    hats = np.stack([np.interp(grid, knots, row) for row in np.eye(len(knots))])
    inner = [np.maximum(knots - k, 0.0) / unit for k in knots[1:-1]]
    return np.stack([np.ones_like(knots), (knots - knots[0]) / (2 * unit), *inner]) @ hats


def rate(step: Array, steps: int, peak: float) -> Array:
    """Up to `peak` over the first part of the steps, then down to zero as a cosine."""
    t = step / steps
    up = 0.5 - 0.5 * jnp.cos(jnp.pi * jnp.minimum(t / RISE, 1.0))
    down = 0.5 + 0.5 * jnp.cos(jnp.pi * jnp.clip((t - RISE) / (1 - RISE), 0.0, 1.0))
    return peak * (START + (1 - START) * up) * down + LEAST


def fit(
    loss: Loss,
    weights: Weights,
    data: dict[str, Array],
    phase: Phase,
    seed: int,
    batch: int = 256,
    decay: float = 1e-4,
) -> tuple[Weights, float]:
    """Return weights after one cycle of AdamW on `data`, arrays by name events first, and the last loss."""
    flat, unravel = ravel_pytree(weights)
    events = len(next(iter(data.values())))
    count = events // batch
    steps = phase.epochs * count

    def step(state: tuple[Array, Array, Array, Array], rows: Array) -> tuple[tuple[Array, ...], Array]:
        w, m, v, i = state
        part = {k: a[rows] for k, a in data.items()}
        value, g = jax.value_and_grad(lambda x: loss(unravel(x), part))(w)
        g = g / jnp.maximum(jnp.linalg.norm(g), 1.0)
        m, v = FIRST * m + (1 - FIRST) * g, SECOND * v + (1 - SECOND) * g * g
        r = rate(i, steps, phase.rate)
        mean, size = m / (1 - FIRST ** (i + 1)), jnp.sqrt(v / (1 - SECOND ** (i + 1)))
        return (w * (1 - r * decay) - r * mean / (size + TINY), m, v, i + 1), value

    epoch = jax.jit(lambda state, rows: jax.lax.scan(step, state, rows))
    state = (flat, jnp.zeros_like(flat), jnp.zeros_like(flat), jnp.zeros((), flat.dtype))
    rng, last = np.random.default_rng(seed), float("nan")
    for _ in range(phase.epochs):
        rows = rng.permutation(events)[: count * batch].reshape(count, batch)
        state, values = epoch(state, jnp.asarray(rows))
        last = float(values.mean())
    return unravel(state[0]), last
