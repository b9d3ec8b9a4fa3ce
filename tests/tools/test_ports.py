"""The packages of types: in C++, SystemVerilog and VHDL every element is where the layout has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import seeded, two_outputs
from pages import blocks
from portbenches import Case, called, compiled, drawn, of_cpp, of_ghdl, of_icarus, of_verilator
from tools_needed import need

from eqhls.backends.hls.emit import emit as emit_hls
from eqhls.backends.rtl.emit import emit as emit_rtl
from eqhls.backends.rtl.vendor import vendor_rtl
from eqhls.errors import CompileError
from eqhls.events.prepare import to_raw
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.frontends.graphfile import load_model
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import rep
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.types import Axis, Type
from eqhls.lower.plan import Plan
from eqhls.ops.add import Add
from eqhls.ops.input import Input
from eqhls.ops.particle_sum import ParticleSum
from eqhls.options import Options
from eqhls.text import merged, write_project
from eqhls.verify.toolchain import toolchain

Bench = Callable[[Path, str, Sequence[Case]], list[list[int]]]
TRIGGERS_PT = Fixed(14, 12, False, Rounding.TRN, Overflow.SAT)


def awkward() -> Graph:
    """Names that languages reserve or tell apart by case or dots alone, ports of two axes, bits of both kinds,
    tensors, an output that is an input."""
    b = Builder("awkward")
    i, j = Axis("i", 2), Axis("j", 3)
    forms = (Fixed(9, 8, False), Fixed(7, 8), Fixed(1, 1), Fixed(11, 3))
    p = b.add("P", Input(Type(V, (i, j), formats=forms)))
    small = b.add("p", Input(Type(S, (i, j), formats=(Fixed(5, 3),))))
    alone = b.add("class", Input(Type(S, formats=(Fixed(30, 12),))))
    bits = b.add("signal", Input(Type(S, (i, j), formats=(Fixed(1, 1, False),))))
    b.add("a.b", Input(Type(S, (j,), formats=(Fixed(1, 1),))))
    b.add("a_b", Input(Type(rep("F"), (j,), formats=(Fixed(6, 6),))))
    b.add("pack", Input(Type(rep("T"), formats=(Fixed(4, 2),))))
    b.add("2e", Input(Type(V, (i,), LIGHT_CONE, forms)))
    total = b.add("in", Add(), b.add("s", ParticleSum("i"), small), b.add("t", ParticleSum("i"), bits))
    mass = b.add("out", ParticleSum("j"), b.add("q", ParticleSum("i"), p))
    return b.graph(total, mass, small, alone).formatted()


NETWORKS: dict[str, Callable[[], Graph]] = {
    "xyz": two_outputs,
    "lc": lambda: seeded(np.random.default_rng(3)),
    "words": lambda: load_model(Path(__file__).parents[2] / "models" / "tag16"),
    "awkward": awkward,
}


@dataclass(frozen=True, slots=True)
class Made:
    """A network's project without what the packages do not need."""

    folder: Path
    plan: Plan
    ports: dict[str, Any]


@pytest.fixture(scope="module", params=NETWORKS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    plan = Plan.of(NETWORKS[request.param](), Options())
    folder = tmp_path_factory.mktemp(request.param) / "p"
    write_project(merged([("HLS", emit_hls(plan)), ("RTL", emit_rtl(plan))]), folder)
    return Made(folder, plan, json.loads((folder / "rtl" / f"{plan.name}.portmap.json").read_text()))


def cases(plan: Plan, ports: dict[str, Any]) -> list[Case]:
    """Words of both kinds."""
    layouts = {"inputs": plan.inputs, "outputs": plan.outputs}
    return [Case(kind, layout, ports[kind], drawn(layout)) for kind, layout in layouts.items()]


@pytest.mark.parametrize("bench", [of_cpp, of_icarus, of_verilator, of_ghdl])
def test_every_element_is_where_the_layout_has_it(made: Made, bench: Bench) -> None:
    """The value of every element of random words, and the word that is packed of them again."""
    given = cases(made.plan, made.ports)
    assert bench(made.folder, made.plan.name, given) == [row for case in given for row in case.rows]


@pytest.mark.parametrize("bench", [of_cpp, of_icarus, of_ghdl])
def test_a_package_with_two_fields_exchanged_fails(tmp_path: Path, bench: Bench) -> None:
    """The control: px and py change places in each package."""
    plan = Plan.of(two_outputs(), Options())
    write_project(merged([("HLS", emit_hls(plan)), ("RTL", emit_rtl(plan))]), tmp_path / "p")
    ports = json.loads((tmp_path / "p" / "rtl" / "two.portmap.json").read_text())
    file = {of_cpp: "firmware/two_ports.h", of_icarus: "rtl/two_pkg.sv", of_ghdl: "rtl/two_pkg.vhd"}[bench]
    path = tmp_path / "p" / file
    text = path.read_text()
    path.write_text(text.replace("px", "pq").replace("py", "px").replace("pq", "py"))
    given = cases(plan, ports)
    assert bench(tmp_path / "p", "two", given) != [row for case in given for row in case.rows]


def test_members_round_and_saturate_as_floats_do(made: Made) -> None:
    """Doubles assigned to members of Inputs against what events of real values become: half between two LSBs,
    anywhere, and far out of range. Integers of the trigger take none; its pt is cut."""
    rng = np.random.default_rng(1)
    lines, want = list[str](), list[int]()
    for tensor in made.ports["inputs"]:
        for e in tensor["elements"]:
            component = tensor["components"][e["index"][-1] if len(tensor["components"]) > 1 else 0]
            if component["integer"]:
                continue
            form = Fixed(e["width"], e["width"] - e["frac_bits"], e["signed"])
            halves = (rng.integers(form.lo, form.hi, 3) + 0.5) * form.lsb
            reach = 2.0 ** (form.integer + 1)
            for value in [*halves, *rng.uniform(-reach, reach, 3), -reach, reach]:
                cut = component["taken_as"] == str(TRIGGERS_PT)
                given = np.floor(value / form.lsb) * form.lsb if cut else value
                want.append(int(to_raw(np.array([[given]]), (form,))[0][0, 0]))
                scale, member = 2.0 ** e["frac_bits"], f"x.{e['element']}"
                lines += [f"  {member} = {float(value)!r};", f"  show({member}.to_double() * {scale!r});"]
    name = made.plan.name
    (made.folder / "floats.cpp").write_text(
        f'#include "{name}_ports.h"\n#include <cstdio>\n'
        'static void show(double x) { std::printf("%.0f\\n", x); }\n'
        f"int main() {{\n  static eqhls_{name}::Inputs x;\n" + "\n".join(lines) + "\n}\n"
    )
    assert [int(v) for v in compiled(made.folder, "floats.cpp").split()] == want
    assert len(want) > 50


def test_the_hash_is_the_same_in_all_files(made: Made) -> None:
    digits, name = made.plan.model_hash, made.plan.name
    found = {
        f"rtl/{name}.v": f"MODEL_HASH = 32'h{digits}",
        f"rtl/{name}_pkg.sv": f"MODEL_HASH = 32'h{digits}",
        f"rtl/{name}_pkg.vhd": f'x"{digits}"',
        f"rtl/{name}.portmap.json": f'"model_hash": "{digits}"',
        f"firmware/{name}_ports.h": f"MODEL_HASH = 0x{digits}u",
    }
    for path, text in found.items():
        assert text in (made.folder / path).read_text(), path


def test_a_vendor_core_needs_the_hash() -> None:
    with pytest.raises(CompileError, match="compile again"):
        vendor_rtl({"name": "old"}, 3, "core", {"core.v": "module core"})


def test_the_page_of_ports(tmp_path: Path) -> None:
    """Its network compiles; its program prints the mass; its modules are taken by Verilator and by GHDL."""
    page = {block.language: block for block in blocks("ports.md")}
    (tmp_path / "pair.eq").write_text(page["eq"].text)
    np.savez(tmp_path / "pair.npz")
    graph = load_model(tmp_path / "pair.eq")
    plan, folder = Plan.of(graph, Options()), tmp_path / "p"
    write_project(merged([("HLS", emit_hls(plan)), ("RTL", emit_rtl(plan))]), folder)
    (folder / "page.cpp").write_text(f'#include "pair.cpp"\n{page["cpp"].text}')
    momenta = to_raw(
        np.array([[[50.2, 30.0, -40.0, 0.0], [300.0, -1e6, -40.0, 0.0]]]), graph.node("p").type.formats
    )[0]
    mass2 = graph.evaluate({"p": momenta})["mass2"].item() * graph.node("mass2").type.format_of(0).lsb
    assert compiled(folder, "page.cpp") == f"{mass2:g} GeV^2 after {plan.latency_cycles} clocks\n"
    (folder / "page.sv").write_text(page["systemverilog"].text)
    (folder / "page.vhd").write_text(page["vhdl"].text)
    sources = ["rtl/pair_pkg.sv", *(folder / "rtl" / "sources.f").read_text().split(), "page.sv"]
    tools = toolchain()
    flags = ["--lint-only", "-Wall", "-Wno-DECLFILENAME", "--top-module", "pair_of_jets"]
    called([tools.verilator, *flags, *sources], folder, tools.env)
    called([need("ghdl"), "-a", "--std=08", "rtl/pair_pkg.vhd", "page.vhd"], folder)
    called([need("ghdl"), "-e", "--std=08", "pair_payload"], folder)
