"""Arrays to ports: every form of input, what is refused, and notes on what looks wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import seeded, two_outputs

from eqhls.errors import CompileError
from eqhls.events.prepare import jet_frame_cone, to_raw
from eqhls.events.read import from_mapping, halves, read_events
from eqhls.events.scores import from_raw, save_predictions
from eqhls.exchange.attributes import decode, encode
from eqhls.fixed import Fixed, Overflow
from eqhls.flow import compile_model, events_of
from eqhls.frontends.graphfile import load_model
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.text import parse_graph, print_graph
from eqhls.ir.types import Axis, Type
from eqhls.ops import BY_NAME
from eqhls.ops.add import Add
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.input import Frame, Input, frame_of
from eqhls.ops.invariants import Invariants
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.ops.particle_sum import ParticleSum
from eqhls.options import Options
from eqhls.quantize.assign import assign

MODELS = Path(__file__).resolve().parents[2] / "models"


def massless(rng: np.random.Generator, events: int = 200, n: int = 2, scale: float = 20) -> np.ndarray:
    p = rng.normal(0, scale, (events, n, 3))
    p = np.take_along_axis(p, np.argsort(-np.hypot(p[..., 0], p[..., 1]), axis=1)[..., None], axis=1)
    return np.concatenate([np.sqrt((p**2).sum(-1, keepdims=True)), p], -1)


def scalars(form: Fixed | None, name: str = "x") -> Graph:
    b = Builder("scalars")
    b.add(name, Input(Type(S, (Axis("c", 2),), formats=(form,) if form else ())))
    graph = b.graph(b.add("out", Dense(Tensor([[0.5, -0.25]])), name))
    return graph.formatted() if form else graph


def features(particles: str = "j:3", channels: str = "c:2") -> Graph:
    b, j, c = Builder("features"), Axis.parse(particles), Axis.parse(channels)
    b.add("p", Input(Type(V, (j,), formats=(Fixed(9, 8),))))
    b.add("w", Input(Type(S, (j, c), formats=(Fixed(8, 4),))))
    b.add("valid", Input(Type(S, (j,), formats=(Fixed(1, 1, False),))))
    b.add("wm", Mask(), "w", "valid")
    b.add("n", Gram(), "p", "p")
    return b.graph(b.add("m", PairSum(j.name), "n", "wm")).formatted()


@pytest.mark.parametrize("axes", [("c:3", "j:2"), ("slot:3@S", "i:2"), ("p:3", "k:2")], ids=str)
def test_letters_of_axes_mean_nothing(axes: tuple[str, str], rng: np.random.Generator) -> None:
    """Whatever the axes are called, momenta fill the same ports with the same words."""
    p4, w = massless(rng, 5, 2), rng.normal(size=(5, 2, 2))
    usual, other = (from_mapping(g, {"p4": p4, "w": w}) for g in (features(), features(*axes)))
    for name, raw in usual.raw.items():
        np.testing.assert_array_equal(raw, other.raw[name])
    moved = from_mapping(features(*axes), {"p4": p4[:, ::-1], "w": w})
    assert (moved.raw["p"] != usual.raw["p"]).any()


def test_floats_are_rounded_and_counted_integers_are_words() -> None:
    graph = scalars(Fixed(6, 4))
    events = from_mapping(graph, {"x": np.array([[0.6, -100.0], [1.0, 7.9]])})
    assert events.raw["x"][..., 0].tolist() == [[2, -32], [4, 31]] and events.saturated.tolist() == [1, 1]
    words = from_mapping(graph, {"x": np.array([[2, -32], [4, 31]])})
    np.testing.assert_array_equal(words.raw["x"], events.raw["x"])
    np.testing.assert_array_equal(words.floats["x"][..., 0], [[0.5, -8.0], [1.0, 7.75]])
    np.testing.assert_array_equal(events_of(np.array([[0.6, -100.0]]), graph).raw["x"], words.raw["x"][:1])


def test_integers_without_a_format_are_values_and_no_calibration(tmp_path: Path) -> None:
    """A network of floats takes them with a note; to calibrate on them would change what they mean."""
    graph, whole = scalars(None), np.array([[3, -2], [1, 0]])
    events = from_mapping(graph, {"x": whole})
    np.testing.assert_array_equal(events.floats["x"][..., 0], whole)
    assert events.unscaled == ("x",) and "x holds integers: taken as real values" in events.notes[0]
    np.savez(tmp_path / "x.npz", x=whole)
    for samples in ({"x": whole}, tmp_path / "x.npz"):
        with pytest.raises(
            CompileError, match=r"x: holds integers, .* no format yet; give .* x\.astype\(float\)"
        ):
            compile_model(graph, samples, tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_booleans_are_zero_and_one() -> None:
    events = from_mapping(scalars(Fixed(6, 4)), {"x": np.array([[True, False]])})
    assert events.raw["x"].ravel().tolist() == [4, 0] and not events.unscaled


def test_flags_of_wide_ports_are_one() -> None:
    """What four-vectors say of their rows is a number, too: not the last bit of the port."""
    b, j = Builder("wide"), Axis("j", 2)
    b.add("p", Input(Type(V, (j,), formats=(Fixed(9, 8),))))
    b.add("valid", Input(Type(S, (j,), formats=(Fixed(8, 4),))))
    b.add("n", Gram(), "p", "p")
    graph = b.graph(b.add("m", PairSum("j"), "n", "valid")).formatted()
    events = from_mapping(graph, {"p4": np.array([[[5.0, 3, 4, 0], [0, 0, 0, 0]]])})
    assert events.raw["valid"].ravel().tolist() == [16, 0]
    assert events.floats["valid"].ravel().tolist() == [1.0, 0.0]


def test_one_array_in_a_file_is_that_of_the_only_port(tmp_path: Path) -> None:
    values = np.array([[0.5, -1.25]])
    np.save(tmp_path / "x.npy", values)
    found = read_events(tmp_path / "x.npy", scalars(Fixed(6, 4)))
    assert found.raw["x"].ravel().tolist() == [2, -5]


@pytest.mark.parametrize("kind", ["float16", ">f4", "float64", "F", "strided"])
def test_any_memory(kind: str) -> None:
    values = np.array([[0.5, -1.25], [3.0, 2.75], [0.25, 1.0]])
    same: dict[str, Any] = {"F": np.asfortranarray(values), "strided": np.repeat(values, 2, axis=1)[:, ::2]}
    given = same[kind] if kind in same else values.astype(kind)
    assert from_mapping(scalars(Fixed(6, 4)), {"x": given}).raw["x"][..., 0].tolist() == [
        [2, -5],
        [12, 11],
        [1, 4],
    ]


@pytest.mark.parametrize(
    "form", [Fixed(63, 63), Fixed(63, 63, False), Fixed(63, 63, overflow=Overflow.SAT_SYM), Fixed(40, 20)]
)
def test_the_ends_of_wide_formats(form: Fixed) -> None:
    """float64 cannot hold them: they are saturated to the bit, and 64-bit words are compared as they are."""
    huge = np.array([[-1e30], [1e30], [0.0]])
    raw, over = to_raw(huge, (form,))
    assert raw[:, 0].tolist() == [form.lo, form.hi, 0] and over.tolist() == [1, 1, 0]
    ends = np.array([[float(form.lo) * form.lsb], [form.lsb]])
    assert to_raw(ends, (form,))[0][:, 0].tolist() == [form.lo, 1]
    if form.width > 60:
        return
    graph = scalars(form)
    assert from_mapping(graph, {"x": np.array([[form.lo, form.hi]])}).raw["x"].ravel().tolist() == [
        form.lo,
        form.hi,
    ]
    with pytest.raises(CompileError, match="event 1 does not fit"):
        from_mapping(graph, {"x": np.array([[1, 2], [2**63 + 5, 0]], dtype=np.uint64)})


def test_features_beside_four_vectors(rng: np.random.Generator) -> None:
    """They are cut and padded as the particles are; flags follow from the rows, or are given."""
    graph, p4 = features(), massless(rng, 5, 4)
    p4[2, 1:] = 0
    w = rng.uniform(-7, 7, (5, 4, 2))
    events = from_mapping(graph, {"p4": p4, "w": w})
    np.testing.assert_array_equal(events.raw["w"][..., 0], np.rint(w[:, :3] * 16))
    assert events.raw["valid"][2, :, 0].tolist() == [1, 0, 0] and events.raw["p"].shape == (5, 3, 4)
    short = from_mapping(graph, {"p4": p4[:, :2], "w": w[:, :2], "valid": np.zeros((5, 2))})
    assert not short.raw["w"][:, 2].any() and not short.raw["valid"].any()
    with pytest.raises(CompileError, match="give an array 'w' as well"):
        from_mapping(graph, {"p4": p4})
    with pytest.raises(CompileError, match="both p4 and p"):
        from_mapping(graph, {"p4": p4, "w": w, "p": np.zeros((5, 3, 4), int)})


def test_ports_that_are_called_as_the_arrays_are() -> None:
    """%y is an input, not labels; integers for %p4 are its words."""
    events = from_mapping(scalars(Fixed(6, 4), "y"), {"y": np.array([[1, 2]])})
    assert events.labels is None and events.raw["y"].ravel().tolist() == [1, 2]
    assert from_mapping(scalars(Fixed(6, 4), "p4"), {"p4": np.array([[1, 2]])}).raw[
        "p4"
    ].ravel().tolist() == [1, 2]


def framed(frame: Frame | None, jet: Frame | None, basis: str = "lc") -> Graph:
    b, form = Builder("framed"), ":fix<12,10>"
    b.add("p", Input(Type.parse(f"V.{basis}[j:2]{form}"), frame))
    b.add("jet", Input(Type.parse(f"V.{basis}[]{form}"), jet))
    b.add("m", Gram("j", "q"), "p")
    b.add("all", ParticleSum("q"), "m")
    return b.graph(b.add("masses", Add(), "all", b.add("m2", Invariants(), "jet"))).formatted()


def test_a_port_says_whose_frame_it_reads(rng: np.random.Generator) -> None:
    """By default that of the jet, as ever; a frame is kept by texts, by ONNX, and by another format."""
    p4 = massless(rng, 9)
    jet = p4.sum(1)
    seed, usual, said = (framed(f, f) for f in (Frame.SEED, None, Frame.JET))
    raw = {k: from_mapping(g, {"p4": p4, "jet": jet}).raw for k, g in enumerate((seed, usual, said))}
    for name, axis in (("p", p4), ("jet", jet[:, None])):
        for k, frame in enumerate((p4[:, 0], jet, jet)):
            want = np.clip(np.rint(jet_frame_cone(axis, frame) * 4), -2048, 2047)
            np.testing.assert_array_equal(raw[k][name].reshape(want.shape), want)
    text, arrays = print_graph(seed)
    assert "frame = seed" in text and "frame =" not in print_graph(usual)[0]
    assert parse_graph(text, arrays, BY_NAME) == seed
    fixed = assign(seed, {}, Options())
    assert [frame_of(n.op) for n in fixed.inputs] == [Frame.SEED, Frame.SEED]
    attributes = encode(seed.node("p").op)
    assert decode(Input, attributes) == seed.node("p").op
    with pytest.raises(CompileError, match="field frame of input is 'sead'"):
        parse_graph(text.replace("frame = seed", "frame = sead"), arrays, BY_NAME)


def test_frames_that_do_not_fit_are_refused(rng: np.random.Generator) -> None:
    both = {"p4": massless(rng, 3), "jet": massless(rng, 3)[:, 0]}
    with pytest.raises(
        CompileError, match="reads %p in the frame of the seed and %jet in the frame of the jet"
    ):
        from_mapping(framed(Frame.SEED, None), both)
    with pytest.raises(CompileError, match="only four-vectors V.lc have a frame"):
        framed(Frame.SEED, None, "xyz")
    assert "depends on their order" in noted(framed(Frame.SEED, Frame.SEED), p4=both["p4"][:, ::-1])


def test_saturation_follows_the_events(rng: np.random.Generator, tmp_path: Path) -> None:
    graph = two_outputs()
    p4 = massless(rng, 6)
    p4[3] *= 1000
    events = from_mapping(graph, {"p4": p4})
    assert events.saturated[3] == 8 and not np.delete(events.saturated, 3).any()
    assert [h.saturated.tolist() for h in halves(events)] == [[0, 0, 0], [0, 8, 0]]
    assert any("8 of 48 input values saturate" in n for n in events.notes)
    found = from_raw(graph, graph.evaluate(events.raw))
    save_predictions(tmp_path / "o.npz", type(found)(found.outputs, events.saturated))
    with np.load(tmp_path / "o.npz") as file:
        assert file["saturated"].tolist() == events.saturated.tolist()


def noted(graph: Graph, **arrays: Any) -> str:
    return "\n".join(from_mapping(graph, arrays).notes)


def test_what_looks_wrong_is_noted(rng: np.random.Generator) -> None:
    graph, cone, p4 = two_outputs(), seeded(rng), massless(rng)
    assert noted(graph, p4=p4) == ""
    assert "looks like (px, py, pz, E)" in noted(graph, p4=p4[..., [1, 2, 3, 0]])
    assert "are the momenta in MeV?" in noted(graph, p4=1000 * p4)
    assert "round to zero" in noted(graph, p4=p4 / 1000)
    eta_phi = np.stack(
        [p4[..., 0], rng.normal(size=(200, 2)), rng.uniform(-3, 3, (200, 2)), 0 * p4[..., 0]], -1
    )
    assert "looks like (pT, eta, phi, mass)" in noted(graph, p4=eta_phi)
    spoiled = p4.copy()
    spoiled[:3, 0, 0] /= 2
    assert "3 of 400 four-vectors have an energy E < |p|" in noted(graph, p4=spoiled)
    assert "jets (did you mean jet?)" in noted(graph, p4=p4, jets=p4[:, 0])
    empty = p4.copy()
    empty[:7] = 0
    assert "7 of 200 events have no constituents" in noted(graph, p4=empty)
    assert "jet is missing" in noted(cone, p4=p4) and noted(cone, p4=p4, jet=p4.sum(1)) == ""
    assert "same unit" in noted(cone, p4=p4, jet=p4.sum(1) / 1000)
    assert "whole numbers as floats" in noted(scalars(Fixed(8, 4)), x=np.array([[3.0, 2.0]]))


def test_order_is_noted_only_if_it_matters(rng: np.random.Generator) -> None:
    """The seeded network reads its first constituent; sums over all pairs do not care, unless some are cut."""
    p4 = massless(rng, n=4)
    jet = p4.sum(1)
    assert "depends on their order" in noted(seeded(rng), p4=p4[:, ::-1], jet=jet)
    b = Builder("sum")
    b.add("p", Input(Type(V, (Axis("j", 4),), formats=(Fixed(9, 8),))))
    g = b.add("g", Gram("", ""), "p", "p")
    w = b.add("w", PairSum("j"), g, "p")
    graph = b.graph(w).formatted()
    assert noted(graph, p4=p4[:, ::-1]) == ""
    more = massless(rng, n=6)
    assert "beyond the first 4 are cut; sort them" in noted(graph, p4=more[:, ::-1])


@pytest.mark.parametrize("kind", ["float32", "float16", "grid"])
def test_rounded_momenta_are_not_noted(kind: str, rng: np.random.Generator) -> None:
    """Massless vectors fall below E = |p| by rounding, whatever they are rounded to."""
    p4 = massless(rng, 2000)
    given = np.rint(p4 * 4) / 4 if kind == "grid" else p4.astype(kind)
    energy, momentum = given[..., 0].astype(float), np.sqrt((given[..., 1:].astype(float) ** 2).sum(-1))
    assert (energy < momentum).mean() > 0.1 and noted(two_outputs(), p4=given) == ""


@pytest.mark.parametrize("name", ["lgn_top_small", "lgn_top_lab", "pelican_nano_published"])
def test_shipped_events_are_not_noted(name: str) -> None:
    graph = load_model(MODELS / name)
    for file in ("events.npz", "jets_p4.npz"):
        assert read_events(MODELS / name / file, graph).notes == ()


REFUSED = {
    "masked": (
        {"p4": np.ma.masked_array(np.ones((2, 2, 4)), np.eye(2)[..., None] * np.ones(4))},
        "masked array",
    ),
    "objects": ({"p4": np.array([[{}]])}, "does not hold numbers but Python objects"),
    "no rows": ({"p": np.zeros((0, 2, 4), int)}, "p: holds no events"),
    "text labels": ({"p4": np.ones((2, 2, 4)), "y": np.array(["a", "b"])}, "y: does not hold numbers"),
    "one-hot": ({"p4": np.ones((2, 2, 4)), "y": np.eye(2)}, r"y.argmax\(axis=1\)"),
    "lengths": ({"p4": np.ones((2, 2, 4)), "y": np.ones(3)}, "y: has 3 labels for 2 events"),
    "shape": ({"p": np.zeros((2, 3, 4), int)}, r"p: has shape \(2, 3, 4\), expected \(events, 2, 4\)"),
    "nan": ({"p": np.full((2, 2, 4), np.nan)}, "p: event 0 holds NaN"),
    "nothing": ({}, "found nothing"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    arrays, message = REFUSED[case]
    with pytest.raises(CompileError, match=message):
        from_mapping(two_outputs(), arrays)


def test_files(rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same events from .npz, .npy and HDF5; one line for what is none of them."""
    graph, p4 = two_outputs(), massless(rng, 9)
    y = np.arange(9) % 2
    np.savez(tmp_path / "a.npz", p4=p4, y=y[:, None])
    np.save(tmp_path / "a.npy", p4)
    found = [read_events(tmp_path / f"a.{end}", graph) for end in ("npz", "npy")]
    assert found[0].labels is not None and found[0].labels.shape == (9,) and found[1].labels is None
    np.testing.assert_array_equal(found[0].raw["p"], found[1].raw["p"])
    ragged = np.empty(2, dtype=object)
    np.savez(tmp_path / "pickled.npz", p4=ragged)
    (tmp_path / "text.npz").write_text("p4")
    for name, message in (
        ("", "is a folder"),
        ("none", "does not exist"),
        ("pickled.npz", "pickled"),
        ("text.npz", "is not a file of events"),
    ):
        with pytest.raises(CompileError, match=message):
            read_events(tmp_path / name, graph)
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["p4"], file["y"] = p4, y
        file.create_group("meta")
    hdf5 = read_events(tmp_path / "a.h5", graph)
    np.testing.assert_array_equal(hdf5.raw["p"], found[0].raw["p"])
    assert hdf5.labels is not None and hdf5.labels.tolist() == y.tolist()
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(CompileError, match=r"pip install 'eqhls\[hep\]'"):
        read_events(tmp_path / "a.h5", graph)
