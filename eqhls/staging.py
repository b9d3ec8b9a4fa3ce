"""Folders and files that come into being whole: made under a private name, then renamed.

A private name tells the machine and the process that made it, so that what a killed process left behind can
be told from what another one is making now. Modes follow the user's umask.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_PRIVATE = re.compile(r"\..+\.eqhls-([^+]*)\+(\d+)\+[0-9a-f]{8}")


def private_name(name: str) -> str:
    """Return a hidden name that no other process chooses."""
    return f".{name}.eqhls-{_machine()}+{os.getpid()}+{secrets.token_hex(4)}"


@contextmanager
def staging_folder(target: Path) -> Generator[Path]:
    """Make a private folder beside `target`, which the body fills and may rename; what is left of it goes.

    Raises OSError if the parent cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target.parent)
    folder = target.parent / private_name(target.name)
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove the private files and folders in `folder` that killed processes of this machine left."""
    with suppress(OSError):
        for path in sorted(folder.glob(".*.eqhls-*")):
            found = _PRIVATE.fullmatch(path.name)
            if not found or found[1] != _machine() or _alive(int(found[2])):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def put(made: Path, folder: Path, stays: Callable[[], bool] = bool) -> None:
    """Rename a folder to the place of another one of eqhls's own, which goes, unless it `stays`: that is
    asked when no other process can put one there."""
    old = folder.with_name(private_name(folder.name))
    with locked(folder.parent):
        if stays():
            return
        if os.path.lexists(folder):
            os.rename(folder, old)
        os.rename(made, folder)
    shutil.rmtree(old, ignore_errors=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; a link is written through, and what is not a regular file (a pipe, a
    device) is written to as it stands. Raises OSError if it cannot be written, and leaves nothing."""
    path = path.resolve()
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(private_name(path.name))
    try:
        partial.write_bytes(data)
        if path.is_file():
            shutil.copymode(path, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Let one process at a time into the body, on file systems that have locks; no file is left."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _machine() -> str:
    """Return a name of the machine, and of its space of process numbers if containers have their own."""
    space = ""
    with suppress(OSError):
        space = str(Path("/proc/self/ns/pid").readlink())
    return re.sub(r"[^\w-]", "", socket.gethostname() + space)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
