"""Jets of a file of any size as one .npz file: chunks wait on the disk, and are written out one by one."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from eqhls.events.hep.convert import Batch
from eqhls.events.hep.stream import arrays_of, padded_names, widened
from eqhls.events.hep.tell import Told
from eqhls.staging import staging_folder
from eqhls.text import writing


@dataclass(frozen=True, slots=True)
class Part:
    """One array of one chunk, in a file."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def write_jets(batches: Iterable[Batch], output: Path) -> Told:
    """Write jets as an .npz file, whole or not at all, and return their counts. No more than a chunk is in
    memory. Raises CompileError if the file cannot be written."""
    output = output.resolve()
    told, parts, rows = Told(), dict[str, list[Part]](), frozenset[str]()
    with writing(output), staging_folder(output) as folder:
        for number, batch in enumerate(batches):
            told, rows = told.add(batch), padded_names(batch)
            for name, array in arrays_of(batch).items():
                path = folder / f"{name}.{number}.npy"
                np.save(path, array)
                parts.setdefault(name, []).append(Part(path, array.shape, array.dtype))
        made = folder / "events.npz"
        _zip(made, parts, rows)
        os.replace(made, output)
    return told


def _zip(path: Path, parts: Mapping[str, Sequence[Part]], rows: frozenset[str]) -> None:
    """Write all arrays, each as its chunks one behind the other; equal jets give equal bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(parts):
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as file:
                _write(file, parts[name], name in rows)


def _write(file: IO[bytes], parts: Sequence[Part], rows: bool) -> None:
    """Write an array in the format of NumPy from its parts; constituents are padded to the widest part."""
    inner = parts[0].shape[1:]
    width = max(p.shape[1] for p in parts) if rows else 0
    shape = (sum(p.shape[0] for p in parts), *((width, *inner[1:]) if rows else inner))
    dtype = np.result_type(*(p.dtype for p in parts))
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    for part in parts:
        array: NDArray[Any] = np.load(part.path)
        file.write(np.ascontiguousarray(widened(array, width) if rows else array, dtype=dtype).tobytes())
        part.path.unlink()
