"""Formats of a tensor: a tuple that is asked by component."""

from __future__ import annotations

import numpy as np
import pytest

from eqhls.fixed import Fixed, Formats
from eqhls.groups.lorentz.reps import V
from eqhls.ir.types import Type

A, B = Fixed(8, 4), Fixed(6, 2, False)


def test_one_format_is_that_of_every_component() -> None:
    one, each = Formats((A,)), Formats((A, B))
    assert [one[c] for c in range(4)] == [A] * 4 and one.each(3) == (A, A, A)
    assert (each[0], each[1]) == (A, B) and each.each(2) == (A, B)
    for formats in (each, Formats()):
        with pytest.raises(IndexError):
            _ = formats[2]


def test_it_is_the_tuple_that_it_holds() -> None:
    formats = Formats((A, B))
    assert formats == (A, B) and hash(formats) == hash((A, B)) and str(formats) == str((A, B))
    assert list(formats) == [A, B] and len(formats) == 2 and not Formats() and formats != Formats((B, A))
    assert formats[:1] == (A,) and isinstance(formats[:1], Formats)


def test_the_arrays_broadcast_over_components() -> None:
    raw = np.array([[3, 5]])
    np.testing.assert_array_equal(raw * Formats((A, B)).lsb, [[3 * A.lsb, 5 * B.lsb]])
    np.testing.assert_array_equal(raw * Formats((A,)).lsb, raw * A.lsb)
    np.testing.assert_array_equal(Formats((A, B)).lo, [A.lo, B.lo])
    np.testing.assert_array_equal(Formats((A, B)).hi, [A.hi, B.hi])


def test_a_type_takes_any_tuple() -> None:
    type = Type(V, formats=(A,))  # pyright: ignore[reportArgumentType]
    assert isinstance(type.formats, Formats) and type.formats[3] == A and str(type) == f"V.xyz[]:{A}"
