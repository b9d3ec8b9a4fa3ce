"""Where test builds are made: on a disk that can be written, under a path that make takes."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from eqhls.errors import CompileError
from eqhls.text import Project
from eqhls.verify.builds import placed

_TAKEN_BY_MAKE = re.compile(r"[\w./+@,=~-]+")


def workspace(folder: Path) -> Path:
    """Return the folder for what is built from a project: its own build/, or, if that cannot be written or
    has a path with blanks or signs of make, a folder of the user's cache. Raises CompileError for none."""
    folder = folder.resolve()
    for place in _places(folder):
        if _TAKEN_BY_MAKE.fullmatch(str(place)) and _usable(place):
            return place
    raise CompileError(
        str(folder / "build"),
        "cannot be written or has a blank in its path, and so have the cache and the temporary folder",
        "set XDG_CACHE_HOME to a folder that you may write",
    )


def scratch_project(folder: Path, name: str, project: Project) -> Path:
    """Return the folder of a project that is made for a test of the project in `folder`."""
    return placed(workspace(folder), name, project)


def _places(folder: Path) -> Iterator[Path]:
    key = f"{folder.name}_{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    key = re.sub(r"[^\w.-]", "_", key, flags=re.ASCII)
    yield folder / "build"
    with suppress(RuntimeError):
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "eqhls" / key
    yield Path(tempfile.gettempdir()) / f"eqhls-{os.getuid()}" / key


def _usable(place: Path) -> bool:
    """Whether a folder is there, or can be made, and is ours to write."""
    try:
        for part in (place.parent, place):
            part.mkdir(mode=0o777 if place.name == "build" else 0o700, parents=True, exist_ok=True)
        mine = place.name == "build" or place.parent.stat().st_uid == os.getuid()
    except OSError:
        return False
    return mine and os.access(place, os.W_OK | os.X_OK)
