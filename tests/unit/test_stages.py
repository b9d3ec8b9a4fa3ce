"""Stages of a netlist: what lies between them, and what is put where."""

from __future__ import annotations

from dataclasses import replace

import networks
import numpy as np
import pytest
from alkaid.trace.passes.surrogate import cost_lat_add, cost_lat_ternary_add
from alkaid.types import Op, QInterval

from eqhls.backends.rtl.counts import functions
from eqhls.fixed import Fixed
from eqhls.lower.fill import filled
from eqhls.lower.late import settled
from eqhls.lower.layout import Layout, Port
from eqhls.lower.netlist import Cell, Count, Input, Netlist, Operand, Product, Slice, Sum, operands, simulate
from eqhls.lower.rows import Price, Row, adder
from eqhls.lower.schedule import lower
from eqhls.lower.timing import Draft, arrivals, depth, placed
from eqhls.options import Options

BYTE = Fixed(8, 8, False)


def delayed(*stages: int, end: int) -> Netlist:
    """A byte that is read in some stages, each time as a result of its own that is computed in the last."""
    cells = (Input(8, False, 0, 0, 0.0, 0), *(Slice(8, False, 0, s, 0.0, Operand(0)) for s in stages))
    ports = (Layout((Port(n, (k,), (BYTE,) * k),)) for n, k in (("x", 1), ("y", len(stages))))
    results = tuple(Operand(k) for k in range(1, len(cells)))
    return Netlist("delayed", *ports, cells, results, end, 0.0)


def test_long_delays_become_shift_registers() -> None:
    """Three registers in a row and more, read behind the last one only: one LUT a bit and 16 registers."""
    assert delayed(0, end=1).srl_luts == delayed(1, end=2).srl_luts == 0
    assert delayed(2, end=3).srl_luts == delayed(15, end=16).srl_luts == 8, "the input register is the first"
    assert delayed(16, end=17).srl_luts == 16
    assert delayed(1, 3, 5, end=6).srl_luts == 16, "two results wait; the byte is read every second stage"
    assert delayed(0, end=2).srl_luts == 0 and delayed(0, end=3).srl_luts == 8, (
        "and so is the output register"
    )


def drawn(rng: np.random.Generator, count: int) -> tuple[Draft, Layout]:
    """Words of any width and sign, times any power of two, some through a product of 2 ns first, added or
    subtracted one after the other."""
    forms = tuple(
        Fixed(int(w), int(w), bool(s))
        for w, s in zip(rng.integers(2, 15, count), rng.integers(0, 2, count), strict=True)
    )
    cells: list[Cell] = [Input(f.width, f.signed, 0, 0, 0.0, k) for k, f in enumerate(forms)]
    delays, spans = [0.0] * count, [(f.lo, f.hi) for f in forms]
    terms: list[int] = []
    for k, f in enumerate(forms):
        terms.append(k)
        if rng.integers(2):
            terms[k] = len(cells)
            cells.append(Product(2 * f.width, f.signed, 0, 0, 9.0, Operand(k), Operand(k)))
            delays.append(float(rng.uniform(0.5, 2.0)))
            spans.append((min(f.lo * f.hi, 0), max(f.lo**2, f.hi**2)))
    whole, ends = Operand(terms[0]), spans[terms[0]]
    for k in terms[1:]:
        shift, minus = int(rng.integers(6)), bool(rng.integers(2))
        lo, hi = (e << shift for e in spans[k])
        ends = (ends[0] + (-hi if minus else lo), ends[1] + (-lo if minus else hi))
        form = Fixed.covering(*ends, 0)
        cells.append(Sum(form.width, form.signed, 0, 0, 20.0, (whole, Operand(k, shift, minus)), 0, 0))
        delays.append(2.0)
        spans.append(ends)
        whole = Operand(len(cells) - 1)
    return Draft(tuple(cells), tuple(delays), tuple(spans), (whole,), 2.5), Layout(
        (Port("x", (count,), forms),)
    )


def run(draft: Draft, words: Layout, rng: np.random.Generator) -> np.ndarray:
    """Simulate a draft on random words and on the least and the largest ones."""
    ends = draft.spans[draft.results[0].cell]
    outputs = Layout((Port("y", (1,), (Fixed.covering(*ends, 0),)),))
    netlist = Netlist("drawn", words, outputs, draft.cells, draft.results, 1, 0.0)
    forms = [f.form for f in words.fields]
    return simulate(netlist, [np.r_[f.lo, f.hi, f.lo, rng.integers(f.lo, f.hi + 1, 200)] for f in forms])[0]


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7, 9, 12, 16, 24, 40])
def test_sums_in_another_order_are_the_same(count: int, rng: np.random.Generator) -> None:
    """With counters and without, of whatever widths, signs, shifts and times of arrival."""
    for _ in range(4):
        draft, words = drawn(rng, count)
        want = run(draft, words, np.random.default_rng(count))
        for price in (0.0, 1.0):
            new = filled(draft, price)
            np.testing.assert_array_equal(run(new, words, np.random.default_rng(count)), want)
            stages = [s for s, _ in arrivals(new)]
            assert max(stages) <= max(arrivals(draft))[0] and depth(new, stages) <= 2.5


def test_a_wrong_counter_would_be_seen(rng: np.random.Generator) -> None:
    """Every field of every counter matters."""
    draft, words = drawn(rng, 16)
    new = filled(draft, 1.0)
    want = run(new, words, np.random.default_rng(1))
    counts = [k for k, c in enumerate(new.cells) if isinstance(c, Count)]
    assert len(counts) > 4
    for k in counts:
        cell = new.cells[k]
        assert isinstance(cell, Count)
        turned = (replace(cell.terms[0], minus=not cell.terms[0].minus), *cell.terms[1:])
        for wrong in (replace(cell, weight=(cell.weight + 1) % 3), replace(cell, terms=turned)):
            spoilt = replace(new, cells=(*new.cells[:k], wrong, *new.cells[k + 1 :]))
            assert not np.array_equal(run(spoilt, words, np.random.default_rng(1)), want)
    filled_up = [k for k in counts if getattr(new.cells[k], "fill", 0)]
    assert filled_up, "no row is subtracted"
    for k in filled_up:
        spoilt = replace(new, cells=(*new.cells[:k], replace(new.cells[k], fill=0), *new.cells[k + 1 :]))
        assert not np.array_equal(run(spoilt, words, np.random.default_rng(1)), want)


def test_adders_take_what_alkaid_says(rng: np.random.Generator) -> None:
    """So that a sum which we put together and one that alkaid did are compared in the same units."""
    for _ in range(200):
        widths, signs = rng.integers(3, 20, 3), rng.integers(0, 2, 3)
        forms = [Fixed(int(w), int(w), bool(s)) for w, s in zip(widths, signs, strict=True)]
        spans = [QInterval(float(f.lo), float(f.hi), 1.0) for f in forms]
        shifts, minus = (
            [0, *(int(s) for s in rng.integers(0, 3, 2))],
            [False, *(bool(m) for m in rng.integers(0, 2, 2))],
        )
        rows = [
            Row(s, s + f.width - 1, f.signed, m, None) for f, s, m in zip(forms, shifts, minus, strict=True)
        ]
        lut, ns = cost_lat_add(spans[0], spans[1], shifts[1], 1, 1, minus[1])
        assert adder(rows[:2], (0, 0)) == Price(lut, pytest.approx(ns))
        top = max(r.high for r in rows) + 2
        ops = [Op((), -1, (k,), q, 0.0, 0.0) for k, q in enumerate(spans)]
        data = tuple(v for s, m in zip(shifts, minus, strict=True) for v in (0 if m else 1, s))
        ops.append(Op((0, 1, 2), 11, data, QInterval(-(2.0**top), 2.0**top - 1, 1.0), 0.0, 0.0))
        lut, ns = cost_lat_ternary_add(3, ops, 1)
        assert adder(rows, (0, top)) == Price(lut, pytest.approx(ns))


def test_a_function_counts_ones() -> None:
    """The Verilog of a counter, read as Python, on all bits."""
    cells: list[Cell] = [Input(1, False, 0, 0, 0.0, k) for k in range(6)]
    shapes = [(rows, weight) for rows in (3, 5, 6) for weight in range(3) if 1 << weight <= rows]
    cells += [Count(1, False, -w, 0, 0.0, tuple(Operand(k) for k in range(r)), w, 0) for r, w in shapes]
    found = [line.strip().rstrip(";").split(" = ") for line in functions(cells) if " = " in line]
    assert len(found) == len(shapes)
    for name, body in found:
        rows, weight = int(name.split("_")[1]), int(name.split("_")[3])
        for word in range(1 << rows):
            bits = {letter: word >> k & 1 for k, letter in enumerate("abcdef"[:rows])}
            assert eval(body, {}, bits) == word.bit_count() >> weight & 1


def test_a_stage_has_its_price(rng: np.random.Generator) -> None:
    """Without a price there are adders alone; counters save stages and take LUTs."""
    graph = networks.seeded(rng, 6, 1)
    plain, dear = (lower(graph, Options(StagePrice=p)) for p in (0.0, 1.0))
    assert dear.stages < plain.stages and dear.stage_depth_ns <= 2.5
    assert any(isinstance(c, Count) for c in dear.cells)
    saved = plain.stages - dear.stages
    assert plain.lut_estimate < dear.lut_estimate <= plain.lut_estimate * (1 + saved)
    middle = lower(graph, Options(StagePrice=0.02))
    fewer = plain.stages - middle.stages
    assert middle.lut_estimate <= plain.lut_estimate * (1 + 0.02 * fewer) + 1e-6


@pytest.mark.parametrize(("width", "stage"), [(4, 1), (10, 0)])
def test_registers_are_placed_late(width: int, stage: int) -> None:
    """A product that is read later waits for its use if it has more bits than its factors, and only then; not
    up to the stage of its use, where it would not fit."""
    ports = [Input(width, False, 0, 0, 0.0, k) for k in range(2)]
    product = Product(12, False, 0, 0, 9.0, Operand(0), Operand(1))
    slow = [replace(product, a=Operand(k), b=Operand(k)) for k in (0, 3)]
    last = Sum(13, False, 0, 0, 9.0, (Operand(2), Operand(4)), 0, 0)
    delays = (0.0, 0.0, 2.0, 2.0, 2.0, 2.0)
    draft = Draft((*ports, product, *slow, last), delays, ((0, 15),) * 6, (Operand(5),), 2.5)
    early = [s for s, _ in arrivals(draft)]
    assert early == [0, 0, 0, 0, 1, 2]
    assert settled(draft, early) == [0, 0, stage, 0, 1, 2]


def test_moves_keep_stages_and_order(rng: np.random.Generator) -> None:
    saved = 0
    for _ in range(6):
        draft = filled(drawn(rng, 24)[0], 1.0)
        early = [s for s, _ in arrivals(draft)]
        late = settled(draft, early)
        assert max(late) == max(early) and depth(draft, late) <= 2.5
        assert all(late[o.cell] <= s for c, s in zip(draft.cells, late, strict=True) for o in operands(c))
        ports = (Layout((Port("x", (1,), (BYTE,)),)),) * 2
        first, second = (
            Netlist("n", *ports, placed(draft, at), draft.results, max(at) + 1, 0.0) for at in (early, late)
        )
        assert second.register_bits <= first.register_bits
        saved += first.register_bits - second.register_bits
    assert saved > 0


@pytest.mark.parametrize("ops", [1, 3, 9])
def test_no_stage_is_bought_if_nothing_is_added(ops: int) -> None:
    """Products behind one another, and no sum anywhere: there is nothing to fill, and the search ends."""
    cells: list[Cell] = [Input(4, False, 0, 0, 0.0, 0)]
    cells += [Product(4 * k + 8, False, 0, 0, 1.0, Operand(k), Operand(0)) for k in range(ops)]
    spans = tuple((0, (1 << c.width) - 1) for c in cells)
    draft = Draft(tuple(cells), (0.0, *(2.0,) * ops), spans, (Operand(ops),), 2.5)
    assert filled(draft, 1.0) == draft
    assert max(stage for stage, _ in arrivals(draft)) == ops - 1
