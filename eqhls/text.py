"""Text out: an indenting emitter, and a project as a value that is written whole or not at all."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.errors import CompileError

Project = Mapping[str, str | bytes]
"""Relative path -> content."""

MANIFEST = "eqhls.json"
"""The file by which a folder is known as one that eqhls wrote."""


class Emitter:
    """Collect indented lines."""

    def __init__(self, indent: str = "  ") -> None:
        self._lines: list[str] = []
        self._indent = indent
        self._depth = 0

    def __call__(self, line: str = "") -> None:
        self._lines.append(self._indent * self._depth + line if line else "")

    @contextmanager
    def block(self) -> Generator[None]:
        """Indent everything emitted inside."""
        self._depth += 1
        yield
        self._depth -= 1

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def check_target(folder: Path) -> None:
    """Raise CompileError unless `folder` is absent, empty or written by eqhls before."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise CompileError(str(folder), "found a file, expected a folder", "name another output folder")
    if any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise CompileError(
            str(folder),
            f"found files that eqhls did not write (no {MANIFEST})",
            "name an empty or new output folder",
        )


def write_project(project: Project, folder: Path) -> None:
    """Write every file, or none: build beside the target, then swap the folders.

    Raises CompileError where the target holds something else or cannot be written.
    """
    check_target(folder)
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise CompileError(
            str(folder), f"cannot be written ({error.strerror})", "choose a folder that you may write"
        ) from error
    try:
        for name, content in project.items():
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        staging.chmod(0o755)
        swap(staging, folder)
    except OSError as error:
        raise CompileError(
            str(folder), f"cannot be written ({error.strerror})", "free disk space or choose another folder"
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def swap(staging: Path, folder: Path) -> None:
    """Put `staging` in the place of `folder`; the old one goes only when the new one stands."""
    old = staging.with_name(staging.name + ".old")
    if folder.exists():
        os.rename(folder, old)
    try:
        os.rename(staging, folder)
    except OSError:
        if old.exists():
            os.rename(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_file(path: Path, content: str | bytes) -> None:
    """Write one file whole or not at all. Raises CompileError where it cannot be written."""
    data = content.encode() if isinstance(content, str) else content
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        raise CompileError(
            str(path), f"cannot be written ({error.strerror})", "choose a path that you may write"
        ) from error


def npz(arrays: Mapping[str, Any]) -> bytes:
    """Return a compressed .npz file; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    save: Any = np.savez_compressed
    save(buffer, **{name: arrays[name] for name in sorted(arrays)})
    return buffer.getvalue()


def asset(*parts: str) -> Path:
    """Return the path of a source tree that ships beside the package (headers, cells, bench).

    Looks in the checkout that contains the package, then where an installed wheel puts its data.
    """
    for root in (Path(__file__).resolve().parents[1], Path(sys.prefix) / "share" / "eqhls"):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise CompileError("installation", f"{'/'.join(parts)} is missing", "install eqhls again")
