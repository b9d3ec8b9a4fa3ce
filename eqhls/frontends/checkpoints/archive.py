"""Files of trained networks, read with NumPy alone: torch archives, and folders of plain arrays.

A torch file (since 1.6) is a zip of uncompressed records below one folder: data.pkl, and data/KEY for each
storage of tensors. Nothing is extracted, executed or believed: sizes are those of the file.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.fields import flattened
from eqhls.frontends.checkpoints.pickles import DAMAGED, HOSTILE, Name, Record, load
from eqhls.frontends.checkpoints.states import ARGUMENTS, FileTensor, weights_of

MAX_BYTES = 1 << 30
"""The largest file that is read; the published networks have at most a few MB."""
STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "b1",
}
BRAIN = "BFloat16Storage"
"""The upper halves of numbers in float32."""
OTHER_TENSORS = {
    "_rebuild_qtensor": "a quantized tensor",
    "_rebuild_sparse_tensor": "a sparse tensor",
    "_rebuild_sparse_csr_tensor": "a sparse tensor",
    "_rebuild_tensor_v3": "a tensor of a type that NumPy does not have",
    "_rebuild_meta_tensor_no_storage": "a tensor without numbers",
    "_rebuild_wrapper_subclass": "a tensor of a class of its own",
    "_rebuild_nested_tensor": "a nested tensor",
}
"""Tensors that are not an array of numbers, by the function of torch that would rebuild them."""
STATE_FILES, CONFIG_FILE = ("state_dict.npz", "weights.npz"), "config.json"

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tensors of a model by name, without the prefixes of wrappers, and the arguments of its training."""

    arrays: dict[str, Array]
    arguments: dict[str, Any]


def read_checkpoint(path: Path, weights: str | None = None) -> Checkpoint:
    """Read a torch file without torch, and without running anything that it holds.

    `weights` names the set of weights to read, of a file with several. Raises
    CompileError for damaged, foreign and hostile files, and for weights that are not finite numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return checkpoint_of(_Records(archive, path.stat().st_size).unpickled(), weights)
    except CompileError as error:
        raise error.at(str(path)) from None
    except FileNotFoundError:
        raise CompileError(str(path), "does not exist", "check the path") from None
    except zipfile.BadZipFile as error:
        raise CompileError(str(path), *_foreign(path, error)) from None
    except (OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise CompileError(str(path), f"cannot be read ({error})", DAMAGED) from None


def read_arrays(path: Path, weights: str | None = None) -> Checkpoint:
    """Read plain arrays: the same tensors under the same names. Raises CompileError as above."""
    try:
        with zipfile.ZipFile(path) as archive:
            _bounded(sum(i.file_size for i in archive.infolist()), MAX_BYTES)
        with np.load(path, allow_pickle=False) as file:
            return checkpoint_of({k: FileTensor(file[k]) for k in file.files}, weights)
    except CompileError as error:
        raise error.at(str(path)) from None
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, AttributeError) as error:
        raise CompileError(str(path), f"is not a readable .npz file ({error})", DAMAGED) from None


def read_config(path: Path) -> dict[str, Any]:
    """Return the arguments of a config.json: its keys, and those of its `args` if it has some."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CompileError(str(path), f"is not readable JSON ({error})", "check the file") from None
    arguments = config.get("args", {}) if isinstance(config, dict) else None
    if not isinstance(config, dict) or not isinstance(arguments, dict):
        raise CompileError(str(path), "holds no keys and values", "expected {..., 'args': {...}}")
    return flattened(config)


@dataclass(frozen=True, slots=True)
class _Storage:
    """The numbers of one record."""

    numbers: Array


class _Records:
    """The records of a torch archive below its root folder."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        entries = archive.infolist()
        _check_entries(entries, size)
        roots = [i.filename.split("/")[0] for i in entries if i.filename.split("/")[1:] == ["data.pkl"]]
        if len(roots) != 1:
            raise CompileError(
                "archive", "has no data.pkl in its top-level folder", "expected a file of torch.save"
            )
        self._archive, self._root = archive, roots[0]
        self._names = {i.filename for i in entries}
        if f"{self._root}/constants.pkl" in self._names:
            raise CompileError("archive", "holds TorchScript", "save the state_dict of the model instead")
        self._order = {"little": "<", "big": ">"}.get(self._text("byteorder", "little"), "")
        if not self._order:
            raise CompileError("archive", "has an unknown byteorder", "expected little or big")

    def unpickled(self) -> Any:
        reducers = {
            "torch._utils._rebuild_tensor_v2": _tensor,
            "torch._utils._rebuild_parameter": _parameter,
            "torch._utils._rebuild_parameter_with_state": _parameter,
            **{f"torch._utils.{n}": _refuser(what) for n, what in OTHER_TENSORS.items()},
            "torch.Size": _size,
            "torch.device": _device,
        }
        return load(self._read("data.pkl"), self._storage, reducers)

    def _read(self, name: str) -> bytes:
        record = f"{self._root}/{name}"
        if record not in self._names:
            raise CompileError("archive", f"has no record {name}", DAMAGED)
        return self._archive.read(record)

    def _text(self, name: str, default: str) -> str:
        present = f"{self._root}/{name}" in self._names
        return self._read(name).decode("ascii", "replace").strip() if present else default

    def _storage(self, key: Any) -> _Storage:
        """Resolve ("storage", type, record, device, elements)."""
        match key:
            case ("storage", Name(kind), str(record), str(), int(count)):
                pass
            case _:
                raise CompileError("pickle", "has a persistent id that is not a tensor storage", HOSTILE)
        name = kind.removeprefix("torch.")
        code = "u2" if name == BRAIN else STORAGES.get(name)
        if code is None:
            known = f"expected {', '.join(STORAGES)} or {BRAIN}"
            raise CompileError("pickle", f"has numbers of type {kind}", known)
        raw, kind_of = self._read(f"data/{record}"), np.dtype(f"{self._order}{code}")
        if len(raw) != count * kind_of.itemsize:
            raise CompileError(
                "archive",
                f"record data/{record} has {len(raw)} bytes, expected {count} numbers of {kind_of.itemsize}",
                DAMAGED,
            )
        numbers = np.frombuffer(raw, kind_of)
        if name == BRAIN:
            return _Storage((numbers.astype(np.uint32) << 16).view(np.float32))
        return _Storage(numbers)


def _check_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse entries that torch never writes (compressed, encrypted, duplicate, with paths), so that the
    declared sizes can be trusted."""
    names = [i.filename for i in entries]
    for entry in entries:
        parts = entry.filename.split("/")
        if not all(parts) or {".", ".."} & set(parts) or "\\" in entry.filename or ":" in entry.filename:
            raise CompileError("archive", f"has the entry {entry.filename!r}", "expected FOLDER/RECORD")
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise CompileError("archive", f"{entry.filename} is compressed or encrypted", HOSTILE)
        if names.count(entry.filename) > 1:
            raise CompileError("archive", f"has {entry.filename} twice", DAMAGED)
    _bounded(sum(i.file_size for i in entries), min(size, MAX_BYTES))


def _bounded(declared: int, most: int) -> None:
    if declared > most:
        raise CompileError("archive", f"declares {declared} bytes, expected at most {most}", DAMAGED)


def _tensor(
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    _grad: Any = None,
    _hooks: Any = None,
    flags: Any = None,
) -> FileTensor:
    """Return a tensor as an array of its own. Every element must lie in the storage, none may be repeated.

    `flags` say that a tensor is the negative or the conjugate of what is stored.
    """
    if flags:
        raise CompileError("pickle", f"has a tensor with the flags {flags!r}", "save a clone of the tensor")
    numbers = [offset, *size, *stride]
    if not isinstance(storage, _Storage) or not all(type(n) is int and n >= 0 for n in numbers):
        raise CompileError("pickle", "has a tensor without storage, shape or strides", DAMAGED)
    flat = storage.numbers
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if prod(size) and (last >= len(flat) or prod(size) > len(flat)):
        place = f"strides {tuple(stride)} from {offset} in {len(flat)} numbers"
        raise CompileError("pickle", f"has a tensor of shape {tuple(size)}, {place}", DAMAGED)
    if not prod(size):
        return FileTensor(np.zeros(size, flat.dtype))
    steps = [s * flat.itemsize for s in stride]
    view = np.ndarray(tuple(size), flat.dtype, flat, offset * flat.itemsize, steps)
    return FileTensor(view.astype(flat.dtype.newbyteorder("=")))


def _refuser(what: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise CompileError("pickle", f"has {what}", "save the plain tensors in floating point")

    return refuse


def _parameter(data: Any, *_: Any) -> Any:
    return data


def _size(*sizes: Any) -> Any:
    return sizes[0] if sizes else ()


def _device(*name: Any) -> str:
    return ":".join(str(n) for n in name if isinstance(n, str | int))


def checkpoint_of(value: Any, weights: str | None) -> Checkpoint:
    """Find the tensors and the arguments in what torch.save was given."""
    if not isinstance(value, dict):
        raise CompileError(
            "checkpoint", f"holds a {type(value).__name__}", "expected a dictionary of tensors"
        )
    arguments: dict[str, Any] = {}
    for key in ARGUMENTS:
        given = value.get(key)
        found = given.attributes if isinstance(given, Record) else given
        if isinstance(found, FileTensor) or found is None or (arguments and not isinstance(found, dict)):
            continue
        if not isinstance(found, dict):
            raise CompileError("checkpoint", f"has arguments of type {type(found).__name__}", DAMAGED)
        both = [k for k in found if k in arguments and arguments[k] != found[k]]
        if both:
            raise CompileError(
                "checkpoint",
                f"has {both[0]} = {arguments[both[0]]!r}, and {found[both[0]]!r} in {key!r}",
                "remove one of them",
            )
        arguments |= found
    return Checkpoint(weights_of(value, weights), arguments)


def _foreign(path: Path, error: Exception) -> tuple[str, str]:
    """Say what a file is that is not a zip."""
    with path.open("rb") as file:
        start = file.read(265)
    if start[:2] == b"PK":
        return f"is a damaged or truncated zip ({error})", "copy it again"
    if start[257:262] == b"ustar" or start[:1] == b"\x80":
        return "has a format older than torch 1.6", "load it with torch and save it again"
    return "is not a file of torch.save", "expected a zip"
