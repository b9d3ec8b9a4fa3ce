"""Every kind of model file of `tests/doors`: read, calibrated on its events, and checked against its framework."""

from __future__ import annotations

import importlib
import pkgutil
import runpy
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import doors
import numpy as np
import pytest
from doors import Door, Made

import eqhls
from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.ports import fitted, given_port
from eqhls.frontends.open import load_any
from eqhls.ir.graph import Graph
from eqhls.ir.op import Floats
from eqhls.options import Options
from eqhls.passes import run as run_passes
from eqhls.passes import simplify
from eqhls.quantize.assign import assign
from eqhls.verify.given import Given, target

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.filterwarnings("ignore")

WHOLE = ("keras_float.deep_set_max", "keras_fixed.softmax")
"""Doors that `make test` takes through every engine, which is half a minute each; `make test-all` takes all."""


def _doors() -> Iterator[tuple[str, Door]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for found in pkgutil.iter_modules(doors.__path__):
            if not found.name.startswith("make_"):
                module = importlib.import_module(f"doors.{found.name}")
                yield from ((f"{found.name}.{d.name}", d) for d in getattr(module, "DOORS", ()))


DOORS = dict(_doors())
READ = [name for name, door in DOORS.items() if not door.refused]
USUAL = [pytest.param(n, marks=pytest.mark.slow) if DOORS[n].slow else n for n in READ]
REFUSED = [name for name, door in DOORS.items() if door.refused]


@dataclass(frozen=True)
class Opened:
    """A door behind its reader: the file, the network as it was read, and its events as its ports take them."""

    made: Made
    network: Graph
    events: Mapping[str, Floats]

    def feeds(self, quantized: Graph) -> dict[str, Ints]:
        return {n.name: fitted(n, self.events[n.name]) for n in quantized.inputs}


def opened(name: str, folder: Path) -> Opened:
    made = DOORS[name].make(folder)
    network = load_any(made.file, made.config)
    assert {n.name for n in network.inputs} == set(made.events), "the door names its ports otherwise"
    return Opened(made, network, {n.name: given_port(n, made.events[n.name]).exact for n in network.inputs})


def flat(values: Floats) -> Floats:
    return np.asarray(values, dtype=np.float64).reshape(len(values), -1)


def varies(values: Floats, events: Mapping[str, Floats]) -> bool:
    """Say whether events with the same number of particles have different results. A network of random weights
    may depend on that number alone, and then no control of a symmetry can change a result."""
    masks = [flat(v) for k, v in events.items() if k in ("valid", "atom_mask")]
    numbers = masks[0].sum(axis=1) if masks else np.zeros(len(values))
    return any(len(np.unique(flat(values)[numbers == n], axis=0)) > 1 for n in np.unique(numbers))


def test_every_door_has_a_name_of_its_own() -> None:
    assert len(DOORS) == sum(1 for _ in _doors())


@pytest.mark.parametrize("name", USUAL)
def test_the_network_is_the_frameworks(name: str, tmp_path: Path) -> None:
    """In floats within the rounding of the framework's; as integers to the bit if the framework is fixed
    point, else inside the bound of the proof."""
    door = opened(name, tmp_path)
    floats = door.network.scores(door.events)
    assert set(floats) == set(door.made.outputs), "the door names its outputs otherwise"
    for output, want in door.made.outputs.items():
        assert varies(want, door.events), "its results depend on the number of particles alone"
        if not door.made.exact:
            near = door.made.tolerance * np.abs(want).max()
            np.testing.assert_allclose(flat(floats[output]), flat(want), rtol=0, atol=near, err_msg=output)
    simple = simplify(door.network)
    quantized = assign(simple, door.events, Options())
    compiled, feeds = run_passes(quantized), door.feeds(quantized)
    raw = compiled.evaluate(feeds)
    for node in compiled.results:
        assert varies(raw[node.name], door.events), "its integers depend on the number of particles alone"
    if door.made.exact:
        for node in compiled.results:
            got = flat(raw[node.name] * node.type.formats.lsb)
            np.testing.assert_array_equal(got, flat(door.made.outputs[node.name]), err_msg=node.name)
    held = target(Given(door.network, simple, quantized, Options()), feeds).held(compiled)
    assert held.ok, f"{held.outside} of {held.events} events lie outside the bound: {held}"


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_names_the_cure(name: str, tmp_path: Path) -> None:
    made = DOORS[name].make(tmp_path)
    with pytest.raises(CompileError) as found:
        load_any(made.file, made.config)
    assert DOORS[name].refused in str(found.value)
    assert found.value.remedy, "says what is wrong, but not what to do"


@pytest.mark.parametrize("name", [n if n in WHOLE else pytest.param(n, marks=pytest.mark.slow) for n in READ])
def test_every_engine_agrees(name: str, tmp_path: Path) -> None:
    """Compiled with calibration on the door's events, and proved: C++, Verilog, the float network. Half a minute
    of CPU each, whatever the network."""
    door = opened(name, tmp_path)
    model = door.made.file if door.made.config is None else door.network
    project = eqhls.compile(model, dict(door.events), tmp_path / "project")
    evidence = project.verify()
    assert evidence.ok, [s for s in evidence.stages if not s.ok]


def test_the_page_of_kept_models_is_current() -> None:
    """`make docs` writes it. It has as many files of each kind as were asked for, at least nine in ten of those
    that were not written to be refused compile and verify, and every other one is refused by what to do."""
    kept = runpy.run_path(str(ROOT / "docs" / "kept.py"))
    page = (ROOT / "docs" / "kept-models.md").read_text()
    assert kept["page"]() == page, "run python docs/kept.py"
    every = kept["modules"]()
    assert {f"{module}.{d.name}" for module, listed in every.items() for d in listed} == set(DOORS)
    for kind in kept["KINDS"]:
        assert sum(not d.refused for d in every[kind.module]) >= kind.wanted, kind.title
    meant = [d for d in DOORS.values() if not d.negative]
    assert len(meant) >= 60 and sum(not d.refused for d in meant) >= 0.9 * len(meant)
    assert all(d.refused for d in DOORS.values() if d.negative)
