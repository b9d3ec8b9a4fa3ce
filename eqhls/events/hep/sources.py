"""Files of columns, whatever their format: names, number of entries, and chunks that fit the memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from eqhls.errors import CompileError
from eqhls.events.hep.columns import REMEDY, Columns

CHUNK = 16 << 20
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


@contextmanager
def reading(path: Path, kind: str) -> Generator[None]:
    """Turn what the library of a kind of file says against one into a CompileError."""
    try:
        yield
    except CompileError:
        raise
    except ImportError as error:
        raise CompileError(f"{kind} files", f"need another package ({error})", REMEDY) from None
    except Exception as error:
        said = (str(error).strip("'\" \n").splitlines() or [type(error).__name__])[0]
        squeezed = kind == "HDF5" and ("filter" in said or "plugin" in said)
        remedy = (
            "compress it by zlib, or not at all: ptrepack --complib zlib" if squeezed else "write it again"
        )
        raise CompileError(str(path), f"is not a readable {kind} file ({said})", remedy) from None
