"""A proof that resumes what another one began: stages are taken over from the evidence of a project, if it
is about exactly the same content and these stages passed."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from eqhls.errors import CompileError
from eqhls.events.hep.stream import split_tree
from eqhls.text import MANIFEST
from eqhls.verify.builds import described, version
from eqhls.verify.evidence import LABELLED, STAGES, Moved, Stage
from eqhls.verify.toolchain import toolchain
from eqhls.version import VERSION

EVIDENCE = "report/evidence.json"
ALWAYS = ("files",)
"""Stages that run whatever is taken over: the project must still be the one that was compiled."""
PACKAGES = ("alkaid", "cocotb", "numpy")
WORDS = {
    "manifest": "the manifest: the project was compiled or packaged again",
    "files": "the files of the project",
    "events": "the events",
    "options": "the options",
    "eqhls": "the version of eqhls",
    "code": "the code of eqhls",
    "tools": "the tools or the machine",
}
"""What the content of a proof consists of, as a difference is told."""
Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """Stages that are taken over, and when each of them was finished."""

    stages: tuple[Stage, ...] = ()
    finished: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def names(self) -> frozenset[str]:
        return frozenset(s.name for s in self.stages)


def stage_named(text: str) -> str:
    """Return the stage that a user names; a hyphen may stand for a blank. Raises CompileError for none."""
    name = text.replace("-", " ")
    if name not in (*STAGES, *LABELLED):
        every = ", ".join((*STAGES, *LABELLED))
        raise CompileError("--from", f"found {text!r}, expected one of {every}", "name one of these stages")
    return name


def before(start: str) -> tuple[str, ...]:
    """Return the stages that are taken over if a proof begins at `start`."""
    order = (*STAGES, *LABELLED)
    return tuple(name for name in order[: order.index(start)] if name not in ALWAYS)


def content(folder: Path, events: Sequence[Path], options: Mapping[str, str]) -> Content:
    """Return hashes of everything that a proof is about: the project as it lies there, events and options;
    eqhls itself, the tools and the machine. Raises OSError for a project that cannot be read."""
    manifest = (folder / MANIFEST).read_bytes()
    listed = sorted(json.loads(manifest)["sha256"])
    return {
        "manifest": hashlib.sha256(manifest).hexdigest(),
        "files": _joined([(name, _digest(folder / name)) for name in listed]),
        "events": [_digest_of_events(path) for path in events],
        "options": dict(options),
        "eqhls": VERSION,
        "code": _code(),
        "tools": _tools(),
    }


def taken_over(folder: Path, start: str, now: Content) -> Taken:
    """Return the stages before `start` from the evidence of a project; nothing if `start` is empty.

    Raises CompileError unless the evidence is about exactly the content of `now` and every stage before
    `start` is in it and passed.
    """
    wanted = before(start) if start else ()
    if not wanted:
        return Taken()
    if "" in now["events"]:
        raise CompileError(
            "--from", "the events are not a regular file, so they have no hash", "verify without --from"
        )
    path = folder / EVIDENCE
    kept = _read(path)
    about = kept.get("content") or {}
    differs = [f"{words} ({_shown(about, now, k)})" for k, words in WORDS.items() if about.get(k) != now[k]]
    if differs:
        raise CompileError(
            str(path), f"is not about what is there now: {'; '.join(differs)}", "verify without --from"
        )
    try:
        stages = {s["name"]: _stage(s) for s in kept["stages"]}
        finished = {name: str(kept["finished"][name]) for name in wanted if name in stages}
    except (KeyError, TypeError, ValueError) as error:
        raise CompileError(str(path), f"is damaged ({error!r})", "verify without --from") from None
    for name in wanted:
        if name not in stages or not stages[name].ok:
            problem = f"stage '{name}' did not pass" if name in stages else f"has no stage '{name}'"
            raise CompileError(str(path), problem, f"begin there: --from '{name}', or verify without --from")
    return Taken(tuple(stages[name] for name in wanted), finished)


def _shown(about: Content, now: Content, key: str) -> str:
    if not about:
        return "it does not say"
    old, new = (json.dumps(c.get(key)) for c in (about, now))
    return f"{_short(old)}, now {_short(new)}"


def _short(text: str) -> str:
    """Return short values as they are, long ones by the beginning of their hash."""
    plain = text.strip('"')
    if len(plain) <= 40:
        return plain
    return plain[:12] if len(plain) == 64 else hashlib.sha256(text.encode()).hexdigest()[:12]


def _read(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text())
    except FileNotFoundError:
        raise CompileError(str(path), "is missing", "verify without --from") from None
    except (OSError, ValueError) as error:
        raise CompileError(str(path), f"cannot be read ({error})", "verify without --from") from None
    if not isinstance(kept, dict):
        raise CompileError(str(path), "does not hold a JSON object", "verify without --from")
    return kept


def _stage(kept: Mapping[str, Any]) -> Stage:
    moved = tuple(Moved(**m) for m in kept["moved"])
    ok = kept["ok"]
    if not isinstance(ok, bool):
        raise ValueError(ok)
    return Stage(kept["name"], ok, kept["detail"], tuple(kept["numbers"].items()), moved)


def _digest(path: Path) -> str:
    with suppress(OSError):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return "missing"


def _digest_of_events(path: Path) -> str:
    """Return the hash of a file of events, read piece by piece, with what else decides how it is read: its
    suffix, and the tree that is named. What is not a regular file has none, and no proof on it goes on."""
    file, tree = split_tree(path)
    with suppress(OSError):
        if file.is_file():
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return f"{digest} {file.suffix}" + (f":{tree}" if tree else "")
    return ""


def _joined(parts: Sequence[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@lru_cache(maxsize=1)
def _code() -> str:
    """Return a hash of every file of eqhls: code, templates, headers, cells and benches."""
    root = Path(__file__).resolve().parents[1]
    files = [p for p in sorted(root.rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    return _joined([(p.relative_to(root).as_posix(), _digest(p)) for p in files])


def _tools() -> str:
    """Return a hash of what the tools and the machine say of themselves. A missing tool is told by the stage
    that needs it."""
    found = [platform.python_version(), platform.machine(), *map(metadata.version, PACKAGES)]
    with suppress(CompileError):
        tools = toolchain()
        found.append(version(tools.verilator, tools.env))
        found.append(described(shutil.which("g++") or "g++", "-march=native"))
    return hashlib.sha256("\n".join(found).encode()).hexdigest()
