"""Complex tensors of a graph: real values with complex coefficients.

A complex channel of an irrep is a combination of real tensors of S, V, F or T. Products multiply the
real ones (`eqhls.groups.realform`); the coefficients wait until a complex mix folds them into its
real weights, so that no op knows about complex numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.fixed.ordered import ordered_product
from eqhls.groups.lorentz.complexcg import complex_tables
from eqhls.groups.lorentz.realform import DUAL_PHASE, phases, real_form
from eqhls.ir.graph import Builder
from eqhls.ir.op import Op, Tensor
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.select import Select

Coefficients = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class ComplexTensor:
    """x_k = sum_n coefficients[k, n] e(value[n]), k over complex channels, n over the axis c."""

    irrep: str
    value: str
    coefficients: Coefficients

    @property
    def channels(self) -> int:
        return len(self.coefficients)


def standard(irrep: str, value: str, channels: int) -> ComplexTensor:
    """Return channels stored as re, im, re, im, .. (f and g: one real tensor each)."""
    units: Coefficients = np.kron(np.eye(channels), phases(irrep)).astype(np.complex128)
    return ComplexTensor(irrep, value, units)


def each(b: Builder, name: str, op: Op, x: ComplexTensor, *others: str) -> ComplexTensor:
    """Apply a real-linear op that keeps channels apart."""
    return replace(x, value=b.add(name, op, x.value, *others))


def product(
    b: Builder, name: str, left: ComplexTensor, right: ComplexTensor, out: str, normed: bool = True
) -> list[ComplexTensor]:
    """Append the real products of one complex path, channel by channel.

    Their sum is the complex product: with the factor lambda of the reference, or without. The factor
    with more axes comes first and gives their order.
    """
    table = complex_tables()[left.irrep, right.irrep, out]
    scale = table.factor if normed else 1.0
    if len(b.type(right.value).axes) > len(b.type(left.value).axes):
        left, right, scale = right, left, scale * table.swap
    pairs = [
        (k, x, y)
        for k in range(left.channels)
        for x in np.flatnonzero(left.coefficients[k])
        for y in np.flatnonzero(right.coefficients[k])
    ]
    coefficients = np.zeros((left.channels, len(pairs)), dtype=complex)
    for n, (k, x, y) in enumerate(pairs):
        coefficients[k, n] = scale * left.coefficients[k, x] * right.coefficients[k, y]
    a = _selected(b, f"{name}.a", left.value, [int(x) for _, x, _ in pairs])
    c = _selected(b, f"{name}.b", right.value, [int(y) for _, _, y in pairs])
    return [
        ComplexTensor(out, b.add(f"{name}.{n}", CgProduct(term.path), a, c), coefficients * term.coefficient)
        for n, term in enumerate(real_form(left.irrep, right.irrep, out))
    ]


def _selected(b: Builder, name: str, value: str, channels: list[int]) -> str:
    if channels == list(range(b.type(value).size("c"))):
        return value
    return b.add(name, Select("c", tuple(channels), "c"), value)


def joined(b: Builder, name: str, parts: Sequence[ComplexTensor]) -> str:
    """Append the values of some complex tensors side by side."""
    return parts[0].value if len(parts) == 1 else b.add(name, Concat("c"), *(p.value for p in parts))


def mix(
    b: Builder, name: str, weight: Coefficients, blocks: Sequence[Sequence[ComplexTensor]]
) -> ComplexTensor:
    """Append y = weight @ [blocks], complex and channel by channel; each block is a sum of tensors."""
    parts = [p for block in blocks for p in block]
    starts = np.cumsum([0, *(block[0].channels for block in blocks)])
    columns = np.concatenate(
        [
            ordered_product(weight[:, start : start + p.channels], p.coefficients)
            for start, block in zip(starts, blocks, strict=False)
            for p in block
        ],
        axis=1,
    )
    irrep = parts[0].irrep
    real = interleaved(np.real(columns), np.imag(columns))
    op = ChannelMix(Tensor(real))
    if irrep in DUAL_PHASE:
        op = ChannelMix(Tensor(np.real(columns)), None, Tensor(DUAL_PHASE[irrep] * np.imag(columns)))
    source = joined(b, f"{name}.z", parts)
    return standard(irrep, b.add(name, op, source), len(weight))


def interleaved(real: NDArray[Any], imag: NDArray[Any]) -> NDArray[np.float64]:
    """Return rows re, im, re, im, .. of two matrices of equal shape."""
    return np.stack([real, imag], axis=1).reshape(-1, *real.shape[1:])
