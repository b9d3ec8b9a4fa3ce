"""`eqhls patterns` as users type it, and one pattern file through predict, simulate and the engines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pages import follow
from streamed import PAIR
from tools_needed import need

import eqhls


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("patterns")
    (root / "pair.eq").write_text(PAIR.format(name="pair"))
    np.savez(root / "pair.npz")
    eqhls.compile(root / "pair.eq", output=root / "pair")
    return root / "pair"


def command(*arguments: object) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "eqhls", *map(str, arguments)], capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def test_write_and_check(project: Path, tmp_path: Path) -> None:
    inputs, expected = tmp_path / "in.txt", tmp_path / "in.expected.txt"
    status, said = command(
        "patterns", project, "-o", inputs, "--links", 1, "--frames", 1024, "--first-output", 5
    )
    assert status == 0 and "links 000" in said and "links 005" in said
    assert inputs.read_text().count("\n") == expected.read_text().count("\n") <= 1024 + 4
    status, said = command("patterns", project, inputs, "--check", expected, "--first-output", 5)
    assert status == 0 and "results equal the integers, every bit" in said
    status, said = command("patterns", project, "--check", expected, "--first-output", 5)
    assert status == 1 and "found the last of" in said and "EVENTS was not given" in said
    assert f"; give the file that was played: eqhls patterns {project} PLAYED.txt --check {expected}" in said
    lines = expected.read_text().splitlines()
    frame = next(k for k, line in enumerate(lines) if line.split()[2:3] == ["0111"])
    at = lines[frame].index("0111") + 5
    lines[frame] = lines[frame][:at] + ("0" if lines[frame][at] != "0" else "1") + lines[frame][at + 1 :]
    expected.write_text("\n".join(lines) + "\n")
    status, said = command("patterns", project, inputs, "--check", expected, "--first-output", 5)
    assert status == 1
    assert f"frame {frame - 4}, link 005: found {lines[frame][at : at + 16]}, expected" in said
    assert "1 of " in said and said.count("\n") == 1


def test_mistakes(project: Path, tmp_path: Path) -> None:
    for arguments, words in (
        (("-o", tmp_path / "a.txt", "--links", 0), "--links: found 0, expected 1 or more"),
        (("-o", tmp_path / "a.txt", "--links", 1, "--tmux", 1), "give 2 clocks (tmux) or more links"),
        (("-o", tmp_path / "a.txt", "--check", tmp_path / "b.txt"), "-o and --check were both given"),
        ((), "neither -o nor --check was given"),
        (
            ("--check", tmp_path / "none.txt"),
            "none.txt: cannot be read (No such file or directory); check the path",
        ),
    ):
        status, said = command("patterns", project, *arguments)
        assert status == 2 and words in said and said.count("\n") == 1, said
    assert not list(tmp_path.iterdir())


def test_one_file_for_every_engine(project: Path, tmp_path: Path) -> None:
    """The integers, the C++, the Verilog and the bench take the events of a pattern file, all the same ones."""
    opened = eqhls.open_project(project)
    file = tmp_path / "in.txt"
    assert (
        command("patterns", project, "-o", file, "--links", 3, "--tmux", 2, "--gap", 1, "--frames", 700)[0]
        == 0
    )
    count = len(opened.events(file))
    shipped = opened.events()
    raw = {k: v[:count] for k, v in shipped.raw.items()}
    assert 200 < count < len(shipped)
    want = opened.prediction(raw)
    for engine in ("integer", "hls", "rtl"):
        found = opened.prediction(file, engine)
        assert list(found.outputs) == list(want.outputs)
        for name, result in want.outputs.items():
            np.testing.assert_array_equal(found[name].raw, result.raw)
    status, said = command("predict", project, file, "-o", tmp_path / "o.npz")
    assert status == 0, said
    with np.load(tmp_path / "o.npz") as saved:
        np.testing.assert_array_equal(saved["raw_g"], want["g"].raw)
    assert opened.simulate(file).ok


def test_the_page_prints_what_it_says(tmp_path: Path) -> None:
    """docs/patterns.md from top to bottom, in a shell."""
    need("iverilog")
    assert follow("patterns.md", tmp_path) == 4
