"""Products as rows on carry chains, shift codes as choices, products in DSPs: all equal to `*`."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eqhls.backends.rtl.emit import core, emit
from eqhls.backends.rtl.products import row_lines
from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.types import Axis, Type
from eqhls.lower.layout import Layout, Port
from eqhls.lower.multipliers import Factor, Rows, multiplied, rows
from eqhls.lower.netlist import Netlist, Product, simulate
from eqhls.lower.plan import Plan
from eqhls.lower.tracer import Tracer
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.input import Input
from eqhls.options import Options
from eqhls.verify.packing import Function, packed
from eqhls.verify.synth import mapping, read_counts

SIGNS = tuple(itertools.product((False, True), repeat=2))
CODES = (0, 1, 2, 4, 4, 2, 1, 0)
PASS_THROUGH = """(* techmap_celltype = "$dff" *)
module register #(parameter WIDTH = 1, CLK_POLARITY = 1) (input CLK, input [WIDTH-1:0] D, output [WIDTH-1:0] Q);
  assign Q = D;
endmodule
"""
"""Registers as wires: a pipeline as the function that it computes, which a solver can compare."""


def yosys(folder: Path, passes: list[str]) -> subprocess.CompletedProcess[str]:
    """Run passes in a process of their own."""
    lines = ["from pyosys import libyosys as ys", "design = ys.Design()"]
    lines += [f"ys.run_pass({p!r}, design)" for p in passes]
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, cwd=folder
    )


def proved(folder: Path, tops: list[str]) -> bool:
    """Whether output `same` of every module in all.v is 1 for all inputs."""
    (folder / "registers.v").write_text(PASS_THROUGH)
    passes = ["read_verilog -sv all.v", "proc -norom", "flatten", "techmap -map registers.v", "opt_clean"]
    done = yosys(folder, passes + [f"sat -verify -prove same 1'b1 {top}" for top in tops])
    assert "ERROR" not in done.stderr or "proof did fail" in done.stderr + done.stdout, done.stderr
    return done.returncode == 0


def drawn(form: Factor, rng: np.random.Generator) -> np.ndarray:
    """Random words and both ends."""
    low = -(1 << (form.width - 1)) if form.signed else 0
    high = low + (1 << form.width) - 1
    return np.concatenate([rng.integers(low, high + 1, 60), [low, low, high, high]])


def test_rows_are_products(rng: np.random.Generator) -> None:
    """All widths from 2 to 20 bits, all signs."""
    for wide, narrow in itertools.product(range(2, 21), range(2, 21)):
        for signs in SIGNS:
            a, b = (Factor(w, s) for w, s in zip((wide, narrow), signs, strict=True))
            x, y = drawn(a, rng), drawn(b, rng)
            y[-4:] = y[[-4, -1, -4, -1]]
            np.testing.assert_array_equal(multiplied(Rows(a, b), x, y), x * y)


def test_rows_of_a_wrong_sign_are_no_products(rng: np.random.Generator) -> None:
    """The control: digits of a word that is taken to be signed."""
    a, b = Factor(6, False), Factor(7, True)
    x, y = drawn(a, rng), drawn(b, rng)
    assert (multiplied(Rows(Factor(6, True), b), x, y) != x * y).any()


def miter(top: str, form: Rows, flipped: bool) -> str:
    """A module that compares rows with `*`; with `flipped`, digit 1 has a wrong sign."""
    a, b = (f"{'signed ' if f.signed else ''}[{f.width - 1}:0]" for f in (form.recoded, form.word))
    x, y = (n if f.signed else f"$signed({{1'b0, {n}}})" for n, f in (("a", form.recoded), ("b", form.word)))
    lines = list(row_lines("y", form, "a", "b"))
    if flipped:
        lines = [line.replace(f"^ {{{form.width}{{a[1]}}}}", f"^ {{{form.width}{{a[0]}}}}") for line in lines]
    bits = form.recoded.width + form.word.width
    body = "\n".join([*lines, f"wire signed [{bits - 1}:0] want = {x} * {y};"])
    found = f"y_all[{bits - 1}:0]" if bits <= form.bits else "$signed(y_all)"
    return (
        f"module {top}(input {a} a, input {b} b, output same);\n{body}\n"
        f"wire signed [{bits - 1}:0] got = {found};\nassign same = got == want;\nendmodule\n"
    )


def test_a_solver_finds_no_difference_in_the_verilog(tmp_path: Path) -> None:
    """Rows of all signs, digits of 2 to 5 bits times words of 3 to 5, proved for all inputs; a wrong sign of a
    digit is found."""
    kinds = [
        Rows(Factor(digit, first), Factor(word, second))
        for digit, word in ((2, 5), (3, 4), (4, 5), (5, 3))
        for first, second in SIGNS
    ]
    for flipped in (False, True):
        tops = [f"m{k}" for k in range(len(kinds))]
        texts = (miter(top, kind, flipped) for top, kind in zip(tops, kinds, strict=True))
        (tmp_path / "all.v").write_text("".join(texts))
        assert proved(tmp_path, tops) != flipped


def test_rows_are_taken_where_they_fit() -> None:
    """Two rows fit in 2.5 ns, three do not; without a sign the first is not an adder, and any word may be added."""
    stage = 2.5
    assert rows(Factor(3, False), Factor(16, True), stage) == Rows(Factor(3, False), Factor(16, True))
    assert rows(Factor(9, True), Factor(4, True), stage) == Rows(Factor(4, True), Factor(9, True))
    assert rows(Factor(4, False), Factor(10, False), stage) is None
    assert rows(Factor(4, False), Factor(10, False), 3.5) is not None
    assert rows(Factor(2, False), Factor(9, True), stage) is None
    assert rows(Factor(1, False), Factor(9, True), stage) is None


def coded(entries: tuple[int, ...], word: Fixed) -> Netlist:
    """The netlist of a table's entry times a word."""
    tracer, address = Tracer(2.5), Fixed((len(entries) - 1).bit_length(), 3, False)
    code = tracer.input(address).lookup(entries, 0)
    out = code * tracer.input(word)
    form = Fixed.covering(out.lo, out.hi, 0)
    ports = Layout((Port("a", (1,), (address,)), Port("w", (1,), (word,))))
    return tracer.finish("coded", ports, Layout((Port("y", (1,), (form,)),)), [(out, form)])


@pytest.mark.parametrize("word", [Fixed(4, 4, False), Fixed(6, 6)])
def test_a_code_of_one_bit_chooses(word: Fixed, tmp_path: Path) -> None:
    """Whether a code has at most one bit set is read off the entries of its table. Such a product is no
    multiplier, costs less, and is the same function; one entry more, and it is a multiplier again."""
    gated, plain = coded(CODES, word), coded((*CODES[:7], 3), word)
    assert not any(isinstance(c, Product) for c in gated.cells)
    assert any(isinstance(c, Product) for c in plain.cells)
    assert gated.lut_estimate < plain.lut_estimate
    pairs = np.array(list(itertools.product(range(8), range(word.lo, word.hi + 1)))).T
    np.testing.assert_array_equal(simulate(gated, list(pairs))[0], np.array(CODES)[pairs[0]] * pairs[1])
    for netlist, right in ((gated, True), (plain, False)):
        (tmp_path / "all.v").write_text(core(netlist) + _spec(netlist, CODES, word))
        assert proved(tmp_path, ["spec"]) == right


def _spec(netlist: Netlist, entries: tuple[int, ...], word: Fixed) -> str:
    """A module that compares the core with a product of an entry and a word."""
    bits, out = netlist.inputs.bits, netlist.outputs.bits
    table = "".join(f"3'd{k}: code = {e};\n" for k, e in enumerate(entries))
    value = f"$signed(x[{bits - 1}:3])" if word.signed else f"$signed({{1'b0, x[{bits - 1}:3]}})"
    return (
        f"module spec(input clk, input [{bits - 1}:0] x, output same);\nwire [{out - 1}:0] y;\n"
        f"coded_core u(.clk(clk), .in_data(x), .out_data(y));\nreg signed [7:0] code;\n"
        f"always @* case (x[2:0])\n{table}endcase\n"
        f"wire signed [{out - 1}:0] want = code * {value};\nassign same = y == want;\nendmodule\n"
    )


def products(*widths: int) -> Graph:
    """A graph of one product of two scalars for each width."""
    b = Builder("products")
    outs: list[str] = []
    for k, width in enumerate(widths):
        x, y = (
            b.add(f"{n}{k}", Input(Type(S, (Axis("c", 1),), formats=(Fixed(width, width),)))) for n in "xy"
        )
        outs.append(b.add(f"z{k}", CgProduct(parse_path("S*S->S")), x, y))
    return b.graph(*outs).formatted()


def test_the_widest_products_are_dsps(tmp_path: Path) -> None:
    """Two of three products, whole, and two DSPs of the device; the third stays rows or an array, and all are
    what they were (`lower` runs the netlist against the integers)."""
    graph = products(7, 10, 9)
    found: list[int] = []
    for count in (0, 2):
        plan = Plan.of(graph, Options(DSP=count))
        text = emit(plan)["rtl/products_core.v"]
        assert text.count('use_dsp = "yes"') == count == len(plan.netlist.dsps)
        (tmp_path / "core.v").write_text(text)
        passes = ["read_verilog -sv core.v", *mapping("products_core", dsp=True), "write_json y.json"]
        assert yosys(tmp_path, passes).returncode == 0
        found.append(read_counts(json.loads((tmp_path / "y.json").read_text()), "products_core").dsp)
    assert found == [0, 2]
    netlist = plan.netlist
    widths = sorted(netlist.cells[c.a.cell].width for c in netlist.dsps)
    assert widths == [9, 10]
    assert netlist.lut_without_dsp and netlist.lut_estimate < netlist.lut_without_dsp
    assert "2 products carry `use_dsp`" in emit(plan)["rtl/README.md"]


def test_more_dsps_than_products_are_refused() -> None:
    with pytest.raises(CompileError, match="found 4, but the network has 3 products.*give at most 3"):
        Plan.of(products(5, 6, 7), Options(DSP=4))


def test_luts_are_packed_as_the_device_packs_them() -> None:
    """Both functions of a full adder are one LUT; two places of carry chains, or six signals, are not."""

    def of(*luts: tuple[str, bool]) -> int:
        return packed(Function(frozenset(map(ord, signals)), chained) for signals, chained in luts)

    assert of(("abc", False), ("abc", False)) == 1
    assert of(("abc", True), ("abc", False)) == 1
    assert of(("abc", True), ("abc", True)) == 2
    assert of(("abcdef", False), ("ab", False)) == 2
    assert of(("abcd", False), ("efgh", False)) == 2
    assert of(("abcde", False), ("ab", False), ("cde", False)) == 2


def test_cells_are_counted_by_kind() -> None:
    """A shift register is a LUT of its own kind."""
    cell = {"I0": [2], "I1": [3], "O": [4]}
    types = ("LUT2", "LUT6", "SRL16E", "SRLC32E", "FDRE", "FDSE", "DSP48E2", "CARRY4", "INV", "MUXF7")
    cells = {str(k): {"type": t, "connections": cell} for k, t in enumerate(types)}
    counts = read_counts({"modules": {"top": {"cells": cells}}}, "top")
    assert (counts.lut, counts.packed, counts.srl, counts.ff, counts.dsp, counts.carry) == (2, 1, 2, 2, 1, 1)
    assert str(counts).startswith("3 LUT packed (1 of logic and 2 SRL), 4 LUT raw")
