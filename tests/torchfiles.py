"""Torch archives written without torch: every value, and whatever else a hostile file may hold."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

VALUES = np.arange(6, dtype=np.float32) - 2


class Storage:
    """Stands for a storage while pickling: written as a persistent id, as torch does."""

    def __init__(
        self, key: str = "0", kind: str = "FloatStorage", count: Any = 6, tag: str = "storage"
    ) -> None:
        self.key, self.kind, self.count, self.tag = key, kind, count, tag


class Global:
    """A global by name, which need not exist here."""

    def __init__(self, name: str) -> None:
        self.module, self.name = name.rsplit(".", 1)


class Call:
    """A REDUCE of a global with arguments, or a NEWOBJ where `new`, with a state if one is given."""

    def __init__(self, name: str, *arguments: Any, state: Any = None, new: bool = False) -> None:
        self.name, self.arguments, self.state, self.new = Global(name), arguments, state, new


class Writer(pickle._Pickler):
    """Writes protocol 2 with globals and calls of any name: what a hostile file may hold."""

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, Storage):
            return (value.tag, Global(f"torch.{value.kind}"), value.key, "cpu", value.count)
        return None

    def save(self, value: Any, *rest: Any, **more: Any) -> None:
        if isinstance(value, Global):
            self.write(f"c{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Call):
            self.save(value.name)
            self.save(value.arguments)
            self.write(pickle.NEWOBJ if value.new else pickle.REDUCE)
            if value.state is not None:
                self.save(value.state)
                self.write(pickle.BUILD)
        else:
            super().save(value, *rest, **more)


def tensor(
    storage: Any = None,
    offset: Any = 0,
    size: Any = (2, 3),
    stride: Any = (3, 1),
    name: str = "_rebuild_tensor_v2",
) -> Call:
    return Call(f"torch._utils.{name}", storage or Storage(), offset, size, stride, False, {})


def pickled(value: Any) -> bytes:
    file = io.BytesIO()
    Writer(file, 2).dump(value)
    return file.getvalue()


def write(
    path: Path,
    value: Any,
    storage: bytes | None = None,
    root: str = "net",
    extra: dict[str, bytes] | None = None,
) -> Path:
    """Write a torch archive; `value` is pickled unless it is bytes already."""
    data = value if isinstance(value, bytes) else pickled(value)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{root}/data.pkl", data)
        archive.writestr(f"{root}/data/0", VALUES.tobytes() if storage is None else storage)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return path


def namespace(**attributes: Any) -> Call:
    return Call("argparse.Namespace", state=attributes, new=True)
