"""The netlist and the module that knows the optimiser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import networks
import numpy as np
import pytest
from alkaid.trace import trace
from alkaid.trace.fixed_variable import FVariable, HWConfig

from eqhls.backends.rtl.emit import emit
from eqhls.backends.rtl.verilog import RULES
from eqhls.engines import INTEGERS
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Num, const, constant_matmul, dyadic, select
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.lower.layout import Layout, Port
from eqhls.lower.netlist import CELLS, Product, simulate
from eqhls.lower.netlist import Input as InputCell
from eqhls.lower.plan import Plan
from eqhls.lower.schedule import lower
from eqhls.lower.tracer import Tracer
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.rename import Rename
from eqhls.options import Options
from eqhls.verify.sampling import random_events


def test_every_cell_has_a_rule() -> None:
    assert set(CELLS) - {InputCell, Product} == set(RULES)


def test_same_input_same_bytes(rng: np.random.Generator) -> None:
    """Law 8: nothing depends on the random ids that the optimiser gives its variables."""
    graph = networks.seeded(rng, 4, 2)
    first, second = (emit(Plan.of(graph, Options())) for _ in range(2))
    assert first == second


def test_the_optimiser_fault_stays_out() -> None:
    """alkaid 0.8.2 drops the shift of a one-bit WRAP: bit 2 of four, taken as wrap(2 x) to {0, 8}."""

    def bit_two(x: Any) -> Any:
        return (x * 2.0).quantize(0, 4, -3, "WRAP", "TRN")

    wire = FVariable(0.0, 15.0, 1.0, hwconf=HWConfig(1, 1, -1))
    faulty = trace([wire], [bit_two(wire)], optimize=True)
    values = np.arange(16)
    want = (values >> 2 & 1) * 8
    theirs = faulty.predict(values[:, None].astype(np.float64)).ravel()
    assert not np.array_equal(theirs, want), "alkaid is mended: the workaround can go"
    tracer = Tracer(2.5)
    x = tracer.input(Fixed(4, 4, False))
    out = type(x)(tracer, bit_two(x.wire), 0, 8, 0)
    ports = (
        Layout((Port("x", (1,), (Fixed(4, 4, False),)),)),
        Layout((Port("y", (1,), (Fixed(4, 4, False),)),)),
    )
    netlist = tracer.finish("bug", *ports, [(out, Fixed(4, 4, False))])
    np.testing.assert_array_equal(simulate(netlist, [values])[0], want)


@pytest.mark.parametrize("constant", [(1 << 25) + 1, -(1 << 40) + 3, 0xABCDEF, 3 << 50])
def test_wide_constants_multiply(constant: int) -> None:
    """float32 holds 24 bits of a constant, and alkaid forms sums and differences inside a product."""
    tracer, form = Tracer(2.5), Fixed(4, 4)
    out = tracer.input(form) * const(constant, 0)
    to = Fixed.covering(out.lo, out.hi, out.frac)
    ports = Layout((Port("x", (1,), (form,)),)), Layout((Port("y", (1,), (to,)),))
    values = np.arange(form.lo, form.hi + 1)
    got = simulate(tracer.finish("product", *ports, [(out, to)]), [values])[0]
    np.testing.assert_array_equal(got, values * (constant >> -out.frac))


def test_shallower_stages_are_more(rng: np.random.Generator) -> None:
    graph = networks.seeded(rng, 4, 1)
    slow, fast = (lower(graph, Options(StageDepth=d)) for d in (5.0, 2.0))
    assert fast.stages > slow.stages and fast.register_bits > slow.register_bits
    assert slow.stage_depth_ns <= 5.0


def test_wide_products_are_cut() -> None:
    """A 16 x 16 product takes 7 ns by alkaid's estimate; made of digits it fits in stages of 2.5 ns."""
    form = Fixed(16, 16)
    graph = _product(form)
    netlist = lower(graph, Options(StageDepth=2.5))
    assert netlist.stages > 2 and netlist.stage_depth_ns <= 2.5
    assert lower(graph, Options(StageDepth=20)).stages == 1


def test_a_wrong_netlist_ends_the_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tracer, "mul", Tracer.add)
    with pytest.raises(CompileError, match="differs from the integer model"):
        lower(_product(Fixed(6, 6)), Options())


def _product(form: Fixed) -> Graph:
    """Minkowski products of two pairs of vectors."""
    b = Builder("product")
    x = b.add("x", Input(Type(V, (Axis("i", 1),), formats=(form,))))
    y = b.add("y", Input(Type(V, (Axis("j", 2),), formats=(form,))))
    return b.graph(b.add("xy", Gram(), x, y)).formatted()


def test_unquantized_graphs_are_refused(rng: np.random.Generator) -> None:
    graph = networks.seeded(rng, 4, 1)
    bare = replace(graph, nodes=tuple(replace(n, type=replace(n.type, formats=())) for n in graph.nodes))
    with pytest.raises(CompileError, match="without a format"):
        lower(bare, Options())


def test_words_round_trip(rng: np.random.Generator) -> None:
    graph = networks.seeded(rng, 5, 1)
    feeds = random_events(graph, rng, 30)
    word = Layout.of(graph.inputs)
    back = word.unpack(word.pack(feeds))
    for name, raw in feeds.items():
        np.testing.assert_array_equal(back[name], raw)


def test_dyadic_is_exact() -> None:
    for value in (0.0, 1.0, -0.375, 640.0, 2.0**-20):
        n = dyadic(value)
        assert n.lo * 2.0**-n.frac == value


def test_signed_bits_are_mixed_right(rng: np.random.Generator) -> None:
    """alkaid 0.8.2 takes single bits for 0 and 1; a signed one is 0 or -1."""
    form = Fixed(1, 1)
    b = Builder("bits")
    x = b.add("x", Input(Type(S, (Axis("c", 8),), formats=(form,))))
    weight = Tensor(rng.integers(-4, 5, (2, 8)).astype(float))
    graph = b.graph(b.add("y", ChannelMix(weight), x)).formatted()
    netlist = lower(graph, Options())
    raw = rng.integers(-1, 1, (50, 8))
    got = np.stack(simulate(netlist, list(raw.T)), axis=1)
    np.testing.assert_array_equal(got, raw @ weight.array.T)


def test_products_and_sums_in_any_order_are_made_once() -> None:
    """The Gram matrix of a set with itself, all ordered pairs: as many products as unordered pairs need."""
    b = Builder("gram")
    x = b.add("x", Input(Type(V, (Axis("i", 4),), formats=(Fixed(12, 12),))))
    graph = b.graph(b.add("d", Gram(), x, b.add("y", Rename("i", "j"), x))).formatted()
    once = b.graph(b.add("p", Gram("i", "p"), x)).formatted()
    full, half = (lower(g, Options()) for g in (graph, once))
    assert full.lut_estimate <= 1.2 * half.lut_estimate


def test_a_difference_and_its_negative_are_made_once(rng: np.random.Generator) -> None:
    """w_ij (p_i - p_j) for all ordered pairs with w_ij = w_ji: the products of unordered ones, with signs."""
    port, counts = Fixed(9, 9), list[int]()
    for ordered in (False, True):
        tracer = Tracer(2.5)
        p = [tracer.input(port) for _ in range(4)]
        pairs = [(i, j) for i in range(4) for j in range(4) if i != j and (ordered or i < j)]
        outs = [(p[i] * p[j]) * (p[i] - p[j]) for i, j in pairs]
        forms = [Fixed.covering(o.lo, o.hi, 0) for o in outs]
        ports = Layout(tuple(Port(f"p{k}", (1,), (port,)) for k in range(4)))
        results = Layout(tuple(Port(f"y{k}", (1,), (f,)) for k, f in enumerate(forms)))
        netlist = tracer.finish("pairs", ports, results, list(zip(outs, forms, strict=True)))
        raw = rng.integers(port.lo, port.hi + 1, (4, 50))
        want = [raw[i] * raw[j] * (raw[i] - raw[j]) for i, j in pairs]
        np.testing.assert_array_equal(simulate(netlist, list(raw)), want)
        counts.append(sum(isinstance(c, Product) for c in netlist.cells))
    assert counts[0] == counts[1] > 0


def test_wide_constants_are_added_in_parts(rng: np.random.Generator) -> None:
    """float32 holds 24 bits of a constant; a sum needs no more of each part."""
    values = rng.integers(-8, 8, 50)
    for constant in ((1 << 25) + 1, -(1 << 31) - 3, 7 << 30):
        tracer = Tracer(2.5)
        out = tracer.input(Fixed(4, 4)) + const(constant, 0)
        form = Fixed.covering(out.lo, out.hi, 0)
        ports = Layout((Port("x", (1,), (Fixed(4, 4),)),)), Layout((Port("y", (1,), (form,)),))
        netlist = tracer.finish("sum", *ports, [(out, form)])
        np.testing.assert_array_equal(simulate(netlist, [values])[0], values + constant)


def test_no_digit_of_a_product_is_a_lone_bit(rng: np.random.Generator) -> None:
    """17 bits in digits of 8 would leave the sign alone."""
    for width in range(5, 26):
        tracer = Tracer(2.5)
        wire = tracer.input(Fixed(width, width)).wire
        for bits in range(2, width):
            digits = tracer._digits(wire, bits)
            assert all(sum(map(int, d.kif)) >= 2 for d, _ in digits)


def _matches(form: Fixed, function: Any, values: np.ndarray) -> bool:
    """Whether the netlist of a function of one number gives what integers give."""
    tracer = Tracer(2.5)
    outs = function(tracer.input(form))
    forms = tuple(Fixed.covering(o.lo, o.hi, o.frac) for o in outs)
    ports = Layout((Port("x", (1,), (form,)),)), Layout((Port("y", (len(forms),), forms),))
    netlist = tracer.finish("one", *ports, list(zip(outs, forms, strict=True)))
    want = [o.wire for o in function(Num(INTEGERS, values, form.lo, form.hi, form.frac))]
    return all(map(np.array_equal, simulate(netlist, [values]), want))


def test_nearly_constant_words_are_mixed_right() -> None:
    """alkaid 0.8.2 plans sums in float32, which cannot tell the ends of such words apart."""
    matrix = np.array([[1, -4, 3], [2, 0, -1], [-1, 1, 3]])

    def mixed(x: Num) -> list[Num]:
        far = x + const(21528445836329, 0)
        return constant_matmul(matrix, 0, [far, const(-96382208, 0) - far, far * const(-2, 0)])

    assert _matches(Fixed(13, 13, False), mixed, np.arange(1 << 13))


def test_the_negative_of_the_least_word_is_right() -> None:
    """2^56 + 1 is not a double: from it, alkaid would not see that 2^56 needs a bit more than -2^56."""

    def negative(x: Num) -> list[Num]:
        return [-x, select(x.nonzero(), -x, x), (-x).wrap(57, True), (-x).floor_bits(3)]

    form = Fixed(57, 57)
    assert _matches(form, negative, np.concatenate([[form.lo, form.lo + 1, form.hi], np.arange(-5, 6)]))
