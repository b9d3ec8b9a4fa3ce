"""Parquet files, by pyarrow: columns of numbers, of lists, and of lists of records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eqhls.events.hep.columns import REMEDY, Columns, ak, column_of, inner
from eqhls.events.hep.sources import CHUNK, reading
from eqhls.lazy import lazy

parquet = lazy("pyarrow.parquet", "Parquet files", REMEDY)
MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """A Parquet file that is open, with its columns, and where they lie: a field of records has the name of
    its column, an underscore and its own."""

    path: Path
    file: Any
    columns: dict[str, str]
    places: dict[str, str]
    tree: str = ""

    @property
    def kind(self) -> str:
        return "Parquet"

    @property
    def entries(self) -> int:
        return int(self.file.metadata.num_rows)

    def chunks(self, names: Sequence[str], first: int, behind: int) -> Iterator[Columns]:
        with reading(self.path, self.kind):
            at = 0
            for group, rows in self._groups():
                start, stop = max(first - at, 0), min(behind - at, rows)
                at += rows
                if start < stop:
                    yield from self._group(group, names, start, stop)

    def close(self) -> None:
        self.file.close()

    def _groups(self) -> list[tuple[int, int]]:
        meta = self.file.metadata
        return [(k, int(meta.row_group(k).num_rows)) for k in range(meta.num_row_groups)]

    def _group(self, group: int, names: Sequence[str], start: int, stop: int) -> Iterator[Columns]:
        """Read rows of one row group, some columns of it, in batches."""
        keys = {n: self.places[n] for n in names}
        tops = sorted({k if k in self.file.schema_arrow.names else k.split(".")[0] for k in keys.values()})
        stored = int(self.file.metadata.row_group(group).total_byte_size)
        size = int(self.file.metadata.row_group(group).num_rows)
        step, at = max(1, size * CHUNK // max(stored, 1)), 0
        for batch in self.file.iter_batches(batch_size=step, row_groups=[group], columns=tops):
            low, high = max(start - at, 0), min(stop - at, batch.num_rows)
            at += batch.num_rows
            if low < high:
                records = ak.from_arrow(batch.slice(low, high - low))
                yield {n: column_of(n, inner(records, k)) for n, k in keys.items()}


def open_parquet(path: Path) -> ParquetFile:
    """Open a Parquet file. Raises CompileError for a damaged one."""
    with reading(path, "Parquet"):
        file = parquet.ParquetFile(path)
        columns: dict[str, str] = {}
        places: dict[str, str] = {}
        for entry in file.schema_arrow:
            for place, kind in _fields(entry).items():
                name = place.replace(".", "_") if place != entry.name else place
                columns[name], places[name] = kind, place
    return ParquetFile(path, file, columns, places)


def _fields(entry: Any) -> dict[str, str]:
    """Return the types of a column, or of the fields of its records, by their places."""
    record = getattr(entry.type, "value_type", entry.type)
    if not str(record).startswith("struct"):
        return {str(entry.name): str(entry.type)}
    outer = "{}" if record is entry.type else "list<{}>"
    fields = [record.field(k) for k in range(record.num_fields)]
    return {f"{entry.name}.{f.name}": outer.format(f.type) for f in fields}
