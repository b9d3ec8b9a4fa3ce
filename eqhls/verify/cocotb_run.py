"""The cocotb bench of a project, run as a user would, with its verdict as data."""

from __future__ import annotations

import io
import json
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eqhls.errors import CompileError, VerificationError
from eqhls.lower.words import Words
from eqhls.text import asset, write_file
from eqhls.verify.toolchain import require_header, run, toolchain

TESTS = ("bit_exact_back_to_back", "bit_exact_with_gaps", "reset_mid_stream", "silent_without_input")


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """Each test with its verdict and message, and the speed of the back-to-back stream."""

    tests: tuple[tuple[str, bool, str], ...]
    events: int
    events_per_second: float

    @property
    def ok(self) -> bool:
        """Every test of the bench ran and passed."""
        return {name for name, passed, _ in self.tests if passed} == set(TESTS)


def simulate(folder: Path, words: Words, expected: Words, *, waves: str = "") -> SimulationResult:
    """Run the bench on packed events; JUnit XML stays in sim/results.xml, `waves` (vcd or fst) in build/.

    Raises VerificationError where the build fails or the simulator dies without a report.
    """
    toolchain()
    if waves not in ("", "vcd", "fst"):
        raise CompileError("waves", f"found {waves!r}, expected vcd or fst")
    if waves == "fst":
        require_header("lz4.h", "FST waves", "apt-get install liblz4-dev zlib1g-dev, or ask for vcd")
    folder = folder.absolute()
    results = folder / "sim" / "results.xml"
    results.unlink(missing_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, input=words, expected=expected)
    vectors = folder / "build" / "words.npz"
    write_file(vectors, buffer.getvalue())
    command = [sys.executable, asset("sim", "run.py"), folder, "--vectors", vectors, "--results", results]
    try:
        run(
            [*command, *(["--waves", waves] if waves else [])],
            "cocotb",
            folder / "build" / "cocotb.log",
            folder,
        )
    except VerificationError:
        if not results.is_file():
            raise
    return read_results(results, len(words))


def read_results(results: Path, events: int) -> SimulationResult:
    """Read JUnit XML; a test that is missing in it counts as not passed."""
    if not results.is_file():
        raise VerificationError(
            str(results), "was not written: the simulation did not run", "see build/cocotb.log"
        )
    tests: list[tuple[str, bool, str]] = []
    for case in ElementTree.parse(results).iter("testcase"):
        failure = next((e for tag in ("failure", "error", "skipped") for e in case.iter(tag)), None)
        message = "" if failure is None else (failure.get("message") or failure.tag)
        tests.append((case.get("name", "?"), failure is None, message))
    timing = results.with_suffix(".timing.json")
    rate = 0.0
    if timing.is_file():
        measured = json.loads(timing.read_text())
        rate = measured["events"] / measured["seconds"]
    return SimulationResult(tuple(tests), events, rate)
