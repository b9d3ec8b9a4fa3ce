"""Training without Keras: settings, data, and the file that keeps a state."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from networks import seeded
from rootfiles import write_root

from eqhls import CompileError, train
from eqhls.train.checkpoint import Checkpoint, Epoch, State
from eqhls.train.data import prepared, read_arrays, split


def test_settings_that_mean_nothing_are_refused() -> None:
    settings = train.Settings()
    assert settings.varied(epochs=(2, 3), rates=(0.5, 0.25)).phases == (
        train.Phase(2, 0.5, quantized=False),
        train.Phase(3, 0.25),
    )
    assert settings.varied(epochs=(2, 3)).phases[1].rate == settings.phases[1].rate
    with pytest.raises(CompileError, match="epochs: found 1, expected 2; give one for each phase"):
        settings.varied(epochs=(2,))
    with pytest.raises(CompileError, match="phase: found 0 epochs at the rate 0.1"):
        train.Phase(0, 0.1)
    with pytest.raises(CompileError, match="phases: found none"):
        train.Settings(())
    for name, value in {"batch": 0, "seed": -1, "patience": -1, "decay": -0.1, "clip": float("nan")}.items():
        with pytest.raises(CompileError, match=f"{name}: found {value}"):
            train.Settings(**{name: value})


def labelled(rng: np.random.Generator, events: int, slots: int) -> dict[str, np.ndarray]:
    p = rng.normal(0, 20, (events, slots, 3))
    p4 = np.concatenate([np.linalg.norm(p, axis=-1, keepdims=True), p], axis=-1)
    return {"p4": p4, "y": np.arange(events) % 4 // 3}


def test_a_share_of_each_class_is_taken_out(rng: np.random.Generator) -> None:
    """Every event is in one part, and the seed says in which."""
    arrays = labelled(rng, 80, 3) | {"id": np.arange(80), "layout": np.array("cms")}
    kept, drawn = split(arrays, 0.25, 1)
    assert sorted([*kept["id"], *drawn["id"]]) == list(range(80))
    assert [np.bincount(part["y"]).tolist() for part in (kept, drawn)] == [[45, 15], [15, 5]]
    assert kept["layout"] == "cms" and (kept["p4"] == arrays["p4"][kept["id"]]).all()
    again, other = split(arrays, 0.25, 1)[1], split(arrays, 0.25, 2)[1]
    assert (again["id"] == drawn["id"]).all() and (other["id"] != drawn["id"]).any()
    for share in (0.0, 1.0, 0.01):
        with pytest.raises(CompileError, match=r"share: found .* of (60|20) events of class"):
            split(arrays, share, 1)


def test_files_are_read_one_behind_the_other(rng: np.random.Generator, tmp_path: Path) -> None:
    graph, first, second = seeded(rng), labelled(rng, 8, 3), labelled(rng, 4, 5)
    for name, arrays in {"a": first, "b": second, "c": {"p4": first["p4"]}}.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)
    found, lines = read_arrays(graph, [tmp_path / "a.npz", tmp_path / "b.npz"])
    assert not lines
    assert found["p4"].shape == (12, 5, 4) and not found["p4"][:8, 3:].any()
    assert (found["p4"][8:] == second["p4"]).all() and len(found["y"]) == 12
    with pytest.raises(CompileError, match=r"c.npz: holds p4, expected p4, y as in .*a.npz"):
        read_arrays(graph, [tmp_path / "a.npz", tmp_path / "c.npz"])
    with pytest.raises(CompileError, match="train: holds p4; give the labels y"):
        train.Data.read(graph, [tmp_path / "c.npz"])
    with pytest.raises(CompileError, match=r"train: y: has shape \(8, 2\), expected \(events,\); .*argmax"):
        train.Data(first | {"y": np.eye(2)[first["y"]]})
    data = train.Data.read(graph, [tmp_path / "a.npz"], test=[tmp_path / "b.npz"], share=0.5)
    assert {k: len(v["y"]) for k, v in data.parts.items()} == {"train": 4, "validation": 4, "test": 4}
    assert data.measured[0] == "test" and data.classes == 2


def test_jets_of_root_come_with_a_line_on_how_they_were_read(
    rng: np.random.Generator, tmp_path: Path
) -> None:
    toy = write_root(tmp_path / "jets.root", 40)
    data = train.Data.read(seeded(rng), [tmp_path / "jets.root"], share=0.25)
    labels = np.concatenate([data.parts[k]["y"] for k in ("train", "validation")])
    assert sorted(labels) == sorted(toy.y)
    assert any(line.startswith(f"{tmp_path / 'jets.root'}: read as") for line in data.notes)


def test_a_network_trains_on_what_its_ports_hold(rng: np.random.Generator) -> None:
    """Integers times LSBs, as `predict` prepares them."""
    graph = seeded(rng)
    values, events = prepared(graph, labelled(rng, 6, 3), "train")
    for node, value in zip(graph.inputs, values, strict=True):
        raw = value / node.type.formats.lsb
        assert (raw == events.raw[node.name]).all() and value.dtype == np.float32
    with pytest.raises(CompileError, match="train: p4"):
        prepared(graph, {"p4": np.full((2, 3, 4), np.nan), "y": np.zeros(2)}, "train")


def state() -> State:
    numbers = (np.arange(3.0), np.ones((2, 2)))
    return State(
        (Epoch(1, 1, 0.5, 0.75), Epoch(1, 2, 0.25, float("nan"))), True, numbers, (np.array(7),), numbers
    )


def test_a_state_is_kept_to_the_bit_and_known_again(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path / "state.npz", {"settings": {"seed": 1, "rates": (0.1,)}, "events": ["ab"]})
    assert kept.load() == State()
    kept.save(state())
    found = kept.load()
    assert found.ended and found.done(0) == 2 and found.aucs(0)[0] == 0.75 and np.isnan(found.aucs(0)[1])
    for part in ("model", "optimizer", "best"):
        for a, b in zip(getattr(found, part), getattr(state(), part), strict=True):
            assert np.array_equal(a, b) and a.dtype == b.dtype
    other = Checkpoint(kept.path, {"settings": {"seed": 2, "rates": (0.1,)}, "events": ["ab"]})
    with pytest.raises(CompileError, match="state of a training with other settings; repeat the options"):
        other.load()
    whole = (tmp_path / "state.npz").read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"no file of numbers"):
        (tmp_path / "state.npz").write_bytes(damaged)
        with pytest.raises(CompileError, match="is not the state of a training"):
            kept.load()
    kept.remove()
    assert kept.load() == State()


@pytest.mark.parametrize(
    ("before", "backend"), [("", "jax"), ("os.environ['KERAS_BACKEND'] = 'torch'", "torch")]
)
def test_the_backend_is_chosen_before_keras_is_imported(before: str, backend: str) -> None:
    program = (
        f"import os, sys\n{before}\nfrom eqhls import train\nfound = train.choose_backend()\n"
        "assert 'keras' not in sys.modules\nprint(found, os.environ['KERAS_BACKEND'])\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == [backend, backend], done.stderr
