"""Mutants of three small projects under the bench and the words that they ship, as Markdown tables.

    python -m mutants [NAME ..] [--seed N] [--no-hls] [--against-simulate N]      (from tests/)

Exit status 0 if at least 99 % of the faults that 100,000 adversarial words tell apart are seen by the bench of
the project alone, and the sample that runs under `eqhls simulate` itself has the same verdicts.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eqhls.errors import VerificationError
from eqhls.flow import Compiled, compile_model
from mutants.hls import REFUSED, hls_mutants, sweep_hls
from mutants.networks import NETWORKS
from mutants.sweep import Verdict, drawn, single, sweep
from mutants.verilog import Mutant

WANTED = 0.99
EACH = 4
"""HLS faults of each kind in each network."""


def table(name: str, verdicts: Sequence[Verdict], seconds: float) -> str:
    """Return a Markdown table of one network: a row for each kind of fault, and all."""
    kinds = list(dict.fromkeys(v.mutant.kind for v in verdicts))
    rows = [(kind, [v for v in verdicts if v.mutant.kind == kind]) for kind in kinds]
    lines = [
        f"{name}: {seconds:.0f} s",
        "",
        "| fault | mutants | equivalent | killed | survivors |",
        "|---|---|---|---|---|",
    ]
    for kind, part in [*rows, ("all", list(verdicts))]:
        same, killed = sum(v.equivalent for v in part), sum(v.killed for v in part)
        lines.append(f"| {kind} | {len(part)} | {same} | {killed} | {len(part) - same - killed} |")
    survivors = [f"- survivor: `{v.mutant}`" for v in verdicts if not v.killed and not v.equivalent]
    return "\n".join([*lines, "", *survivors])


def rate(verdicts: Sequence[Verdict]) -> float:
    """Return the share of the faults that words can tell apart which the bench sees."""
    real = [v for v in verdicts if not v.equivalent]
    return sum(v.killed for v in real) / len(real)


def against_simulate(
    project: Compiled, mutants: dict[int, Mutant], verdicts: Sequence[Verdict], count: int, folder: Path
) -> int:
    """Run some faults alone under the project's own bench; return how many verdicts differ."""
    seen = dict(zip(mutants, verdicts, strict=True))
    chain = [n for n, m in mutants.items() if not m.file.endswith("_core.v")]
    alive = [n for n, v in seen.items() if not v.killed]
    core = [n for n, v in seen.items() if v.killed and n not in chain]
    step = max(len(core) // max(count - 4, 1), 1)
    chosen = [*alive[:2], *chain[:: max(len(chain) // 2, 1)][:2], *core[::step]][:count]
    wrong = 0
    for number in chosen:
        copy = folder / f"single_{number}"
        shutil.copytree(project.folder, copy, ignore=shutil.ignore_patterns("build"))
        single(project, number, mutants[number], copy)
        try:
            passed = Compiled(copy).simulate().ok
        except VerificationError:
            passed = False
        wrong += passed == seen[number].killed
        print(f"- eqhls simulate {'passes' if passed else 'fails'}: {mutants[number]}"[:300], flush=True)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(NETWORKS)}; all if none is given"
    )
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--no-hls", action="store_true")
    parser.add_argument("--against-simulate", type=int, default=4, metavar="N")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NETWORKS):
        parser.error(f"found {', '.join(sorted(unknown))}, expected names of {', '.join(NETWORKS)}")
    everything: list[Verdict] = []
    wrong = 0
    with tempfile.TemporaryDirectory() as work:
        for name in arguments.names or NETWORKS:
            folder, rng = Path(work) / name, np.random.default_rng(arguments.seed)
            project = compile_model(NETWORKS[name](), output=folder / "project")
            mutants = drawn(project, rng)
            verdicts, seconds = sweep(project, mutants, folder / "rtl")
            print(table(f"{name}, Verilog", verdicts, seconds), flush=True)
            everything += verdicts
            wrong += against_simulate(project, mutants, verdicts, arguments.against_simulate, folder)
            if not arguments.no_hls:
                found, seconds = sweep_hls(project, hls_mutants(project, rng, EACH), folder / "hls")
                print(table(f"\n{name}, HLS (the C simulation against tb_data)", found, seconds), flush=True)
                refused = sum(v.test == REFUSED for v in found)
                print(f"{refused} of the killed do not compile.\n", flush=True)
                everything += [v for v in found if v.test != REFUSED]
    real = sum(not v.equivalent for v in everything)
    killed = sum(v.killed for v in everything)
    print(f"all: {len(everything)} mutants, {real} real, {killed} killed: {100 * rate(everything):.2f} %")
    print(f"verdicts that differ from eqhls simulate: {wrong}")
    return 0 if rate(everything) >= WANTED and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
