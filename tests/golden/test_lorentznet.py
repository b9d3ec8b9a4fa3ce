"""LorentzNet: the published implementation's numbers, an independent evaluation, and exact integers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import lorentznet_numpy as independent
import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.frontends.checkpoints.archive import read_arrays
from eqhls.frontends.checkpoints.lorentznet import graph_from, recognizes
from eqhls.frontends.graphfile import load_model, save_graph
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout
from eqhls.ops.requantize import Requantize
from eqhls.options import Options
from eqhls.passes import run_measured
from eqhls.project import engines_project
from eqhls.quantize.assign import assign
from eqhls.text import write_project
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.csim import CSim
from eqhls.verify.rearranged import check_permutations
from eqhls.verify.sampling import lattice_events, random_events
from eqhls.verify.symmetry import derive
from eqhls.verify.testbuild import guarded
from eqhls.verify.trials import check_group, check_pairs

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "golden"
FOLDERS = ("lorentznet_small", "lorentznet_pretrained")
published = pytest.mark.skipif(not (GOLDEN / FOLDERS[0]).is_dir(), reason="golden outputs are not there")
BOUND = 1e-10
"""Of |a - b| / max(1, |b|)."""


class Golden:
    """One folder of golden outputs; every `stride`-th event of it."""

    def __init__(self, name: str, stride: int = 1) -> None:
        folder = GOLDEN / name
        self.events, self.outputs, self.inner = (
            dict(np.load(folder / f"{k}.npz")) for k in ("events", "outputs", "intermediates")
        )
        self.state = dict(read_arrays(folder / "state_dict.npz").arrays)
        self.config = json.loads((folder / "config.json").read_text())
        self.rows = np.arange(0, len(self.events["p4"]), stride)
        assert 0 < self.events["truncated"][self.rows].sum() < len(self.rows)

    def p4(self, variant: str = "base") -> np.ndarray:
        p = self.events["p4"][self.rows]
        match variant:
            case "perm" | "permpad":
                return np.take_along_axis(p, self.events[variant][self.rows][..., None].astype(int), axis=1)
            case "rot90z" | "boostz" | "boostx":
                return p @ self.events[variant].T
            case "boostz_fixedbeams":
                return p @ self.events["boostz"].T
            case _:
                return p

    def want(self, variant: str = "base") -> np.ndarray:
        return self.outputs[f"logits_{variant}"][self.rows]


def feeds(p4: np.ndarray) -> dict[str, np.ndarray]:
    return {"p": p4, "valid": (p4 != 0).any(axis=-1, keepdims=True).astype(float)}


def score(graph: Graph, p4: np.ndarray) -> np.ndarray:
    return graph.scores(feeds(p4))["logits"][..., 0]


def distance(got: np.ndarray, want: np.ndarray) -> float:
    return float((np.abs(got - want) / np.maximum(1, np.abs(want))).max())


@published
@pytest.mark.parametrize("variant", ["base", "perm", "permpad", "rot90z", "boostz_fixedbeams"])
def test_the_published_outputs(variant: str) -> None:
    golden = Golden("lorentznet_small")
    graph = graph_from(golden.state, golden.config)
    assert distance(score(graph, golden.p4(variant)), golden.want(variant)) < BOUND


@published
@pytest.mark.parametrize(("variant", "stride"), [("base", 1), ("permpad", 9), ("boostz_fixedbeams", 9)])
def test_the_published_weights(variant: str, stride: int) -> None:
    golden = Golden("lorentznet_pretrained", stride)
    graph = graph_from(golden.state, golden.config)
    assert distance(score(graph, golden.p4(variant)), golden.want(variant)) < BOUND


@published
@pytest.mark.parametrize("variant", ["boostz", "boostx"])
def test_boosts_move_the_beams_along(variant: str) -> None:
    """The published code takes masses before it boosts, we from the boosted vectors: of massless ones, two
    roots of two roundings, which is the noise that the wider bound allows."""
    golden = Golden("lorentznet_small")
    beams = independent.BEAMS @ golden.events[variant].T
    got = score(graph_from(golden.state, golden.config | {"beams_p4": beams}), golden.p4(variant))
    assert distance(got, golden.want(variant)) < 1e-8
    free = (golden.outputs["max_abs_trans_base"] < 100) & (golden.outputs[f"max_abs_trans_{variant}"] < 100)
    still = free.all(axis=1)
    assert 200 < still.sum() < 256
    far = np.abs(got - golden.want()).max(axis=1)
    assert far[still].max() < 1e-8 and far[~still].max() > 1e-3


@published
@pytest.mark.parametrize("name", FOLDERS)
def test_every_stage_of_four_events(name: str) -> None:
    golden = Golden(name)
    graph = graph_from(golden.state, golden.config)
    p4 = golden.events["p4"][golden.inner["event_rows"]]
    real = np.concatenate([np.ones((len(p4), 2)), (p4 != 0).any(axis=-1)], axis=1).astype(bool)
    values = graph.reference(feeds(p4))
    layers = golden.config["args"]["n_layers"]
    wanted = {"embedding": "h"} | {f"LGEBs.{k}.h": f"l{k}_h" for k in range(layers)}
    wanted |= {f"LGEBs.{k}.x": f"l{k + 1}_x" for k in range(layers - 1)}
    for key, name in wanted.items():
        want = golden.inner[key].reshape(*real.shape, -1)
        got = np.broadcast_to(values[name].reshape(-1, *want.shape[1:]), want.shape)
        assert distance(got[real], want[real]) < BOUND, key
    pooled = values["pooled"][..., 0] / golden.config["n_nodes"]
    assert distance(pooled, golden.inner["pooled"]) < BOUND


@published
def test_carried_products_are_the_vectors_where_nothing_is_clamped() -> None:
    golden = Golden("lorentznet_small")
    graph = graph_from(golden.state, golden.config | {"vectors": "gram"})
    free = (golden.outputs["max_abs_trans_base"] < 100).all(axis=1)
    far = np.abs(score(graph, golden.p4()) - golden.want()).max(axis=1)
    assert far[free].max() < 1e-9 and far[~free].min() > 1e-6


def settings(constituents: int, **more: Any) -> dict[str, Any]:
    return {"nobj": constituents, "n_nodes": constituents + 2, "c_weight": 5e-3} | more


@pytest.mark.parametrize(
    ("hidden", "layers", "constituents", "divisor", "c_weight", "hardest"),
    [(3, 1, 3, 5, 0.1, 50.0), (4, 2, 5, 7, 0.005, 400.0), (5, 3, 4, 202, 1.0, 900.0)],
)
def test_an_independent_evaluation(
    hidden: int,
    layers: int,
    constituents: int,
    divisor: int,
    c_weight: float,
    hardest: float,
    rng: np.random.Generator,
) -> None:
    """Both from the equations; the last case with the clamp at work, all with padding."""
    state = independent.checkpoint(rng, hidden, layers)
    p4 = independent.jets(rng, 12, constituents, hardest)
    want, largest = independent.logits(state, p4, c_weight, divisor)
    assert want.std(axis=0).min() > 1e-4 and (largest > 100) == (hardest > 100)
    graph = graph_from(state, {"nobj": constituents, "n_nodes": divisor, "args": {"c_weight": c_weight}})
    assert distance(score(graph, p4), want) < BOUND


def test_both_modes_agree_without_the_clamp(rng: np.random.Generator) -> None:
    state = independent.checkpoint(rng, 4, 4)
    p4 = independent.jets(rng, 20, 5, 20.0)
    odd, gram = (score(graph_from(state, settings(5, c_weight=0.5, vectors=m)), p4) for m in ("odd", "gram"))
    still = score(graph_from(state, settings(5, c_weight=1e-9)), p4)
    assert distance(gram, odd) < 1e-9 < distance(still, odd)


def test_the_divisor_is_asked_for_and_counts(rng: np.random.Generator) -> None:
    state = independent.checkpoint(rng, 3, 2)
    p4 = independent.jets(rng, 5, 4, 300.0)
    scores = [score(graph_from(state, settings(4, n_nodes=n)), p4) for n in (6, 202)]
    assert np.abs(scores[0] - scores[1]).max() > 1e-3
    with pytest.raises(CompileError, match=r"n_nodes: found None.*the mean over nodes divides by"):
        graph_from(state, {"nobj": 4, "c_weight": 5e-3})


def test_recognized_by_its_keys(rng: np.random.Generator) -> None:
    state = independent.checkpoint(rng, 2, 1)
    assert recognizes(state)
    assert not recognizes({k: v for k, v in state.items() if "phi_m" not in k})


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({"LGEBs.0.phi_e.3.weight": None}, {}, r"phi_e.3.weight: is missing"),
        ({"LGEBs.0.phi_x.2.weight": np.zeros((2, 3))}, {}, r"phi_x.2.weight: has shape .2, 3., expected .1, 3"),
        ({"LGEBs.1.phi_h.1.running_var": -np.ones(3)}, {}, "running_var: is negative"),
        ({"graph_dec.0.weight": np.full((3, 3), np.nan)}, {}, "found NaN"),
        ({"LGEBs.3.phi_m.0.bias": np.zeros(1)}, {}, r"found blocks .0, 1, 3."),
        ({"embedding.weight": np.zeros((3, 4))}, {}, r"embedding.weight: has shape .3, 4., expected .3, 2."),
        ({}, {"vectors": "even"}, "vectors: found 'even'; choose odd or gram"),
        ({}, {"masses": 0}, "masses: found 0; choose computed or massless"),
        ({}, {"nobj": 2.5}, "nobj: found 2.5; give a whole number"),
        ({}, {"nobj": True}, "nobj: found True"),
        ({}, {"nobj": 10**5}, "nobj: found 100000; give a whole number up to 1000"),
        ({}, {"beams_p4": "two"}, "beams_p4: found 'two'; give two four-vectors"),
        ({}, {"c_weight": -1}, "c_weight: found -1"),
        ({}, {"beams_p4": [[1, 0, 0, 1]]}, r"beams_p4: have shape .1, 4."),
    ],
)  # fmt: skip
def test_broken_files_and_settings(
    change: dict[str, Any], arguments: dict[str, Any], message: str, rng: np.random.Generator
) -> None:
    state = independent.checkpoint(rng, 3, 2) | change
    with pytest.raises(CompileError, match=message):
        graph_from({k: v for k, v in state.items() if v is not None}, settings(4) | arguments)


def test_the_graph_is_kept_as_text(rng: np.random.Generator, tmp_path: Path) -> None:
    state, p4 = independent.checkpoint(rng, 3, 2), independent.jets(rng, 6, 4, 300.0)
    for mode in ("odd", "gram"):
        graph = graph_from(state, settings(4, vectors=mode))
        save_graph(graph, tmp_path / mode)
        assert load_model(tmp_path / mode) == graph
        np.testing.assert_array_equal(score(load_model(tmp_path / mode), p4), score(graph, p4))


@cache
def quantized(mode: str, hidden: int = 3, constituents: int = 3) -> tuple[Graph, Graph, np.ndarray]:
    """Return a float network, its calibrated integers after all passes, and jets."""
    rng = np.random.default_rng(20261)
    p4 = independent.jets(rng, 300, constituents, 300.0)
    floating = graph_from(
        independent.checkpoint(rng, hidden, 2),
        settings(constituents, c_weight=0.05, vectors=mode, masses="massless"),
    )
    return floating, run_measured(assign(floating, feeds(p4), Options()))[0], p4


@pytest.mark.parametrize("mode", ["odd", "gram"])
def test_integers_follow_the_floats(mode: str) -> None:
    floating, graph, p4 = quantized(mode)
    ports = {n.name: n.type.formats.lsb for n in graph.inputs}
    raw = {k: np.rint(v / ports[k]).astype(np.int64) for k, v in feeds(p4).items()}
    got = graph.evaluate(raw)[graph.outputs[0]][..., 0]
    want = score(floating, p4)
    for c in range(2):
        assert np.corrcoef(got[:, c], want[:, c])[0, 1] > 0.98


def test_carried_products_keep_the_exact_group(rng: np.random.Generator) -> None:
    """Nothing covariant is rounded: words of O(3,1;Z), dyadic boosts and permutations, zero tolerance."""
    _, graph, _ = quantized("gram")
    symmetry = derive(graph)
    assert symmetry.describe() == "O(3,1;Z): no covariant component is rounded"
    assert symmetry.permutable == (0, 1, 2)
    test = guarded(graph, 4)
    events = lattice_events(graph, test, rng, 150)
    for check in (check_group, check_pairs):
        result = check(symmetry, test, events, test.evaluate, "integer", rng)
        assert result.ok and result.transformed > 300
    plain = random_events(graph, rng, 150)
    (claim,) = symmetry.permutations
    assert check_permutations(claim, graph, plain, graph.evaluate, "integer", rng).ok


def test_vectors_rounded_oddly_keep_exchanges_of_axes(rng: np.random.Generator) -> None:
    """With the clamp at work too; and it says so. A boost must be caught."""
    _, graph, _ = quantized("odd")
    symmetry = derive(graph)
    assert symmetry.group is not None and "rounds components, oddly" in symmetry.describe()
    assert symmetry.group.generators and all(g.monomial for g in symmetry.group.generators)
    covariant = [n for n in graph if n.type.dim == 4 and isinstance(n.op, Requantize)]
    assert covariant and all(
        (f.rounding, f.overflow) == (Rounding.RND_CONV, Overflow.SAT_SYM)
        for n in covariant
        for f in n.op.formats
    )
    test = guarded(graph, 4)
    events = lattice_events(graph, test, rng, 150)
    events["p"] <<= 6

    assert check_group(symmetry, test, events, test.evaluate, "integer", rng).ok
    whole = derive(quantized("gram")[1])
    assert check_group(whole, test, events, test.evaluate, "integer", rng).mismatches > 0


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["odd", "gram"])
def test_hardware_is_the_integer_model(mode: str, rng: np.random.Generator, tmp_path: Path) -> None:
    """HLS and RTL of the smallest network with an update of vectors, every bit."""
    _, graph, _ = quantized(mode, 2, 1)
    raw = random_events(graph, rng, 200)
    want = graph.evaluate(raw)["logits"]
    assert len(np.unique(want)) > 20
    write_project(engines_project(graph, Options()), tmp_path / "p")
    words = Layout.of(graph.inputs).pack(raw)
    for engine in (CSim(tmp_path / "p"), BulkSimulator(tmp_path / "p")):
        np.testing.assert_array_equal(Layout.of(graph.results).unpack(engine.run(words))["logits"], want)


def test_ports_may_be_finer(rng: np.random.Generator) -> None:
    floating = graph_from(independent.checkpoint(rng, 2, 1), settings(3, masses="massless"))
    options = Options.model_validate({"HLSConfig": {"LayerName": {"p": {"Precision": "fix<20,13,RND,SAT>"}}}})
    graph = assign(floating, feeds(independent.jets(rng, 50, 3, 300.0)), options)
    assert graph.node("p").type.formats == (Fixed(20, 13, True, Rounding.RND, Overflow.SAT),)
    assert graph.node("beams").op.values.array[0, 0] == 91 / 64
