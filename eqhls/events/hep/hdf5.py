"""HDF5 files, by h5py: tables of pandas in either of its formats, arrays whose columns have names beside
them, and plain datasets."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.errors import CompileError
from eqhls.events.hep.columns import REMEDY, Columns
from eqhls.events.hep.sources import CHUNK, reading
from eqhls.lazy import lazy

h5py = lazy("h5py", "HDF5 files", REMEDY)
MAGIC = b"\x89HDF\r\n\x1a\n"
NAMED = {"jetConstituentList": "particleFeatureNames", "jets": "jetFeatureNames"}
"""Datasets of several columns, and where their names stand, in the files of the hls4ml jets."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column lies: its dataset, the field of a compound type, and the last index, if these exist."""

    data: Any
    field: str = ""
    last: int | None = None

    @property
    def type(self) -> str:
        kind = self.data.dtype[self.field].base if self.field else self.data.dtype
        inner = self.data.shape[1:] if not self.field and self.last is None else self.data.shape[1:-1]
        return f"{kind}" + "".join(f"[{n}]" for n in inner)


@dataclass(frozen=True, slots=True)
class Hdf5File:
    """An HDF5 file that is open, with its columns by name; `tree` is the table of pandas, if it has one."""

    path: Path
    file: Any
    places: Mapping[str, Place]
    entries: int
    tree: str = ""

    @property
    def kind(self) -> str:
        return "HDF5"

    @property
    def columns(self) -> dict[str, str]:
        return {k: p.type for k, p in self.places.items()}

    def chunks(self, names: Sequence[str], first: int, behind: int) -> Iterator[Columns]:
        with reading(self.path, self.kind):
            chosen = {n: self.places[n] for n in names}
            sets = {p.data.name: p.data for p in chosen.values()}
            row = sum(d.dtype.itemsize * int(np.prod(d.shape[1:])) for d in sets.values())
            step = max(1, CHUNK // max(row, 1))
            for start in range(first, behind, step):
                read = {k: d[start : min(start + step, behind)] for k, d in sets.items()}
                yield {n: _column(n, p, read[p.data.name]) for n, p in chosen.items()}

    def close(self) -> None:
        self.file.close()


def dataset_names(path: Path) -> set[str]:
    """Return the names of the datasets at the root of a file."""
    with reading(path, "HDF5"), h5py.File(path, "r") as file:
        return {str(k) for k, v in file.items() if isinstance(v, h5py.Dataset)}


def open_hdf5(path: Path, tree: str, fits: Callable[[Hdf5File], bool]) -> Hdf5File:
    """Open an HDF5 file: its table of pandas of the name `tree`, or the only one that `fits`, or the datasets
    at its root. Raises CompileError for a damaged file, and if the table is not known."""
    with reading(path, "HDF5"):
        file = h5py.File(path, "r")
        tables = {
            str(k): v for k, v in file.items() if isinstance(v, h5py.Group) and "pandas_type" in v.attrs
        }
        if not tables:
            return _made(path, file, _datasets(file), "")
        if tree and tree not in tables:
            raise CompileError(
                "--tree", f"found {tree!r}, expected one of {', '.join(tables)}", "name one of these tables"
            )
        found = [_made(path, file, _table(g), k) for k, g in tables.items() if tree in ("", k)]
        fitting = found if len(found) == 1 else [f for f in found if fits(f)]
    if len(fitting) != 1:
        raise CompileError(
            str(path), f"has the tables {', '.join(tables)}", f"name one: --tree {next(iter(tables))}"
        )
    return fitting[0]


def _made(path: Path, file: Any, places: Mapping[str, Place], tree: str) -> Hdf5File:
    sizes = {p.data.shape[0] for p in places.values()}
    if len(sizes) > 1:
        most = max(sizes)
        places = {k: p for k, p in places.items() if p.data.shape[0] == most}
        sizes = {most}
    return Hdf5File(path, file, places, next(iter(sizes), 0), tree)


def _table(group: Any) -> dict[str, Place]:
    """Return the columns of a table of pandas: of its format `table`, one compound dataset of blocks, or of
    its format `fixed`, one dataset for each block."""
    places: dict[str, Place] = {}
    if "table" in group:
        data = group["table"]
        for name in data.dtype.names or ():
            if name.startswith("values_block"):
                names = _names(data.attrs[f"{name}_kind"])
                places |= {n: Place(data, name, k) for k, n in enumerate(names)}
            elif name != "index":
                places[name] = Place(data, name)
        return places
    for k in range(int(group.attrs["nblocks"]) if "nblocks" in group.attrs else 0):
        names = [_text(n) for n in group[f"block{k}_items"][()]]
        places |= {n: Place(group[f"block{k}_values"], "", i) for i, n in enumerate(names)}
    return places


def _datasets(file: Any) -> dict[str, Place]:
    """Return the columns of the datasets of numbers at the root; those of `NAMED` have one name each."""
    places: dict[str, Place] = {}
    for key, data in file.items():
        if not isinstance(data, h5py.Dataset) or not data.shape:
            continue
        names = NAMED.get(str(key), "")
        if names in file:
            listed = [_text(n) for n in file[names][()]][: data.shape[-1]]
            places |= {n: Place(data, "", k) for k, n in enumerate(listed)}
        elif data.dtype.kind in "iufb" and str(key) not in NAMED.values():
            places[str(key)] = Place(data)
    return places


def _column(name: str, place: Place, read: Any) -> Any:
    values = read[place.field] if place.field else read
    if place.last is not None and (place.field == "" or values.ndim > 1):
        values = values[..., place.last]
    if values.ndim > 2:
        raise CompileError(name, f"has {values.ndim - 1} dimensions", "name a column with one list per event")
    return values


class _Plain(pickle.Unpickler):
    """Reads lists of names, and nothing that would need a class or run code."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        raise pickle.UnpicklingError(f"names of columns are not {module_name}.{global_name}")


def _names(attribute: Any) -> list[str]:
    """Return the names of the columns of a block, which pandas keeps as a pickled list of text."""
    listed: Any = _Plain(io.BytesIO(bytes(attribute)), encoding="utf-8").load()
    return [_text(n) for n in listed] if isinstance(listed, list) else []


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
