"""The cocotb bench of a project, run as a user would, with its verdict as data."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ElementTree
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from eqhls.errors import CompileError, VerificationError
from eqhls.lower.layout import Words
from eqhls.staging import put, staging_folder, write_whole
from eqhls.text import asset, npz, write_file
from eqhls.verify.builds import Recipe, built, described, is_built, version
from eqhls.verify.bulk import port_map, rtl_sources
from eqhls.verify.toolchain import require, require_header, run, toolchain
from eqhls.verify.workspace import workspace

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
    """Run the bench on packed events; JUnit XML stays in sim/results.xml, `waves` (vcd or fst) in build/, or
    in the cache if the project cannot be written.

    Raises VerificationError if the build fails or the simulator dies without a report.
    """
    root = workspace(folder)
    program = built(root, bench_recipe(folder, waves))
    folder = folder.absolute()
    kind = f"cocotb_{waves}" if waves else "cocotb"
    with staging_folder(root / kind) as private:
        vectors, results = private / "words.npz", private / "results.xml"
        write_file(vectors, npz({"input": words, "expected": expected}))
        command = [
            sys.executable,
            asset("sim", "run.py"),
            folder,
            "--vectors",
            vectors,
            "--simulator",
            program,
        ]
        command += ["--results", results, "--build", private, *(["--waves", waves] if waves else [])]
        try:
            run(command, "cocotb", root / "cocotb.log", private)
        except VerificationError:
            if not results.is_file():
                raise
        found = read_results(results, len(words))
        for file in (results, results.with_suffix(".timing.json")):
            with suppress(OSError):
                write_whole(folder / "sim" / file.name, file.read_bytes())
        put(private, root / kind)
    return found


def bench_is_built(folder: Path) -> bool:
    """Whether the simulator of the bench need not be built. Raises CompileError if a tool is missing."""
    return is_built(workspace(folder), bench_recipe(folder))


def bench_recipe(folder: Path, waves: str = "") -> Recipe:
    """Return how the simulator of the bench is built of a project. Raises CompileError if a tool is missing,
    or for waves of another kind."""
    tools = toolchain()
    if waves not in ("", "vcd", "fst"):
        raise CompileError("waves", f"found {waves!r}, expected vcd or fst", "choose one of these")
    if waves == "fst":
        require_header("lz4.h", "FST waves", "apt-get install liblz4-dev zlib1g-dev, or ask for vcd")
    project, name = folder.absolute(), port_map(folder)["name"]
    beside = (project / "rtl" / "sources.f", project / "rtl" / f"{name}.portmap.json", *rtl_sources(folder))
    files = {str(p.relative_to(project)): p.read_bytes() for p in beside}
    command = (
        sys.executable,
        "run.py",
        ".",
        "--only-build",
        "--build",
        "made",
        "--results",
        "made/results.xml",
    )
    return Recipe(
        f"bench_{waves}" if waves else "bench",
        f"made/{name}",
        {**files, "run.py": asset("sim", "run.py").read_bytes()},
        ((*command, *(("--waves", waves) if waves else ())),),
        (version(tools.verilator, tools.env), described(require("c++")), *_cocotb()),
        tools.env,
    )


def _cocotb() -> tuple[str, str]:
    """Return the version of cocotb and the place of its libraries, which the simulator loads."""
    found = find_spec("cocotb")
    if found is None or found.origin is None:
        raise CompileError("cocotb", "the Python package is not installed", "install eqhls again")
    return metadata.version("cocotb"), found.origin


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
