"""The graph: types, text, verification, errors that say where and what."""

from __future__ import annotations

from dataclasses import replace

import networks
import numpy as np
import pytest

from eqhls import ops
from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.text import parse_graph, print_graph
from eqhls.ir.types import Axis, Type
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.spurion import Spurion
from eqhls.passes import run
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
    for example in ops.EXAMPLES:
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
    s = b.add("s", Input(Type(Rep.S, (Axis("j", 2),))))
    with pytest.raises(
        CompileError, match=r"^toy: %d: gram: found S\[j:2\], S\[j:2\], expected V in one basis"
    ):
        b.add("d", Gram(), s, s)


def test_weights_must_be_finite() -> None:
    with pytest.raises(CompileError, match="NaN or infinity"):
        Tensor([1.0, np.nan])


def test_intervals_give_the_formats(graph: Graph) -> None:
    assert graph.quantized
    assert str(graph.node("t").type) == "S[j:4]:ufix<6,5>"


def test_saturation_is_counted(graph: Graph, rng: np.random.Generator) -> None:
    counts = graph.saturation(random_events(graph, rng, 100))
    assert set(counts) == {n.name for n in graph if n.op.kind() == "log2"}


def test_scores_come_in_pieces(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    """The same as all at once, also for results that no event changes."""
    b = Builder("pieces")
    x = b.add("x", Input(Type(Rep.S, (Axis("c", 3),))))
    fixed = b.add("fixed", Spurion(Type(Rep.S, (Axis("c", 1),)), Tensor([[2.0]])))
    graph = b.graph(b.add("y", ChannelMix(Tensor([[1.0, -2.0, 0.5]])), x), fixed)
    feeds = {"x": rng.normal(size=(10, 3, 1))}
    monkeypatch.setattr("eqhls.ir.graph.HELD", 3 * sum(n.type.elements for n in graph))
    assert [len(v["x"]) for v in graph.references(feeds)] == [3, 3, 3, 1]
    scores = graph.scores(feeds)
    np.testing.assert_array_equal(scores["y"], graph.reference(feeds)["y"])
    np.testing.assert_array_equal(scores["fixed"], np.full((10, 1, 1), 2.0))
