"""Networks of one scalar become one op each: the pass, the op, its text, its addresses, its proof."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from families import (
    FAMILIES,
    PAIRS,
    Family,
    N,
    e3nn,
    family,
    kinds,
    network,
    perceptron,
    positive,
    squares,
    tensor_field,
    weights,
)

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats, Overflow, Rounding
from eqhls.frontends import radial
from eqhls.frontends.radial import PRODUCT
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Floats, Tensor
from eqhls.ir.text import pack_graph, parse_graph, print_graph, unpack_graph
from eqhls.ir.types import Axis, Type
from eqhls.ops import BY_NAME
from eqhls.ops.add import Add
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.composed import Composed, acts_alone
from eqhls.ops.dense import Dense
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.relu import Relu
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table
from eqhls.options import Options
from eqhls.passes import run, simplify
from eqhls.passes.compose import compose
from eqhls.quantize.assign import assign
from eqhls.quantize.curves import Curve, address_of
from eqhls.verify.given import Given, target
from eqhls.verify.mistakes import moved_weights


@pytest.mark.parametrize(("of", "count"), FAMILIES, ids=["tensor field", "e3nn", "cormorant"])
def test_each_function_of_the_distance_becomes_one_op(
    of: Family, count: int, rng: np.random.Generator
) -> None:
    given = family(of, rng)
    small, feeds = simplify(given), positive(rng)
    assert kinds(small) == ["input", *["composed"] * count]
    assert all(n.inputs == ("r2",) for n in small if not n.op.source)
    want, got = given.reference(feeds), small.reference(feeds)
    assert small.outputs == given.outputs
    for name in small.outputs:
        np.testing.assert_allclose(got[name], want[name], rtol=0, atol=1e-12 * np.abs(want[name]).max())
    assert simplify(small) == small


def test_bases_are_those_of_the_papers(rng: np.random.Generator) -> None:
    """Against the formulas, written out."""
    b = Builder("bases")
    d = radial.distance(b, "d", squares(b), 1e-8)
    radial.gaussians(b, "gauss", d, [0.5, 2.0], 3.0)
    radial.smooth_finite(b, "finite", d, 3, 4.0)
    radial.waves(b, "waves", d, [0.3, 0.7], [0.1, -0.4], [0.0, -2.0])
    radial.soft_cuts(b, "soft", d, [2.0, 1.0], [0.5, 0.25])
    names = ("gauss", "finite", "waves", "soft", radial.hard_cut(b, "hard", d, 3.0))
    feeds = positive(rng)
    got = b.graph(*names).reference(feeds)
    r = np.sqrt(np.maximum(feeds["r2"], 1e-8))

    def bump(t: Floats) -> Floats:
        return np.where(t > 0, np.exp(-1 / np.where(t > 0, t, 1)), 0)

    want = {
        "gauss": np.exp(-3 * (r - [0.5, 2.0]) ** 2),
        "finite": bump(1 + (r - [1.0, 2.0, 3.0])) * bump(1 - (r - [1.0, 2.0, 3.0])),
        "waves": np.sin(2 * np.pi * r * [0.3, 0.7] + [0.1, -0.4]) * r ** np.array([0.0, -2.0]),
        "soft": 1 / (1 + np.exp(-(np.array([2.0, 1.0]) - r) / [0.5, 0.25])),
        "hard": (r < 3.0).astype(float),
    }
    for name, value in want.items():
        scale = np.abs(value).max()
        np.testing.assert_allclose(
            got[name][..., 0], value.squeeze() if name == "hard" else value, atol=1e-12 * scale
        )


def test_a_wave_is_nothing_at_distance_zero() -> None:
    b = Builder("zero")
    d = radial.distance(b, "d", b.add("r2", Input(Type(S))))
    graph = b.graph(radial.waves(b, "w", d, [1.0, 1.0], [0.5, 0.5], [0.0, -1.0]))
    assert not graph.reference({"r2": np.zeros((1, 1))})["w"].any()


def test_a_gate_has_a_function_for_each_channel(rng: np.random.Generator) -> None:
    """elu(n + b_c) / n of norms n_c: rows along the axis that the scalar has, none along the others."""
    b = Builder("gate")
    x = b.add("x", Input(Type(S, (Axis("i", 2), Axis("c", 3)))))
    n = radial.distance(b, "n", x, 1e-8)
    bent = b.add("bent", radial.affine(np.ones(3), rng.normal(size=3), Activation.ELU, "c"), n)
    graph = b.graph(b.add("gate", PRODUCT, bent, radial.power(b, "inverse", n, -1.0)))
    small = simplify(graph)
    (op,) = (n.op for n in small if isinstance(n.op, Composed))
    assert op.rows == (Axis("c", 3),) and op.channels == () and op.count == 3
    feeds = {"x": rng.uniform(0, 5, (20, 2, 3, 1))}
    want = graph.reference(feeds)["gate"]
    np.testing.assert_allclose(small.reference(feeds)["gate"], want, rtol=1e-12)


def test_functions_of_two_scalars_stay() -> None:
    """Products of two values, and of one value at two places."""
    b = Builder("two")
    r2, other = squares(b), b.add("e", Input(Type(S, PAIRS)))
    d = radial.distance(b, "d", r2)
    product = b.add("product", PRODUCT, d, other)
    turned = b.add("turned", PRODUCT, d, b.add("t", Rename("j", "k"), d))
    graph = b.graph(b.add("bent", Table(activation=Activation.TANH), product), turned)
    assert simplify(graph) == graph


@pytest.mark.parametrize(
    "name", ["table", "copies", "copied", "selected", "scaled", "rectifier", "levels", "format"]
)
def test_one_function_stays_as_it_is(name: str, rng: np.random.Generator) -> None:
    b = Builder(name)
    x = squares(b)
    match name:
        case "table":
            b.add("y", Table(activation=Activation.TANH), x)
        case "copies":
            curve = radial.affine(rng.normal(size=4), rng.normal(size=4), Activation.GAUSSIAN, "c")
            b.add("y", curve, radial.spread(b, "copies", x, "c", 4))
        case "copied":
            radial.spread(b, "y", b.add("a", Table(activation=Activation.TANH), x), "c", 2)
        case "selected":
            copies = radial.spread(b, "copies", x, "c", 2)
            curve = radial.affine(rng.normal(size=2), rng.normal(size=2), Activation.TANH, "c")
            type = Type(S, (Axis("c", 2), Axis("k", 6)))
            chosen = b.add("chosen", Spurion(type, Tensor(np.repeat(np.eye(2), 3, axis=1)[..., None])))
            b.add("y", PairSum("c"), b.add("curves", curve, copies), chosen)
        case "scaled":
            factor = b.add("f", Spurion(Type(S), Tensor([-0.3])))
            b.add("y", Table(activation=Activation.TANH), b.add("s", PRODUCT, x, factor))
        case "rectifier":
            mix = ChannelMix(weights(rng, 40, 1))
            b.add("y", mix, b.add("r", Relu(), radial.spread(b, "copies", x, "c", 1)))
        case "levels":
            b.add("y", Table(levels=Tensor([0.0, 1.0])), b.add("a", Table(activation=Activation.ROOT), x))
        case _:
            out = Fixed(8, 3, True, Rounding.RND, Overflow.SAT)
            b.add(
                "y",
                Table(activation=Activation.TANH),
                b.add("a", Table(activation=Activation.ROOT, out=out), x),
            )
    graph = b.graph("y")
    assert compose(graph) == graph


def test_what_is_in_front_of_a_wide_layer_is_composed() -> None:
    """Forty results of one channel: tables of all would cost more than products with constants."""
    rng = np.random.default_rng(1)
    b = Builder("wide")
    d = radial.distance(b, "d", squares(b))
    one = b.add("one", ChannelMix(weights(rng, 1, 3)), radial.gaussians(b, "g", d, [0.0, 1.0, 2.0], 1.0))
    graph = compose(b.graph(b.add("y", ChannelMix(weights(rng, 40, 1)), one)))
    assert kinds(graph) == ["input", "composed", "channel_mix"] and graph.nodes[1].name == "one"


def test_silenced_entries_share_their_tables(rng: np.random.Generator) -> None:
    """A constant of zeros and ones stands behind the table; any other one gives each entry its own."""
    for values, expected in (
        (1 - np.eye(N), ["input", "composed", "spurion", "cg_product"]),
        (np.eye(N) + 2, None),
    ):
        b = Builder("mask")
        (y,) = e3nn(b, squares(b), rng)
        mask = b.add("mask", Spurion(Type(S, PAIRS), Tensor(values[..., None])))
        small = compose(b.graph(b.add("y", PRODUCT, y, mask)))
        assert kinds(small) == (expected or ["input", "composed"])


def test_a_distance_that_is_read_twice(rng: np.random.Generator) -> None:
    """It stays a table for whoever reads it, and the functions are still ones of its square."""
    b = Builder("twice")
    (y,) = e3nn(b, squares(b), rng)
    small = compose(b.graph(y, b.add("sum", ParticleSum("j"), "d")))
    assert {n.name: n.inputs for n in small} == {"r2": (), "d": ("r2",), y: ("r2",), "sum": ("d",)}


def test_what_joins_entries_is_seen(rng: np.random.Generator) -> None:
    kind = Type(S, (*PAIRS, Axis("c", 2)))
    pairs = PAIRS[:2]
    assert acts_alone(ChannelMix(weights(rng, 3, 2)), (kind,), pairs, (0,))
    assert acts_alone(Relu(), (kind,), pairs, (0,))
    assert acts_alone(Add(), (kind, kind), pairs, (0, 1))
    assert not acts_alone(ChannelMix(weights(rng, N, N), axis="j"), (kind,), pairs, (0,))
    assert not acts_alone(Eq2to2(weights(rng, 2, 2, 15)), (kind,), pairs, (0,))
    assert not acts_alone(ParticleSum("j"), (kind,), pairs, (0,))
    assert acts_alone(Mask(), (kind, Type(S, PAIRS[:1])), pairs, (0,))
    assert acts_alone(Dense(weights(rng, 4, 2)), (Type(S, (Axis("c", 2),)),), (), (0,))


def test_networks_that_are_no_function_are_refused() -> None:
    column = Type(S, (Axis("j", N),))
    square = Table(activation=Activation.ROOT)
    form = Fixed(8, 4, True, Rounding.RND, Overflow.SAT)
    refused = [
        (network(("y", square, ("x",)), type=column), Type(S, PAIRS[:1]), "axes of x, in this order"),
        (network(("y", ParticleSum(), ("x",)), type=column), column, "begins with the axes"),
        (
            network(("y", ChannelMix(Tensor(np.eye(N)[::-1]), axis="j"), ("x",)), type=column),
            column,
            "every entry alone",
        ),
        (network(("a", Table(out=form), ("x",)), ("y", Relu(), ("a",))), Type(S), "has formats"),
        (network(("y", Spurion(Type(S), Tensor([1.0])), ())), Type(S), "no input changes"),
    ]
    for graph, kind, text in refused:
        with pytest.raises(CompileError, match=text):
            Composed(graph).infer(kind)
    with pytest.raises(CompileError, match="quantize the graph first"):
        b = Builder("raw")
        b.add(
            "y",
            Composed(network(("y", square, ("x",)))),
            b.add("x", Input(Type(S, (), formats=Formats((form,))))),
        )
        b.graph("y").formatted()


@pytest.mark.parametrize("of", [f for f, _ in FAMILIES])
def test_text_holds_the_network(of: Family, rng: np.random.Generator) -> None:
    graph = simplify(family(of, rng))
    text, arrays = print_graph(graph)
    assert parse_graph(text, arrays, BY_NAME) == graph
    assert f"graph {graph.outputs[0]}.network\n" in text and all("/" in k for k in arrays)
    assert unpack_graph(pack_graph(graph), BY_NAME) == graph
    broken = text.replace("network = ", "network = no_", 1)
    with pytest.raises(CompileError, match="field network of composed is 'no_"):
        parse_graph(broken, arrays, BY_NAME)
    with pytest.raises(CompileError, match="cannot be read"):
        unpack_graph('{"graph": 3}', BY_NAME)


def through(graph: Graph, samples: dict[str, Floats]) -> Graph:
    return assign(graph, samples, Options())


def test_an_address_is_chosen_by_the_functions() -> None:
    """Narrow numbers address the table themselves; a function that is even over its range gets a rounding, and
    one that bends at every scale a logarithm. What is chosen changes the results by less than an entry."""
    wide = Fixed(20, 12, False)
    line = network(
        ("a", Table(values=Tensor([[1.0, 0.99]])), ("x",)), ("y", Table(activation=Activation.NONE), ("a",))
    )
    decades = network(("y", Table(activation=Activation.POWER, parameters=Tensor([[0.1]])), ("x",)))
    curves = {k: Curve(Composed(g), np.inf) for k, g in (("line", line), ("decades", decades))}
    assert address_of([curves["line"]], Fixed(10, 4, False), 8.0) is None
    found = {k: address_of([c], wide, 3000.0) for k, c in curves.items()}
    even, ratios = found["line"], found["decades"]
    assert even is not None and isinstance(even.op, Requantize) and not even.floor
    assert ratios is not None and isinstance(ratios.op, Log2) and ratios.floor
    both = address_of([*curves.values()], wide, 3000.0)
    assert both is not None and isinstance(both.op, Log2)


def test_functions_of_one_scalar_share_an_address(rng: np.random.Generator) -> None:
    given, samples = family(tensor_field, rng), positive(rng, 200)
    made = through(simplify(given), samples)
    assert kinds(made) == ["input", made.nodes[1].op.name(), "composed", "composed"]
    assert {n.inputs for n in made if isinstance(n.op, Composed)} == {("r2.address",)}


def invariant_network(rng: np.random.Generator) -> Graph:
    """A tensor field network of Lorentz invariants: filters of <p_i, p_j>, their sums and weighted momenta."""
    b = Builder("pairs")
    p = b.add("p", Input(Type(V, (Axis("j", N),))))
    dots = b.add("dots", Gram(), b.add("q", Rename("j", "i"), p), p)
    d = radial.distance(b, "d", dots, 1e-3)
    f = perceptron(b, radial.gaussians(b, "rbf", d, np.linspace(0, 8, 5).tolist(), 0.5), 5, 2, rng)
    total = b.add("total", ParticleSum("i"), b.add("each", ParticleSum("j"), f))
    momenta = b.add("momenta", PairSum("j"), f, p)
    return b.graph(b.add("logit", Dense(weights(rng, 1, 2)), total), momenta)


def momenta(rng: np.random.Generator) -> dict[str, Floats]:
    p = rng.normal(0, 1.5, (400, N, 4))
    p[..., 0] = np.sqrt((p[..., 1:] ** 2).sum(-1) + 0.25)
    return {"p": p}


def words(graph: Graph, samples: dict[str, Floats]) -> dict[str, Ints]:
    return {n.name: np.rint(samples[n.name] / n.type.formats[0].lsb).astype(np.int64) for n in graph.inputs}


def entry_moved(node: Node) -> Node:
    """A network with its last layer doubled: other entries in all tables."""
    if not isinstance(node.op, Composed):
        return node
    last = node.op.network.nodes[-1]
    assert isinstance(last.op, ChannelMix)
    doubled = replace(last, op=replace(last.op, weight=Tensor(2 * last.op.weight.array)))
    nodes = (*node.op.network.nodes[:-1], doubled)
    return replace(node, op=replace(node.op, network=replace(node.op.network, nodes=nodes)))


def test_the_integers_are_held_against_the_hidden_layers(rng: np.random.Generator) -> None:
    """From the network as it was given, hidden layer and all, to the integers; wrong entries lie outside."""
    network, samples = invariant_network(rng), momenta(rng)
    simple = simplify(network)
    assert kinds(simple).count("composed") == 1 and "relu" not in kinds(simple)
    quantized = assign(simple, samples, Options())
    compiled, given = run(quantized), Given(network, simple, quantized, Options())
    raw = words(quantized, samples)
    asked = target(given, raw)
    held = asked.held(compiled)
    assert held.ok and held.events >= 200 and held.used < 1
    plain = simple.reference({"p": raw["p"] * quantized.node("p").type.formats.lsb})
    (name,) = (n.name for n in simple if isinstance(n.op, Composed))
    error = quantized.evaluate(raw, (name,))[name] * quantized.node(name).type.formats.lsb - plain[name]
    assert error.std() < 0.01 * plain[name].std()
    wrong = compiled.rewrite(entry_moved).formatted()
    assert not asked.held(wrong).ok
    moved = {text.split(" moved")[0] for text, _ in moved_weights(quantized)}
    assert any("%mlp.3" in text for text in moved)
