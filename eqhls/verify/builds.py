"""Programs and libraries that are built once: everything that decides what a build makes is its key.

A recipe holds the content of every file that enters, the command lines, how the compilers describe
themselves and the machine, and what they read from the environment. Its commands see copies of that content
alone, so a file that changes while they run cannot enter unseen. A result is taken if its record has exactly
the recipe of now and the product exactly the bytes that were recorded; anything else is built.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from eqhls.errors import VerificationError
from eqhls.processes import run_logged
from eqhls.staging import private_name, put, staging_folder
from eqhls.text import MANIFEST, Project, sums
from eqhls.verify.toolchain import run

RECORD = "build.json"
"""The file beside a product that says what it was built from."""
KEEP, IDLE = 2, 3600
"""Builds of one kind that stay, and the seconds after which an older one counts as used by no command."""
HEARD = re.compile(
    r"CPATH|C(PLUS)?_INCLUDE_PATH|LIBRARY_PATH|GCC_EXEC_PREFIX|COMPILER_PATH|CXX|C(XX|PP)?FLAGS|LDFLAGS"
    r"|MAKEFLAGS|OBJCACHE|OPT(_\w+)?|VERILATOR_\w+|VM_\w+|WAVES"
)
"""Variables of the environment that g++, make, Verilator and cocotb's runner read when they build."""
_ENTRY = re.compile(r"(\w+)_[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a product is made: `commands` run one by one in a folder that holds `files`, with paths relative to
    it; `tools` are what the programs say of themselves, and `env` is the environment if it is not ours."""

    kind: str
    product: str
    files: Project
    commands: tuple[tuple[str, ...], ...]
    tools: tuple[str, ...]
    env: Mapping[str, str] | None = None

    def facts(self) -> dict[str, Any]:
        """Return everything that decides what is made, as it is recorded."""
        around = os.environ if self.env is None else self.env
        return {
            "kind": self.kind,
            "product": self.product,
            "files": sums(self.files),
            "commands": [list(c) for c in self.commands],
            "tools": list(self.tools),
            "environment": {k: around[k] for k in sorted(around) if HEARD.fullmatch(k)},
        }

    def place(self, root: Path) -> Path:
        """Return the folder of the result below `root`."""
        key = hashlib.sha256(json.dumps(self.facts(), sort_keys=True).encode()).hexdigest()
        return root / f"{self.kind}_{key[:16]}"


def built(root: Path, recipe: Recipe) -> Path:
    """Return the product of a recipe below `root`, built now or taken from before.

    A build that fails or is killed leaves nothing but `root`/KIND.log; of two that run at once one stays.
    Raises VerificationError if a command fails.
    """
    place = recipe.place(root)
    if not is_built(root, recipe):
        with staging_folder(place) as private:
            made, whole = private / "made", private / "whole"
            fill(recipe.files, made)
            for command in recipe.commands:
                run(command, Path(command[0]).name, root / f"{recipe.kind}.log", made, recipe.env)
            whole.mkdir()
            os.replace(made / recipe.product, whole / Path(recipe.product).name)
            record = {**recipe.facts(), "sha256": _digest(whole / Path(recipe.product).name)}
            (whole / RECORD).write_text(json.dumps(record, indent=1) + "\n")
            put(whole, place, lambda: is_built(root, recipe))
    return used(place) / Path(recipe.product).name


def is_built(root: Path, recipe: Recipe) -> bool:
    """Whether the product of exactly this recipe is there, with the bytes that were built."""
    place = recipe.place(root)
    try:
        record = json.loads((place / RECORD).read_text())
        return record == {**recipe.facts(), "sha256": _digest(place / Path(recipe.product).name)}
    except (OSError, ValueError):
        return False


def placed(root: Path, kind: str, project: Project) -> Path:
    """Return a folder below `root` that holds the files of a project, which is written unless every file is
    there as it should be; what was built below it stays with it."""
    digests = sums(project)
    key = hashlib.sha256(json.dumps(digests).encode()).hexdigest()
    place = root / f"{kind}_{key[:16]}"

    def whole() -> bool:
        with suppress(OSError):
            return all(_digest(place / name) == digest for name, digest in digests.items())
        return False

    if not whole():
        with staging_folder(place) as private:
            fill(project, private / "whole")
            put(private / "whole", place, whole)
    return used(place)


def used(place: Path) -> Path:
    """Note that a result was taken now, and remove those of its kind that nobody has used for long."""
    with suppress(OSError):
        os.utime(place)
    found = [p for p in _entries(place.parent) if _kind(p) == _kind(place)]
    for old in sorted(found, key=_age)[KEEP:]:
        if _age(old) > IDLE:
            _removed(old)
    return place


def forget(root: Path) -> None:
    """Remove every result below `root`, so that all are built again."""
    for entry in _entries(root):
        _removed(entry)


def fill(files: Project, folder: Path) -> None:
    """Write files into a new folder."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def described(compiler: str, *flags: str) -> str:
    """Return what g++ says of itself with these flags: version, target, what it takes from this machine for
    -march=native, and where it looks for headers. Raises VerificationError if it cannot be asked."""
    path = Path(compiler)
    around = tuple(sorted((k, v) for k, v in os.environ.items() if HEARD.fullmatch(k)))
    return _said((compiler, *flags, "-v", "-E", "-x", "c++", "-"), path.stat().st_mtime_ns, around)


def version(program: Path, env: Mapping[str, str]) -> str:
    """Return what a program prints for --version. Raises VerificationError if it cannot be asked."""
    return _said((str(program), "--version"), program.stat().st_mtime_ns, tuple(sorted(env.items())))


@lru_cache(maxsize=32)
def _said(command: tuple[str, ...], changed: int, env: tuple[tuple[str, str], ...]) -> str:
    """Return what a program prints; a process asks once, unless the program or what it reads changes."""
    with tempfile.TemporaryDirectory(prefix="eqhls-") as folder:
        log = Path(folder) / "said"
        status = run_logged(command, log, Path(folder), {**os.environ, **dict(env), "LC_ALL": "C"})
        said = log.read_text(errors="replace")
    if status:
        last = said.strip().splitlines()[-1:]
        raise VerificationError(
            command[0], f"failed with status {status}: {' '.join(last)}", "install it again"
        )
    return said


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _entries(root: Path) -> list[Path]:
    """Return the folders of results below `root`."""
    if not root.is_dir():
        return []
    return [p for p in sorted(root.iterdir()) if _ENTRY.fullmatch(p.name) and _is_ours(p)]


def _is_ours(place: Path) -> bool:
    return (place / RECORD).is_file() or (place / MANIFEST).is_file()


def _kind(place: Path) -> str:
    return place.name.rpartition("_")[0]


def _age(place: Path) -> float:
    try:
        return time.time() - place.stat().st_mtime
    except OSError:
        return 0.0


def _removed(place: Path) -> None:
    """Remove a result whole: under its own name it is there, or it is not."""
    gone = place.with_name(private_name(place.name))
    with suppress(OSError):
        os.rename(place, gone)
        shutil.rmtree(gone, ignore_errors=True)
