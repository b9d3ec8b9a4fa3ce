"""Files of columns, whatever their format: names, number of entries, and chunks that fit the memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from eqhls.events.hep.columns import Columns

CHUNK = 64 << 20
"""Bytes of columns that are read at once, about."""


class Source(Protocol):
    """A file that is open: what kind it is, its columns with their types, how many entries they have."""

    @property
    def kind(self) -> str: ...
    @property
    def tree(self) -> str: ...
    @property
    def columns(self) -> Mapping[str, str]: ...
    @property
    def entries(self) -> int: ...
    def chunks(self, names: Sequence[str], first: int, behind: int) -> Iterator[Columns]:
        """Read columns of the entries from `first` up to `behind`, chunk by chunk."""
        ...

    def close(self) -> None: ...
