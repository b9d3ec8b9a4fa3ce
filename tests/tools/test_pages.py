"""The pages on adding an op and a package writer, followed to the letter in a copy of the tree, and those of
inputs and of event files, whose programs and commands are run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT, Block, applied, apply, blocks, commands, copy_tree, lint, parts, run

from eqhls.events.layouts import LAYOUTS
from eqhls.events.words import TRIGGER

OP = "adding-an-op.md"
WRITER = "adding-a-package-writer.md"


@pytest.fixture(scope="module")
def with_op(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree to which the page of ops has been applied."""
    return applied(OP, tmp_path_factory.mktemp("op"))


@pytest.fixture(scope="module")
def with_writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree to which the page of writers has been applied."""
    return applied(WRITER, tmp_path_factory.mktemp("writer"))


def test_the_laws_accept_the_op_of_the_page(with_op: Path) -> None:
    assert " passed" in commands(OP, with_op)


def test_every_engine_computes_the_op_of_the_page(with_op: Path) -> None:
    """C++ and Verilog among them."""
    (program,) = (b for b in parts(OP, "python") if not b.file)
    (said,) = parts(OP, "text")
    assert run(with_op, "-c", program.text) == said.text


MISSING = {
    "eqhls/ops/__init__.py": ("tests/laws/test_ops.py", "listed", "distance"),
    "eqhls/data/hls_templates/eqhls/distance.h": (
        "tests/laws/test_facts.py",
        "all_its_files and distance",
        "eqhls/data/hls_templates/eqhls/distance.h is missing",
    ),
    "eqhls/backends/hls/config.py": (
        "tests/laws/test_facts.py",
        "all_its_files and distance",
        "eqhls/backends/hls/config.py has no rule for distance",
    ),
    "eqhls/backends/onnx/functions.py": (
        "tests/laws/test_facts.py",
        "all_its_files and distance",
        "eqhls/backends/onnx/functions.py lacks distance",
    ),
}
"""For every file of the page but that of the op: the test that misses it, and what that test says."""


def test_every_file_of_the_page_of_ops_is_missed_by_a_test() -> None:
    assert {b.file for b in blocks(OP) if b.file} - set(MISSING) == {"eqhls/ops/distance.py", "window.eq"}


@pytest.mark.parametrize("file", MISSING)
def test_a_missing_file_is_named(file: str, tmp_path: Path) -> None:
    """The negative control: all of the page but one file."""
    folder = copy_tree(tmp_path)
    for block in blocks(OP):
        if block.file and block.file != file:
            apply(block, folder)
    tests, chosen, message = MISSING[file]
    printed = run(folder, "-m", "pytest", "-q", tests, "-k", chosen, fails=True)
    assert message in printed and "error" not in printed.splitlines()[-1], printed


def test_the_code_of_the_page_of_ops_is_linted(with_op: Path) -> None:
    """What the page says to write passes ruff."""
    lint(OP, with_op)


def test_the_writer_of_the_page_writes_what_it_says(with_writer: Path) -> None:
    (program,) = (b for b in parts(WRITER, "python") if not b.file)
    assert run(with_writer, "-c", program.text) == parts(WRITER, "text")[0].text
    lint(WRITER, with_writer)
    run(with_writer, "-m", "pytest", "-q", "tests/test_floors.py")


def test_two_writers_of_one_path_are_refused(with_writer: Path) -> None:
    (source,) = (b for b in blocks(WRITER) if b.file == "eqhls/backends/csv.py")
    (program,) = (b for b in parts(WRITER, "python") if not b.file)
    (with_writer / source.file).write_text(source.text.replace(".ports.csv", ".portmap.json"))
    printed = run(with_writer, "-c", program.text, fails=True)
    (with_writer / source.file).write_text(source.text)
    assert printed.endswith(f"CompileError: {parts(WRITER, 'text')[1].text}")


def test_a_page_whose_line_is_gone_is_seen(tmp_path: Path) -> None:
    """The negative control of the pages: a change to a line that is not there, a file that is there already."""
    (tmp_path / "eqhls").mkdir()
    (tmp_path / "eqhls" / "a.py").write_text("x = 1\ny = 2\n")
    with pytest.raises(AssertionError, match="does not have these lines once:\nz = 3"):
        apply(Block("diff", "eqhls/a.py", " z = 3\n+z = 4\n"), tmp_path)
    with pytest.raises(AssertionError, match=r"eqhls/a\.py is there already"):
        apply(Block("python", "eqhls/a.py", "x = 2\n"), tmp_path)
    apply(Block("diff", "eqhls/a.py", "-y = 2\n+y = 3\n"), tmp_path)
    assert (tmp_path / "eqhls" / "a.py").read_text() == "x = 1\ny = 3\n"


INPUTS = "inputs.md"


def test_the_program_of_the_page_of_inputs_prints_what_it_says(tmp_path: Path) -> None:
    """One program over all sections; each part prints the text below it."""
    shown = [b for b in blocks(INPUTS) if b.language in ("python", "text")]
    assert [b.language for b in shown] == ["python", "text"] * (len(shown) // 2) and len(shown) > 6
    for block in parts(INPUTS, "eq"):
        (tmp_path / block.file).write_text(block.text)
    program = "\nprint('====')\n".join(b.text for b in shown if b.language == "python")
    (tmp_path / "eqhls").symlink_to(ROOT / "eqhls")
    said = run(tmp_path, "-c", program).split("====\n")
    assert said == [b.text for b in shown if b.language == "text"]


EVENT_FILES = "event-files.md"


def test_the_page_of_event_files_prints_what_it_says(tmp_path: Path) -> None:
    """Its programs and commands one after the other; the times of the progress are not compared."""
    (tmp_path / "eqhls").symlink_to(ROOT / "eqhls")
    program, said = "", ""
    for block in blocks(EVENT_FILES):
        if block.file:
            (tmp_path / block.file).write_text(block.text)
        elif block.language == "python":
            program += block.text
            said = run(tmp_path, "-c", program)
        elif block.language == "sh":
            said = told(tmp_path, *shlex.split(block.text)[1:])
        else:
            assert re.sub(r"\d:\d\d:\d\d", "0:00:00", said) == block.text


def told(folder: Path, *arguments: str) -> str:
    """Run a command of eqhls, and return its lines on standard error and those on standard output."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "eqhls", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return "".join(f"{line}\n" for line in (done.stderr + done.stdout).splitlines() if line)


def test_the_page_of_inputs_has_every_layout() -> None:
    page = (ROOT / "docs" / INPUTS).read_text()
    for kind in LAYOUTS.values():
        fields = ", ".join(map(str, kind.fields))
        assert f"| `{kind.name}` | {kind.what}, {kind.width} bits | {fields} |\n" in page, kind.name
    for name, form in TRIGGER.items():
        assert re.search(rf"^\| `{name}` \| `S\S*\[\S*\]:{re.escape(str(form))}` \|", page, re.M), name
