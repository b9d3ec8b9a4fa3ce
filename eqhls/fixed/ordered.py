"""Sums of products in one order, and functions rounded once: the same bits on every processor.

A BLAS adds in an order that depends on the processor, and NumPy's vectorized exponentials and powers differ
by a last bit between instruction sets. Numbers that reach a file, a weight or a table go through this module;
evaluations of many events, which nothing stores, need not.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]


def ordered_einsum(subscripts: str, *factors: Numbers) -> Numbers:
    """Return what numpy.einsum returns for `a,b,..->c`, each sum from the first term to the last.

    Only element-wise products and sums are used, which IEEE 754 rounds alike everywhere; complex ones are
    made of real ones, for a fused multiply-add would round them otherwise.
    """
    arrays = [np.asarray(f) for f in factors]
    for k, array in enumerate(arrays):
        if np.iscomplexobj(array):
            before, after = arrays[:k], arrays[k + 1 :]
            real, imaginary = (
                ordered_einsum(subscripts, *before, part, *after) for part in (np.real(array), np.imag(array))
            )
            return _complex(real, imaginary)
    left, out = subscripts.replace(" ", "").split("->")
    terms = left.split(",")
    summed = [c for c in dict.fromkeys("".join(terms)) if c not in out]
    sizes = {c: n for term, f in zip(terms, arrays, strict=True) for c, n in zip(term, f.shape, strict=True)}
    spread = [_spread(f, term, [*summed, *out]) for f, term in zip(arrays, terms, strict=True)]
    total: Numbers = np.zeros([sizes[c] for c in out])
    for index in np.ndindex(*(sizes[c] for c in summed)):
        term: Numbers = np.ones(())
        for part in spread:
            place = tuple(i if n > 1 else 0 for i, n in zip(index, part.shape, strict=False))
            term = term * part[place]
        total = total + term
    return total


def _complex(real: Numbers, imaginary: Numbers) -> Numbers:
    """Return real + i imaginary, if both may be complex already."""
    whole = np.empty(real.shape, dtype=np.complex128)
    whole.real = np.real(real) - np.imag(imaginary)
    whole.imag = np.imag(real) + np.real(imaginary)
    return whole


def _spread(array: Numbers, letters: str, order: list[str]) -> Numbers:
    """Bring the axes into an order, with axes of size 1 for letters that an array lacks."""
    assert len(set(letters)) == len(letters), "no diagonals"
    have = sorted(range(len(letters)), key=lambda k: order.index(letters[k]))
    shape = [array.shape[letters.index(c)] if c in letters else 1 for c in order]
    assert prod(shape) == array.size
    return np.transpose(array, have).reshape(shape)


def ordered_product(a: Numbers, b: Numbers) -> Numbers:
    """Return the matrix product a @ b of shapes (.., k) and (k, m), or (.., k) and (k,), summed in order."""
    lead = "uvwxyz"[: a.ndim - 1]
    tail = "m" if b.ndim == 2 else ""
    return ordered_einsum(f"{lead}k,k{tail}->{lead}{tail}", a, b)


def power(x: Any, exponent: Any) -> NDArray[np.float64]:
    """Return x**exponent, computed with more bits and rounded to float64 once."""
    wide = np.power(np.asarray(x, dtype=np.longdouble), np.asarray(exponent, dtype=np.longdouble))
    return np.asarray(wide, dtype=np.float64)


def rounded_once(function: Callable[[Any], Any], x: Any) -> NDArray[np.float64]:
    """Return a function of float64 numbers, computed with more bits and rounded to float64 at the end, so
    that the last bit does not depend on the processor's instructions."""
    return np.asarray(function(np.asarray(x, dtype=np.longdouble)), dtype=np.float64)
