"""Trace: the program of its page, and faults that it must name: in formats, weights, C++ and Verilog."""

from __future__ import annotations

import json
import re
import shutil
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from pages import ROOT, blocks, run
from rich.console import Console

from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.flow import Compiled, open_project
from eqhls.lower.netlist import Product
from eqhls.lower.schedule import lower
from eqhls.trace.compare import first_float, worst
from eqhls.trace.floats import float_values
from eqhls.trace.places import form_of
from eqhls.trace.rtl import renumbered, wire
from eqhls.trace.show import range_table, worst_table
from eqhls.verify.given import Given
from eqhls.verify.mistakes import moved_weights

VALUES = ["p", "products", "products.q", "hidden", "active", "active.q", "score"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder in which the commands of the page were run, and what each of them printed."""
    folder = tmp_path_factory.mktemp("trace")
    (folder / "eqhls").symlink_to(ROOT / "eqhls")
    said: list[str] = []
    for block in blocks("trace.md"):
        if block.file:
            (folder / block.file).write_text(block.text)
        if block.language == "sh":
            for line in block.text.splitlines():
                words = line.split()
                said.append(run(folder, *(["-m", "eqhls", *words[1:]] if words[0] == "eqhls" else words[1:])))
    return folder, said


@pytest.fixture(scope="module")
def project(page: tuple[Path, list[str]]) -> Compiled:
    return open_project(page[0] / "pair")


def test_the_commands_of_the_page(page: tuple[Path, list[str]]) -> None:
    folder, said = page
    first, second = (b.text for b in blocks("trace.md") if b.language == "text")
    assert first in said[2] and second.strip() in said[3]
    found = json.loads((folder / "pair" / "report" / "trace.json").read_text())
    assert found["engines"] == ["float", "integer"] and found["float_integer"]["value"] == "products.q"
    assert (folder / "pair" / "report" / "trace.png").read_bytes()[:4] == b"\x89PNG"


def test_the_values_of_the_page(page: tuple[Path, list[str]], project: Compiled) -> None:
    """All engines by name, in real units and in raw integers that are the same numbers."""
    with np.load(page[0] / "values.npz") as file:
        values = dict(file)
    kinds = ("float", "bound", "integer", "lsb", "hls", "rtl", "exists")
    assert set(values) == {f"{kind}/{name}" for kind in kinds for name in VALUES}
    for name in VALUES:
        integer, lsb = values[f"integer/{name}"], values[f"lsb/{name}"]
        assert (values[f"hls/{name}"] == integer).all() and (values[f"rtl/{name}"] == integer).all()
        assert (np.abs(integer * lsb - values[f"float/{name}"]) <= values[f"bound/{name}"]).all()
    score = project.prediction(page[0] / "events.npz").raw
    assert score is not None and (values["integer/score"].reshape(score.shape) == score).all()


def test_ranges_against_formats(project: Compiled, page: tuple[Path, list[str]]) -> None:
    """The table counts what can be counted by hand, and a value that is too small leaves bits idle."""
    found = project.trace(page[0] / "events.npz", ("integer",))
    raw, row = found.integer["products.q"], found["products.q"]
    form = Fixed(16, 6)
    assert row.range.used == pytest.approx((raw.max() - raw.min()) / (form.hi - form.lo))
    assert row.range.top == 16 - 1 - int(raw.max()).bit_length() and row.range.bottom == 0
    coarse = project.trace({"p": np.round(np.load(page[0] / "events.npz")["p"] / 8)}, ("integer",))
    assert coarse["p"].range.bottom == 11 and coarse["p"].range.saturated == 0
    harder = project.trace(page[0] / "harder.npz", ("integer",))
    lost = np.abs(harder.floats["products"].value) >= 32
    assert harder["products.q"].range.saturated == lost.sum() == 298
    with pytest.raises(CompileError, match="found no value %none"):
        _ = found["none"]
    with pytest.raises(CompileError, match="'gpu', expected float, integer, hls, rtl"):
        project.trace(page[0] / "events.npz", ("gpu",))  # type: ignore[arg-type]


def test_a_table_leaves_names_and_formats_whole(project: Compiled, page: tuple[Path, list[str]]) -> None:
    """At 80 columns, formats of components are broken at their bars, and nothing else is broken or cut."""
    found = project.trace(page[0] / "events.npz", ("float", "integer"))
    for table, texts in ((range_table(found), ("value", "formats")), (worst_table(found), ("value", "op"))):
        console = Console(width=80, record=True, file=StringIO())
        console.print(table)
        shown = console.export_text().replace("|", " ").split()
        parts = {
            part for row in worst(found.rows) for text in texts for part in getattr(row, text).split("|")
        }
        assert parts <= set(shown) and not any("…" in word for word in shown)


def test_a_wrong_weight_is_named(project: Compiled, page: tuple[Path, list[str]]) -> None:
    """Quantization that moved one weight of one op: the first value beyond its bound is that op's."""
    given, graph = project.given, project.graph
    with np.load(page[0] / "events.npz") as file:
        node = graph.inputs[0]
        feeds = {"p": np.rint(file["p"] / node.type.formats.lsb).astype(np.int64)}
    seen: set[str] = set()
    for text, wrong in moved_weights(graph):
        value = next(n.name for n, m in zip(wrong, graph, strict=True) if n.op != m.op)
        spoiled = Given(given.network, given.simple, wrong, given.options)
        integer = wrong.evaluate(feeds, tuple(n.name for n in wrong))
        first = first_float(wrong, float_values(spoiled, wrong, feeds, integer), integer, {})
        assert first is None or first.value == value, text
        seen |= {value} if first else set()
    assert seen == {"hidden", "score"}


def replaced(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1, f"{path.name} has {text.count(before)} times {before}"
    path.write_text(text.replace(before, after))


def flipped(path: Path, name: str) -> None:
    """Flip the lowest bit of a wire."""
    line = re.search(rf"^\s*wire \[(\d+):0\] {name} = (.*);$", path.read_text(), re.MULTILINE)
    assert line
    replaced(path, line[0], f"wire [{line[1]}:0] {name} = ({line[2]}) ^ {int(line[1]) + 1}'h1;")


@pytest.mark.parametrize("kind", ["first", pytest.param("last", marks=pytest.mark.slow)])
def test_a_fault_in_one_op_is_named(
    kind: str, project: Compiled, page: tuple[Path, list[str]], tmp_path: Path
) -> None:
    """In C++ and Verilog, each at its own end of the network: products are those of the Gram alone, and the
    cell behind the output word is the last one of the score."""
    folder = tmp_path / "p"
    shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns("build"))
    netlist = lower(project.graph, project.options)
    core, firmware = folder / "rtl" / "pair_core.v", folder / "firmware"
    products = [k for k, c in enumerate(netlist.cells) if isinstance(c, Product)]
    assert products and not renumbered(netlist, project.manifest)
    if kind == "first":
        replaced(firmware / "eqhls" / "gram.h", "Y sum = a.c0[i] * b.c0[j];", "Y sum = a.c0[i] * b.c1[j];")
        flipped(core, wire(netlist, netlist.results[0].cell))
        want = {"hls": "products", "rtl": "score"}
    else:
        tables = firmware / "weights" / "tables.h"
        table = re.search(r"score_weight_\[.*?= \{+(-?\d+)", tables.read_text(), re.DOTALL)
        assert table
        replaced(tables, table[0], f"{table[0]}1")
        flipped(core, wire(netlist, products[0]))
        want = {"hls": "score", "rtl": "products"}
    found = open_project(folder).trace({k: v[:50] for k, v in np.load(page[0] / "events.npz").items()})
    assert {e: p.value for e, p in found.different.items()} == want
    for engine, first in found.different.items():
        at = (first.event, *first.element)
        assert found.engines[engine][first.value].wrong[at] and first.want != first.found


def test_a_project_of_other_versions_is_not_read_wrongly(project: Compiled) -> None:
    manifest = {"sha256": project.manifest["sha256"] | {"rtl/pair_core.v": "0"}}
    assert "made by other versions" in renumbered(lower(project.graph, project.options), manifest)


def test_the_form_of_a_column() -> None:
    """Columns are the same up to sign and a power of two; what never changes has no form."""
    column = np.array([0, -12, 20, 4])
    form = form_of(column)
    assert form is not None and (form.zeros, form.minus) == (2, True)
    other = form_of(-column * 8)
    assert other is not None and (other.key, other.zeros, other.minus) == (form.key, 5, False)
    changed = form_of(column + np.array([0, 0, 0, 4]))
    assert changed is not None and changed.key != form.key
    assert form_of(np.full(5, 3)) is None
