"""Laws 3 and 6 for whole networks: rewrites and quantization keep every value of random graphs, and its name.

A name stands for one value. Whatever the compiler adds has a name that the user's network does not use, even
if the user's names are those that the compiler likes best, and outputs are found under their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

import numpy as np
import pytest
from random_graphs import random_feeds, random_graph

from eqhls import ops
from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph, Node
from eqhls.ir.op import Floats, Tensor
from eqhls.ir.text import parse_graph, print_graph
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.log2 import Log2
from eqhls.ops.radial import Radial
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table
from eqhls.options import Options, read_options
from eqhls.passes import ALGEBRA, PIPELINE, run, simplify
from eqhls.quantize.assign import assign, ranges

SEEDS, MORE = range(300), range(300, 3000)
EVENTS = 40


def sweep() -> list[object]:
    return [range(k, k + 50) for k in SEEDS[::50]] + [
        pytest.param(range(k, k + 100), marks=pytest.mark.slow) for k in MORE[::100]
    ]


def cases(seeds: range) -> Iterator[tuple[int, np.random.Generator, Graph]]:
    """Small graphs and large ones in turn: little hides a rewrite in the small ones."""
    for seed in seeds:
        rng = np.random.default_rng([seed, 15])
        yield seed, rng, random_graph(rng, steps=1 + seed % 3 if seed % 2 else 0)


def lsb(type: Type) -> Floats:
    return type.formats.lsb


def real(graph: Graph, raw: Mapping[str, Ints]) -> dict[str, Floats]:
    """Every value of the integer model, as real numbers."""
    names = tuple(n.name for n in graph)
    return {n: x * lsb(graph.node(n).type) for n, x in graph.evaluate(raw, names).items()}


def port_events(graph: Graph, feeds: Mapping[str, Floats]) -> dict[str, Ints]:
    """Float events as raw integers of the ports."""
    raw: dict[str, Ints] = {}
    for node in graph.inputs:
        forms = node.type.formats.each(node.type.dim)
        low, high = np.array([f.lo for f in forms]), np.array([f.hi for f in forms])
        raw[node.name] = np.clip(np.rint(feeds[node.name] / lsb(node.type)), low, high).astype(np.int64)
    return raw


def far(found: Floats, wanted: Floats, bound: float) -> bool:
    return bool((np.abs(found - wanted) > bound).any())


def lost(before: Graph, after: Graph, want: Mapping[str, Floats], got: Mapping[str, Floats]) -> list[str]:
    """Values that have their name still, but are others (stored the same way), up to float64."""
    top = max(float(np.abs(v).max()) for v in want.values())
    return [
        n.name
        for n in after
        if n.name in want
        and n.type.axes == before.node(n.name).type.axes
        and far(got[n.name], want[n.name], 1e-9 * float(np.abs(want[n.name]).max()) + 1e-12 * top)
    ]


@pytest.mark.parametrize("seeds", sweep())
def test_algebra_keeps_every_value(seeds: range) -> None:
    for seed, rng, given in cases(seeds):
        feeds = random_feeds(given, rng, EVENTS)
        want, graph = given.reference(feeds), given
        for step in ALGEBRA:
            graph = step(graph)
            assert graph.outputs == given.outputs, (seed, step)
            assert all(n.type.rep is given.node(n.name).type.rep for n in graph if n.name in want), (
                seed,
                step,
            )
            assert all(graph.node(n).type == given.node(n).type for n in given.outputs), (seed, step)
            assert not lost(given, graph, want, graph.reference(feeds)), (seed, step)
        text, arrays = print_graph(graph)
        assert parse_graph(text, arrays, ops.BY_NAME) == graph


def random_options(rng: np.random.Generator, graph: Graph, seen: Mapping[str, Floats]) -> Options:
    """Formats for some values, all of which hold what was seen."""
    layers: dict[str, object] = {}
    for node in graph:
        if rng.random() < 0.3 and node.inputs:
            integer = int(np.ceil(np.log2(max(float(seen[node.name].max()), 0.01)))) + 2
            layers[node.name] = {"Precision": f"fix<{rng.integers(12, 20)},{integer},RND,SAT>"}
    return read_options(None, HLSConfig={"LayerName": layers})


Quantized = tuple[Graph, Graph, dict[str, Floats]]


def quantized(rng: np.random.Generator, given: Graph) -> Quantized:
    """A float network, simplified or not, the same with formats, and the events that calibrated them."""
    graph = simplify(given) if rng.random() < 0.5 else given
    feeds = random_feeds(graph, rng, EVENTS)
    return graph, assign(graph, feeds, random_options(rng, graph, ranges(graph, feeds))), feeds


def all_quantized(seeds: range) -> Iterator[tuple[int, np.random.Generator, Quantized]]:
    """Those of the random networks that 63 bits can hold, which are nearly all."""
    refused = 0
    for seed, rng, given in cases(seeds):
        try:
            found = quantized(rng, given)
        except CompileError as error:
            assert "more than 63 bits" in str(error), seed
            refused += 1
            continue
        yield seed, rng, found
    assert refused <= len(seeds) // 50


def user_node(graph: Graph, made: Graph, name: str) -> Node:
    """The op behind a user's name: in front of the rounding that carries the name of an output."""
    node = made.node(name)
    return node if type(node.op) is type(graph.node(name).op) else made.node(node.inputs[0])


def user_name(graph: Graph, made: Graph, name: str) -> str:
    """The user's value that a value of the quantized graph is, up to rounding and codes."""
    inner = {user_node(graph, made, o).name: o for o in graph.outputs}
    while name not in {n.name for n in graph} | set(inner):
        assert isinstance(made.node(name).op, Requantize | Log2), f"{name} is an invented value"
        (name,) = made.node(name).inputs
    return inner.get(name, name)


def moved_weights(before: Node, after: Node) -> bool:
    """Whether a tensor is further away than eight bits allow."""
    pairs = [(getattr(before.op, f.name), getattr(after.op, f.name)) for f in fields(before.op)]
    tensors = [(a.array, b.array) for a, b in pairs if isinstance(a, Tensor)]
    return any(far(b, a, np.abs(a).max() * 2.0**-7) for a, b in tensors)


def wrong_block(made: Graph, node: Node, values: Mapping[str, Floats]) -> bool:
    """Whether a value is not its op of the values that it reads, within the rounding that it states."""
    types = made.types_into(node)
    want = np.broadcast_to(
        node.op.reference(types, *(values[n] for n in node.inputs)), values[node.name].shape
    )
    forms = node.op.formats if isinstance(node.op, Requantize) else ()
    if isinstance(node.op, Table | Radial) and node.op.out is not None:
        forms = (node.op.out,)
    if forms:
        want = np.clip(want, [f.lo * f.lsb for f in forms], [f.hi * f.lsb for f in forms])
    bound = node.op.rounding(types) * (1 + 1e-9) + 1e-9 * float(np.abs(want).max())
    return far(values[node.name], want, bound)


@pytest.mark.parametrize("seeds", sweep())
def test_quantization_rounds_and_does_nothing_else(seeds: range) -> None:
    """Every user's value is there, is the same op of the same values, and follows the float network."""
    off: list[float] = []
    for seed, _, (graph, made, feeds) in all_quantized(seeds):
        assert made.outputs == graph.outputs
        values = real(made, port_events(made, feeds))
        want = graph.reference(feeds)
        for node in graph:
            found = user_node(graph, made, node.name)
            assert type(found.op) is type(node.op), (seed, node)
            assert tuple(user_name(graph, made, n) for n in found.inputs) == node.inputs, (seed, node)
            assert not moved_weights(node, found), (seed, node)
            spread = float(np.abs(want[node.name]).max()) + 0.25
            off.append(float(np.abs(values[node.name] - want[node.name]).mean()) / spread)
        for node in made:
            assert node.op.source or not wrong_block(made, node, values), (seed, node)
        text, arrays = print_graph(made)
        assert parse_graph(text, arrays, ops.BY_NAME) == made
    assert max(off) < 0.7 and np.quantile(off, 0.99) < 0.15, "mean errors, over the largest value"


@pytest.mark.parametrize("seeds", sweep())
def test_the_pipeline_keeps_every_bit(seeds: range) -> None:
    for seed, rng, (_, made, _) in all_quantized(seeds):
        raw = {
            n.name: rng.integers(
                [f.lo for f in n.type.formats], [f.hi + 1 for f in n.type.formats], (EVENTS, *n.type.shape)
            )
            for n in made.inputs
        }
        want, graph = real(made, raw), made
        for step in PIPELINE:
            graph = step(graph).formatted()
            assert graph.outputs == made.outputs
            got = real(graph, raw)
            same = [n for n in graph if n.name in want and n.type.axes == made.node(n.name).type.axes]
            wrong = [n.name for n in same if not np.array_equal(got[n.name], want[n.name])]
            assert not wrong and all(graph.node(n) in same for n in made.outputs), (seed, step, wrong)
        text, arrays = print_graph(graph)
        assert parse_graph(text, arrays, ops.BY_NAME) == graph


def test_the_sweep_reaches_every_rewrite() -> None:
    """Or it would prove nothing of those that never fire."""
    fired: set[str] = set()
    for _, rng, graph in cases(SEEDS):
        now = graph
        for step in ALGEBRA:
            now, before = step(now), now
            fired |= {step.__name__} if now != before else set()
        _, graph, _ = quantized(rng, graph)
        for step in PIPELINE:
            graph, before = step(graph).formatted(), graph
            fired |= {step.__name__} if graph != before else set()
    assert fired == {s.__name__ for s in (*ALGEBRA, *PIPELINE)}


def test_a_rounded_value_does_not_replace_a_namesake() -> None:
    """`a.q` is what the rounded `a` would be called; here it is another value, which is added to it."""
    b = Builder("collide")
    x = b.add("x", Input(Type(S, (Axis("c", 2),), formats=(Fixed(8, 4),))))
    b.add("a", Dense(Tensor([[1.0, 0.0]])), x)
    b.add("a.q", Dense(Tensor([[0.0, 1.0]])), x)
    graph = b.graph(b.add("out", Add(), "a", "a.q"))
    options = read_options(None, HLSConfig={"LayerName": {"a": {"Precision": "fix<8,4,RND,SAT>"}}})
    made = assign(graph, {}, options)
    assert made.node("out").inputs == ("a.q1", "a.q") and made.node("a.q1").inputs == ("a",)
    assert real(made, {"x": np.array([[[16], [32]]])})["out"].item() == 3.0


def test_parts_of_a_norm_do_not_replace_namesakes(rng: np.random.Generator) -> None:
    """`norm.a` is what a part of the expanded `norm` would be called."""
    b = Builder("collide")
    type = Type(V, (Axis("i", 3),), formats=(Fixed(7, 5),))
    x, y = b.add("x", Input(type)), b.add("y", Input(type))
    x_j = b.add("x_j", Rename("i", "j"), x)
    b.add("dot", Gram(), x, x_j)
    b.add("away", Add((1,)), x, x_j)
    b.add("norm.a", Invariants(), y)
    b.add("norm", Invariants(), "away")
    graph = b.graph(b.add("out", Add(), "norm", "norm.a")).formatted()
    raw = {n: rng.integers(-64, 64, (50, 3, 4)) for n in ("x", "y")}
    made = run(graph)
    assert isinstance(made.node("norm").op, Add), "the norm is expanded"
    np.testing.assert_array_equal(real(made, raw)["out"], real(graph, raw)["out"])


def test_a_function_tells_zero_from_the_last_bit(rng: np.random.Generator) -> None:
    """A radial function of whole numbers: its code reaches below the last bit where the function does."""
    b = Builder("coarse")
    x = b.add("x", Input(Type(S, formats=(Fixed(4, 4, False),))))
    graph = b.graph(b.add("r", Radial(Tensor([4.0]), Tensor([[1.0]]), Tensor([0.0])), x))
    made = assign(graph, {"x": np.arange(16.0)[:, None]}, Options())
    raw = np.arange(16)[:, None]
    got, want = real(made, {"x": raw})["r"], graph.reference({"x": raw.astype(float)})["r"]
    assert not far(got, want, 0.03) and want[0] > 4 * want[1]


def test_a_value_that_is_always_zero_has_a_code() -> None:
    """In front of a logarithmic function, too."""
    b = Builder("zeros")
    x = b.add("x", Input(Type(S, formats=(Fixed(12, 4),))))
    table = Table(activation=Activation.SLOG, parameters=Tensor([[0.5]]))
    graph = b.graph(b.add("y", table, x))
    made = assign(graph, {"x": np.zeros((9, 1))}, Options())
    assert isinstance(made.node("x.code").op, Log2)


def test_two_outputs_of_one_value_stay_two(rng: np.random.Generator) -> None:
    """And are found under their names after every stage, as outputs that are inputs are."""
    b = Builder("twins")
    x = b.add("x", Input(Type(S, (Axis("c", 2),))))
    first = b.add("inner", Dense(Tensor([[1.0, 2.0]])), x)
    one, two, three = (b.add(n, Dense(Tensor([[1.0, 2.0]])), x) for n in ("one", "two", "three"))
    k = b.add("k", Spurion(Type(S, (Axis("c", 1),)), Tensor([[1.0]])))
    b.add("four", CgProduct(parse_path("S*S->S")), k, first)
    graph = b.graph(one, two, x, "four", b.add("five", Add(), three, first))
    feeds = {"x": rng.normal(size=(20, 2, 1))}
    want = graph.reference(feeds)
    small = simplify(graph)
    made = run(assign(small, feeds, Options()))
    got = real(made, port_events(made, feeds))
    for name in graph.outputs:
        np.testing.assert_allclose(small.reference(feeds)[name], want[name], atol=1e-12)
        assert not far(got[name], want[name], 0.01), name
    assert graph.outputs == small.outputs == made.outputs and len(made.nodes) < len(graph.nodes)
