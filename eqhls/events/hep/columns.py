"""Columns of a file of events: one number per event, rows of equal length, or lists of any length."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.ir.op import Floats
from eqhls.lazy import lazy

REMEDY = "pip install 'eqhls[hep]'"
ak = lazy("awkward", "awkward arrays", REMEDY)


@dataclass(frozen=True, slots=True)
class Lists:
    """A list per event: all values (T,) one behind the other, and how many each event has, counts (B,)."""

    values: Floats
    counts: Ints

    @property
    def events(self) -> Ints:
        """The event of each value, (T,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


Column = NDArray[Any] | Lists
"""Numbers (B,), rows (B, M), or lists of B events."""
Columns = Mapping[str, Column]
SERIES = re.compile(r"(.+_)(\d+)")


def series(names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return columns that count constituents: {"E_*": ("E_0", "E_1", ..)}, in their order, from 0 without a
    gap."""
    found: dict[str, dict[int, str]] = {}
    for name in names:
        match = SERIES.fullmatch(name)
        if match:
            found.setdefault(f"{match[1]}*", {})[int(match[2])] = name
    return {
        k: tuple(v[i] for i in range(len(v)))
        for k, v in found.items()
        if len(v) > 1 and set(v) == {*range(len(v))}
    }


def column_of(where: str, array: Any) -> Column:
    """Return an awkward array of numbers, or of lists of them, as a column. Raises CompileError for missing
    values, text and deeper lists."""
    if array.ndim > 2:
        raise CompileError(
            where, f"holds {array.type}", "name a column with one number or one list per event"
        )
    if array.ndim == 1:
        return _numbers(where, array)
    counts = ak.num(array, axis=1)
    if ak.any(ak.is_none(counts)):
        raise CompileError(where, "has missing events", "give an empty list for an event without particles")
    values = _numbers(where, ak.flatten(array, axis=1))
    return Lists(values.astype(np.float64), np.asarray(ak.to_numpy(counts), dtype=np.int64))


def inner(records: Any, path: str) -> Any:
    """Return a field of awkward records by its name, or one of records inside by OUTER.NAME."""
    if path in ak.fields(records):
        return records[path]
    outer, name = path.split(".", 1)
    return inner(records[outer], name)


def few(names: Sequence[str]) -> str:
    """Return names with commas between them, the first ones if they are many."""
    return ", ".join(names[:12]) + (f", .. ({len(names)} in all)" if len(names) > 12 else "")


def _numbers(where: str, array: Any) -> NDArray[Any]:
    if ak.any(ak.is_none(array)):
        raise CompileError(where, "has missing values", "fill them, or drop those particles")
    try:
        found = np.asarray(ak.to_numpy(array))
    except (ValueError, TypeError):
        raise CompileError(where, f"holds {array.type}", "name a column of numbers") from None
    if found.dtype.kind not in "iufb":
        raise CompileError(where, f"holds {found.dtype}", "name a column of numbers")
    return found
