"""PELICAN and PELICAN-nano checkpoints: the outputs of the reference codes, and every option against an
evaluation in NumPy. Golden files are tried where they are there; the rest always runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pelican_reference import CURVES, SPURIONS, Network, State, jets, nano, nano_state, pelican, pelican_state

from eqhls.errors import CompileError
from eqhls.events.read import from_arrays, read_events
from eqhls.events.scores import predict_floats
from eqhls.flow import load_any
from eqhls.frontends.checkpoints import nano as nano_importer
from eqhls.frontends.checkpoints import pelican as pelican_importer
from eqhls.ir.graph import Graph
from eqhls.options import Options
from eqhls.quantize.assign import assign

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "golden"
BOUND = 1e-10
FOLDERS = ("nano_h2", "pelican_tiny", "pelican_3k")
STAGES = {
    "nano_h2": {"message": "net2to2.message_layers.0", "hidden": "msg_2to0", "head": "agg_2to0"},
    "pelican_tiny": {
        "encoded": "input_encoder.rank2",
        "message1": "net2to2.message_layers.1",
        "head": "agg_2to0",
    },
    "pelican_3k": {
        "message0": "net2to2.message_layers.0",
        "hidden4": "net2to2.eq_layers.4",
        "mlp0_active": "mlp_out",
    },
}

golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden outputs are not beside this checkout")


def off(found: NDArray[Any], want: NDArray[Any]) -> float:
    """The largest difference, relative to values above 1."""
    assert found.shape == want.shape
    return float(np.max(np.abs(found - want) / np.maximum(1, np.abs(want))))


def feeds(p4: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {"p": p4, "valid": (p4[..., :1] != 0).astype(np.float64)}


def logits(graph: Graph, given: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    return graph.reference(given)[graph.outputs[0]][..., 0]


@golden
@pytest.mark.parametrize("name", FOLDERS)
def test_golden_logits(name: str) -> None:
    """Through the front door, truncated events included."""
    graph = load_any(GOLDEN / name)
    events = read_events(GOLDEN / name / "events.npz", graph)
    with np.load(GOLDEN / name / "outputs.npz") as want:
        assert off(predict_floats(graph, events).scores, want["logits_base"]) < BOUND


@golden
@pytest.mark.parametrize("name", FOLDERS)
def test_golden_tensors_in_between(name: str) -> None:
    graph = load_any(GOLDEN / name / "checkpoint.pt")
    with (
        np.load(GOLDEN / name / "events.npz") as events,
        np.load(GOLDEN / name / "intermediates.npz") as want,
    ):
        values = graph.reference(feeds(events["p4"][want["event_rows"]]))
        for mine, theirs in STAGES[name].items():
            found = values[mine][..., 0]
            found = found * values["pairs_valid"] if found.ndim == 4 else found
            assert off(found, want[theirs]) < 5 * BOUND, mine


@golden
@pytest.mark.parametrize("name", FOLDERS)
def test_golden_transformed_events(name: str, tmp_path: Path) -> None:
    """Permutations, rotations, and boosts with the spurions; without them the logits move."""
    graph = load_any(GOLDEN / name)
    spurions = graph.node("spurions").op.values.array
    with np.load(GOLDEN / name / "events.npz") as e, np.load(GOLDEN / name / "outputs.npz") as want:
        p4 = e["p4"]
        rows = np.arange(len(p4))[:, None]
        turned = [feeds(p4[rows, e[k]]) for k in ("perm", "permpad")] + [feeds(p4 @ e["rot90z"].T)]
        for key, given in zip(("perm", "permpad", "rot90z"), turned, strict=True):
            assert off(logits(graph, given), want[f"logits_{key}"]) < BOUND
        for key in ("boostz", "boostx"):
            file = tmp_path / f"{key}.npz"
            moved = np.broadcast_to(spurions @ e[key].T, (len(p4), *spurions.shape))
            np.savez(file, p4=p4 @ e[key].T, spurions=moved)
            found = predict_floats(graph, read_events(file, graph)).scores
            assert off(found, want[f"logits_{key}"]) < BOUND
        fixed = logits(graph, feeds(p4 @ e["boostz"].T))
        assert off(fixed, want["logits_boostz_fixedbeams"]) < BOUND
        assert off(fixed, want["logits_base"]) > 1e-3


OPTIONS = {
    "published": Network(),
    "s": Network(config="s", config_out="s"),
    "S": Network(config="S", config_out="S"),
    "m": Network(config="m", config_out="m"),
    "sM": Network(config="sM", config_out="Ms"),
    "mSM": Network(config="mSM", config_out="m"),
    "dense": Network(factorize=False, blocks=1),
    "relu": Network(activation="relu"),
    "lorentz": Network(stabilizer="so13", config="m"),
    "rotations": Network(stabilizer="so3"),
    "beams": Network(stabilizer="so2_0"),
    "scaled": Network(scale=0.125),
    "deep": Network(depth=2, mlp=(4, 3, 2)),
    "no mlp": Network(mlp=(2,)),
    "plain aggregates": Network(activate_agg_out=False),
    "linear blocks": Network(activate_lin=False),
    "active aggregates": Network(activate_agg=True),
    "active sums": Network(activate_agg=True, config="sm", config_out="s", activation="tanh"),
    "active head": Network(activate_lin_out=True),
    "empty messages": Network(depth=0, width=(3, 3)),
    "bare messages": Network(depth=0, width=(3, 3), norms=False, more={"masked": False}),
    "no norm": Network(norms=False, depth=2),
    "five classes": Network(mlp=(3, 5), more={"num_classes": 5}),
    "one block": Network(blocks=1, width=(3, 5)),
    **{f"spurions {name}": Network(stabilizer=name) for name in SPURIONS if name != "so13"},
    **{f"input {name}": Network(stabilizer=name, method="input", scale=0.5) for name in SPURIONS},
    **{name: Network(activation=name) for name in CURVES if name not in ("relu", "leakyrelu")},
}


@pytest.mark.parametrize("case", OPTIONS)
def test_every_option_of_pelican(case: str, rng: np.random.Generator) -> None:
    net = OPTIONS[case]
    state, p4 = pelican_state(net, rng), jets(net, rng)
    assert pelican_importer.recognizes(state) and not nano_importer.recognizes(state)
    graph = pelican_importer.graph_from(state, net.arguments)
    want = np.stack([pelican(state, net, p) for p in p4])
    assert np.ptp(want) > 1e-3 and off(logits(graph, feeds(p4)), want) < BOUND


NANO = {
    "published": Network(config="s", config_out="s", activation="relu", activate_agg_out=False),
    "S": Network(config="S", config_out="M", activation="relu"),
    "M": Network(config="M", config_out="m"),
    "scaled": Network(config="m", config_out="s", scale=0.5, more={"beam_mass": 1.0}),
    "no beams": Network(config="s", config_out="s", more={"add_beams": False}),
    "linear": Network(activate_lin=False, config="m", config_out="sm"),
    "active head": Network(activate_lin_out=True, config="s", config_out="SM"),
    "active aggregates": Network(activate_agg=True, config="M", config_out="m"),
    "silu": Network(config="s", config_out="s", activation="silu"),
}


@pytest.mark.parametrize("case", NANO)
def test_every_option_of_nano(case: str, rng: np.random.Generator) -> None:
    net = NANO[case]
    state, p4 = nano_state(net, rng, norms=case != "M"), jets(net, rng)
    assert nano_importer.recognizes(state) and not pelican_importer.recognizes(state)
    graph = nano_importer.graph_from(state, net.arguments)
    want = np.stack([nano(state, net, p) for p in p4])
    assert np.ptp(want) > 1e-3 and off(logits(graph, feeds(p4)), want) < BOUND


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "maximum": ({"config": "x"}, "config = 'x'; 'x' is a maximum or minimum"),
    "minimum outside": ({"config_out": "sN"}, "config_out = 'sN'; 'N' is a maximum or minimum"),
    "no letter": ({"config": ""}, "expected letters of s, S, m and M"),
    "instance norm": ({"batchnorm": "i"}, "batchnorm = 'i'; its norm depends on the event"),
    "layer norm": ({"batchnorm": "layer"}, "batchnorm = 'layer'; its norm depends on the event"),
    "unmasked norm": ({"masked": False}, "masked = False.*padding would enter the sums"),
    "irc safe": ({"irc_safe": True}, "irc_safe = True.*divisions"),
    "active aggregates": (
        {"activate_agg": True, "activation": "sigmoid"},
        "activate_agg and activation = 'sigmoid'; it is not 0 at 0",
    ),
    "other activation": ({"activation": "prelu"}, "activation = 'prelu'; expected one of leakyrelu, relu"),
    "other method": ({"method": "products"}, "method = 'products'; expected spurions or input"),
    "other group": ({"stabilizer": "so4"}, "stabilizer = 'so4'"),
    "small letters": ({"config": "m"}, "the letter 'm'; net2to2.eq_layers.0.alphas.0 is of a capital letter"),
    "scalars of jets": ({"dataset": "jc"}, "dataset = 'jc'.*have no port"),
    "identities": ({"read_pid": True}, "read_pid = True"),
    "no size": ({"nobj": None}, "nobj: found 0; give 2 to 1000"),
    "too large": ({"nobj": 10**7}, "nobj: found 10000000; give 2 to 1000"),
    "text for a number": ({"nobj": "many"}, "nobj: found 'many'; expected a int"),
    "flag for a number": ({"nobj_avg": True}, "nobj_avg: found True"),
    "scale": ({"scale": 0.0}, "scale: found 0.0; expected > 0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_block_is_refused_with_the_reason(case: str, rng: np.random.Generator) -> None:
    changes, message = REFUSED[case]
    net = Network()
    with pytest.raises(CompileError, match=message):
        pelican_importer.graph_from(pelican_state(net, rng), net.arguments | changes)


@pytest.mark.parametrize(
    "key, shape, message",
    [
        ("net2to2.eq_layers.1.coefs10", None, "no tensor net2to2.eq_layers.1.coefs10"),
        ("net2to2.eq_layers.0.diag_bias", (5,), r"diag_bias: has the shape \(5,\); expected \(4\)"),
        ("net2to2.eq_layers.0.alphas.0", (1, 3, 9, 1, 1), r"alphas.0: has the shape \(1, 3, 9, 1, 1\)"),
        ("net2to2.message_layers.1.linear.0.weight", (3, 9), "mixes 9 channels; expected 4"),
        ("net2to2.message_layers.0.linear.0.weight", (3, 9), "message0_mix0: mixes 9 channels; expected 4"),
        ("eq1to2.coefs", (14, 2, 5), "14 scalars a particle; expected the 3 labels"),
        ("agg_2to0.bias", None, "only the classifier is read"),
        ("linear.bias", (3,), r"linear.bias: has the shape \(3,\)"),
    ],
)
def test_tensors_that_do_not_fit(key: str, shape: Any, message: str, rng: np.random.Generator) -> None:
    net = Network()
    state = pelican_state(net, rng)
    state = {k: v for k, v in state.items() if k != key} | ({key: np.zeros(shape)} if shape else {})
    with pytest.raises(CompileError, match=message):
        pelican_importer.graph_from(state, net.arguments)


def test_nano_needs_its_published_layers(rng: np.random.Generator) -> None:
    net = NANO["published"]
    state = nano_state(net, rng) | {"net2to2.eq_layers.1.bias": np.zeros(2)}
    with pytest.raises(CompileError, match="more than one Eq2to2"):
        nano_importer.graph_from(state, net.arguments)
    with pytest.raises(CompileError, match="config = 'ss'; expected one letter"):
        nano_importer.graph_from(nano_state(net, rng), net.arguments | {"config": "ss"})


def saved(folder: Path, state: State, arguments: dict[str, Any]) -> Path:
    np.savez(folder / "state_dict.npz", **state)
    (folder / "config.json").write_text(json.dumps({"args": arguments}))
    return folder


def test_massless_constituents_have_no_noise(rng: np.random.Generator, tmp_path: Path) -> None:
    """The float network is the same; rounded momenta then cost less, for their squares are not noise."""
    net = Network(nobj=5, blocks=1)
    state = pelican_state(net, rng)
    plain = load_any(saved(tmp_path, state, net.arguments))
    massless = load_any(saved(tmp_path, state, net.arguments | {"massless": True}))
    p4 = jets(net, rng, 200, 100.0)
    want, found = (logits(g, feeds(p4)) for g in (plain, massless))
    np.testing.assert_allclose(found, want, atol=1e-6)
    rounded = feeds(np.rint(p4 * 4) / 4)
    lost, kept = (np.abs(logits(g, rounded) - want).mean() for g in (plain, massless))
    assert kept < lost / 2


@pytest.mark.parametrize("case", ["published", "m"])
def test_quantized_networks_follow_the_float_ones(case: str, rng: np.random.Generator) -> None:
    """Every op of a checkpoint gets formats, and what it computes stays close to the float network."""
    net = OPTIONS[case]
    graph = pelican_importer.graph_from(pelican_state(net, rng), net.arguments | {"massless": True})
    p4 = jets(net, rng, 300, 30.0)
    quantized = assign(graph, from_arrays(graph, p4).floats, Options())
    events = from_arrays(quantized, p4)
    raw = quantized.evaluate(events.raw, ("head",))["head"]
    got = raw * quantized.node("head").type.formats[0].lsb
    want = graph.reference(feeds(p4))["head"]
    assert np.std(got - want) < 0.03 * np.std(want)


def test_moved_beams_are_for_float_networks(rng: np.random.Generator, tmp_path: Path) -> None:
    net = NANO["published"]
    graph = nano_importer.graph_from(nano_state(net, rng), net.arguments)
    p4 = jets(net, rng)
    np.savez(tmp_path / "bad.npz", p4=p4, spurions=np.zeros((2, 4)))
    with pytest.raises(CompileError, match=r"spurions: has shape \(2, 4\), expected \(events, 2, 4\)"):
        read_events(tmp_path / "bad.npz", graph)
    np.savez(tmp_path / "nan.npz", p4=p4, spurions=np.full((len(p4), 2, 4), np.nan))
    with pytest.raises(CompileError, match="spurions: event 0 holds NaN or infinity"):
        read_events(tmp_path / "nan.npz", graph)
    quantized = assign(graph, from_arrays(graph, p4).floats, Options())
    np.savez(tmp_path / "moved.npz", p4=p4, spurions=np.zeros((len(p4), 2, 4)))
    with pytest.raises(CompileError, match="constant of a compiled network"):
        read_events(tmp_path / "moved.npz", quantized)
