"""Formats: from the options, from the model, from calibration; never a silent overflow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.frontends.graphfile import load_model
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.radial import Radial
from eqhls.ops.relu import Relu
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table
from eqhls.options import Options, parse_clock, read_options
from eqhls.quantize.assign import LIMIT, TABLE_BITS, assign
from eqhls.quantize.knobs import starting_knobs
from eqhls.quantize.weights import rounded_weights

MODELS = Path(__file__).resolve().parents[2] / "models"
HIDDEN = Fixed(8, 5, True, Rounding.RND, Overflow.SAT)


@pytest.fixture
def floating(rng: np.random.Generator) -> Graph:
    """A float network without any format."""
    b = Builder("float")
    x = b.add("x", Input(Type(V, (Axis("i", 2), Axis("c", 2)))))
    m = b.add("m", ChannelMix(Tensor(rng.normal(size=(2, 2)))), x)
    f = b.add("f", CgProduct(parse_path("V*V->F")), x, m)
    v = b.add("v", CgProduct(parse_path("V*F->V")), x, f)
    g = b.add("g", Gram(), v, v)
    s = b.add("s", Dense(Tensor(rng.normal(size=(1, 4))), Tensor([0.3])), g)
    return b.graph(b.add("out", Table(activation=Activation.TANH), s))


def samples(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"x": rng.normal(size=(400, 2, 2, 4))}


def test_calibration_gives_a_working_model(floating: Graph, rng: np.random.Generator) -> None:
    feeds = samples(rng)
    graph = assign(floating, feeds, Options()).formatted()
    assert graph.quantized
    type = graph.node("x").type
    raw = np.clip(np.rint(feeds["x"] / type.formats[0].lsb), type.formats[0].lo, type.formats[0].hi)
    out = graph.evaluate({"x": raw.astype(np.int64)})[graph.outputs[0]] * graph.results[0].type.formats[0].lsb
    want = floating.reference(feeds)["out"]
    assert np.corrcoef(out.ravel(), want.ravel())[0, 1] > 0.9


def test_growth_is_cut_by_explicit_saturation(floating: Graph, rng: np.random.Generator) -> None:
    graph = assign(floating, samples(rng), Options())
    rounded = [n for n in graph if isinstance(n.op, Requantize)]
    assert rounded
    covariant = [n for n in rounded if n.type.rep is not S]
    assert all(f.rounding.odd and f.overflow.value == "SAT_SYM" for n in covariant for f in n.op.formats)


def test_without_samples_it_says_so(floating: Graph) -> None:
    with pytest.raises(CompileError, match=r"float: %x: .*no events were given.*--calibrate"):
        assign(floating, {}, Options())


def test_options_beat_the_model(rng: np.random.Generator) -> None:
    graph = load_model(MODELS / "lgn_top_small")
    options = read_options(
        None,
        HLSConfig={
            "Model": {"Precision": {"weight": "fix<6,2>"}},
            "LayerName": {"f": {"Precision": "fix<5,4,RND,SAT>"}},
        },
    )
    made = assign(graph, {}, options)
    assert made.node("f").op.out == Fixed.parse("fix<5,4,RND,SAT>")
    assert made.node("g0_1").op.out == graph.node("g0_1").op.out


def test_unknown_names_are_refused() -> None:
    graph = load_model(MODELS / "lgn_top_small")
    options = read_options(None, HLSConfig={"LayerName": {"ff": {"Precision": "fix<5,4>"}}})
    with pytest.raises(CompileError, match="LayerName.*'ff'"):
        assign(graph, {}, options)


def radial_edges(slope: float = 1.0) -> Graph:
    """Radial functions of (p_i - b)^2 with a beam b that no port holds exactly."""
    b = Builder("edges")
    p = b.add("p", Input(Type(V, (Axis("i", 2),))))
    beam = b.add("beam", Spurion(Type(V, (Axis("j", 1),)), Tensor([[2**0.5, 0, 0, 1.0]])))
    d = b.add("d", Add((1,)), p, beam)
    q = b.add("q", Gram(), d, d)
    function = Radial(Tensor([slope, slope / 64]), Tensor([[1.0, -0.5], [0.25, 2.0]]), Tensor([0.5, -1.0]))
    return b.graph(b.add("r", function, q))


def test_a_radial_function_reads_a_logarithm_of_exact_squares(rng: np.random.Generator) -> None:
    feeds = {"p": rng.normal(size=(500, 2, 4)) * np.exp(rng.normal(size=(500, 2, 1)) * 2)}
    floating = radial_edges()
    graph = assign(floating, feeds, Options())
    assert graph.quantized and graph.node("q").type.formats[0].width > LIMIT
    assert graph.node("r").inputs == ("r.code",) and graph.node("r.code").inputs == ("q",)
    code, function = graph.node("r.code").op, graph.node("r").op
    assert isinstance(code, Log2) and isinstance(function, Radial) and code.magnitude
    assert function.floor == code.floor <= 2.0**-6
    type = graph.node("p").type
    raw = (
        np.rint(feeds["p"] / type.formats[0].lsb)
        .clip(type.formats[0].lo, type.formats[0].hi)
        .astype(np.int64)
    )
    out = graph.evaluate({"p": raw})["r"] * graph.node("r").type.formats[0].lsb
    want = floating.reference({"p": raw * type.formats[0].lsb})["r"]
    assert np.abs(out - want).max() < 0.1 < np.ptp(want)


def test_spurions_are_rounded_once(rng: np.random.Generator) -> None:
    graph = assign(radial_edges(), {"p": rng.normal(size=(50, 2, 4))}, Options())
    beam = graph.node("beam").op
    assert isinstance(beam, Spurion)
    steps = beam.values.array * 2**6
    assert (steps == np.rint(steps)).all() and np.abs(beam.values.array[0, 0] - 2**0.5) <= 2**-7


def test_shipped_models_need_no_calibration() -> None:
    for name in ("lgn_top", "lgn_top_small", "lgn_top_lab"):
        graph = load_model(MODELS / name)
        made = assign(graph, {}, Options())
        assert replace(made, nodes=made.nodes).formatted().quantized


@pytest.mark.parametrize(
    ("text", "period"), [("360MHz", 1e3 / 360), ("2.5ns", 2.5), ("0.2GHz", 5.0), ("2500 ps", 2.5)]
)
def test_clock(text: str, period: float) -> None:
    assert parse_clock(text) == pytest.approx(period)


@pytest.mark.parametrize("text", ["fast", "0MHz", "-3ns", "360", "", "1:30", "3e999ns", "infns"])
def test_bad_clock(text: str) -> None:
    with pytest.raises(CompileError, match="clock"):
        parse_clock(text)


def test_a_misspelt_key_gets_a_suggestion(tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_text("ClockPerid: 3\n")
    with pytest.raises(
        CompileError, match=r"c.yml:1: found the unknown key 'ClockPerid'; did you mean 'ClockPeriod'"
    ):
        read_options(path)
    path.write_text("HLSConfig: {Model: {Precison: 'fix<3,2>'}}\n")
    with pytest.raises(CompileError, match="did you mean 'Precision'"):
        read_options(path)
    path.write_text("- 3\n")
    with pytest.raises(CompileError, match="holds a list"):
        read_options(path)
    path.write_text("a: [\n")
    with pytest.raises(CompileError, match="not YAML"):
        read_options(path)


def test_what_a_logarithm_reads_keeps_its_bits(rng: np.random.Generator) -> None:
    """Through exact ops; another reader of a wide product gets it rounded as ever."""
    b = Builder("logs")
    p = b.add("p", Input(Type(V, (Axis("i", 3),), formats=(Fixed(16, 12),))))
    valid = b.add("valid", Input(Type(S, (Axis("i", 3),), formats=(Fixed(1, 1, False),))))
    g = b.add("g", Invariants(), b.add("sum", Add(), p, p))
    b.add("log", Log2(1.0, 3, 200), b.add("masked", Mask(), g, valid))
    b.add("wide", Invariants(), p)
    graph = b.graph("log", b.add("mix", ChannelMix(Tensor([[0.5, 1.0, 0.25]]), axis="i"), "wide"))
    feeds = {"p": rng.normal(size=(50, 3, 4)), "valid": np.ones((50, 3, 1))}
    made = assign(graph, feeds, Options())
    assert made.node("log").inputs == ("masked",) and made.node("masked").type.formats[0].width > 24
    assert made.node("mix").inputs == ("wide.q",)


def test_rectified_values_are_narrowed(rng: np.random.Generator) -> None:
    b = Builder("rectified")
    x = b.add("x", Input(Type(S, (Axis("c", 2),), formats=(Fixed(14, 4),))))
    graph = b.graph(b.add("y", ChannelMix(Tensor([[0.5, 1.0]])), b.add("r", Relu(), x)))
    made = assign(graph, {"x": rng.uniform(-1.4, 1.4, (99, 2, 1))}, Options())
    assert made.node("r.q").op == Requantize((Fixed(TABLE_BITS, 2, False, Rounding.RND, Overflow.SAT),))


@pytest.mark.parametrize("wires", [True, False])
def test_what_given_roundings_read_through_wires_is_not_rounded_before(
    wires: bool, rng: np.random.Generator
) -> None:
    """A layer whose elements have widths of their own reads each of them alone, and rounds it once. The
    negative control: one element that nothing rounds is read as it is."""
    b = Builder("once")
    x = b.add("x", Input(Type(S, (Axis("c", 2),), formats=(Fixed(12, 3),))))
    r = b.add("r", Relu(), b.add("s", Dense(Tensor(rng.normal(size=(2, 2))), Tensor([0.1, 0.2])), x))
    parts = [b.add(f"t{k}", Select("c", (k,), "c"), r) for k in (0, 1)]
    if wires:
        parts = [b.add(f"q{k}", Requantize((Fixed(6 + k, 3),)), p) for k, p in enumerate(parts)]
    made = assign(b.graph(b.add("y", Concat("c"), *parts)), {"x": rng.normal(size=(200, 2, 1))}, Options())
    assert any(n.name == "r.q" for n in made) != wires


def test_constants_are_rounded_to_the_bits_of_weights() -> None:
    """Vectors too: where they fall between the values of the ports, the test build has finer ones."""
    b = Builder("beams")
    p = b.add("p", Input(Type(V, (Axis("j", 2),), formats=(Fixed(8, 5),))))
    beams = b.add("beams", Spurion(Type(V, (Axis("i", 1),)), Tensor([[2.0**0.5, 0.0, 0.0, -1.0]])))
    label = b.add("label", Spurion(Type(S, (Axis("i", 1),)), Tensor([[np.log(2.0)]])))
    made = assign(
        b.graph(b.add("g", CgProduct(parse_path("S*S->S")), label, b.add("d", Gram(), beams, p))),
        {},
        Options(),
    )
    np.testing.assert_array_equal(made.node("beams").op.values.array, [[91 / 64, 0.0, 0.0, -1.0]])
    assert made.node("label").op.values.array[0, 0] == 89 / 128


def test_maps_of_pairs_have_a_format_each() -> None:
    """Joined by |, in the order of the maps; shifts keep their eight bits."""
    weights = Tensor(np.arange(1, 16)[None, None] / 13.0)
    op = Eq2to2(weights, Tensor([0.3]))
    wanted = "|".join(["fix<4,2>"] * 14 + ["fix<6,2>"])
    made = rounded_weights(op, wanted)
    assert isinstance(made, Eq2to2) and made.bias is not None
    want = np.rint(weights.array * 4) / 4
    want[..., 14] = np.rint(weights.array[..., 14] * 16) / 16
    np.testing.assert_array_equal(made.weight.array, np.clip(want, -2, 1.75))
    assert made.bias.array[0] == 77 / 256
    with pytest.raises(CompileError, match="found 2 formats, expected 1 or 15; one for all"):
        rounded_weights(op, "fix<4,2>|fix<4,2>")


def test_weights_outside_their_format_are_refused(rng: np.random.Generator) -> None:
    """By name, with the weight and what the format holds; one LSB below a power of two is not outside."""
    b = Builder("clipped")
    x = b.add("x", Input(Type(S, (Axis("c", 2),), formats=(Fixed(6, 4),))))
    graph = b.graph(b.add("y", Dense(Tensor([[0.5, -2.5]]), Tensor([1.0])), x))

    def options(weight: str) -> Options:
        return read_options(None, HLSConfig={"LayerName": {"y": {"Precision": {"weight": weight}}}})

    with pytest.raises(
        CompileError, match=r"clipped: %y: .*weight -2\.5, which fix<8,2> .* from -2 to 1\.98"
    ):
        assign(graph, {}, options("fix<8,2>"))
    assert assign(graph, {}, options("fix<8,3>")).node("y").op == graph.node("y").op
    top = Dense(Tensor([[1.0, -1.0]]))
    made = rounded_weights(top, "fix<8,1>")
    assert isinstance(made, Dense) and made.weight.array.tolist() == [[1 - 2.0**-7, -1.0]]


def test_constants_and_functions_are_no_weights() -> None:
    """A precision of the weights leaves them alone; a result's is a constant's, and cuts nothing off."""
    beams = Spurion(Type(V, (Axis("i", 2),)), Tensor([[2.0, 0, 0, 2], [2, 0, 0, -2]]))
    slope = Radial(Tensor([0.3]), Tensor([[1 / 3]]), Tensor([0.1]), out=HIDDEN)
    assert rounded_weights(beams, "fix<6,2>") == beams and rounded_weights(slope, "fix<6,2>") == slope
    b = Builder("beams")
    p = b.add("p", Input(Type(V, (Axis("j", 2),), formats=(Fixed(8, 5),))))
    graph = b.graph(
        b.add("g", Gram(), b.add("beams", replace(beams, values=Tensor(beams.values.array * 0.7))), p)
    )

    def options(result: str) -> Options:
        return read_options(None, HLSConfig={"LayerName": {"beams": {"Precision": result}}})

    fine = assign(graph, {}, options("fix<12,3>")).node("beams")
    assert isinstance(fine.op, Spurion) and fine.op.values.array[1].tolist() == [717 / 512, 0, 0, -717 / 512]
    with pytest.raises(CompileError, match=r"%beams: .*fix<8,1>"):
        assign(graph, {}, options("fix<8,1>"))


def test_a_search_finds_what_was_rounded_whatever_it_is_called(rng: np.random.Generator) -> None:
    """An output is rounded under its own name; the network's own `v.q` is another thing."""
    b = Builder("vectors")
    p = b.add("p", Input(Type(V, (Axis("j", 2),), formats=(Fixed(14, 8),))))
    w = b.add("w", Input(Type(S, (Axis("j", 2),), formats=(Fixed(14, 1),))))
    v = b.add("v", CgProduct(parse_path("S*V->V")), w, p)
    own = b.add("v.q", Requantize((Fixed(6, 6, True, Rounding.RND_CONV, Overflow.SAT_SYM),)), v)
    u = b.add("u", CgProduct(parse_path("S*V->V")), w, own)
    out = b.add("out", CgProduct(parse_path("S*V->V")), w, v)
    graph = b.graph(out, u)
    base = assign(graph, {"p": rng.normal(size=(50, 2, 4)), "w": rng.uniform(-1, 1, (50, 2, 1))}, Options())
    knobs = starting_knobs(graph, base, 0)
    assert isinstance(base.node("out").op, Requantize) and base.node("out").inputs == ("out.inner",)
    assert knobs["v"][0].formats == base.node("v.q1").op.formats != base.node("v.q").op.formats
    assert knobs["out"][0].formats == base.node("out").op.formats
