"""Projects and files on disk: whole or not at all, nothing of the user's lost, nothing hidden left."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eqhls import staging
from eqhls.errors import CompileError
from eqhls.flow import open_project
from eqhls.text import MANIFEST, check_target, sums, write_file, write_project


def project(text: str, **more: str) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {"rtl/net.v": text, "README.md": "same", **more}
    return files | {MANIFEST: json.dumps({"name": text, "sha256": sums(files)})}


def content(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def killed(target: Path) -> Path:
    """Return a staging path as a process leaves it that was killed."""
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    name = staging.private_name(target.name).replace(f"+{os.getpid()}+", f"+{int(child.stdout)}+")
    return target.with_name(name)


@contextmanager
def umask(mask: int) -> Generator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_the_users_files_stay(tmp_path: Path) -> None:
    """Results of a synthesis and notes stay; evidence about the old files goes; edited files are kept."""
    folder = tmp_path / "p"
    write_project(project("one", old="gone"), folder)
    write_file(folder / "net_prj/solution1/report.txt", "hours")
    write_file(folder / "rtl/NOTES.md", "mine")
    write_file(folder / "report/evidence.json", "{}")
    write_file(folder / "README.md", "edited by hand")
    assert write_project(project("two"), folder) == ("README.md.edited",)
    found = content(folder)
    assert json.loads(found.pop(MANIFEST))["name"] == "two"
    assert found == {
        "rtl/net.v": "two",
        "README.md": "same",
        "README.md.edited": "edited by hand",
        "rtl/NOTES.md": "mine",
        "net_prj/solution1/report.txt": "hours",
    }
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("step", range(12))
def test_an_error_in_the_middle_undoes_everything(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever rename fails, with whatever exception: the old project stands as before."""
    folder = tmp_path / "p"
    write_project(project("one", old="gone"), folder)
    write_file(folder / "NOTES.md", "mine")
    write_file(folder / "README.md", "edited by hand")
    before, calls, rename = content(folder), 0, os.rename

    def failing(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == step + 1:
            raise KeyboardInterrupt if step % 2 else OSError(errno.ENOSPC, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    try:
        write_project(project("two"), folder)
    except (KeyboardInterrupt, CompileError):
        assert content(folder) == before
    else:
        assert calls <= step and content(folder)["rtl/net.v"] == "two"
    assert not [p for p in (*tmp_path.iterdir(), *folder.iterdir()) if p.name.startswith(".")]


def test_a_project_that_was_killed_half_way_is_told_and_mended(tmp_path: Path) -> None:
    """The manifest says so, and the files of both halves count as ours."""
    folder = tmp_path / "p"
    write_project(project("one"), folder)
    old, new = (json.loads(str(project(t)[MANIFEST]))["sha256"] for t in ("one", "two"))
    both = {n: f"{old[n]} {new[n]}" for n in new}
    (folder / MANIFEST).write_text(json.dumps({"incomplete": True, "sha256": both}))
    (folder / "rtl/net.v").write_text("two")
    with pytest.raises(CompileError, match="half of a project; compile again"):
        open_project(folder)
    write_project(project("three"), folder)
    assert sorted(content(folder)) == ["README.md", MANIFEST, "rtl/net.v"]


def test_what_killed_processes_left_goes_and_what_others_make_stays(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    left, working = killed(folder), folder.with_name(staging.private_name("p"))
    for path in (left, working):
        write_file(path / "x", "1")
    write_project(project("one"), folder)
    assert not left.exists() and working.exists()
    inside = killed(folder / "project")
    write_file(inside / "x", "1")
    check_target(folder)
    assert not inside.exists()


def test_links_are_written_through(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "p").symlink_to("scratch")
    write_project(project("one"), tmp_path / "p")
    assert (tmp_path / "p").is_symlink() and (tmp_path / "scratch" / MANIFEST).is_file()
    (tmp_path / "a").symlink_to("b")
    write_file(tmp_path / "a", "1")
    assert (tmp_path / "a").is_symlink() and (tmp_path / "b").read_text() == "1"
    write_file(Path("/dev/null"), "1")
    assert not Path("/dev/null").is_file()


def test_the_umask_is_kept(tmp_path: Path) -> None:
    with umask(0o007):
        write_project(project("one"), tmp_path / "p")
        write_file(tmp_path / "x", "1")
    modes = [
        (tmp_path / n).stat().st_mode & 0o777 for n in ("p", "p/rtl", "p/rtl/net.v", "p/eqhls.json", "x")
    ]
    assert modes == [0o770, 0o770, 0o660, 0o660, 0o660]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    for write in (
        lambda: write_file(tmp_path / "o" / "x", "12345"),
        lambda: write_project(project("a"), tmp_path / "p"),
    ):
        with pytest.raises(CompileError, match="No space left on device.*free disk space"):
            write()
    assert [p.name for p in tmp_path.rglob("*")] == ["o"]


def test_a_damaged_manifest_is_not_overwritten(tmp_path: Path) -> None:
    write_file(tmp_path / "p" / MANIFEST, "[1")
    write_file(tmp_path / "p" / "thesis.tex", "years")
    with pytest.raises(CompileError, match="eqhls.json: cannot be read"):
        write_project(project("one"), tmp_path / "p")
    assert (tmp_path / "p" / "thesis.tex").read_text() == "years"
