"""Faults in HLS headers, configs and tables, each compiled by g++ on its own.

python -m mutants.hls PROJECT WORDS.npz        prints how many events differ
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from eqhls.errors import VerificationError
from eqhls.flow import Compiled
from eqhls.verify.csim import CSim
from mutants.sweep import TESTS, Verdict, adversarial, packed
from mutants.verilog import Mutant, apply_lines

SECONDS = 120
MORE = 20_000
REFUSED, DIFFERS = "compiler", "words"
OPERATORS = {
    " + ": " - ",
    " - ": " + ",
    " * ": " + ",
    " < ": " <= ",
    " >= ": " > ",
    " > ": " >= ",
    " << ": " >> ",
    " >> ": " << ",
    " && ": " || ",
    " += ": " -= ",
    " == ": " != ",
}
NUMBER = re.compile(r"(?<![\w.])(-?\d+)(?![\w.])")


def hls_mutants(project: Compiled, rng: np.random.Generator, each: int) -> list[Mutant]:
    """Draw faults: operators and conditions in headers, constants, widths, entries of tables."""
    firmware = project.folder / "firmware"
    files = {str(p.relative_to(firmware)): p.read_text() for p in sorted(firmware.rglob("*.h"))}
    headers = {n: t for n, t in files.items() if n.startswith("eqhls/")}
    config, tables = ({n: files[n]} for n in ("parameters.h", "weights/tables.h"))
    kinds = {
        "header: operator": (headers, _operators),
        "header: condition": (headers, _conditions),
        "config: constant": (config, _constants),
        "config: width": (config, _widths),
        "table entry": (tables, _entries),
    }
    found: list[Mutant] = []
    for type, (texts, fault) in kinds.items():
        sites = [
            Mutant(f"HLS {type}", name, k, before, after)
            for name, text in texts.items()
            for k, line in enumerate(text.split("\n"))
            if not line.lstrip().startswith(("//", "#", "template"))
            for before, after in fault(line, rng)
        ]
        found += [sites[k] for k in rng.permutation(len(sites))[:each]]
    return found


Edits = Iterator[tuple[str, str]]


def _operators(line: str, rng: np.random.Generator) -> Edits:
    if "static_assert" not in line:
        yield from ((line, line.replace(a, b, 1)) for a, b in OPERATORS.items() if a in line)


def _conditions(line: str, rng: np.random.Generator) -> Edits:
    """A condition inverted, or always true: so a mask is deleted."""
    if m := re.match(r"(\s*(?:\} else )?)if \((.*)\) (\{|\w.* = .*;)$", line):
        yield line, f"{m[1]}if (!({m[2]})) {m[3]}"
        yield line, f"{m[1]}if (({m[2]}) || true) {m[3]}"


def _constants(line: str, rng: np.random.Generator) -> Edits:
    if m := re.match(r"\s*static const (?:int|long|long long) \w+ = (-?\d+);", line):
        yield line, line.replace(f"= {m[1]};", f"= {int(m[1]) + 1};")
    if m := re.match(r"\s*static const bool \w+ = (true|false);", line):
        yield line, line.replace(m[1], {"true": "false", "false": "true"}[m[1]])


def _widths(line: str, rng: np.random.Generator) -> Edits:
    if m := re.search(r"typedef ap_u?fixed<(\d+), (-?\d+)", line):
        if int(m[1]) > 1:
            yield line, line.replace(f"<{m[1]},", f"<{int(m[1]) - 1},", 1)
        yield line, line.replace(f", {m[2]}", f", {int(m[2]) - 1}", 1)


def _entries(line: str, rng: np.random.Generator) -> Edits:
    row = line[line.index("= ") :] if "= " in line else line
    places = list(NUMBER.finditer(row))
    if places and ("{" in row or "," in row):
        m = places[int(rng.integers(len(places)))]
        other = int(m[1]) - 1 if int(m[1]) > 0 else int(m[1]) + 1
        yield row, row[: m.start()] + str(other) + row[m.end() :]


def sweep_hls(project: Compiled, mutants: Sequence[Mutant], folder: Path) -> tuple[list[Verdict], float]:
    """Return a verdict for every fault, and the seconds. A program that crashes or hangs has been seen."""
    begin, graph = time.monotonic(), project.graph
    folder.mkdir(parents=True, exist_ok=True)
    more = folder / "more.npz"
    given, expected = packed(graph, adversarial(graph, np.random.default_rng(98), MORE))
    np.savez(more, input=given, expected=expected)
    shipped = project.folder / "tb_data" / "words.npz"
    assert not differing(project.folder, shipped) and not differing(project.folder, more)
    with ThreadPoolExecutor(2) as pool:
        test = partial(_verdict, project.folder, folder, (shipped, more))
        verdicts = list(pool.map(test, range(len(mutants)), mutants))
    return verdicts, time.monotonic() - begin


def _verdict(source: Path, folder: Path, words: tuple[Path, Path], number: int, mutant: Mutant) -> Verdict:
    place = folder / str(number)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    shutil.copytree(source / "firmware", place / "firmware")
    (place / next(source.glob("*_test.cpp")).name).touch()
    path = place / "firmware" / mutant.file
    path.write_text(apply_lines(path.read_text(), mutant))
    try:
        CSim(place).build()
    except VerificationError:
        return Verdict(mutant, REFUSED)
    if differing(place, words[0]):
        return Verdict(mutant, DIFFERS)
    return Verdict(mutant, TESTS[0], not differing(place, words[1]))


def differing(folder: Path, words: Path) -> bool:
    """Whether a project's C simulation differs anywhere, in a process of its own."""
    command = [sys.executable, "-m", "mutants.hls", str(folder), str(words)]
    try:
        done = subprocess.run(
            command,
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0 or done.stdout.strip() != "0"


def main(folder: str, words: str) -> None:
    with np.load(words) as file:
        got = CSim(Path(folder)).run(file["input"])
        print(int((got != file["expected"]).any(axis=1).sum()))


if __name__ == "__main__":
    main(*sys.argv[1:])
