"""Parquet files, by pyarrow: columns of numbers, of lists, and of lists of records."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eqhls.errors import CompileError
from eqhls.events.hep.columns import REMEDY, Columns, ak, column_of
from eqhls.events.hep.sources import CHUNK
from eqhls.lazy import lazy

parquet = lazy("pyarrow.parquet", "Parquet files", REMEDY)
MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """A Parquet file that is open; a field of records has the name of its column, a dot and its own."""

    path: Path
    file: Any
    columns: dict[str, str]
    tree: str = ""

    @property
    def kind(self) -> str:
        return "Parquet"

    @property
    def entries(self) -> int:
        return int(self.file.metadata.num_rows)

    def chunks(self, names: Sequence[str], first: int, behind: int) -> Iterator[Columns]:
        with _reading(self.path):
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
        tops = sorted({n if n in self.file.schema_arrow.names else n.split(".")[0] for n in names})
        stored = int(self.file.metadata.row_group(group).total_byte_size)
        size = int(self.file.metadata.row_group(group).num_rows)
        step, at = max(1, size * CHUNK // max(stored, 1)), 0
        for batch in self.file.iter_batches(batch_size=step, row_groups=[group], columns=tops):
            low, high = max(start - at, 0), min(stop - at, batch.num_rows)
            at += batch.num_rows
            if low < high:
                records = ak.from_arrow(batch.slice(low, high - low))
                yield {n: column_of(n, _field(records, n)) for n in names}


def open_parquet(path: Path) -> ParquetFile:
    """Open a Parquet file. Raises CompileError for a damaged one."""
    with _reading(path):
        file = parquet.ParquetFile(path)
        columns: dict[str, str] = {}
        for entry in file.schema_arrow:
            fields = getattr(entry.type, "value_type", entry.type)
            inner = [fields.field(k) for k in range(fields.num_fields)] if _is_record(fields) else []
            columns |= {f"{entry.name}.{f.name}": str(f.type) for f in inner} or {entry.name: str(entry.type)}
    return ParquetFile(path, file, columns)


def _is_record(kind: Any) -> bool:
    return str(kind).startswith("struct")


def _field(records: Any, name: str) -> Any:
    if name in ak.fields(records):
        return records[name]
    column, inner = name.split(".", 1)
    return records[column][inner]


@contextmanager
def _reading(path: Path) -> Generator[None]:
    """Turn what pyarrow says against a file into a CompileError."""
    try:
        yield
    except CompileError:
        raise
    except Exception as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CompileError(str(path), f"is not a readable Parquet file ({said})", "write it again") from None
