"""The graph: types, text, verification, errors that say where and what."""

from __future__ import annotations

from dataclasses import replace

import networks
import numpy as np
import pytest

from eqhls import ops
from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.frontends.onnx.reading import Reading
from eqhls.groups.basis import Basis
from eqhls.groups.lorentz import Rep
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.text import parse_graph, print_graph
from eqhls.ir.types import Axis, Type
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.eq2to0 import Eq2to0
from eqhls.ops.eq2to1 import Eq2to1
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.rename import Rename
from eqhls.ops.spurion import Spurion
from eqhls.passes import run
from eqhls.passes.structure import drop_dead
from eqhls.verify.sampling import random_events


@pytest.fixture
def graph(rng: np.random.Generator) -> Graph:
    return networks.seeded(rng, 4, 2)


def outputs(graph: Graph, rng: np.random.Generator) -> Ints:
    return graph.evaluate(random_events(graph, rng, 50))[graph.outputs[0]]


def test_text_round_trip(graph: Graph) -> None:
    text, arrays = print_graph(graph)
    assert parse_graph(text, arrays, ops.BY_NAME) == graph
    assert print_graph(parse_graph(text, arrays, ops.BY_NAME))[0] == text


def test_every_example_survives_text() -> None:
    for example in ops.examples():
        b = Builder("one")
        names = [b.add(f"x{k}", Input(t)) for k, t in enumerate(example.types)]
        graph = b.graph(b.add("y", example.op, *names))
        text, arrays = print_graph(graph)
        assert parse_graph(text, arrays, ops.BY_NAME) == graph


@pytest.mark.parametrize(
    "text", ["V.lc[j:16, c:2]:ufix<10,11>|ufix<8,5>|fix<9,8>|fix<9,8>", "S[]", "T.xyz[i:1]"]
)
def test_type_text(text: str) -> None:
    assert str(Type.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["X[j:1]", "V.lc[j]", "V.lc[j:0]", "V.lc[j:2, j:3]", "F.lc[]:fix<1,1>|fix<2,2>"]
)
def test_bad_types(text: str) -> None:
    with pytest.raises(CompileError):
        Type.parse(text)


def test_passes_keep_bits(graph: Graph, rng: np.random.Generator) -> None:
    """Law 6; a doubled op is shared and a dead one dropped."""
    node = graph.node("d0")
    twin = replace(node, name="twin")
    dead = replace(graph.node("dl0"), name="dead", inputs=("twin",))
    swollen = replace(graph, nodes=(*graph.nodes, twin, dead)).verify()
    small = run(swollen)
    assert len(small.nodes) == len(graph.nodes)
    seed = rng.integers(1 << 30)
    np.testing.assert_array_equal(
        outputs(swollen, np.random.default_rng(seed)), outputs(small, np.random.default_rng(seed))
    )


def broken(graph: Graph, line: str, by: str) -> tuple[str, dict[str, np.ndarray]]:
    text, arrays = print_graph(graph)
    assert line in text
    return text.replace(line, by), arrays


CASES = {
    "unknown op": ("= gram(%seed, %p)", "= grom(%seed, %p)", "found the op 'grom'"),
    "unknown field": ("{axis = i}", "{axes = i}", "has no field 'axes'"),
    "bad value": ("frac = 1", "frac = one", "field frac"),
    "undefined": ("gram(%seed, %p)", "gram(%sead, %p)", "not defined before it"),
    "wrong type": (
        "%t = particle_sum(%tl) {axis = i} : S[j:4]",
        "%t = particle_sum(%tl) {axis = i} : S[j:5]",
        "gives S",
    ),
    "lost array": ("@edge0.values", "@edge9.values", "edge9.values"),
    "no output": ("output %logit", "", "truncated"),
    "syntax": ("%seed = select", "seed := select", "expected %name"),
    "two of one name": ("%dl0 = ", "%d0 = ", "found two values of this name"),
    "output twice": ("output %logit", "output %logit, %logit", "found output %logit more than once"),
    "formats beside the port's": (
        "%valid = input() {type = S[j:4]:ufix<1,1>} : S[j:4]:ufix<1,1>",
        "%valid = input() {type = S[j:4]:ufix<1,1>} : S[j:4]:ufix<2,1>",
        "is declared S[j:4]:ufix<2,1>",
    ),
    "missing axis": ("{axis = i} : S[j:4]", "{axis = k} : S[j:4]", "no axis 'k'"),
}


@pytest.mark.parametrize("case", CASES)
def test_errors_say_where_and_what(case: str, graph: Graph) -> None:
    line, by, message = CASES[case]
    text, arrays = broken(graph, line, by)
    with pytest.raises(CompileError, match="model.eq|seeded") as error:
        parse_graph(text, arrays, ops.BY_NAME, "model.eq")
    assert message in str(error.value)


def test_builder_names_the_op_and_the_types() -> None:
    b = Builder("toy")
    s = b.add("s", Input(Type(S, (Axis("j", 2),))))
    with pytest.raises(
        CompileError, match=r"^toy: %d: gram: found S\[j:2\], S\[j:2\], expected V in one basis"
    ):
        b.add("d", Gram(), s, s)


def test_fresh_names_are_nobodys(graph: Graph) -> None:
    """Neither a value's that is there, nor one's that the graph being read brings later, or brought once."""
    made = Builder.reading(graph)
    first = made.keep(graph.nodes[0])
    assert [made.fresh(first), made.fresh("logit"), made.fresh("new"), made.fresh("new")] == [
        f"{first}1", "logit1", "new", "new1",
    ]  # fmt: skip
    with pytest.raises(AssertionError, match="neither read nor fresh"):
        made.add("invented", Gram("j"), first)
    dropped = drop_dead(replace(graph, outputs=(graph.nodes[0].name,)))
    assert not any(n.name == "logit" for n in dropped) and Builder.reading(dropped).fresh("logit") == "logit1"


def test_builder_checks_names_inputs_and_declared_types() -> None:
    b = Builder("toy")
    x = b.add("x", Input(Type(S, (Axis("c", 2),))))
    for name in ("", "a b", "a,b", "%a", "a\n"):
        with pytest.raises(CompileError, match="name that no text can hold"):
            b.add(name, Rename("c", "d"), x)
    with pytest.raises(CompileError, match="toy: %y: reads %z, which is not defined before it"):
        b.add("y", Rename("c", "d"), "z")
    with pytest.raises(
        CompileError, match=r"toy: %y: is declared S\[c:2\], but rename of \(S\[c:2\]\) gives S\[d:2\]"
    ):
        b.add("y", Rename("c", "d"), x, declared=b.type(x))
    with pytest.raises(CompileError, match="toy: %x: found two values of this name"):
        b.add("x", Rename("c", "d"), x)


def test_a_rewrite_infers_the_types_behind_it(graph: Graph) -> None:
    """A stale type would give every reader the wrong shape."""
    b = Builder("toy")
    b.add("turned", Rename("c", "d"), b.add("x", Input(Type(S, (Axis("c", 2),), formats=(Fixed(4, 4),)))))
    small = b.graph("turned").formatted()
    wide = Input(Type(S, (Axis("c", 3),), formats=(Fixed(5, 5),)))
    moved = small.rewrite(lambda n: replace(n, op=wide) if n.op.source else n)
    assert moved.node("x").type == wide.type and moved.node("turned").type == Type(S, (Axis("d", 3),))
    assert graph.rewrite(lambda n: n) == graph and hash(graph.rewrite(lambda n: n)) == hash(graph)


def test_an_operator_added_while_reading_a_file_leaves_names_to_the_file() -> None:
    state = Reading("net.onnx", frozenset())
    state.builder.reserve(["g.constant"])
    one = Spurion(Type(S), Tensor([1.0]))
    assert state.invent("g.constant", one).name == "g.constant1"
    assert state.add("g.constant", one).name == "g.constant" and list(state.nodes) == [
        "g.constant1",
        "g.constant",
    ]


def test_channels_of_pairs_come_last() -> None:
    """By its sizes alone S[c, i, j] would pass for pairs (c, i) of j channels."""
    type = Type(S, (Axis("c", 2), Axis("i", 2), Axis("j", 2)))
    for op in (Eq2to0(Tensor(np.ones((1, 2, 2)))), Eq2to1(Tensor(np.ones((1, 2, 5))))):
        with pytest.raises(CompileError, match="expected c as its last axis"):
            op.infer(type)


def test_weights_must_be_finite() -> None:
    with pytest.raises(CompileError, match="NaN or infinity"):
        Tensor([1.0, np.nan])


def test_intervals_give_the_formats(graph: Graph) -> None:
    assert graph.quantized
    assert str(graph.node("t").type) == "S[j:4]:ufix<6,5>"


def test_saturation_is_counted(graph: Graph, rng: np.random.Generator) -> None:
    counts = graph.saturation(random_events(graph, rng, 100))
    assert set(counts) == {n.name for n in graph if n.op.name() in ("log2", "table")}


def test_scores_come_in_pieces(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    """The same as all at once, also for results that no event changes."""
    b = Builder("pieces")
    x = b.add("x", Input(Type(S, (Axis("c", 3),))))
    fixed = b.add("fixed", Spurion(Type(S, (Axis("c", 1),)), Tensor([[2.0]])))
    graph = b.graph(b.add("y", ChannelMix(Tensor([[1.0, -2.0, 0.5]])), x), fixed)
    feeds = {"x": rng.normal(size=(10, 3, 1))}
    monkeypatch.setattr("eqhls.ir.graph.HELD", 3 * sum(n.type.elements for n in graph))
    assert [len(v["x"]) for v in graph.references(feeds)] == [3, 3, 3, 1]
    scores = graph.scores(feeds)
    np.testing.assert_array_equal(scores["y"], graph.reference(feeds)["y"])
    np.testing.assert_array_equal(scores["fixed"], np.full((10, 1, 1), 2.0))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("S[x:4@Q]", "the action @Q is not one of @S"),
        ("S[x:4@]", "the axis 'x:4@' is not NAME:SIZE"),
        ("4e[x:4]", "the representation 4e is not one of S"),
        ("1o.t5[x:4]", "1o has the bases xyz, not t5"),
        ("S[x:5@D4]", "give the axis one entry per element of D4"),
        ("S[p:5@P]", "5 pairs"),
        ("V lc", "it is not REP"),
    ],
    ids=str,
)
def test_a_type_that_is_none_says_why(text: str, reason: str) -> None:
    with pytest.raises(CompileError) as error:
        Type.parse(text)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    "text", ["S[p:6@P, c:2]", "1o.xyz[j:3@S]", "S[x:4@Z, y:4@Z]", "2e.d5[g:8@D4]:fix<4,2>", "0o[]"], ids=str
)
def test_types_with_actions_are_printed_as_they_are_read(text: str) -> None:
    assert str(Type.parse(text)) == text


def test_scripts_of_the_first_release_build_the_same_types() -> None:
    from_scripts = Type(Rep.V, (Axis("j", 3),), Basis.LIGHT_CONE)
    assert from_scripts == Type.parse("V.lc[j:3]")
    assert [r.name for r in (Rep.S, Rep.V, Rep.F, Rep.T)] == ["S", "V", "F", "T"] and Rep.S is S
