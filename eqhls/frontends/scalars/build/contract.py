"""Matrices and products of tensors."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import ArrayLike

from eqhls.frontends.scalars.build.arithmetic import TIMES, affine, multiplied, summed
from eqhls.frontends.scalars.build.tensors import constant, opened, renamed, reshaped, settled, transposed
from eqhls.frontends.scalars.site import Site, Value
from eqhls.ir.op import Tensor
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.dense import Dense
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.select import Select


def dense(site: Site, x: Value, kernel: ArrayLike, bias: ArrayLike | None = None) -> Value:
    """Return x kernel + bias along the last axis; the kernel has the shape (in, out)."""
    weight = np.asarray(kernel, dtype=np.float64).T
    offset = None if bias is None else Tensor(np.broadcast_to(np.asarray(bias), len(weight)))
    shape = (*x.shape[:-1], len(weight))
    if prod(x.shape[:-1]) == 1:
        return Value(site.add(Dense(Tensor(weight), offset), settled(site, x).name, part="sum"), shape)
    x = opened(site, x)
    assert x.axes is not None
    axis = x.axes[-1]
    if not axis:
        return affine(site, multiplied(site, x, weight[:, 0]), 1.0, None if offset is None else offset.array)
    name = site.add(ChannelMix(Tensor(weight), offset, axis=axis), x.name, part="sum")
    if len(weight) > 1:
        return Value(name, shape, x.axes)
    return Value(site.add(Select(axis, (0,)), name, part="single"), shape, (*x.axes[:-1], ""))


def matmul(site: Site, a: Value | ArrayLike, b: Value | ArrayLike) -> Value:
    """Return the matrix product over the last axis of `a` and the last but one of `b`, as NumPy's; either
    may be an array of constants."""
    first, second = (len(v.shape) if isinstance(v, Value) else np.ndim(v) for v in (a, b))
    lead = "abcdefgh"[: max(first, second, 2) - 2]
    left = f"{lead[len(lead) - first + 2 :] if first > 2 else ''}mk" if first > 1 else "k"
    right = f"{lead[len(lead) - second + 2 :] if second > 2 else ''}kn" if second > 1 else "k"
    out = lead + ("m" if first > 1 else "") + ("n" if second > 1 else "")
    return einsum(site, f"{left},{right}->{out}", a, b)


def einsum(site: Site, equation: str, a: Value | ArrayLike, b: Value | ArrayLike) -> Value:
    """Return the sum of products that an equation of two operands names, letters for axes but the events."""
    inputs, out = equation.replace(" ", "").split("->")
    left, right = inputs.split(",")
    if any(len(set(letters)) != len(letters) for letters in (left, right, out)):
        raise site.refuse(f"takes a diagonal ({equation})", "give each axis of an operand its own letter")
    if not isinstance(a, Value):
        a, b, left, right = b, a, right, left
    if not isinstance(a, Value):
        raise site.refuse("multiplies two constants", "fold them")
    if isinstance(b, Value):
        return _product(site, (a, left), (b, right), out)
    kernel = np.asarray(b, dtype=np.float64)
    shared = [c for c in right if c in left and c not in out]
    if shared and not any(c in left and c in out for c in right):
        return _mixed(site, a, left, kernel, right, out)
    return _product(site, (a, left), (constant(site, kernel), right), out)


def _mixed(site: Site, x: Value, left: str, kernel: np.ndarray, right: str, out: str) -> Value:
    """Multiply by a matrix of constants along the axes that go."""
    gone = [c for c in left if c in right]
    alone = [k for k, c in enumerate(left) if c not in right and c not in out]
    x = summed(site, x, alone, keep=True) if alone else x
    left_out = [c for c in left if c not in right and c in out]
    new = [c for c in right if c not in left and c in out]
    sizes = dict(zip(left, x.shape, strict=True)) | dict(zip(right, kernel.shape, strict=True))
    places = {c: k for k, c in enumerate(right)}
    summed_out = tuple(k for k, c in enumerate(right) if c not in left and c not in out)
    order = [places[c] for c in (*gone, *new)] + list(summed_out)
    matrix = kernel.transpose(order).reshape(prod(sizes[c] for c in gone), prod(sizes[c] for c in new), -1)
    rest = [c for c in left if c not in gone and c not in left_out]
    turned = transposed(site, x, tuple(left.index(c) for c in (*left_out, *rest, *gone)))
    lead = tuple(sizes[c] for c in left_out)
    flat = reshaped(site, turned, (*lead, prod(sizes[c] for c in gone)))
    mixed = reshaped(site, dense(site, flat, matrix.sum(axis=-1)), (*lead, *(sizes[c] for c in new)))
    made = [*left_out, *new]
    return transposed(site, mixed, tuple(made.index(c) for c in out))


def _product(site: Site, left: tuple[Value, str], right: tuple[Value, str], out: str) -> Value:
    """Multiply two values with the same letters, and sum over those that go."""
    values = list[Value]()
    letters = list[str]()
    for (x, mine), (_, other) in ((left, right), (right, left)):
        alone = [k for k, c in enumerate(mine) if c not in other and c not in out]
        x = summed(site, x, alone) if alone else x
        mine = "".join(c for c in mine if c in other or c in out)
        values.append(renamed(site, x, tuple(f"e{c}" for c in mine)))
        letters.append(mine)
    a, b = values
    sizes: dict[str, int] = {}
    for x, mine in zip(values, letters, strict=True):
        for c, s in zip(mine, x.shape, strict=True):
            sizes[c] = max(s, sizes.get(c, 1))
    both = [c for c in letters[0] if c in letters[1] and c not in out and sizes[c] > 1]
    op = PairSum(f"e{both[0]}") if both else CgProduct(TIMES)
    name = site.add(op, a.name, b.name, part="product")
    for c in both[1:]:
        name = site.add(ParticleSum(f"e{c}"), name, part=f"over_{c}")
    return Value(name, tuple(sizes[c] for c in out), tuple(f"e{c}" if sizes[c] > 1 else "" for c in out))
