"""What ports mean, and how they are called."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from networks import seeded, two_outputs

from eqhls.backends.rtl.emit import emit
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.reps import V
from eqhls.groups.permutation import ACTIONS
from eqhls.groups.registry import reps
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.lower.contract import Contract, Signal
from eqhls.lower.meanings import degree, order_free
from eqhls.lower.modelhash import model_hash
from eqhls.lower.plan import Plan
from eqhls.names import distinct, identifiers
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.input import Frame, Input
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.options import Options
from eqhls.verify.sampling import random_events

LEGAL = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")


def signals(graph: Graph) -> dict[str, Signal]:
    found = Contract.of(Plan.of(graph, Options()))
    return {s.name: s for s in (*found.inputs, *found.outputs)}


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (("p", "jet"), ("p", "jet")),
        (("p", "P"), ("p", "P_2")),
        (("a.b", "a_b", "a__b"), ("a_b_2", "a_b", "a_b_3")),
        (("signal", "reg", "class", "Out"), ("signal_port", "reg_port", "class_port", "Out_port")),
        (("2e", "_x_", "é", "."), ("n2e", "x", "n", "n_2")),
        (("features", "time.1", "pack"), ("features", "time_1", "pack_port")),
        (("x", "X_2", "X"), ("x", "X_2", "X_3")),
    ],
)
def test_names_that_every_language_takes(given: tuple[str, ...], made: tuple[str, ...]) -> None:
    assert identifiers(given) == made


def test_no_two_names_are_alike() -> None:
    """All sets of three short names over letters, dots and underscores."""
    short = ["".join(w) for n in (1, 2) for w in itertools.product("aA._2", repeat=n)]
    for names in itertools.combinations(short, 3):
        found = identifiers(names)
        assert len({f.lower() for f in found}) == 3 and all(LEGAL.fullmatch(f) for f in found), names
    assert distinct(["a", "a", "a_2", "A"]) == ("a", "a_3", "a_2", "A_4")


def test_components_of_every_representation_have_names() -> None:
    for rep in reps():
        for basis in rep.bases:
            names = rep.names(basis)
            assert len(names) == rep.size(basis) == len({n.lower() for n in names})
            assert rep is S or rep.dim == 1 or identifiers(names) == names
    assert V.names(LIGHT_CONE) == ("p_plus", "p_minus", "py", "pz")


def test_vectors_say_their_unit_frame_and_empty_slots() -> None:
    found = signals(seeded(np.random.default_rng(1)))
    p, jet, valid = found["p"], found["jet"], found["valid"]
    assert [c.name for c in p.components] == ["p_plus", "p_minus", "py", "pz"]
    assert {c.unit for c in p.components} == {"GeV"} and p.components[1].lsb == 0.125
    assert p.frame.startswith("of the jet") and p.holes == "all components 0, with valid = 0 beside it"
    assert p.element((2, 1)) == "p[2].p_minus" and valid.element((3, 0)) == "valid[3]"
    assert not jet.order and not jet.holes and jet.lsb == p.bits == 4 * p.stride
    assert valid.components[0].flag and valid.holes == "0"
    assert {(c.taken.rounding, c.taken.overflow) for c in p.components} == {(Rounding.RND_CONV, Overflow.SAT)}


def test_words_of_the_trigger() -> None:
    found = signals(words())
    taken = {k: str(s.components[0].taken) for k, s in found.items() if k != "total"}
    assert taken["pt"] == "ufix<14,12,TRN,SAT>" and taken["eta"] == "fix<12,12,RND_CONV,SAT>"
    assert taken["phi"] == "fix<11,11,RND_CONV>" and taken["jet_mass2"] == "ufix<18,18,TRN,SAT>"
    assert [found[k].components[0].unit for k in ("pt", "eta", "jet_mass2", "multiplicity")] == [
        "GeV",
        "rad",
        "GeV^2",
        "",
    ]
    assert found["phi"].components[0].lsb == np.pi / 720 and "[-720, 720)" in found["phi"].overflow
    assert found["pt"].holes.startswith("pt = 0") and not found["jet_mass2"].holes
    assert [found[k].components[0].whole for k in ("pt", "eta", "phi", "multiplicity")] == [
        False,
        True,
        True,
        True,
    ]


def words() -> Graph:
    b = Builder("words")
    kinds = {
        "pt": "S[j:3]:ufix<14,12>",
        "eta": "S+eta[j:3]:fix<12,12>",
        "phi": "S+phi%1440[j:3]:fix<11,11>",
        "jet_mass2": "S[]:ufix<18,18>",
        "multiplicity": "S[]:ufix<7,7>",
    }
    for name, text in kinds.items():
        b.add(name, Input(Type.parse(text)))
    return b.graph(b.add("total", ParticleSum("j"), "pt")).formatted()


def test_the_frame_of_the_seed_has_an_order() -> None:
    b = Builder("framed")
    forms = (Fixed(8, 8, False), Fixed(8, 8, False), Fixed(8, 8), Fixed(8, 8))
    p = b.add("p", Input(Type(V, (Axis("j", 3),), LIGHT_CONE, forms), Frame.SEED))
    found = signals(b.graph(b.add("sum", ParticleSum("j"), p)).formatted())
    assert found["p"].frame.startswith("of entry 0") and "is entry 0" in found["p"].order
    assert found["sum"].frame == found["p"].frame and found["sum"].components[0].unit == "GeV"


def test_whether_the_order_matters_follows_from_the_types() -> None:
    """A sum of all does not need it, the first particle does; whether the axis says so or not."""
    for action in ("", "S"):
        b = Builder("sums")
        axis = Axis("j", 3, ACTIONS[action])
        p = b.add("p", Input(Type(V, (axis,), formats=(Fixed(6, 6),) * 4)))
        total = b.add("sum", ParticleSum("j"), p)
        free = b.graph(b.add("mass", Gram(), total, total))
        assert order_free(free, "j") and not order_free(free, "k") and not order_free(free, "")
    free = free.formatted()
    assert signals(free)["p"].order == "any: the results do not depend on it"
    feeds = random_events(free, np.random.default_rng(1), 20)
    turned = {"p": feeds["p"][:, [2, 0, 1]]}
    np.testing.assert_array_equal(free.evaluate(turned)["mass"], free.evaluate(feeds)["mass"])
    b = Builder("first")
    p = b.add("p", Input(Type(V, (Axis("j", 3),), formats=(Fixed(6, 6),) * 4)))
    first = b.add("first", Select("j", (0,), "i"), p)
    held = b.graph(b.add("products", Gram(), first, p))
    assert not order_free(held, "j")
    assert signals(held.formatted())["p"].order.startswith("falling pT")


def test_units_of_results_end_with_trained_numbers_and_roundings() -> None:
    graph = two_outputs()
    assert degree(graph, "mass") == 2 and degree(graph, "score") is None and degree(graph, "p") == 1
    found = signals(graph)
    assert found["mass"].components[0].unit == "GeV^2" and not found["score"].components[0].unit
    b = Builder("kinds")
    p = b.add("p", Input(Type(V, (Axis("j", 2),), formats=(Fixed(6, 6),) * 4)))
    g = b.add("g", Gram("j", "q"), p)
    cut = b.add("cut", Requantize((Fixed(6, 8, True, Rounding.RND, Overflow.SAT),)), g)
    mixed = b.add("mixed", Dense(Tensor([[0.5, 0.25, 1.0]])), g)
    kinds = b.graph(g, cut, mixed)
    assert [degree(kinds, n) for n in (g, cut, mixed)] == [2, None, None]
    over = signals(kinds.formatted())
    assert over["cut"].overflow.startswith("saturates") and over["g"].overflow.startswith("cannot occur")


def test_the_hash_is_that_of_the_network_and_not_of_its_name() -> None:
    graph = two_outputs()
    other = replace(graph, name="other")
    assert re.fullmatch("[0-9a-f]{8}", model_hash(graph)) and model_hash(graph) == model_hash(other)
    assert model_hash(graph) == Plan.of(other, Options(ClockPeriod=5.0)).model_hash
    seen = {model_hash(graph)}
    for weight in (0.25, 0.375):
        b = Builder("two")
        x = b.add("x", Input(Type(S, (Axis("c", 2),), formats=(Fixed(4, 4),))))
        seen.add(model_hash(b.graph(b.add("y", Dense(Tensor([[weight, 1.0]])), x)).formatted()))
    assert len(seen) == 3


def test_the_port_map_keeps_what_it_had_and_says_more() -> None:
    plan = Plan.of(two_outputs(), Options())
    files = emit(plan)
    ports = json.loads(str(files["rtl/two.portmap.json"]))
    (p,) = ports["inputs"]
    assert p["elements"][5] == {
        "index": [1, 1],
        "element": "p[1].px",
        "lsb": 45,
        "width": 9,
        "signed": True,
        "frac_bits": 1,
    }
    assert (p["name"], p["identifier"], p["axes"], p["shape"]) == ("p", "p", ["j"], [2, 4])
    assert p["components"][1] == {
        "name": "px",
        "unit": "GeV",
        "lsb_value": 0.5,
        "min": -128.0,
        "max": 127.5,
        "integer": False,
        "taken_as": "fix<9,8,RND_CONV,SAT>",
    }
    assert "| in_data | p[1].px | 53:45 | signed 9 | 0.5 GeV | -128 to 127.5 |" in str(files["rtl/README.md"])
    for key in ("meaning", "frame", "order", "holes", "overflow"):
        assert p[key] and p[key] in str(files["rtl/README.md"])


def test_a_netlist_without_a_graph_has_ports_by_number() -> None:
    plan = Plan.of(two_outputs(), Options())
    bare = replace(plan, graph=Graph("two", (), ()))
    (p,) = Contract.of(bare).inputs
    assert p.element((1, 2)) == "p[1].c2" and p.axes == (("axis0", 2),) and not p.meaning
