"""Peers on the trigger's words: what their front end leaves alone, that the traced whole is the Keras model, and what
is said of their rows."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import bench.__main__ as bench_main
import keras
import numpy as np
import pytest
from bench.labels import Named, name_points
from bench.names import OURS, PEERS, fingerprint, module_of, peers_on_words
from bench.picture import COSTS, by_task, draw, figure_of, front, message, points
from bench.picture import read as panels_of
from bench.words import FRONT, JETS, front_alone, read
from hgq.config import QuantizerConfigScope
from hgq.layers import QDense, QSum
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure

from eqhls.lower.netlist import simulate

pytestmark = pytest.mark.filterwarnings("ignore")
TURN = 1440
DOCS = Path(__file__).resolve().parents[2] / "docs"


def moved(words: dict[str, np.ndarray], turn: int, shift: int, modulus: int = TURN) -> dict[str, np.ndarray]:
    """Return the words turned about the beam and boosted along it; empty slots stay empty."""
    on = words["pt"] > 0

    def around(phi: np.ndarray) -> np.ndarray:
        return (phi + turn + modulus // 2) % modulus - modulus // 2

    return words | {
        "phi": np.where(on, around(words["phi"]), 0),
        "eta": np.where(on, words["eta"] + shift, 0),
        "jet_phi": around(words["jet_phi"]),
        "jet_eta": words["jet_eta"] + shift,
    }


@pytest.mark.parametrize("task", ["top", "five"])
def test_features_do_not_change_when_all_words_turn_and_shift(task: str) -> None:
    words, labels = JETS["load"](task)
    assert len(labels) == len(words["pt"]) == JETS["SHIPPED"]
    there = JETS["features"](words)
    rng = np.random.default_rng(1)
    for turn, shift in zip(rng.integers(1, TURN, 4), rng.integers(-300, 300, 4), strict=True):
        for a, b in zip(there, JETS["features"](moved(words, int(turn), int(shift))), strict=True):
            assert (a == b).all()
    assert (JETS["features"](moved(words, 987, 0, 2048))[0] != there[0]).any(axis=(1, 2)).mean() > 0.1
    one = words | {"phi": words["phi"].copy()}
    one["phi"][:, 1] += 7
    assert (JETS["features"](one)[0] != there[0]).any()


def test_empty_slots_have_no_features() -> None:
    words, _ = JETS["load"]("top")
    x, event = JETS["features"](words)
    empty = words["pt"][..., 0] == 0
    assert empty.any() and not x[empty].any()
    assert (event[:, 1] == words["multiplicity"][:, 0] / 32).all()
    assert np.abs(x[..., 1:] * 64 - np.rint(x[..., 1:] * 64)).max() == 0


def small_network() -> keras.Model:
    """Return a Deep Set of two channels, not trained."""
    keras.utils.set_random_seed(1)
    x, event = keras.Input((FRONT["CONSTITUENTS"], 3), name="x"), keras.Input((2,), name="event")
    shared = {"overflow_mode": "WRAP", "homogeneous_axis": (0, 1), "i0": 4, "f0": 2}
    with QuantizerConfigScope(place="datalane", default_q_type="kif", **shared):
        y = QSum(axes=1, scale=1 / 16, keepdims=False)(QDense(2, activation="relu")(x))
    y = keras.layers.Concatenate()([y, event])
    with QuantizerConfigScope(place="datalane", default_q_type="kif", overflow_mode="WRAP", i0=5, f0=2):
        return keras.Model([x, event], QDense(2)(y))


def test_front_end_and_network_traced_as_one_are_the_keras_model(tmp_path: Path) -> None:
    model = small_network()
    model.save(tmp_path / "small.keras")
    netlist = read(tmp_path / "small.keras").netlist
    words = {k: v[:300] for k, v in JETS["load"]("five")[0].items()}
    raw = simulate(netlist, netlist.inputs.columns(words))
    found = np.stack([r * p.formats[0].lsb for r, p in zip(raw, netlist.outputs.ports, strict=True)], axis=1)
    want = np.asarray(model.predict(JETS["features"](words), verbose=0))
    assert (found == want).all() and len(np.unique(want[:, 0])) > 20
    alone = front_alone()
    assert netlist.lut_estimate > float(alone["lut"].replace(",", "")) > 0
    assert netlist.latency_cycles > alone["cycles"]


def test_every_peer_has_a_name_that_says_what_it_is() -> None:
    found = peers_on_words()
    assert {"deepset_top_s", "deepset_top_m"} <= set(found)
    assert all(module_of(n) == "bench.words" for n in found)
    assert len({fingerprint(n) for n in found}) == len(found)


def row(task: str, auc: float, lut: str, ns: float) -> dict[str, str]:
    return {"task": task, "auc": f"{auc:.4f}", "lut": lut, "ns": f"{ns}"}


def test_the_message_compares_at_the_best_peer_that_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.picture.ours_on_words", lambda: ("tag", "tag_small"))
    rows = {
        "tag": row("top", 0.981, "7,000", 45),
        "tag_small": row("top", 0.972, "2,500", 30),
        "deepset_top_s": row("top", 0.970, "12,000", 70),
        "deepset_top_m": row("top", 0.980, "35,000", 90),
        "jedi_top_l": row("top", 0.985, "90,000", 100),
        "deepset_five_s": row("five", 0.9, "20,000", 60),
    }
    found = points(rows)
    assert [p.name for p in front(found, "lut")] == ["tag_small", "tag", "jedi_top_l"]
    assert message(found) == (
        "top against QCD: deepset_top_m (0.9800) takes 5.0 times the LUT and 2.0 times the ns of tag (0.9810)"
    )
    draw(by_task(rows), tmp_path / "words.png")
    assert (tmp_path / "words.png").read_bytes()[:4] == b"\x89PNG"
    figure = figure_of(by_task(rows))
    assert [a.get_xlabel() for a in figure.axes] == [*COSTS.values()] * 2
    assert (
        figure.subfigs[0]
        .get_suptitle()
        .startswith("top against QCD, from trigger words, front end counted\n")
    )
    lut, ns = (
        {tuple(p) for c in a.collections for p in np.asarray(c.get_offsets())} for a in figure.axes[:2]
    )
    top = [p for p in found if p.task == "top"]
    assert lut == {(p.lut, p.auc) for p in top} and ns == {(p.ns, p.auc) for p in top}


DRAWN = pytest.mark.parametrize("file", ["words.json", "results.json"])


@DRAWN
def test_no_two_names_of_a_kept_picture_overlap(file: str) -> None:
    """Nor does one lie on a point; every network has one, on both axes."""
    panels = panels_of(DOCS / file)
    figure = figure_of(panels)
    renderer = RendererAgg(*map(float, figure.get_size_inches() * figure.dpi), figure.dpi)
    for number, axes in enumerate(figure.axes):
        names = [t for t in axes.texts if t.get_text()]
        assert len(names) == len(panels[number // 2].points)
        boxes = [t.get_window_extent(renderer) for t in names]
        assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
        spots = [s for c in axes.collections for s in axes.transData.transform(np.asarray(c.get_offsets()))]
        assert len(spots) == len(names)
        assert not any(box.contains(*spot) for box in boxes for spot in spots)


def test_a_name_without_a_place_is_an_error() -> None:
    axes = Figure(figsize=(1, 1)).subplots()
    with pytest.raises(ValueError, match="no place near the point is free"):
        name_points(axes, [Named(0.5, 0.5, "a name far wider than the picture", "black")])


@DRAWN
def test_a_picture_of_kept_rows_measures_nothing(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr(bench_main, "in_a_process", refused)
    pictures = [tmp_path / f"{k}.png" for k in "ab"]
    for picture in pictures:
        monkeypatch.setattr("sys.argv", ["bench", "--draw", str(DOCS / file), "--picture", str(picture)])
        bench_main.main()
    first, again = (p.read_bytes() for p in pictures)
    assert first == again and first.startswith(b"\x89PNG")


def test_kept_rows_are_those_of_the_pages() -> None:
    """What is drawn is what docs/benchmarks.md and docs/results.md say."""
    benchmarks, results = ((DOCS / f"{n}.md").read_text() for n in ("benchmarks", "results"))
    tables = json.loads((DOCS / "results.json").read_text())
    on_words, vectors, checkpoints = tables[:2], *tables[2:]
    assert [t["file"] for t in on_words] == ["words.json"] * 2
    assert set(vectors["rows"]) == {*OURS, *PEERS}
    for name, given in vectors["rows"].items():
        (line,) = re.findall(rf"^\| {name} \| \d+ \| 4000 .*$", benchmarks, re.MULTILINE)
        assert all(f"| {given[k]} |" in line for k in ("auc", "ns", "lut"))
    kept = json.loads((DOCS / "words.json").read_text())
    for name, given in kept.items():
        if "auc" in given:
            (line,) = re.findall(rf"^\| {name} \| {given['task']} .*$", benchmarks, re.MULTILINE)
            assert all(f"| {given[k]} |" in line for k in ("auc", "ns", "lut"))
    for given in checkpoints["rows"].values():
        assert f"-> {given['auc'].removeprefix('0')} " in results and given["lut"] in results
        assert (f"; {given['clocks']} |" if "clocks" in given else f" {given['ns']} |") in results
