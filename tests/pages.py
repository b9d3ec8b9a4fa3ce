"""Pages that are followed to the letter: their blocks of code, applied to a copy of the tree.

    python tests/pages.py tutorial.md

writes what the commands of a page print into it.
"""

from __future__ import annotations

import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TREE = ("eqhls", "tests", "docs")
_FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code of a page: its language, the file that it is or changes (empty if none), its text."""

    language: str
    file: str
    text: str


def blocks(page: str) -> list[Block]:
    """Return the blocks of code of docs/PAGE, from top to bottom."""
    text = (ROOT / "docs" / page).read_text()
    return [Block(language, file, body) for language, file, body in _FENCE.findall(text)]


def copy_tree(folder: Path) -> Path:
    """Copy what a change of the package may touch, with its tests, and return the folder."""
    for name in TREE:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
    for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def apply(block: Block, folder: Path) -> None:
    """Write the file of a block, or its changes. Raises AssertionError if a line to change is not there."""
    path = folder / block.file
    if block.language != "diff":
        assert not path.exists(), f"{block.file} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
        return
    text = path.read_text()
    for hunk in re.split(r"^@@\n", block.text, flags=re.M):
        lines = hunk.splitlines(keepends=True)
        assert all(line[:1] in (" ", "+", "-") for line in lines), hunk
        before, after = ("".join(line[1:] for line in lines if line[0] != skipped) for skipped in "+-")
        assert text.count("\n" + before) == 1, f"{block.file} does not have these lines once:\n{before}"
        text = text.replace("\n" + before, "\n" + after)
    path.write_text(text)


def run(folder: Path, *command: str, fails: bool = False) -> str:
    """Run a command of Python in a copy of the tree, and return what it prints, errors too if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) == fails, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout + done.stderr if fails else done.stdout


def parts(page: str, language: str) -> list[Block]:
    """Return the blocks of a page in one language."""
    return [b for b in blocks(page) if b.language == language]


def applied(page: str, folder: Path) -> Path:
    """Copy the tree, and do what the page says."""
    copy_tree(folder)
    for block in blocks(page):
        if block.file:
            apply(block, folder)
    return folder


def commands(page: str, folder: Path) -> str:
    """Run the commands of a page, and return what the last one prints."""
    (block,) = parts(page, "sh")
    printed = ""
    for line in block.text.splitlines():
        words = shlex.split(line)
        printed = run(folder, *(["-m", "eqhls", *words[1:]] if words[0] == "eqhls" else words[1:]))
    return printed


def lint(page: str, folder: Path) -> None:
    """Check the files of eqhls that a page writes or changes with ruff."""
    files = [b.file for b in blocks(page) if b.file.startswith("eqhls/") and b.file.endswith(".py")]
    run(folder, "-m", "ruff", "check", *files)
    run(folder, "-m", "ruff", "format", "--check", *files)


@dataclass(frozen=True, slots=True)
class Step:
    """What a page shows in a block of text, what the commands above it printed, and the seconds that they took by the
    clock and in all processes together."""

    shown: Block
    said: str
    seconds: float
    cpu: float


def steps(page: str, folder: Path, *, long: bool = False) -> Iterator[Step]:
    """Do what docs/PAGE says, from top to bottom in a shell, in a folder with the shipped models: files are
    written and commands are run. Commands of blocks in the language `bash` take minutes and are run if `long`
    is given; without them, the text below is left out."""
    tools = _tools(folder)
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    said: str | None = ""
    seconds = cpu = 0.0
    for block in blocks(page):
        if block.file:
            (folder / block.file).write_text(block.text)
        elif block.language == "sh" or (block.language == "bash" and long):
            shell = ["bash", "-ec", block.text]
            start, before = time.monotonic(), _cpu()
            done = subprocess.run(
                shell, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, block.text + done.stdout + done.stderr
            said, seconds, cpu = done.stdout, time.monotonic() - start, _cpu() - before
        elif block.language == "bash":
            said = None
        elif block.language == "text" and said is not None:
            yield Step(block, said, seconds, cpu)


def follow(page: str, folder: Path, *, long: bool = False, trained: bool = False) -> int:
    """Do what docs/PAGE says (`steps`); what a block of text says must be what the commands above it printed, but
    for its numbers if they follow from a training, which differ between processors. Return how many texts
    were compared."""
    compared = 0
    for step in steps(page, folder, long=long):
        said, shown = (numberless(t) if trained else t for t in (step.said, step.shown.text))
        assert said == shown, f"{page} says\n{step.shown.text}\nand the commands print\n{step.said}"
        compared += 1
    return compared


def numberless(text: str) -> str:
    """Return a text with # for every number and hash; the blanks before a number, which fill a column, are one."""
    return re.sub(r" *(?<![\w.])-?(?:[0-9a-f]{32,}|\d[\d,]*\.?\d*)", " #", text)


def _cpu() -> float:
    """Return the seconds that finished processes below this one have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fill(page: str) -> None:
    """Write into docs/PAGE what its commands print, and print the seconds that each of them takes."""
    path = ROOT / "docs" / page
    text, rest = "", path.read_text()
    with tempfile.TemporaryDirectory() as folder:
        for step in steps(page, Path(folder), long=True):
            before, rest = rest.split(f"```text\n{step.shown.text}```", 1)
            text += f"{before}```text\n{step.said}```"
            heading = re.findall(r"^##+ (.*)$", text, re.M)[-1]
            print(f"{step.seconds:6.0f} s, {step.cpu:4.0f} CPU s  {heading}", flush=True)
    path.write_text(text + rest)


def _tools(folder: Path) -> Path:
    """Put this tree's eqhls and this Python into a folder for PATH, and the models beside it."""
    tools = folder / "bin"
    tools.mkdir()
    for name, command in (("python", ""), ("eqhls", " -m eqhls")):
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable}{command} "$@"\n')
        (tools / name).chmod(0o755)
    (folder / "models").symlink_to(ROOT / "models")
    return tools


if __name__ == "__main__":
    for name in sys.argv[1:]:
        fill(name)
