"""Arrays of events from files: .npz, .npy (one array) and HDF5."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.lazy import lazy

Arrays = dict[str, NDArray[Any]]
HDF5 = b"\x89HDF\r\n\x1a\n"
h5py = lazy("h5py", "HDF5 events", "pip install 'eqhls[hep]'")
PLAIN = ("p4", "puppi")
"""Arrays that fill several ports: a file that holds one is read by the names of its arrays."""
KINDS = "an .npz file (numpy.savez), a .npy file of one array, or one of ROOT, Parquet or HDF5"


def load_arrays(path: Path, alone: str = "p4") -> Arrays:
    """Read the arrays of a file by name: that of a .npy file is called `alone`; HDF5 gives its root datasets.

    Nothing is unpickled. Raises CompileError for a missing, damaged or foreign file.
    """
    if path.is_dir():
        raise CompileError(str(path), "is a folder, expected a file of events", f"give {KINDS}")
    try:
        with path.open("rb") as file:
            start = file.read(len(HDF5))
    except FileNotFoundError:
        raise CompileError(str(path), "does not exist", "check the path") from None
    except OSError as error:
        raise CompileError(str(path), f"cannot be read ({error.strerror})", "check the path") from None
    return _hdf5(path) if start == HDF5 else _numpy(path, alone)


def _numpy(path: Path, alone: str) -> Arrays:
    try:
        found: Any = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return {alone: found}
        with found as file:
            return {k: file[k] for k in file.files}
    except (
        OSError,
        ValueError,
        EOFError,
        zipfile.BadZipFile,
        AttributeError,
        pickle.UnpicklingError,
    ) as error:
        if "pickle" in f"{type(error).__name__} {error}".lower():
            if not _may_hold_pickles(path):
                raise CompileError(str(path), "is not a file of events", f"give {KINDS}") from None
            raise CompileError(
                str(path),
                "is not a readable .npz file (it holds pickled objects)",
                "write number arrays with numpy.savez, events of different lengths padded with zero rows",
            ) from None
        raise CompileError(str(path), f"is not a readable .npz file ({error})", f"give {KINDS}") from None


def _may_hold_pickles(path: Path) -> bool:
    """Return whether a file begins as archives, arrays and pickles do. NumPy takes all others for pickles."""
    with path.open("rb") as file:
        return file.read(8).startswith((b"PK", b"\x93NUMPY", b"\x80"))


def _hdf5(path: Path) -> Arrays:
    try:
        with h5py.File(path, "r") as file:
            return {str(k): np.asarray(v[()]) for k, v in file.items() if isinstance(v, h5py.Dataset)}
    except (OSError, ValueError, TypeError, RuntimeError, KeyError) as error:
        raise CompileError(str(path), f"is not a readable HDF5 file ({error})", "write it again") from None
