"""The search for formats: bounds hold, equal bytes for equal seeds, clear refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.events.read import Events
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.lower.netlist import Netlist
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.requantize import Requantize
from eqhls.ops.table import Activation, Table
from eqhls.options import Options, read_options
from eqhls.passes.cost import gates
from eqhls.progress import silent
from eqhls.quantize.assign import RESULT_BITS, assign, ranges
from eqhls.quantize.knobs import Knob, Move, shrunk, starting_knobs
from eqhls.quantize.search import Merit, Problem, State, confirmed, front, opened, search
from eqhls.tune import quantize_model
from eqhls.verify.symmetry_stages import equivariance_error

PORT = Fixed(8, 5)


@pytest.fixture
def network() -> Graph:
    """<p_i, p_j> of two vectors, a dense layer, tanh, a read-out."""
    b = Builder("small")
    p = b.add("p", Input(Type(V, (Axis("j", 2),), formats=(PORT,))))
    d = b.add("d", Dense(Tensor([[0.013, -0.021, 0.017], [0.02, 0.011, -0.03]])), b.add("g", Gram("j"), p))
    t = b.add("t", Table(activation=Activation.TANH), d)
    return b.graph(b.add("out", Dense(Tensor([[1.3, -0.7]])), t))


@pytest.fixture
def events(network: Graph, rng: np.random.Generator) -> Events:
    momenta = rng.normal(size=(600, 2, 3)) * 2
    energy = np.sqrt((momenta**2).sum(-1, keepdims=True) + 1)
    p = np.clip(np.concatenate([energy, momenta], -1), -15, 15)
    score = network.reference({"p": p})["out"].ravel()
    labels = (score + rng.normal(size=600) * score.std() / 2 > np.median(score)).astype(int)
    return Events({"p": np.rint(p / PORT.lsb).astype(np.int64)}, {"p": p}, labels, np.zeros(600, dtype=int))


def test_bounds_hold_and_bytes_repeat(network: Graph, events: Events, tmp_path: Path) -> None:
    runs = [quantize_model(network, events, tmp_path / k, auc_loss=0.01, seed=3) for k in "ab"]
    merit = runs[0].choice.merit
    held = runs[0].choice.held_out
    assert held is not None and max(merit.auc_loss, held.auc_loss) <= 0.01 and merit.equivariance <= 1e-3
    assert f",{held.auc_loss:.6f}," in (tmp_path / "a" / "pareto.csv").read_text()
    first, again = ((tmp_path / k / "pareto.csv").read_bytes() for k in "ab")
    assert first == again and first.count(b"\n") == runs[0].measured + 1
    start = int(first.split(b"\n")[1].split(b",")[1])
    assert merit.cost < 0.8 * start
    options = read_options(tmp_path / "a" / "config.yml")
    assert gates(assign(network, events.floats, options).formatted()) == merit.cost
    assert (tmp_path / "a" / "pareto.png").read_bytes().startswith(b"\x89PNG")


def test_looser_bounds_cost_less(network: Graph, events: Events, tmp_path: Path) -> None:
    tight = quantize_model(network, events, tmp_path / "t", auc_loss=0.002)
    loose = quantize_model(network, events, tmp_path / "l", auc_loss=0.05)
    assert loose.choice.merit.cost < tight.choice.merit.cost


def test_a_choice_must_hold_on_other_events(network: Graph, events: Events) -> None:
    """The cheapest that was kept is too good on its own sample; the next one that holds is taken."""
    seen = ranges(network, events.floats)
    problem = Problem(network, seen, gates, lambda g: (0.0, 0.0), lambda g: (0.0, 0.0))
    bounds = Merit(0, 0.5, 0.0)
    states = search(problem, 0.5, 0.0, silent)
    costs = sorted({s.merit.cost for s in states if s.kept})
    needed = costs[len(costs) // 2]
    problem = replace(problem, confirm=lambda g: (float(gates(g) < needed), 0.0))
    best, marked = confirmed(problem, states, bounds, silent)
    assert best.merit.cost == needed and best.held_out == Merit(needed, 0.0, 0.0)
    assert {s.merit.cost for s in marked if s.held_out and s is not best} == {c for c in costs if c < needed}
    with pytest.raises(CompileError, match="AUC loss of .* on held-out events"):
        confirmed(replace(problem, confirm=lambda g: (1.0, 0.0)), states, bounds, silent)


def test_the_netlist_can_count(
    network: Graph, events: Events, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LUTs by estimate, and those in shift registers, of which so small a network has none by itself."""
    monkeypatch.setattr(Netlist, "srl_luts", property(lambda _: 7))
    found = quantize_model(network, events, tmp_path / "l", auc_loss=0.01, cost="lut")
    assert found.unit == "LUT" and found.srl_luts == 7
    assert found.choice.merit.cost == found.lut_estimate + 7


def test_a_network_that_guesses_is_refused(network: Graph, events: Events, tmp_path: Path) -> None:
    assert events.labels is not None
    with pytest.raises(CompileError, match="no better than chance; give the labels"):
        quantize_model(network, replace(events, labels=1 - events.labels), tmp_path / "x")


def test_impossible_bounds(network: Graph, events: Events, tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="AUC loss of .* with the widest formats, expected at most -0.5"):
        quantize_model(network, events, tmp_path / "x", auc_loss=-0.5)
    with pytest.raises(CompileError, match="equivariance error of .*--equivariance"):
        quantize_model(rounded(network), events, tmp_path / "x", auc_loss=0.5, equivariance=0.0)
    assert not (tmp_path / "x").exists()


def rounded(network: Graph) -> Graph:
    """The same network behind vectors rounded to an LSB of 1/2, oddly."""
    b = Builder("rounded")
    for node in network:
        source = ("r",) if node.inputs == ("p",) else node.inputs
        b.add(node.name, node.op, *source)
        if node.name == "p":
            b.add("r", Requantize((Fixed(6, 5, True, Rounding.RND_CONV, Overflow.SAT_SYM),)), "p")
    return b.graph(*network.outputs)


def test_exact_networks_stay_exact(network: Graph, events: Events) -> None:
    """No covariant value of theirs has a knob; what is rounded already has one, oddly rounded."""
    turning = rounded(network)
    for graph, found in ((network, set[str]()), (turning, set[str]())):
        base = assign(graph, events.floats, Options())
        knobs = [k for group in starting_knobs(graph, base, 0).values() for k in group]
        assert {k.name for k in knobs if base.node(k.name).type.rep is V} == {"p"} | found


def test_a_group_of_maps_shrinks_until_all_are_narrow() -> None:
    group = {"w": (Knob("eq", True, (Fixed(3, 1), Fixed(2, 5))),)}
    less = shrunk(group, Move("w", False))
    assert less == {"w": (Knob("eq", True, (Fixed(2, 1), Fixed(2, 5))),)}
    assert shrunk(less, Move("w", False)) is None
    values = {"v": (Knob("v", False, (Fixed(3, 1), Fixed(2, 5))),)}
    assert shrunk(values, Move("v", False)) is None


def test_covariants_that_calibration_rounds_are_searched(rng: np.random.Generator) -> None:
    """A weighted vector of more than LIMIT bits is rounded, oddly, and may lose more."""
    b = Builder("vectors")
    p = b.add("p", Input(Type(V, (Axis("j", 2),), formats=(Fixed(14, 8),))))
    w = b.add("w", Input(Type(S, (Axis("j", 2),), formats=(Fixed(14, 1),))))
    v = b.add("v", CgProduct(parse_path("S*V->V")), w, p)
    graph = b.graph(b.add("out", Dense(Tensor([[1.0, 1.0, 0.5]])), b.add("g", Gram("j"), v)))
    samples = {"p": rng.normal(size=(50, 2, 4)) * 20, "w": rng.uniform(-1, 1, (50, 2, 1))}
    base = assign(graph, samples, Options())
    (plain,), (wider,) = (starting_knobs(graph, base, bits)["v"] for bits in (0, 3))
    assert plain.formats == base.node("v.q").op.formats
    assert plain.formats[0].rounding.odd and wider.formats[0].width == plain.formats[0].width + 3
    raw = {k: np.zeros(x.shape, np.int64) for k, x in samples.items()}
    assert (
        0 < equivariance_error(base, Events(raw, samples, None, np.zeros(len(samples["p"]), dtype=int))) < 1
    )


def test_what_outgrows_the_limit_in_a_wide_start_is_searched(rng: np.random.Generator) -> None:
    """Else it would be rounded to its calibrated bits, and a wider start would be a worse one."""
    b = Builder("vectors")
    p = b.add("p", Input(Type(V, (Axis("j", 2),), formats=(Fixed(12, 8),))))
    w = b.add("w", Input(Type(S, (Axis("j", 2),), formats=(Fixed(6, 1),))))
    t = b.add("t", Table(activation=Activation.TANH), w)
    v = b.add("v", CgProduct(parse_path("S*V->V")), t, p)
    graph = b.graph(b.add("out", Dense(Tensor([[1.0, 1.0, 0.5]])), b.add("g", Gram("j"), v)))
    samples = {"p": rng.normal(size=(50, 2, 4)) * 20, "w": rng.uniform(-1, 1, (50, 2, 1))}
    problem = Problem(graph, ranges(graph, samples), gates, lambda g: (0.0, 0.0), lambda g: (0.0, 0.0))
    base = problem.quantized(Options())
    assert "v.q" not in {n.name for n in base}
    knobs, wide = opened(problem, base, 6)
    (knob,) = knobs["v"]
    assert wide.node("v.q").op.formats == knob.formats and knob.formats[0].width == RESULT_BITS + 6


def test_the_error_is_that_of_the_formats_alone(network: Graph, events: Events) -> None:
    """Ports hold lattice events exactly, so a network that rounds no vector has none."""
    exact, coarse = (assign(g, events.floats, Options()) for g in (network, rounded(network)))
    assert equivariance_error(exact, events) == 0.0
    assert equivariance_error(coarse, events) > 1e-3


def test_labels_are_needed(network: Graph, events: Events, tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="have no labels; give y"):
        quantize_model(network, replace(events, labels=None), tmp_path / "x")


def test_the_front_is_what_nothing_dominates() -> None:
    failed = Merit(1, float("inf"), float("inf"))
    merits = [Merit(10, 0.1, 0.1), Merit(8, 0.2, 0.1), Merit(9, 0.3, 0.2), Merit(8, 0.2, 0.1), failed]
    assert [s.merit for s in front([State((), m) for m in merits])] == [merits[1], merits[0]]
