"""The packed word against an independent packing, and the plan and its writers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import networks
import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout, Port
from eqhls.lower.plan import Plan
from eqhls.names import fault
from eqhls.options import Options
from eqhls.project import WRITERS, engines_project
from eqhls.text import MANIFEST, merged

FORMS = (Fixed(1, 1), Fixed(1, 0, False), Fixed(33, 20), Fixed(63, 30), Fixed(5, 9, False), Fixed(31, 2))
"""Single bits of both kinds, words that cross one and two borders of 32 bits, fractions and steps above 1."""


def layouts() -> list[Layout]:
    """Words of one to four ports, of one to three axes, with formats of their own for every element."""
    rng = np.random.default_rng(5)
    found: list[Layout] = [Layout((Port("bit", (1,), (FORMS[0],)),))]
    for _ in range(12):
        ports: list[Port] = []
        for k in range(rng.integers(1, 5)):
            shape = tuple(int(n) for n in rng.integers(1, 4, rng.integers(1, 4)))
            picks = rng.integers(0, len(FORMS), int(np.prod(shape)))
            ports.append(Port(f"p{k}", shape, tuple(FORMS[i] for i in picks)))
        found.append(Layout(tuple(ports)))
    return found


def drawn(port: Port, rng: np.random.Generator, events: int = 20) -> np.ndarray:
    """Raw integers over the whole range of every element, the ends in the first two events."""
    ends = [(f.lo, f.hi) for f in port.formats]
    columns = [rng.integers(lo, hi, events, dtype=np.int64, endpoint=True) for lo, hi in ends]
    for column, end in zip(columns, ends, strict=True):
        column[:2] = end
    return np.stack(columns, axis=1).reshape(events, *port.shape)


@pytest.mark.parametrize("layout", layouts(), ids=lambda x: f"{len(x.ports)}x{x.bits}")
def test_a_word_is_one_integer_of_all_elements(layout: Layout) -> None:
    """Python's integers know no words: the elements modulo 2^width, one above the other."""
    rng = np.random.default_rng(layout.bits)
    values = {p.name: drawn(p, rng) for p in layout.ports}
    words = layout.pack(values)
    assert words.shape == (20, -(-layout.bits // 32))
    for event in range(20):
        whole, place = 0, 0
        for port in layout.ports:
            for raw, form in zip(values[port.name][event].ravel().tolist(), port.formats, strict=True):
                whole += (raw % (1 << form.width)) << place
                place += form.width
        assert place == layout.bits
        assert int.from_bytes(words[event].astype("<u4").tobytes(), "little") == whole
    back = layout.unpack(words)
    assert list(back) == [p.name for p in layout.ports]
    for name, raw in values.items():
        np.testing.assert_array_equal(back[name], raw)


def test_fields_say_where_each_element_is() -> None:
    """By hand: two vectors of a signed 3-bit and an unsigned 2-bit component, then a bit."""
    pair = (Fixed(3, 1), Fixed(2, 2, False))
    layout = Layout((Port("v", (2, 2), pair * 2), Port("b", (1,), (Fixed(1, 1, False),))))
    found = [(f.port, f.index, f.msb, f.lsb, f.form.signed, f.form.frac) for f in layout.fields]
    assert found == [
        ("v", (0, 0), 2, 0, True, 2),
        ("v", (0, 1), 4, 3, False, 0),
        ("v", (1, 0), 7, 5, True, 2),
        ("v", (1, 1), 9, 8, False, 0),
        ("b", (0,), 10, 10, False, 0),
    ]
    assert layout.bits == 11
    first = layout.ports[0]
    assert (first.vectors, first.stride, first.components) == (2, 5, pair)
    assert {name: len(fields) for name, fields in layout.by_port().items()} == {"v": 4, "b": 1}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return networks.seeded(np.random.default_rng(1), 2, 1)


@pytest.fixture(scope="module")
def plan(graph: Graph) -> Plan:
    return Plan.of(graph, Options(ClockPeriod=3.0))


def test_a_plan_states_the_words_of_its_graph(graph: Graph, plan: Plan) -> None:
    assert plan.inputs == Layout.of(graph.inputs) and plan.outputs == Layout.of(graph.results)
    assert plan.name == graph.name and plan.ii == 1
    assert plan.latency_cycles == plan.netlist.stages + 1
    assert plan.latency_ns == 3.0 * plan.latency_cycles and plan.clock_mhz == 333.333


def test_every_writer_takes_the_initiation_interval_from_the_plan(plan: Plan) -> None:
    """The pragma, the header, the top, the port map and its table: no writer has an II of its own."""
    name = plan.name
    files = {
        k: str(v)
        for w in WRITERS
        for k, v in w.write(replace(plan, folded="j", beats=6)).items()
        if isinstance(v, str)
    }
    assert "#pragma HLS PIPELINE II=6" in files[f"firmware/{name}_hls.cpp"]
    assert "One event every 6 clocks." in files[f"firmware/{name}.h"]
    assert "II = 6." in files[f"rtl/{name}.v"] and "II = 6," in files["rtl/README.md"]
    assert json.loads(files[f"rtl/{name}.portmap.json"])["ii"] == 6
    assert not [k for k, v in files.items() if k.startswith(("firmware/seeded", "rtl/")) and "II = 1" in v]


def test_beats_belong_to_a_folded_axis(plan: Plan) -> None:
    for folded, beats in ((None, 2), ("j", 1), ("j", 0)):
        with pytest.raises(CompileError, match="more than one beat needs an axis"):
            replace(plan, folded=folded, beats=beats)


def test_two_writers_of_one_path_are_refused() -> None:
    files = {"rtl/a.v": "one", "rtl/b.v": "two"}
    with pytest.raises(CompileError, match=r"rtl/b\.v: is written by RTL and by package"):
        merged([("RTL", files), ("bench", {"sim/a.v": "three"}), ("package", {"rtl/b.v": "two"})])
    with pytest.raises(CompileError, match=r"RTL/A\.v: is written by RTL and by package"):
        merged([("RTL", files), ("package", {"RTL/A.v": "on some disks the same file"})])
    whole = merged([("RTL", files), ("bench", {"sim/a.v": "three"})])
    assert whole == files | {"sim/a.v": "three"}


def test_the_writers_of_a_project_write_apart(graph: Graph, plan: Plan) -> None:
    """Every writer adds files, and no project can have the name of a source that every project has."""
    project = engines_project(graph, plan.options)
    assert len(project) == 1 + sum(len(w.write(plan)) for w in WRITERS) and MANIFEST in project
    sources = {Path(k).stem for k in project if Path(k).parent == Path("firmware")}
    shared = {s for s in sources if graph.name not in s}
    assert shared == {"bridge", "defines", "parameters"} and all(fault(s) for s in shared)
