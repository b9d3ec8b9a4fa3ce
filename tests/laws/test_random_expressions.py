"""Law 4 beyond our own ops: any expression gives the same integers on every engine.

Found with it: alkaid's merging of equal operations moves tables, its multiplexer forgets a negation
under a wrap, its `quantize` returns wires that it knows to be constant unchanged. Of ours, a wide table
whose entries are multiples of a power of two lost that power, and the negative of a wide constant lost bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from expressions import grow, inputs_of
from machines import MACHINES

from eqhls.backends.emulator.emit import emit as emit_emulator
from eqhls.backends.rtl.emit import emit
from eqhls.engines import INTEGERS, Ints
from eqhls.fixed import Fixed, Num
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout, Port
from eqhls.lower.netlist import Netlist, simulate
from eqhls.lower.plan import Plan
from eqhls.lower.tracer import Tracer
from eqhls.options import Options
from eqhls.text import write_project
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.emulator import Emulator

FOUND = (741, 1161)
"""Seeds of wide expressions that once came out wrong."""
EVENTS = 300
SEEDS = 300


@dataclass(frozen=True)
class Case:
    netlist: Netlist
    inputs: list[Ints]
    want: list[Ints]


def build(seeds: Iterable[int], stage_ns: float, wide: bool = False) -> Case:
    """One design with the expressions of all seeds side by side."""
    tracer = Tracer(stage_ns)
    forms: list[Fixed] = []
    raws: list[Ints] = []
    results: list[tuple[Num, Fixed]] = []
    want: list[Ints] = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 2])
        mine = inputs_of(seed, wide=wide)
        events = [rng.integers(f.lo, f.hi + 1, EVENTS) for f in mine]
        for f, x in zip(mine, events, strict=True):
            x[:2] = f.lo, f.hi
            x[EVENTS // 2 :] = np.clip(x[EVENTS // 2 :], -3 if wide else f.lo, 3 if wide else f.hi).clip(
                f.lo, f.hi
            )
        steps = int(rng.integers(5, 40))
        wires = grow(seed, [tracer.input(f) for f in mine], steps, wide)[-8:]
        numbers = [Num(INTEGERS, x, f.lo, f.hi, f.frac) for f, x in zip(mine, events, strict=True)]
        results += [(w, Fixed.covering(w.lo, w.hi, w.frac)) for w in wires]
        want += [n.wire for n in grow(seed, numbers, steps, wide)[-8:]]
        forms += mine
        raws += events
    ports = (
        Layout((Port("x", (len(forms),), tuple(forms)),)),
        Layout((Port("y", (len(want),), tuple(f for _, f in results)),)),
    )
    return Case(tracer.finish("expressions", *ports, results), raws, want)


@pytest.mark.parametrize("stage_ns", [1.0, 2.5, 10.0])
def test_netlist(stage_ns: float) -> None:
    wrong = list[int]()
    for seed in range(SEEDS):
        case = build(range(seed, seed + 1), stage_ns)
        got = simulate(case.netlist, case.inputs)
        if any(not np.array_equal(g, w) for g, w in zip(got, case.want, strict=True)):
            wrong.append(seed)
    assert not wrong


def differing(seeds: Iterable[int]) -> list[int]:
    """Return the seeds of the wide expressions whose netlist differs from the integers."""
    cases = ((seed, build(range(seed, seed + 1), (1.0, 2.5, 10.0)[seed % 3], True)) for seed in seeds)
    return [
        seed
        for seed, case in cases
        if not all(map(np.array_equal, simulate(case.netlist, case.inputs), case.want))
    ]


def test_wide_netlist() -> None:
    """Words of up to 63 bits, which doubles do not hold, and constants, which float32 does not hold."""
    assert differing((*range(80), *FOUND)) == []


@pytest.mark.slow
def test_more_wide_netlists() -> None:
    assert differing(range(80, 3000)) == []


@pytest.mark.parametrize(("seeds", "wide"), [(range(60), False), (range(12), True)])
def test_rtl(seeds: range, wide: bool, tmp_path: Path) -> None:
    case = build(seeds, 2.5, wide)
    plan = Plan(Graph(case.netlist.name, (), ()), case.netlist, Options())
    write_project({**emit(plan), "eqhls.json": "{}"}, tmp_path / "p")
    words = BulkSimulator(tmp_path / "p").run(_packed(case.netlist.inputs.ports[0].formats, case.inputs))
    want = _packed(case.netlist.outputs.ports[0].formats, case.want)
    np.testing.assert_array_equal(words, want)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("seeds", "wide"), [(range(20), False), ((*range(5), *FOUND), True)], ids=["", "wide"]
)
def test_emulator(seeds: Iterable[int], wide: bool, machine: str, tmp_path: Path) -> None:
    """With tables of up to 1,024 entries, and words that need lanes of 64 bits; the events do not fill the last
    block."""
    case = build(seeds, 2.5, wide)
    plan = Plan(Graph(case.netlist.name, (), ()), case.netlist, Options())
    write_project({**emit_emulator(plan), "eqhls.json": "{}"}, tmp_path / "p")
    events = np.stack(case.inputs, axis=1)
    (found,) = Emulator(tmp_path / "p", machine).call(plan.name, [events], [(len(case.want),)])
    np.testing.assert_array_equal(found, np.stack(case.want, axis=1))


def _packed(forms: tuple[Fixed, ...], columns: list[Ints]) -> np.ndarray:
    bits = [(x[:, None] >> np.arange(f.width)) & 1 for f, x in zip(forms, columns, strict=True)]
    flat = np.concatenate(bits, axis=1).astype(np.uint8)
    padding = -flat.shape[1] % 32
    return np.packbits(np.pad(flat, ((0, 0), (0, padding))), axis=1, bitorder="little").view("<u4")
