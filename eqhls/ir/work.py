"""What an op multiplies and looks up in one event, counted before any format is known."""

from __future__ import annotations

from dataclasses import dataclass

PRODUCT, CONSTANT, LOOKUP = 100, 5, 20
"""LUT for a product of two variables of 14 to 16 bits with its sum, a product with an 8-bit constant
inside a matrix that shares terms, a table: about what alkaid estimates for a calibrated network, twice
what it does for one trained with narrow formats."""


@dataclass(frozen=True, slots=True)
class Work:
    """Products of two variables, products with constants, and table look-ups in one event."""

    products: int = 0
    constants: int = 0
    lookups: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(
            self.products + other.products, self.constants + other.constants, self.lookups + other.lookups
        )

    @property
    def luts(self) -> int:
        """A rough number of LUT if everything is laid out in parallel (II = 1)."""
        return PRODUCT * self.products + CONSTANT * self.constants + LOOKUP * self.lookups
