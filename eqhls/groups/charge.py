"""Charges: how a value adds under symmetries of one parameter each.

A turn about the beam adds the same angle to every phi, a boost along the beam the same step to every
rapidity, a dilation the same step to every logarithm of a momentum. A value of charge q moves by q times the
step, so that sums and differences of values have the sums and differences of their charges, and only what has
none may enter a function. Angles are given in steps of which a turn has `modulus`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Charge:
    """The value moves by `factor` times the step of the symmetry `name`; modulo `modulus`, unless it is 0.
    Both the step and the modulus are in units of the value. With factor 0 the value stays, but is known up to
    multiples of the modulus only."""

    name: str
    factor: int
    modulus: int = 0

    def __str__(self) -> str:
        size = "" if abs(self.factor) == 1 else abs(self.factor)
        turn = f"%{self.modulus}" if self.modulus else ""
        return f"{'-' if self.factor < 0 else '+'}{size}{self.name}{turn}"


Charges = tuple[Charge, ...]
NEUTRAL: Charges = ()
"""What nothing moves."""
_CHARGE = re.compile(r"([+-])(\d*)([a-z][a-z_]*)(?:%(\d+))?")
PATTERN = r"(?:[+-]\d*[a-z][a-z_]*(?:%\d+)?)*"
"""Any number of charges as they are printed, without groups."""


def parse_charges(text: str) -> Charges:
    """Read what a tuple of charges prints. Raises ValueError for anything else."""
    found = [
        Charge(name, int(f"{sign}{size or 1}"), int(modulus or 0))
        for sign, size, name, modulus in _CHARGE.findall(text)
    ]
    if "".join(map(str, found)) != text:
        raise ValueError(f"the charges {text!r} are not of the form +phi%1440-2eta")
    return checked(found)


def checked(charges: Iterable[Charge]) -> Charges:
    """Return charges in the order of their names. Raises ValueError for a charge that is there twice, or that
    moves nothing."""
    found = tuple(sorted(charges))
    names = [c.name for c in found]
    if len(set(names)) != len(names):
        raise ValueError(f"the charges {''.join(map(str, found))} name one symmetry twice")
    if any(c.modulus < 0 or not (c.factor or c.modulus) for c in found):
        raise ValueError(f"the charges {''.join(map(str, found))} hold one that moves nothing")
    return found


def combined(parts: Sequence[tuple[int, Charges]]) -> Charges:
    """Return the charges of a sum of values with integer factors. Raises ValueError if a symmetry has two
    moduli among them."""
    sums: dict[str, tuple[int, int]] = {}
    for factor, charges in parts:
        for charge in charges:
            before, modulus = sums.get(charge.name, (0, charge.modulus))
            if modulus != charge.modulus:
                raise ValueError(f"{charge.name} is counted modulo {modulus} and modulo {charge.modulus}")
            sums[charge.name] = (before + factor * charge.factor, modulus)
    return tuple(Charge(n, q, m) for n, (q, m) in sorted(sums.items()) if q or m)
