"""The importer of the published LGN: equal to its equations, and to the numbers of its own code."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lgn_numpy import Reference, Shape, jets, random_state

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.lgn import graph_from, recognizes
from eqhls.frontends.checkpoints.lgn_settings import KNOWN
from eqhls.groups.lorentz.complexcg import real_embedding
from eqhls.groups.su2 import to_cartesian
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Tensor
from eqhls.ops.spurion import Spurion
from eqhls.passes import simplify

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "golden"
FOLDERS = sorted(f.name for f in GOLDEN.glob("lgn_*")) or ["lgn_a"]
BOUND = 1e-10
BOOSTED = 1e-9
"""Of a boosted event: its squares cancel from energies beyond a TeV, in every evaluation."""

SHAPES = {
    "maxdim2": Shape(),
    "maxdim2-scalars": Shape(pmu_in=False, channels=(2, 3, 2)),
    "maxdim2-py37": Shape(python="py37", mlp=False, channels=(2, 3, 2)),
    "maxdim2-plain": Shape(mlp=False, channels=(3, 2, 2)),
    "maxdim3": Shape(3, (2, 2, 1)),
    "maxdim3-scalars-py37": Shape(3, (1, 2, 2), pmu_in=False, python="py37"),
    "maxdim3-plain": Shape(3, (2, 1, 1), mlp=False),
    "no-beams": Shape(3, (2, 2), beams=False),
    "no-beams-scalars": Shape(3, (2, 1, 2), beams=False, pmu_in=False),
    "light-beams": Shape(2, (2, 1), beam_mass=0.0),
    "levels-2-3-2": Shape((2, 3, 2), (1, 2, 2, 1)),
    "levels-3-2": Shape((3, 2), (2, 1, 2), mlp=False, python="py37"),
    "levels-1-2": Shape((1, 2), (2, 2, 1)),
    "one-level": Shape(3, (2, 3), pmu_in=False),
    "four-levels": Shape(2, (1, 2, 1, 2, 1), basis=3),
    "wide-network": Shape(2, (2, 2), depth=1, width=5),
    "deep-network": Shape(2, (2, 2), depth=5, width=1),
    **{name: Shape(2, (2, 2), activation=name) for name in KNOWN[1:]},
}


def feeds(p4: np.ndarray) -> dict[str, np.ndarray]:
    return {"p": p4, "valid": (p4 != 0).any(axis=-1, keepdims=True).astype(float)}


def logits(graph: Graph, p4: np.ndarray) -> np.ndarray:
    parts = [graph.reference(feeds(p4[k : k + 32]))[graph.outputs[0]] for k in range(0, len(p4), 32)]
    return np.concatenate(parts)[..., 0]


def close(got: np.ndarray, want: np.ndarray) -> None:
    assert (np.abs(got - want) <= BOUND * np.maximum(1, np.abs(want))).all(), np.abs(got - want).max()


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("real", [5, 3])
def test_equal_to_the_equations(name: str, real: int, rng: np.random.Generator) -> None:
    shape = SHAPES[name]
    state, p4 = random_state(rng, shape), jets(rng, 6, 5, real)
    assert recognizes(state)
    want = Reference(state, shape).logits(p4)
    assert np.ptp(want, axis=0).min() > 1e-4, "the events must differ"
    close(logits(graph_from(state, shape.arguments(5)), p4), want)


def test_the_order_of_irreps_matters(rng: np.random.Generator) -> None:
    shape = SHAPES["maxdim3"]
    state, p4 = random_state(rng, shape), jets(rng, 4, 3)
    right, wrong = (graph_from(state, {**shape.arguments(3), "set_order": k}) for k in ("py38", "py37"))
    assert np.abs(logits(right, p4) - logits(wrong, p4)).max() > 1e-3
    recorded = {f"level{k}_keys": ["(1, 1)", "(2, 0)", "(0, 2)", "(2, 2)", "(0, 0)"] for k in (1, 2)}
    recorded["level0_keys"] = ["(1, 1)", "(0, 0)"]
    given = graph_from(state, {**shape.arguments(3), "set_order": "py37", "key_orders": recorded})
    assert given == right
    assert graph_from(state, {"args": {**shape.arguments(3), "set_order": None}, "python": "3.11.7"}) == right
    assert graph_from(state, {**shape.arguments(3), "set_order": "", "python": "3.7.4"}) == wrong


@pytest.mark.parametrize(("given", "name"), [("3 jets", "lgn_3_jets"), ("é", "_"), ("", "lgn")])
def test_names_are_those_of_programs(given: str, name: str, rng: np.random.Generator) -> None:
    shape = Shape(channels=(1, 1))
    assert graph_from(random_state(rng, shape), shape.arguments(2) | {"name": given}).name == name


def test_padding_beyond_the_slots_is_one_more_node(rng: np.random.Generator) -> None:
    """Trained with 9 rows, computed with 4 slots: the other 5 rows are zero in every event kept."""
    shape = SHAPES["maxdim3"]
    state, p4 = random_state(rng, shape), jets(rng, 5, 9, 3)
    graph = graph_from(state, {**shape.arguments(9), "constituents": 4})
    assert graph.node("senders").type.size("j") == 2 + 4 + 1
    close(logits(graph, p4[:, :4]), Reference(state, shape).logits(p4))


@pytest.mark.parametrize("name", ["maxdim2-scalars", "maxdim3"])
def test_strict_padding_contributes_nothing(name: str, rng: np.random.Generator) -> None:
    shape = SHAPES[name]
    state, p4 = random_state(rng, shape), jets(rng, 5, 6, 3)
    graph = graph_from(state, {**shape.arguments(6), "mask_mode": "strict"})
    want = Reference(state, shape).logits(p4[:, :3])
    close(logits(graph, p4), want)
    assert np.abs(Reference(state, shape).logits(p4) - want).max() > 1e-3


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"top": "pmlp"}, "top = pmlp.*unpermuted.*expected top = linear"),
        ({"max_zf": [2]}, r"max_zf = \[2\].*beyond vectors"),
        ({"activation": "silu"}, "activation = 'silu'.*leakyrelu, relu"),
        ({"key_orders": 7}, "key_orders = 7; expected lists"),
        ({"key_orders": {"level0_keys": ["(0, 0)"]}}, r"features \['00', '11'\] at level 0"),
        ({"nobj": 10**7}, "nobj = 10000000.*at most 1000"),
        ({"scale": "small"}, "scale = 'small'; expected a number"),
        ({"beam_mass": True}, "beam_mass = True; expected a number"),
        ({"add_beams": "yes"}, "add_beams = 'yes'; expected true or false"),
        ({"set_order": "py36"}, "set_order = 'py36'.*py37, py38"),
        ({"mask_mode": "none"}, "mask_mode = 'none'.*reference, strict"),
        ({"nobj": True}, "nobj = True.*number of constituents"),
        ({"constituents": 0}, "constituents = 0.*number of constituents"),
        ({"nobj": None}, "nobj = None.*number of constituents"),
        ({"add_beams": False}, "input_func_atom.*expected"),
    ],
)
def test_what_has_no_blocks_is_refused(change: dict[str, Any], match: str, rng: np.random.Generator) -> None:
    shape = Shape()
    with pytest.raises(CompileError, match=match):
        graph_from(random_state(rng, shape), {**shape.arguments(4), **change})


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("rad_funcs.rad_funcs.0.linear.1.bias", None, "has no 'rad_funcs.rad_funcs.0.linear.1.bias'"),
        ("output_layer_atom.lin.weight", np.ones((2, 3)), r"of shape \(2, 3\), expected"),
        ("lgn_cg.atom_levels.0.cat_mix.mix_reps.weights.(3, 3)", np.ones((2, 2, 2)), "'33'.*maxdim 2 or 3"),
        ("output_layer_atom.lin.bias", np.array([np.nan, 0]), "NaN"),
    ],
)
def test_a_damaged_state_is_refused(key: str, value: Any, match: str, rng: np.random.Generator) -> None:
    state = random_state(rng, Shape())
    state = {k: v for k, v in {**state, key: value}.items() if v is not None}
    with pytest.raises(CompileError, match=match):
        graph_from(state, Shape().arguments(4))


@pytest.fixture(scope="module", params=FOLDERS)
def golden(request: pytest.FixtureRequest) -> dict[str, Any]:
    folder = GOLDEN / request.param
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    arrays = {
        n: dict(np.load(folder / f"{n}.npz")) for n in ("state_dict", "events", "outputs", "intermediates")
    }
    config = json.loads((folder / "config.json").read_text())
    graph = graph_from(arrays["state_dict"], config)
    return {**arrays, "config": config, "plain": graph, "graph": simplify(graph)}


def test_equal_to_the_reference_implementation(golden: dict[str, Any]) -> None:
    events, outputs = golden["events"], golden["outputs"]
    p4, rows = events["p4"], np.arange(len(events["p4"]))[:, None]
    moved = {
        "base": p4,
        "perm": p4[rows, events["perm"]],
        "permpad": p4[rows, events["permpad"]],
        "rot90z": p4 @ events["rot90z"].T,
    }
    for name, momenta in moved.items():
        close(logits(golden["graph"], momenta), outputs[f"logits_{name}"])
    close(logits(golden["plain"], p4[:64]), outputs["logits_base"][:64])


def test_beams_move_with_a_boosted_event(golden: dict[str, Any]) -> None:
    """A boost of all rows leaves the logits, one of the constituents alone changes them."""
    events, outputs, graph = golden["events"], golden["outputs"], golden["graph"]
    close(logits(graph, events["p4"] @ events["boostz"].T), outputs["logits_boostz_fixedbeams"])
    assert np.abs(outputs["logits_boostz_fixedbeams"] - outputs["logits_base"]).max() > 1
    for name in ("boostz", "boostx"):
        boosted = graph.rewrite(partial(beams_moved, boost=events[name]))
        got, want = logits(boosted, events["p4"] @ events[name].T), outputs[f"logits_{name}"]
        assert (np.abs(got - want) <= BOOSTED * np.maximum(1, np.abs(want))).all()


def beams_moved(node: Node, boost: np.ndarray) -> Node:
    if node.name != "beams":
        return node
    assert isinstance(node.op, Spurion)
    return replace(node, op=replace(node.op, values=Tensor(node.op.values.array @ boost.T)))


def test_equal_stage_by_stage(golden: dict[str, Any]) -> None:
    """Radial functions, every level's features (relative to the largest), and the invariants."""
    stages, graph = golden["intermediates"], golden["plain"]
    p4 = golden["events"]["p4"][stages["event_rows"]]
    values = graph.reference(feeds(p4))
    rows = golden["events"]["fed_Pmu"].shape[1]
    compared = 0
    for name, stored in stages.items():
        if not name.startswith(("rad", "level")):
            continue
        stage, irrep = name[:-1].split(".(")
        irrep, level = irrep.replace(", ", ""), int(stage[-1])
        want = stored[0] + 1j * stored[1]
        if stage.startswith("rad"):
            got = values[f"radial{level}.{irrep}"][..., 0]
            got = got[..., 0::2] + 1j * got[..., 1::2]
            want = want * ((1 + 1j) if irrep == "00" else 1)
        else:
            mixed = f"mlp{level - 1}.3" if irrep == "00" and level else f"x{level}.{irrep}"
            got = as_complex(irrep, values[mixed])
            want = np.einsum("ab,...b->...a", to_cartesian(irrep), want)
        assert want.shape[1] == rows
        assert np.abs(got - want).max() <= 1e-11 * max(np.abs(want).max(), 1e-3), name
        compared += 1
    assert compared >= 6


def as_complex(irrep: str, x: np.ndarray) -> np.ndarray:
    """Real features (events, rows, channels, components) to complex ones in the SO(3,C) basis."""
    embed = real_embedding({"00": "S", "11": "V", "20": "F", "02": "F", "22": "T"}[irrep], irrep)
    z = np.einsum("ab,...b->...a", embed, x)
    return z if irrep in ("20", "02") else z[:, :, 0::2] + 1j * z[:, :, 1::2]


def test_our_own_evaluation_agrees_with_the_reference_implementation(golden: dict[str, Any]) -> None:
    """So that the tests above, which need no golden files, test the right equations."""
    args = golden["config"]["args"]
    shape = Shape(
        args["maxdim"][0], tuple(args["num_channels"]), args["pmu_in"], args["mlp"], args["add_beams"]
    )
    reference = Reference(golden["state_dict"], replace(shape, basis=2 * args["num_basis_fn"]), args["scale"])
    got = np.concatenate([reference.logits(golden["events"]["p4"][k : k + 16]) for k in range(0, 64, 16)])
    close(got, golden["outputs"]["logits_base"][:64])
