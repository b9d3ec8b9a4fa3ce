"""Files of public data to convert, and the numbers that awkward and vector give for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pytest
import vector
from eventfiles import momenta, write_jetclass, write_nano, write_parquet
from rootfiles import toy_jets, write_root
from typer.testing import CliRunner

from eqhls.cli import app
from eqhls.errors import CompileError
from eqhls.events.hep import hdf5, parquet, root, stream
from eqhls.events.hep.convert import converted as converted_chunk
from eqhls.fixed import Fixed
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.types import Axis, Type
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.pair_sum import PairSum

vector.register_awkward()
COMPONENTS = ("E", "px", "py", "pz")
FIELDS = ("pt", "eta", "phi", "mass")
Arrays = dict[str, np.ndarray]


def convert(*arguments: object, status: int = 0) -> str:
    """Run `eqhls events` and return what it says on both streams; a mistake is a CompileError."""
    done = CliRunner().invoke(app, ["events", *map(str, arguments)])
    if isinstance(done.exception, CompileError):
        raise done.exception
    assert done.exit_code == status, done.output
    return done.output


def converted(path: Path, tmp: Path, *options: object) -> Arrays:
    convert(path, "-o", tmp / "out.npz", *options)
    with np.load(tmp / "out.npz") as file:
        return {k: file[k] for k in file.files}


def expected(particles: ak.Array, slots: int, jets: ak.Array | None = None) -> Arrays:
    """Return the arrays of lists of vectors by awkward and vector alone."""
    order = ak.argsort(particles.pt, axis=1, ascending=False, stable=True)
    fallen = ak.pad_none(particles[order], slots, clip=True)
    p4 = np.stack([ak.to_numpy(ak.fill_none(getattr(fallen, c), 0.0)) for c in COMPONENTS], axis=-1)
    whole = ak.sum(particles, axis=1) if jets is None else jets
    jet = np.stack([ak.to_numpy(getattr(whole, c)) for c in COMPONENTS], axis=-1)
    return {
        "p4": p4.astype(float),
        "jet": jet.astype(float),
        "n": ak.to_numpy(ak.num(particles)).astype(float),
    }


def vectors(columns: dict[str, Any]) -> ak.Array:
    return ak.zip(columns, with_name="Momentum4D")


def double(array: ak.Array) -> ak.Array:
    """Return vectors in float64, as they are read from files of float32."""
    return vectors({k: ak.values_astype(array[k], np.float64) for k in array.fields})


def same(found: Arrays, want: Arrays, tolerance: float = 1e-12) -> None:
    """Components agree to rounding of float64 of the largest one: sums and cosines are taken differently."""
    for name, values in want.items():
        assert found[name].shape == values.shape, name
        scale = np.abs(values).max()
        np.testing.assert_allclose(found[name], values, rtol=0, atol=tolerance * scale, err_msg=name)


def jetclass(
    tmp: Path, rng: np.random.Generator, jets: int = 30
) -> tuple[Path, ak.Array, ak.Array, np.ndarray]:
    particles = double(momenta(rng, rng.integers(2, 12, jets)))
    cells = ak.values_astype(
        ak.zip({"px": particles.px, "py": particles.py, "pz": particles.pz, "E": particles.E}), np.float32
    )
    whole = ak.sum(particles, axis=1)
    classes = rng.integers(0, 10, jets)
    write_jetclass(tmp / "jetclass.root", particles, whole, classes)
    groomed = vectors({k: np.float64(np.float32(getattr(whole, k))) for k in ("pt", "eta", "phi", "E")})
    return tmp / "jetclass.root", double(vectors({k: cells[k] for k in cells.fields})), groomed, classes


@dataclass(frozen=True, slots=True)
class Nano:
    """A file with its jets: their constituents, their own momenta, and their flavours by event."""

    path: Path
    constituents: ak.Array
    jets: ak.Array
    flavour: ak.Array


def nano(tmp: Path, rng: np.random.Generator, v15: bool, rntuple: bool = False) -> Nano:
    """Events of up to three jets, whose constituents are drawn from all particles in any order, and some
    that belong to no jet; one event has no jets, and some jets have no constituents."""
    counts = rng.integers(0, 4, 25)
    counts[:3] = (2, 0, 3)
    jets, particles = momenta(rng, counts), momenta(rng, rng.integers(6, 20, 25))
    jets = ak.with_field(
        jets, ak.unflatten(rng.choice([0, 4, 5], int(counts.sum())), counts), "hadronFlavour"
    )
    whose, which = [], []
    for number, size in zip(counts, ak.num(particles), strict=True):
        owner = rng.integers(-1, number, size) if number else np.full(size, -1)
        whose.append(np.where(owner == 2, 0, owner).astype(np.int32))
        which.append(rng.permutation(size).astype(np.int32))
    links = [ak.unflatten(np.concatenate(rows), [len(r) for r in rows]) for rows in (whose, which)]
    write_nano(tmp / "nano.root", v15, jets, particles, *links, rntuple)
    picked = double(particles)[links[1]]
    apart = [picked[links[0] == k] for k in range(3)]
    rows = [apart[k][event] for event, number in enumerate(counts) for k in range(number)]
    constituents = vectors({f: ak.Array([ak.to_list(r[f]) for r in rows]) for f in FIELDS})
    return Nano(tmp / "nano.root", constituents, double(ak.flatten(jets[[*FIELDS]])), jets.hadronFlavour)


def note_chunks(sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Note the number of jets of every chunk that is converted."""

    def seen(*arguments: Any) -> Any:
        batch = converted_chunk(*arguments)
        sizes.append(len(batch.entry))
        return batch

    monkeypatch.setattr(stream, "converted", seen)


def large(kind: str, tmp: Path) -> tuple[Path, Any]:
    toy = toy_jets(80)
    columns = {k: toy.column(k) for k in ("pt", "eta", "phi", "mass")}
    if kind == "parquet":
        write_parquet(tmp / "l.parquet", {**columns, "y": ak.Array(toy.y)}, rows=40)
        return tmp / "l.parquet", parquet
    if kind == "h5":
        with h5py.File(tmp / "l.h5", "w") as file:
            for k, v in columns.items():
                file[k] = ak.to_numpy(ak.fill_none(ak.pad_none(v, 40, clip=True), 0.0))
            file["y"] = toy.y
        return tmp / "l.h5", hdf5
    write_root(tmp / "l.root", 80, rntuple=kind == "rntuple")
    return tmp / "l.root", root


def features(slots: int = 4) -> Graph:
    """Products of four-vectors weighed by a feature of the particles."""
    b, j = Builder("features"), Axis("j", slots)
    b.add("p", Input(Type(V, (j,), formats=(Fixed(16, 12),))))
    b.add("part_charge", Input(Type(S, (j,), formats=(Fixed(6, 4),))))
    b.add("n", Gram(), "p", "p")
    return b.graph(b.add("m", PairSum("j"), "n", "part_charge")).formatted()


def jets_only(tmp: Path) -> Path:
    write_root(tmp / "jets.root", 5)
    return tmp / "jets.root"


def many_events(tmp: Path) -> Path:
    lists = {
        f"{c}_{k}": ak.Array([[1.0], [3.0]]) for c in ("Muon", "Tau") for k in ("pt", "eta", "phi", "mass")
    }
    write_parquet(tmp / "many.parquet", lists, rows=2)
    return tmp / "many.parquet"
