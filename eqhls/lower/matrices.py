"""Matrices of constants: parts of their entries, and bounds of their rows."""

from __future__ import annotations

from collections.abc import Sequence

from eqhls.fixed import Num

MATRIX_BITS = 12
"""Bits of the parts of a matrix whose entries have more than alkaid may multiply with."""
Matrix = Sequence[Sequence[int]]


def part(matrix: Matrix, which: int) -> list[list[int]]:
    """Return the high (0) or the low (1) part of the entries of a matrix."""
    digits = [[divmod(abs(m), 1 << MATRIX_BITS)[which] for m in row] for row in matrix]
    return [
        [d if m > 0 else -d for d, m in zip(*pair, strict=True)] for pair in zip(digits, matrix, strict=True)
    ]


def row_span(row: Sequence[int], x: Sequence[Num]) -> tuple[int, int]:
    """Return the smallest and the largest sum of factors times numbers."""
    spans = [sorted((m * n.lo, m * n.hi)) for m, n in zip(row, x, strict=True)]
    return sum(s[0] for s in spans), sum(s[1] for s in spans)
