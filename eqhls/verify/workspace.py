"""Where test builds are made: in a private folder that is renamed when it is ready, so that any number of
commands may work on one project, on a disk that can be written, under a path that make takes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from eqhls.errors import CompileError
from eqhls.staging import put, staging_folder
from eqhls.text import MANIFEST, Project, sums

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


def built(place: Path, product: str, make: Callable[[Path], None]) -> Path:
    """Return `place / product`, which `make` puts into a folder unless it is there from before. If two
    commands make it at once, one of the two equal results stays. A failed or killed build leaves nothing."""
    if not (place / product).exists():
        with staging_folder(place) as private:
            make(private)
            if not (place / product).exists():
                put(private, place)
    return place / product


def scratch_project(folder: Path, name: str, project: Project) -> Path:
    """Return the folder of a project that is made for a test of the project in `folder`."""
    key = hashlib.sha256(json.dumps(sums(project)).encode()).hexdigest()[:16]

    def fill(private: Path) -> None:
        for file, content in project.items():
            path = private / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    return built(workspace(folder) / f"{name}_{key}", MANIFEST, fill).parent


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
