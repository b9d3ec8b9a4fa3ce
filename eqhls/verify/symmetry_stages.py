"""The symmetry in the proof: what the network claims, demanded with zero tolerance of every engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from eqhls.engines import ExactEngine, Ints, TracedEngine
from eqhls.errors import CompileError
from eqhls.events.read import Events
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph
from eqhls.options import Options
from eqhls.progress import Report
from eqhls.project import engines_project
from eqhls.verify.approximate import mean_change
from eqhls.verify.claims import float_values
from eqhls.verify.controls import broken, faults_of
from eqhls.verify.evidence import Moved, Stage
from eqhls.verify.fingerprint import depends
from eqhls.verify.rearranged import check_claim
from eqhls.verify.sampling import lattice_events, spread_events
from eqhls.verify.symmetry import Symmetry, derive, exact_elements
from eqhls.verify.testbuild import guarded
from eqhls.verify.trials import (
    Feeds,
    Images,
    SymmetryResult,
    check_images,
    control,
    differing,
    group_moves,
    images,
    is_whole,
    lattice_change,
    pair_moves,
)
from eqhls.verify.workspace import scratch_project

GUARD_BITS = 5
SYMMETRY_EVENTS, LATTICE_EVENTS = 600, 60
ENGINES: tuple[tuple[TracedEngine, float], ...] = (
    ("float", 0.45),
    ("integer", 0.5),
    ("hls", 0.55),
    ("rtl", 0.7),
)
SYMMETRY = (*(f"symmetry {engine}" for engine, _ in ENGINES), "symmetry controls")
"""The stages that are made here."""


class Engines(Protocol):
    """The engines of one project: raw integers by port to those of every output."""

    @property
    def folder(self) -> Path: ...
    @property
    def graph(self) -> Graph: ...
    def run(self, engine: ExactEngine, feeds: Mapping[str, Ints]) -> dict[str, Ints]: ...
    def is_built(self, engine: ExactEngine) -> bool: ...


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of moved events on the test build, with the control that belongs to it."""

    name: str
    images: Images
    spoiled: Feeds


@dataclass(frozen=True, slots=True)
class Tested:
    """What is tested: the claim, the test build with its events (none if no Lorentz group is claimed),
    and events of the network itself for permutations."""

    symmetry: Symmetry
    graph: Graph
    test: Graph | None
    trials: tuple[Trial, ...]
    plain: Feeds


def symmetry_stages(
    engines: Engines,
    make: Callable[[Path, Graph], Engines],
    options: Options,
    report: Report,
    skip: Collection[str] = (),
) -> Iterator[Stage]:
    """Test the derived symmetry on the float reference and on every exact engine, but for the stages to
    `skip`. `make` returns the engines of the test build, whose project is written below that of the
    network."""
    if {*SYMMETRY} <= {*skip}:
        return
    report("symmetry: build the test design", 0.4)
    tested = planned(engines.graph)
    twin = engines
    if tested.test is not None:
        folder = scratch_project(engines.folder, "symmetry", engines_project(tested.test, options))
        twin = make(folder, tested.test)
    for engine, share in ENGINES:
        if f"symmetry {engine}" not in skip:
            report(f"symmetry {engine}{_how(engine, (twin, engines))}", share)
            yield _tried(tested, engine, twin, engines)
    report("symmetry controls: faults that must be caught", 0.93)
    yield _controls(tested)


def _how(engine: TracedEngine, both: Sequence[Engines]) -> str:
    """Return what is said of an engine that is built: whether that was done before."""
    if engine in ("float", "integer"):
        return ""
    return ": built before and run" if all(e.is_built(engine) for e in both) else ": build and run"


def _tried(tested: Tested, engine: TracedEngine, twin: Engines, engines: Engines) -> Stage:
    """Run all tests of the symmetry on one engine: of the group on the test build, of all other claims on the
    network itself."""
    moved, itself = (
        partial(float_values, m.graph) if engine == "float" else partial(m.run, engine)
        for m in (twin, engines)
    )
    results = _lorentz(tested, engine, moved)
    for k, claim in enumerate(tested.symmetry.claims):
        rng = np.random.default_rng([4, k])
        results.append(check_claim(claim, tested.graph, tested.plain, itself, engine, rng))
    return _stage(tested, engine, results)


def planned(graph: Graph) -> Tested:
    """Return what is claimed of a network and how it is tested. Where no test build fits into 63 bits, no
    Lorentz symmetry is claimed, and the reason says why."""
    rng, symmetry = np.random.default_rng(2), derive(graph)
    plain = spread_events(graph, rng, SYMMETRY_EVENTS)
    if symmetry.group is None:
        return Tested(symmetry, graph, None, (), plain)
    try:
        test = guarded(graph, GUARD_BITS)
    except CompileError as error:
        reason = f"ports wide enough to test it do not fit: {error}"
        nothing = replace(symmetry, group=None, reason=reason)
        return Tested(nothing, graph, None, (), plain)
    lattice = lattice_events(graph, test, rng, SYMMETRY_EVENTS)
    found = [(symmetry.group.name, group_moves(symmetry, np.random.default_rng(3)))]
    if is_whole(symmetry):
        found.append((symmetry.parent.pair_name, pair_moves(symmetry, np.random.default_rng(5))))
    trials: list[Trial] = []
    for name, moves in found:
        if moves:
            moved = images(symmetry, test, lattice, moves)
            if len(moved):
                trials.append(Trial(name, moved, control(symmetry, test, moved)))
    return Tested(symmetry, graph, test, tuple(trials), plain)


def _lorentz(
    tested: Tested, engine: str, runner: Callable[[Feeds], Mapping[str, Any]]
) -> list[SymmetryResult]:
    if tested.test is None:
        return []
    return [
        check_images(tested.symmetry, tested.test, t.images, runner, engine, t.name, t.spoiled)
        for t in tested.trials
    ]


def _blind(tested: Tested) -> str:
    """Return why no control can change anything, or nothing if one can: outputs that do not depend on what
    is moved, whatever the values."""
    covariant = [n.name for n in tested.graph.inputs if n.type.rep is not S]
    return "" if depends(tested.graph, covariant) else "the outputs do not depend on the vectors"


def _stage(tested: Tested, engine: str, results: list[SymmetryResult]) -> Stage:
    """Return what the tests of one engine found. A control that changes nothing is a failure, unless the
    outputs provably do not depend on what it changes."""
    lorentz = len(results) - len(tested.symmetry.claims)
    caught = True
    notes = [tested.symmetry.describe()] if tested.symmetry.group is None else []
    moved = list[Moved]()
    for k, result in enumerate(results):
        reason = ""
        note = (
            f"{result.transform}: {result.transformed} transformed, {result.mismatches} differ, "
            f"control changed {result.control_changed}"
        )
        if result.control_changed == 0:
            reason = _blind(tested) if k < lorentz else _unused(tested, k - lorentz)
            caught, note = caught and bool(reason), f"{note} ({reason})" if reason else note
        notes.append(note)
        counts = (result.transformed, result.mismatches, result.control_changed)
        moved.append(Moved(result.transform, *counts, reason))
    if tested.test is not None and not lorentz:
        caught, notes = False, [*notes, "no transformed event fits the ports: nothing could be tested"]
    tried, wrong = (sum(getattr(r, n) for r in results) for n in ("transformed", "mismatches"))
    return Stage(
        f"symmetry {engine}",
        caught and wrong == 0 and all(r.transformed for r in results),
        "; ".join(notes),
        (("transformed", tried), ("mismatches", wrong), ("controls_caught", caught)),
        tuple(moved),
    )


def _unused(tested: Tested, claim: int) -> str:
    ports = tested.symmetry.claims[claim].moved(tested.graph)
    return "" if depends(tested.graph, ports) else "the outputs do not depend on these ports"


def _controls(tested: Tested) -> Stage:
    """Run the same test on networks with one fault each, on the integer model, which the hardware has
    been found to equal. One fault at least must be caught, and, if the whole group is claimed, every one
    that changes an output at all; a few signed permutations may commute with some."""
    if tested.test is None:
        return Stage("symmetry controls", True, f"none: {tested.symmetry.describe()}", ())
    counts: dict[str, int] = {}
    notes: list[str] = []
    ok = True
    for fault, names in faults_of(tested.test).items():
        counts[fault], changed = _caught(tested, fault, names)
        notes.append(f"{fault}: {counts[fault]} transformed events differ")
        if not counts[fault]:
            ok &= not (changed and is_whole(tested.symmetry))
            notes[-1] += "" if changed else ", for it changes no output of any event"
    if not any(counts.values()):
        reason = _blind(tested) if counts else "no op computes with vectors: they are passed on as they are"
        ok = bool(reason)
        notes.append(reason or "no fault was caught")
    return Stage("symmetry controls", ok, "; ".join(notes), tuple(counts.items()))


def _caught(tested: Tested, fault: str, names: list[str]) -> tuple[int, bool]:
    """Return how many transformed events show a fault, and whether it changes an output of any event."""
    assert tested.test is not None
    changed = False
    for wrong in broken(tested.test, fault, names):
        for trial in tested.trials:
            out = {
                side: wrong.evaluate(feeds, tested.test.outputs)
                for side, feeds in ((1, trial.images.plain), (0, trial.images.moved))
            }
            plain, moved = (trial.images.followed(wrong, tested.symmetry.points, out[s], s) for s in (1, 0))
            if count := differing(moved, plain):
                return count, True
            changed = changed or _changes(tested.test, wrong, trial.images, out[0])
    return 0, changed


def _changes(test: Graph, wrong: Graph, found: Images, out: Mapping[str, Ints]) -> bool:
    """Whether a faulty network gives other values than the right one on some event."""
    want = test.evaluate(found.moved)
    lsb = {n.name: (n.type.formats.lsb, test.node(n.name).type.formats.lsb) for n in wrong.results}
    return any((out[name] * new != want[name] * old).any() for name, (new, old) in lsb.items())


def equivariance_error(graph: Graph, events: Events, proven: bool = False) -> float:
    """Return the mean change of the output under transformations, divided by its spread; 0 for networks
    without four-vectors. An exact network is measured on lattice events, which the ports hold exactly
    (`lattice_change`), or, if what is `proven` is enough, taken as 0; any other is measured on the given
    events, turned and boosted (`mean_change`)."""
    if all(n.type.rep is S for n in graph.inputs):
        return 0.0
    symmetry = exact_elements(graph)
    if not is_whole(symmetry):
        return mean_change(graph, events)
    if proven:
        return 0.0
    test = guarded(graph, GUARD_BITS)
    lattice = lattice_events(graph, test, np.random.default_rng(2), LATTICE_EVENTS)
    return lattice_change(symmetry, test, lattice, np.random.default_rng(3))
