"""Random arithmetic on `Num`: the same seed builds the same expressions on every engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Num, const, constant_matmul, select

WIDEST = 30
TABLE = 1024


def grow(seed: int, inputs: Sequence[Num], steps: int, wide: bool = False) -> list[Num]:
    """Return the inputs and what `steps` random operations make of them and of each other, with words of up
    to 30 bits, or `wide` ones of up to 63 bits, with constants as wide."""
    rng = np.random.default_rng(seed)
    pool = list(inputs)
    for _ in range(steps):
        pick = [pool[int(rng.integers(len(pool)))] for _ in range(3)]
        try:
            new = (_wide_operation if wide else _operation)(rng, *pick)
        except CompileError:
            continue
        pool += [
            x for x in new if not x.is_const and _width(x) <= (63 if wide else WIDEST) and abs(x.frac) < 25
        ]
    return pool


def inputs_of(seed: int, count: int = 4, wide: bool = False) -> list[Fixed]:
    rng = np.random.default_rng([seed, 1])
    if wide:
        widths = rng.integers(1, int(rng.choice([8, 20, 40])) + 1, count)
        return [Fixed(int(w), int(w + rng.integers(-3, 4)), bool(rng.integers(2))) for w in widths]
    return [
        Fixed(int(rng.integers(1, 9)), int(rng.integers(-2, 10)), bool(rng.integers(2))) for _ in range(count)
    ]


def _width(x: Num) -> int:
    return Fixed.covering(x.lo, x.hi, x.frac).width


def _operation(rng: np.random.Generator, a: Num, b: Num, c: Num) -> list[Num]:
    """Draw all parameters first, so that every engine draws the same ones."""
    kind, width, shift = (int(v) for v in rng.integers((0, 1, 0), (14, 10, 6)))
    signed, value = bool(rng.integers(2)), int(rng.integers(-40, 41))
    entries, matrix = rng.integers(-60, 60, TABLE), rng.integers(-9, 10, (3, 3))
    match kind:
        case 0:
            return [a + b]
        case 1:
            return [a - b]
        case 2:
            return [a * b]
        case 3:
            return [a * a]
        case 4:
            return [a * const(value, shift)]
        case 5:
            return [a + const(value, shift)]
        case 6:
            return [a.relu()]
        case 7:
            return [a.wrap(width, signed)]
        case 8:
            return [a.floor_bits(shift)]
        case 9:
            return [select(a.negative() if signed else a.nonzero(), b, c)]
        case 10:
            size = a.hi - a.lo + 1
            return [a.lookup([int(e) for e in entries[:size]], shift)] if size <= TABLE else []
        case 11:
            return [a.clamp(-abs(value) - 1, abs(value) + 3)]
        case 12:
            return constant_matmul(matrix, shift, [a, b, c])
        case _:
            return [-a]


def _wide_operation(rng: np.random.Generator, a: Num, b: Num, c: Num) -> list[Num]:
    kind, width, shift = (int(v) for v in rng.integers((0, 1, 0), (10, 40, 12)))
    signed, bits = bool(rng.integers(2)), int(rng.integers(1, 24))
    value = int(rng.integers(-1 << int(rng.integers(1, 60)), 1 << int(rng.integers(1, 60))))
    places = rng.integers(0, int(rng.integers(1, 35)), TABLE)
    entries = [
        int(e) << int(p) for e, p in zip(rng.integers(-1 << bits, 1 << bits, TABLE), places, strict=True)
    ]
    matrix = rng.integers(-1 << bits, 1 << bits, (3, 3))
    bit = a.negative() if signed else a.nonzero()
    match kind:
        case 0:
            return [a + b, a - b, b - a]
        case 1:
            return [a * b if signed else a * a]
        case 2:
            return [a * const(value, shift)]
        case 3:
            return [a + const(value, shift), a + const(value // 3, 0)]
        case 4:
            return [a.wrap(width, signed), a.floor_bits(shift), a.relu()]
        case 5:
            return [select(bit, b, c), select(bit, const(value, b.frac), b)]
        case 6:
            return [select(bit, const(value, b.frac), const(value // 3, b.frac))]
        case 7:
            size = a.hi - a.lo + 1
            return [a.lookup(entries[:size], shift)] if size <= TABLE else []
        case 8:
            return [a.clamp(-abs(value) - 1, abs(value) // 3 + 3)]
        case _:
            return constant_matmul(matrix, shift, [a, b, c])
