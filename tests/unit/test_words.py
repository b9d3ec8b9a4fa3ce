"""Words of the trigger from four-momenta: rounding, order, symmetry, every way into the ports, mistakes."""

from __future__ import annotations

from math import pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import words_network

from eqhls.errors import CompileError
from eqhls.events.layouts import LAYOUTS, pack
from eqhls.events.read import from_mapping, read_events
from eqhls.events.vectors import port_events
from eqhls.events.wordports import word_ports
from eqhls.events.words import CONSTITUENT, TRIGGER, massless, words_of_momenta, words_of_puppi
from eqhls.fixed import Fixed
from eqhls.flow import events_of, predict_float
from eqhls.groups.lorentz.reps import boost
from eqhls.ir.graph import Graph
from eqhls.options import Options
from eqhls.quantize.assign import assign
from eqhls.quantize.knobs import starting_knobs

STEP = pi / 720


def vector(pt: Any, eta: Any, phi: Any, mass: Any = 0.0) -> np.ndarray:
    parts = (pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta))
    energy = np.sqrt(sum(p * p for p in parts) + np.square(mass))
    return np.stack([energy, *parts], axis=-1)


def jets(rng: np.random.Generator, events: int = 300, n: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Constituents of falling pT around an axis, the last of some events missing, and their heavier sum."""
    pt = -np.sort(-rng.exponential(20, (events, n)) - 0.5)
    eta = rng.normal(0, 1, (events, 1)) + rng.normal(0, 0.2, (events, n))
    phi = rng.uniform(-pi, pi, (events, 1)) + rng.normal(0, 0.2, (events, n))
    p = vector(pt, eta, phi) * (np.arange(n) < rng.integers(n // 2, n + 1, (events, 1)))[..., None]
    return p, p.sum(axis=1) * np.array([1.02, 1.0, 1.0, 1.0])


def one(*constituents: np.ndarray, **arguments: Any) -> dict[str, list[int]]:
    made = words_of_momenta(np.stack(constituents)[None], slots=len(constituents), **arguments)
    return {k: v[0].tolist() for k, v in made.raw.items()}


def test_rounding_by_hand() -> None:
    """pt is cut, angles go to the nearest step, half a turn is minus half a turn."""
    found = one(
        vector(100.99, 0.49 * STEP, pi - 0.4 * STEP),
        vector(50.25, 0.51 * STEP, pi - 0.6 * STEP),
        vector(50.0, -100.4 * STEP, -pi + 0.6 * STEP),
        vector(49.99, -100.6 * STEP, 0.2 * STEP),
    )
    assert found["pt"] == [403, 201, 200, 199]
    assert found["eta"] == [0, 1, -100, -101] and found["phi"] == [-720, 719, -719, 0]


def test_saturation_by_hand() -> None:
    p = np.stack([vector(5000.0, 9.5, 1.0), vector(3.0, -9.5, 1.0), vector(2.0, 1.0, 1.0)])
    made = words_of_momenta(np.stack([p, p[[2, 2, 2]]]), np.tile(vector(5000.0, 1.0, 0.0, 600.0), (2, 1)), 4)
    assert made.raw["pt"][0].tolist() == [16383, 12, 8, 0] and made.raw["eta"][0].tolist() == [
        2047,
        -2048,
        229,
        0,
    ]
    assert (made.raw["jet_pt"][0], made.raw["jet_mass2"][0]) == (16383, 2**18 - 1)
    lost = {k: v.tolist() for k, v in made.saturated.items() if v.any()}
    assert lost == {"pt": [1, 0], "eta": [2, 0], "jet_pt": [1, 1], "jet_mass2": [1, 1]}
    many = words_of_momenta(np.tile(vector(1.0, 0.0, 0.0), (1, 200, 1)), slots=4)
    assert many.raw["multiplicity"].tolist() == [127] and many.saturated["multiplicity"].tolist() == [1]


def test_order_and_empty_slots() -> None:
    """Falling pt of the words; equal words stay in order; what is below the LSB is not a word, wherever it is."""
    found = one(
        vector(0.2, 1.0, 1.0),
        vector(7.1, 0.1, 0.1),
        vector(9.0, 0.2, 0.2),
        vector(7.2, 0.3, 0.3),
        np.zeros(4),
        vector(0.26, 0.4, 0.4),
    )
    assert found["pt"] == [36, 28, 28, 1, 0, 0]
    assert found["eta"] == [46, 23, 69, 92, 0, 0] == found["phi"] and found["multiplicity"] == 4


def test_the_jet_has_a_rapidity_and_a_squared_mass() -> None:
    jet = vector(400.0, 1.5, -2.0, 173.6)[None]
    made = words_of_momenta(vector(400.0, 1.5, -2.0)[None, None], jet)
    rapidity = np.arctanh(jet[0, 3] / jet[0, 0])
    assert made.raw["jet_eta"][0] == round(rapidity / STEP) != round(1.5 / STEP)
    assert made.raw["jet_pt"][0] in (1599, 1600) and made.raw["jet_phi"][0] == round(-2.0 / STEP)
    assert made.raw["jet_mass2"][0] == int(173.6**2) and made.raw["eta"][0, 0] == round(1.5 / STEP)
    none = words_of_momenta(np.zeros((1, 3, 4)))
    assert not any(v.any() for v in none.raw.values())


def beamwise(steps: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the turn about the beam and the boost along it by so many steps."""
    turn = np.eye(4)
    sine, cosine = np.sin(steps * STEP), np.cos(steps * STEP)
    turn[1:3, 1:3] = [[cosine, -sine], [sine, cosine]]
    return turn, boost(np.array([0.0, 0.0, np.tanh(steps * STEP)]))


@pytest.mark.parametrize("steps", [1, -311])
def test_turns_and_boosts_along_the_beam_are_steps_of_the_words(steps: int, rng: np.random.Generator) -> None:
    """By whole steps; a boost along x is not a step, and pseudorapidities of jets would not move by one."""
    p, jet = jets(rng)
    before = words_of_momenta(p, jet)
    on = before.raw["pt"] > 0
    turn, along = beamwise(steps)
    moved = {k: words_of_momenta(p @ g.T, jet @ g.T).raw for k, g in (("phi", turn), ("eta", along))}
    for angle, raw in moved.items():
        for k, old in before.raw.items():
            want = old + steps * (on if k == angle else 1) if angle in k else old
            want = (want + 720) % 1440 - 720 if "phi" in k else want
            np.testing.assert_array_equal(raw[k], want, f"{angle}: {k}")
    aside = boost(np.array([0.1, 0.0, 0.0]))
    assert (words_of_momenta(p @ aside.T).raw["eta"] != before.raw["eta"]).any()
    pseudo = [np.arcsinh(j[:, 3] / np.hypot(j[:, 1], j[:, 2])) for j in (jet, jet @ along.T)]
    assert np.abs(pseudo[1] - pseudo[0] - steps * STEP).max() > 1e-6


def test_whole_events_in_gev_move_by_steps_without_a_bit_changing(rng: np.random.Generator) -> None:
    """From momenta to the output; half a step is felt, and so is a turn of the words modulo 2048."""
    p, jet = jets(rng)
    graph = words_network()

    def scores(*g: np.ndarray) -> np.ndarray:
        moved = np.linalg.multi_dot([*g, np.eye(4), np.eye(4)]).T
        return graph.evaluate(from_mapping(graph, {"p4": p @ moved, "jet": jet @ moved}).raw)["score"]

    plain = scores()
    for steps in (1, 720, -333):
        turn, along = beamwise(steps)
        np.testing.assert_array_equal(scores(turn, along), plain)
    assert (scores(*beamwise(0.5)) != plain).mean() > 0.3
    raw = from_mapping(graph, {"p4": p, "jet": jet}).raw
    wide = raw | {"phi": (raw["phi"] + 333 + 1024) % 2048 - 1024}
    assert (graph.evaluate(wide)["score"] != plain).any()


def test_puppi_words_are_read_as_they_are(rng: np.random.Generator) -> None:
    p, jet = jets(rng)
    every = words_of_momenta(p, jet, 24)
    words = pack(LAYOUTS["l1ct"], {k: every.raw[k] for k in CONSTITUENT} | {"id": 3, "data": 77})
    for slots in (4, 24, 30):
        made, want = words_of_puppi(words, jet, slots=slots), words_of_momenta(p, jet, slots)
        for k, raw in want.raw.items():
            np.testing.assert_array_equal(made.raw[k], raw, k)
    whole = massless({k: every.raw[k] for k in CONSTITUENT}).sum(axis=1)
    alone, summed = words_of_puppi(words), words_of_puppi(words, whole)
    assert all((alone.raw[k] == summed.raw[k]).all() for k in alone.raw)
    assert np.abs(alone.raw["jet_pt"] - every.raw["jet_pt"]).max() < 40


def test_other_steps(rng: np.random.Generator) -> None:
    """A turn may have any number of steps, and a port any LSB."""
    p, jet = jets(rng)
    formats = dict(TRIGGER) | {"pt": Fixed(12, 12, False), "phi": Fixed(11, 10)}
    usual, other = words_of_momenta(p, jet), words_of_momenta(p, jet, formats=formats, turn=1000)
    np.testing.assert_array_equal(other.raw["pt"], usual.raw["pt"] >> 2)
    assert other.raw["phi"].min() >= -1000 and other.raw["phi"].max() <= 999
    on = (other.raw["pt"] > 0) & (usual.raw["pt"] > 0)
    angle = other.raw["phi"] / 1000 - usual.raw["phi"] / 720
    assert np.abs((angle[on] + 1) % 2 - 1).max() < 0.002


def every_way(rng: np.random.Generator) -> tuple[Graph, dict[str, dict[str, Any]]]:
    p, jet = jets(rng)
    graph, made = words_network(), words_of_momenta(p, jet, 24)
    words = pack(LAYOUTS["l1ct"], {k: made.raw[k] for k in CONSTITUENT})
    raw = {n.name: words_of_momenta(p, jet, 4).raw[n.name] for n in graph.inputs}
    jetless = {k: v for k, v in raw.items() if k not in CONSTITUENT}
    return graph, {
        "momenta": {"p4": p, "jet": jet},
        "in any order": {"p4": p[:, ::-1], "jet": jet},
        "words": {"puppi": words, "jet": jet},
        "words of a layout by name": {"puppi": words, "jet": jet, "layout": np.array("l1ct_neutral")},
        "signed words": {"puppi": words.astype(np.int64), "jet": jet},
        "words, the jet's by name": {"puppi": words} | jetless,
        "integers by name": raw,
    }


def test_every_way_leads_to_the_same_integers(rng: np.random.Generator, tmp_path: Path) -> None:
    graph, ways = every_way(rng)
    want = from_mapping(graph, ways["momenta"])
    assert want.raw["pt"].shape == (300, 4, 1) and want.raw["jet_eta"].shape == (300, 1)
    for way, arrays in ways.items():
        np.savez(tmp_path / "a.npz", **arrays)
        for found in (from_mapping(graph, arrays), read_events(tmp_path / "a.npz", graph)):
            for k, raw in want.raw.items():
                if k not in ("eta", "phi") or way != "in any order":  # words of equal pt
                    np.testing.assert_array_equal(found.raw[k], raw, f"{way}: {k}")
                np.testing.assert_array_equal(found.floats[k], found.raw[k] * TRIGGER[k].lsb)
    alone = events_of(ways["words"]["puppi"], graph)
    np.save(tmp_path / "a.npy", ways["words"]["puppi"])
    assert all((read_events(tmp_path / "a.npy", graph).raw[k] == v).all() for k, v in alone.raw.items())
    np.testing.assert_array_equal(alone.raw["pt"], want.raw["pt"])


def test_the_reference_reads_the_words(rng: np.random.Generator) -> None:
    """Float64 on the words' integers, not on the momenta that they came from: only log2 is rounded."""
    graph, ways = every_way(rng)
    events = from_mapping(graph, ways["momenta"])
    floats, exact = predict_float(graph, events).scores, graph.evaluate(events.raw)[graph.outputs[0]]
    assert np.abs(floats.ravel() - exact.ravel() * graph.results[0].type.formats.lsb).max() < 8 * 0.25


def noted(arrays: dict[str, Any]) -> str:
    return "\n".join(from_mapping(words_network(), arrays).notes)


def test_notes(rng: np.random.Generator) -> None:
    p, jet = jets(rng, n=4)
    given = {"p4": p, "jet": jet}
    assert noted(given) == "" == noted(given | {"p4": p[:, ::-1]})
    assert "jet is missing: the sum of the 4 given constituents" in noted({"p4": p})
    assert "are the momenta in MeV?" in noted({"p4": 1000 * p, "jet": 1000 * jet})
    assert "p4 and jet need the same unit" in noted({"p4": p, "jet": 30 * jet})
    long, whole = jets(rng)
    said = "words: those beyond the first 4 are cut in 300 of 300 events, with"
    assert said in noted({"p4": long, "jet": whole})
    empty = p.copy()
    empty[:3] = 0
    assert "words: 3 of 300 events have none" in noted({"p4": empty, "jet": jet})
    hot = p.copy()
    hot[:2, 0] = vector(5000.0, 0.0, 0.0)
    assert "have the largest pT or eta that they can hold" in noted({"p4": hot, "jet": jet})
    heavy = jet.copy()
    heavy[5] = vector(30.0, 9.5, 0.0)
    assert "the largest that they can hold in 1 of 300 events" in noted({"p4": p, "jet": heavy})
    made = words_of_momenta(p, jet, 4)
    words = pack(LAYOUTS["l1ct"], {k: made.raw[k] for k in CONSTITUENT})
    raw = {n.name: made.raw[n.name] for n in words_network().inputs}
    turned = raw | {k: raw[k][:, ::-1] for k in CONSTITUENT}
    assert noted(raw) == "" == noted({"puppi": words, "jet": jet})
    assert "do not fall in pT, and the output depends on their order" in noted(turned)
    assert "layot (did you mean layout?)" in noted({"puppi": words, "jet": jet, "layot": "l1ct"})


def test_what_is_no_port_of_words(rng: np.random.Generator) -> None:
    """The names alone do not make words: an angle without a turn is an ordinary scalar."""
    graph = words_network(phi="S[j:4]:fix<11,3>")
    assert word_ports(graph) is None
    p, _ = jets(rng)
    with pytest.raises(CompileError, match="which cannot be filled from p4 and jet"):
        from_mapping(graph, {"p4": p})
    raw = {n.name: np.full((2, *n.type.shape), 0.5) for n in graph.inputs}
    assert from_mapping(graph, raw).raw["phi"][0, 0, 0] == 128


def refused_arrays(rng: np.random.Generator) -> dict[str, tuple[dict[str, Any], str]]:
    _, ways = every_way(rng)
    both, words, raw = ways["momenta"], ways["words"], ways["integers by name"]
    bad = words["puppi"].copy()
    bad[3, 1] = pack(LAYOUTS["l1ct"], {"pt": 4, "phi": -721})
    nan = both["p4"].copy()
    nan[5, 0, 0] = np.nan
    return {
        "words and momenta": (both | words, "arrays: hold both p4 and puppi"),
        "words by name and momenta": (
            both | raw,
            "arrays: hold both words or p4 and pt, which fill one port",
        ),
        "shape": ({"puppi": words["puppi"][0]}, r"puppi: has shape \(24,\), expected \(events, words\)"),
        "floats": ({"puppi": words["puppi"] * 1.0}, "puppi: holds float64, expected words"),
        "floats by name": (raw | {"eta": raw["eta"] * STEP}, "eta: holds float64, expected the integers of"),
        "layout": (words | {"layout": "l1"}, "layout: found 'l1'; known layouts are"),
        "two words": (
            words | {"layout": "l1gt_jet"},
            "puppi: found the layout l1gt_jet; expected one of single",
        ),
        "other steps": (words | {"layout": "l1gt_sum"}, "layout l1gt_sum: found no field 'pt'"),
        "ragged": ({"puppi": [[1, 2], [3]]}, "puppi: has rows of different lengths"),
        "one number": (raw | {"jet_eta": 3}, "jet_eta: "),
        "masked": ({"puppi": np.ma.masked_array([[1, 2]], [[0, 1]])}, "puppi: is a masked array"),
        "foreign bits": ({"puppi": words["puppi"] | np.uint64(1 << 62)}, "l1ct: found bits above bit 60"),
        "turn": ({"puppi": bad}, r"puppi: event 3 has a phi of -721, outside of the turn"),
        "range": (raw | {"pt": raw["pt"] + 16384}, "pt: event 0 does not fit"),
        "nan": (both | {"p4": nan}, "p4: event 5 holds NaN"),
        "shape of p4": ({"p4": both["p4"][:, 0]}, r"p4: has shape \(300, 4\)"),
        "jets": (both | {"jet": nan[:2, 0]}, r"jet: "),
        "slots": (raw | {"pt": raw["pt"][:, :3]}, r"pt: has shape \(300, 3\), expected \(events, 4, 1\)"),
        "nothing": ({}, "give p4 in GeV, puppi, or raw integers"),
        "part": ({k: raw[k] for k in ("pt", "eta")}, "raw integers or floats for phi, jet_eta"),
    }


@pytest.mark.parametrize("case", list(refused_arrays(np.random.default_rng(0))))
def test_refused(case: str, rng: np.random.Generator) -> None:
    arrays, message = refused_arrays(rng)[case]
    with pytest.raises(CompileError, match=message):
        from_mapping(words_network(), arrays)


def test_steps_of_layout_and_port_must_agree(rng: np.random.Generator) -> None:
    words = every_way(rng)[1]["words"]["puppi"]
    with pytest.raises(CompileError, match="layout l1ct counts eta in 0.00436332 rad, the port in 0.0031"):
        from_mapping(words_network(turn=2000), {"puppi": words})
    with pytest.raises(CompileError, match="layout l1ct counts pt in 0.25 GeV, the port in 0.5 GeV"):
        from_mapping(words_network(pt="S[j:4]:ufix<13,12>"), {"puppi": words})


def test_angles_outside_of_the_turn_are_noted(rng: np.random.Generator) -> None:
    """A wire may carry them; empty slots may hold anything."""
    raw = {k: v.copy() for k, v in every_way(rng)[1]["integers by name"].items()}
    raw["pt"][0, 3], raw["phi"][0, 3], raw["eta"][0, 3] = 0, 1000, 5
    assert from_mapping(words_network(), raw).raw["phi"][0, 3, 0] == 1000 and "turn" not in noted(raw)
    raw["phi"][[7, 9], 2] = 720, -721
    assert "phi: 2 of 300 events have angles outside of the turn [-720, 720)" in noted(raw)


def test_features_stand_beside_words_of_falling_pt(rng: np.random.Generator) -> None:
    graph = words_network(feature=True)
    p, jet = jets(rng)
    charge = rng.integers(0, 2, p.shape[:2])
    found = from_mapping(graph, {"p4": p, "jet": jet, "charge": charge})
    np.testing.assert_array_equal(found.raw["charge"][..., 0], charge[:, :4])
    with pytest.raises(CompileError, match="p4: does not fall in pT beside arrays for its constituents"):
        from_mapping(graph, {"p4": p[:, ::-1], "jet": jet, "charge": charge})


def test_test_vectors_look_like_jets(rng: np.random.Generator) -> None:
    """A good part of them: falling pt, empty slots of zeros, words within a cone around the axis."""
    feeds = port_events(words_network(), rng, 2000)
    pt, phi, eta = (feeds[k][..., 0] for k in ("pt", "phi", "eta"))
    falls = (
        (np.diff(pt, axis=1) <= 0).all(axis=1) & (pt[:, 0] > 0) & np.where(pt > 0, True, phi == 0).all(axis=1)
    )
    near = np.where(pt > 0, np.abs(eta - feeds["jet_eta"]) <= 180, True).all(axis=1)
    inside = (np.abs(phi) <= 720).all(axis=1)
    assert 0.15 < (falls & near & inside).mean() < 0.5


def test_a_search_leaves_words_as_they_are() -> None:
    graph = words_network()
    knobs = starting_knobs(graph, assign(graph, {}, Options()), 0)
    assert "pt" not in knobs and "phi" not in knobs
    ordinary = words_network(phi="S[j:4]:fix<11,3>")
    assert "pt" in starting_knobs(ordinary, assign(ordinary, {}, Options()), 0)
