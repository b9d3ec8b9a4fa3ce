"""Text out: an indenting emitter, and a project as a value that is written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.errors import CompileError
from eqhls.staging import locked, staging_folder, sweep, write_whole

Project = Mapping[str, str | bytes]
"""Relative path -> content."""

MANIFEST = "eqhls.json"
"""The file by which a folder is known as one that eqhls wrote. Its `sha256` lists what eqhls wrote there."""

PARTS = "packages"
"""The key of the manifest under which the parts stand that were added to a project: who wrote which files."""

TIMES = "report/time_per_step.json"
"""Seconds of the steps of a compilation. They differ each time, so the manifest does not list the file."""

VALUES = "report/values.json"
"""Ranges and errors of all values in the events of the last proof."""

RESULTS = (
    *(f"report/{n}" for n in ("evidence.json", "boosts.png", "report.html", "report.json", "yosys.json")),
    *("report/trace.json", "report/trace.png"),
    *("report/curves.json", *(f"report/working_points.{end}" for end in ("csv", "json"))),
    TIMES,
    VALUES,
    *("sim/results.xml", "sim/results.timing.json", "tb_data/csim_results.log"),
)
"""What commands of eqhls write into a project later: it says something about the files of that project, and
goes with them."""


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
    folder = folder.resolve()
    if not folder.exists():
        return
    if not folder.is_dir():
        raise CompileError(str(folder), "found a file, expected a folder", "name another output folder")
    with writing(folder):
        sweep(folder)
        used = any(folder.iterdir())
    if used and not (folder / MANIFEST).is_file():
        raise CompileError(
            str(folder),
            f"found files that eqhls did not write (no {MANIFEST})",
            "name an empty or new output folder",
        )
    _listed(folder)


def merged(parts: Iterable[tuple[str, Project]]) -> Project:
    """Return the files of all parts of a project, each given with the name of its writer. Raises CompileError
    if two of them write one path, or two that differ only in case, which some file systems do not
    distinguish."""
    files: dict[str, str | bytes] = {}
    writers: dict[str, str] = {}
    for writer, part in parts:
        for path, content in part.items():
            other = writers.get(path.casefold())
            if other is not None:
                raise CompileError(path, f"is written by {other} and by {writer}", "give one another path")
            files[path], writers[path.casefold()] = content, writer
    return files


def sums(project: Project) -> dict[str, str]:
    """Return the SHA-256 of every file, for the manifest."""
    return {name: hashlib.sha256(_data(content)).hexdigest() for name, content in sorted(project.items())}


def write_project(project: Project, folder: Path) -> tuple[str, ...]:
    """Write every file, or none; return the files that somebody had edited, by the names that they have now.

    A new folder is made beside its place and renamed. In a folder that eqhls wrote before, the files of the
    old project give way to those of the new one, and every other file stays; a file of the old project that
    somebody changed stays as NAME.edited. A link is followed. Raises CompileError if the target holds
    something else or cannot be written.
    """
    check_target(folder)
    folder = folder.resolve()
    with writing(folder):
        if not folder.exists():
            with staging_folder(folder) as staging:
                _fill(project, staging)
                with suppress(FileExistsError, NotADirectoryError), locked(folder.parent):
                    if not folder.exists():
                        os.rename(staging, folder)
                        return ()
        with staging_folder(folder / "project") as staging:
            _fill(project, staging / "new")
            with locked(folder):
                return _replace(project, folder, staging, {*_listed(folder), *RESULTS})


def add_parts(parts: Mapping[str, Project], facts: Mapping[str, Any], folder: Path) -> None:
    """Write parts by name into a project that stands, all of them or none; its other files stay.

    The manifest lists their files with those of the project, and beside that who wrote them, with `facts`.
    Files that a part had before give way to its new ones; one that somebody changed stays as NAME.edited.
    Parts may share a file of one content. Raises CompileError if a file is that of the project or of another
    part with other content, or if the folder cannot be written.
    """
    folder = folder.resolve()
    with writing(folder), staging_folder(folder / "project") as staging, locked(folder):
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        listed: dict[str, dict[str, Any]] = manifest.get(PARTS, {})
        others = {name: part for name, part in listed.items() if name not in parts}
        kept = {file: name for name, part in others.items() for file in part["files"]}
        gone = {file for name in parts for file in listed.get(name, {}).get("files", ())} - set(kept)
        sha = {file: digest for file, digest in manifest["sha256"].items() if file not in gone}
        files = _together(parts, kept, sha)
        added = {name: {**facts, "files": sorted(part)} for name, part in parts.items()}
        manifest[PARTS] = dict(sorted({**others, **added}.items()))
        manifest["sha256"] = dict(sorted({**sha, **sums(files)}.items()))
        project = {**files, MANIFEST: json.dumps(manifest, indent=1) + "\n"}
        _fill(project, staging / "new")
        _replace(project, folder, staging, gone)


def _together(
    parts: Mapping[str, Project], kept: Mapping[str, str], listed: Mapping[str, str]
) -> dict[str, str | bytes]:
    """Return the files of all parts; `kept` are those of other parts by the part, `listed` all that stay."""
    found: dict[str, str | bytes] = {}
    for name, part in parts.items():
        for path, digest in sums(part).items():
            before = sums({path: found[path]})[path] if path in found else listed.get(path, digest)
            if before != digest:
                owner = kept.get(path, "another package of this command" if path in found else "the project")
                raise CompileError(
                    path,
                    f"is a file of {owner}, and {name} would write another one there",
                    "package one of them into a copy of the project",
                )
            found[path] = part[path]
    return found


def _fill(project: Project, folder: Path) -> None:
    for name, content in project.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_data(content))


def _replace(project: Project, folder: Path, staging: Path, gone: Iterable[str]) -> tuple[str, ...]:
    """Move the files `gone` of the old project out of the way and new ones into place, or undo it all; return
    those that stay beside as edited.

    Nothing of the user's moves. A manifest that says so stands in the folder while it is half done, for
    the case that the process is killed.
    """
    old, manifest = _listed(folder), folder / MANIFEST
    before = manifest.read_bytes() if manifest.is_file() else None
    moved: list[tuple[Path, Path]] = []
    placed: list[Path] = []
    try:
        new = sums(project)
        both = {n: f"{old.get(n, '')} {new.get(n, '')}" for n in {*old, *new}}
        write_whole(manifest, json.dumps({"incomplete": True, "sha256": both}).encode())
        for name in sorted({*gone, *project} - {MANIFEST}):
            place = folder / name
            if os.path.lexists(place):
                moved.append((place, _way_out(name, folder, staging, old)))
                os.rename(*moved[-1])
        for name in sorted(set(project) - {MANIFEST}):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.rename(staging / "new" / name, folder / name)
            placed.append(folder / name)
        if MANIFEST in project:
            write_whole(manifest, _data(project[MANIFEST]))
    except BaseException:
        for place in placed:
            place.unlink()
        for place, out in reversed(moved):
            with suppress(FileNotFoundError):
                os.rename(out, place)
        if before is None:
            manifest.unlink(missing_ok=True)
        else:
            write_whole(manifest, before)
        raise
    for name in set(gone) - set(project):
        with suppress(OSError):  # that a folder is not empty, or not there
            for above in (folder / name).relative_to(folder).parents[:-1]:
                (folder / above).rmdir()
    return tuple(str(out.relative_to(folder)) for _, out in moved if not out.is_relative_to(staging))


def _way_out(name: str, folder: Path, staging: Path, old: Mapping[str, str]) -> Path:
    """Return where a file goes whose place is needed: away, or beside it if it is not as eqhls left it."""
    place = folder / name
    ours = name in RESULTS or not old
    if place.is_file() and (
        ours or hashlib.sha256(place.read_bytes()).hexdigest() in old.get(name, "").split()
    ):
        out = staging / "old" / name
    else:
        out = place.with_name(f"{place.name}.edited")
        count = 1
        while os.path.lexists(out):
            count += 1
            out = place.with_name(f"{place.name}.edited{count}")
    out.parent.mkdir(parents=True, exist_ok=True)
    return out


def _listed(folder: Path) -> dict[str, str]:
    """Return the files of a project by its manifest, with their sums. Raises CompileError for a damaged
    manifest: nobody knows then which files are the user's."""
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        listed = json.loads(path.read_text()).get("sha256", {})
        return {str(name): str(value) for name, value in listed.items() if ".." not in Path(name).parts}
    except (OSError, ValueError, AttributeError) as error:
        raise CompileError(
            str(path), f"cannot be read ({error})", "name another output folder, or remove this one"
        ) from None


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Turn what the system says against writing into a CompileError."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "free disk space or choose another place" if full else "choose a place that you may write"
        raise CompileError(str(path), f"cannot be written ({error.strerror})", remedy) from error


def write_file(path: Path, content: str | bytes) -> None:
    """Write one file whole or not at all. Raises CompileError if it cannot be written."""
    with writing(path):
        write_whole(path, _data(content))


def _data(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def npz(arrays: Mapping[str, Any]) -> bytes:
    """Return a compressed .npz file; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    save: Any = np.savez_compressed
    save(buffer, **{name: arrays[name] for name in sorted(arrays)})
    return buffer.getvalue()


def asset(*parts: str) -> Path:
    """Return the path of a file or folder of `eqhls/data`: headers, cells, the bench and its harnesses."""
    path = resources.files("eqhls").joinpath("data", *parts)
    if not isinstance(path, Path):
        raise CompileError(
            "installation", f"eqhls is imported from an archive ({path})", "install it into a folder"
        )
    if not path.exists():
        raise CompileError("installation", f"{path} is missing", "install eqhls again")
    return path
