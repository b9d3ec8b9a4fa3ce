"""Events as physicists have them: files in the layouts of public data, and arrays in memory, against the
numbers that the libraries awkward and vector give for the same jets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import eventfiles
import h5py
import numpy as np
import pytest
import uproot
import vector
from eventfiles import (
    CLASSES,
    HERE,
    momenta,
    write_hls4ml,
    write_jetclass,
    write_nano,
    write_parquet,
    write_tree,
)
from rootfiles import toy_jets, write_root
from typer.testing import CliRunner

from eqhls.cli import app
from eqhls.errors import CompileError
from eqhls.events.hep import hdf5, momenta_of, parquet, root, stream
from eqhls.events.hep.convert import converted as converted_chunk
from eqhls.events.hep.layouts import LAYOUTS
from eqhls.events.read import from_mapping, read_events
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


# ---- arrays in memory


@pytest.mark.parametrize("slots", [1, 4, 30, None])
def test_records_of_awkward(slots: int | None, rng: np.random.Generator) -> None:
    """With and without the behaviour of vector; events without particles; masses rounded below zero."""
    counts = rng.poisson(5, 40)
    counts[7] = 0
    array = double(momenta(rng, counts))
    want = expected(array, slots or int(counts.max()))
    same(momenta_of(array, slots), want)
    plain = ak.zip({k: array[k] for k in array.fields})
    same(momenta_of(plain, slots), want)
    cartesian = ak.zip({"x": array.px, "y": array.py, "z": array.pz, "energy": array.E})
    same(momenta_of(cartesian, slots), want)
    assert not momenta_of(array, slots)["p4"][7].any()


STORED = {"pt": "rho", "eta": "eta", "phi": "phi", "mass": "tau"}
"""What vector calls the columns that it keeps."""


def test_arrays_of_vector(rng: np.random.Generator) -> None:
    rows = {"pt": rng.exponential(9, (8, 3)), "eta": rng.normal(size=(8, 3)), "phi": rng.normal(size=(8, 3))}
    array = vector.array({**rows, "mass": np.ones((8, 3))})
    jagged = vectors({k: ak.from_numpy(np.asarray(array[v])) for k, v in STORED.items()})
    same(momenta_of(array, 3), expected(jagged, 3))


def test_equal_pt_keeps_its_order() -> None:
    array = ak.Array(
        [
            [
                {"px": x, "py": y, "pz": 0.0, "E": e}
                for x, y, e in ((3.0, 4.0, 7.0), (5.0, 0.0, 6.0), (0.0, 9.0, 9.0))
            ]
        ]
    )
    assert momenta_of(array, 3)["p4"][0, :, 0].tolist() == [9.0, 7.0, 6.0]


RECORD = {"pt": 1.0, "eta": 0.0, "phi": 0.0, "mass": 0.0}
WRONG = {
    "fields": ([[{"pt": 1.0, "eta": 2.0}]], "p4: holds records of pt, eta; give records with pt, eta, phi"),
    "numbers": ([[1.0, 2.0]], "p4: holds the type"),
    "no lists": ([RECORD], "one particle per event"),
    "deep lists": ([[[RECORD]]], "lists of 3 levels"),
    "missing value": ([[{**RECORD, "pt": None}]], "p4.pt: has missing values"),
    "missing event": ([[RECORD], None], "has missing events"),
    "text": ([[{**RECORD, "pt": "a"}]], "p4.pt: holds"),
    "NaN": ([[], [{**RECORD, "pt": float("nan")}]], "event 1 holds NaN or infinity"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_arrays_that_are_no_momenta(kind: str) -> None:
    rows, message = WRONG[kind]
    with pytest.raises(CompileError) as error:
        momenta_of(ak.Array(rows), 2)
    assert message in str(error.value)


def test_no_events_in_memory() -> None:
    with pytest.raises(CompileError, match="p4: holds no events"):
        momenta_of(ak.Array([[RECORD]])[:0], 2)


# ---- files of known layouts


@pytest.mark.parametrize("rntuple", [False, True])
def test_root_with_lists_of_pt_eta_phi_mass(rntuple: bool, tmp_path: Path) -> None:
    """Trees and RNTuples, found by the names of the branches."""
    toy = write_root(tmp_path / "jets.root", 60, rntuple=rntuple)
    array = double(vectors({k: toy.column(k) for k in ("pt", "eta", "phi", "mass")}))
    found = converted(tmp_path / "jets.root", tmp_path, "--constituents", 8)
    same(found, expected(array, 8))
    np.testing.assert_array_equal(found["y"], toy.y)
    np.testing.assert_array_equal(found["entry"], np.arange(60))


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


def test_jetclass(tmp_path: Path, rng: np.random.Generator) -> None:
    """The jet is that of the file, with its energy; ten labels become class numbers in their order."""
    path, particles, jets, classes = jetclass(tmp_path, rng)
    found = converted(path, tmp_path, "--constituents", 5)
    same(found, expected(particles, 5, jets))
    np.testing.assert_array_equal(found["y"], classes)
    alone = converted(path, tmp_path, "--jets", "none", "--label", "label_Tbqq", "--constituents", 5)
    same(alone, expected(particles, 5))
    np.testing.assert_array_equal(alone["y"], classes == CLASSES.index("Tbqq"))
    assert "y" not in converted(path, tmp_path, "--label", "none")


def test_one_label_per_class_must_be_set(tmp_path: Path, rng: np.random.Generator) -> None:
    path, *_, classes = jetclass(tmp_path, rng)
    with pytest.raises(CompileError, match=rf"event {np.flatnonzero(classes > 1)[0]} is of none"):
        converted(path, tmp_path, "--label", "label_QCD,label_Hbb")


def test_columns_beside_are_sorted_as_the_particles_are(tmp_path: Path, rng: np.random.Generator) -> None:
    path, particles, *_ = jetclass(tmp_path, rng)
    found = converted(path, tmp_path, "--also", "q=part_charge,jet_sdmass", "--constituents", 4)
    order = ak.argsort(particles.pt, axis=1, ascending=False, stable=True)
    with uproot.open(path) as file:
        charge, mass = (file["tree"][k].array() for k in ("part_charge", "jet_sdmass"))
    want = ak.fill_none(ak.pad_none(charge[order], 4, clip=True), 0.0)
    np.testing.assert_array_equal(found["q"], ak.to_numpy(want))
    np.testing.assert_array_equal(found["jet_sdmass"], ak.to_numpy(mass))


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


@pytest.mark.parametrize("kind", ["v15", "v15 RNTuple", "PFNano"])
def test_nanoaod_with_constituents(kind: str, tmp_path: Path, rng: np.random.Generator) -> None:
    """Every jet of an event is one row; its constituents are found by the indices between the collections."""
    made = nano(tmp_path, rng, kind.startswith("v15"), kind.endswith("RNTuple"))
    options = ("--constituents", 4, "--label", "FatJet_hadronFlavour")
    found = converted(made.path, tmp_path, "--jets", "FatJet", *options)
    same(found, expected(made.constituents, 4, made.jets))
    np.testing.assert_array_equal(found["y"], ak.to_numpy(ak.flatten(made.flavour)))
    np.testing.assert_array_equal(found["entry"], np.repeat(np.arange(25), ak.num(made.flavour)))
    if kind != "PFNano":
        same(converted(made.path, tmp_path, *options), expected(made.constituents, 4, made.jets))
        return
    with pytest.raises(CompileError, match="fits the layouts pfnano-fatjet, pfnano-jet; name one: --layout"):
        convert(made.path, "-o", tmp_path / "x.npz")


def test_nanoaod_jets_as_particles(tmp_path: Path, rng: np.random.Generator) -> None:
    made = nano(tmp_path, rng, True)
    found = converted(made.path, tmp_path, "--branches", "FatJet_*", "--jets", "none")
    same(found, expected(ak.unflatten(made.jets, ak.num(made.flavour)), 3))


def test_index_that_leads_nowhere(tmp_path: Path, rng: np.random.Generator) -> None:
    jets, particles = momenta(rng, np.array([1, 1])), momenta(rng, np.array([3, 2]))
    whose, which = ak.Array([[0, 0], [0]]), ak.Array([[0, 2], [2]])
    write_nano(tmp_path / "bad.root", True, jets, particles, whose, which)
    with pytest.raises(CompileError, match="FatJetPFCand_pfCandIdx: leads to entry 2 of 2 in event 1"):
        convert(tmp_path / "bad.root", "-o", tmp_path / "x.npz")


@pytest.mark.parametrize("form", ["table", "fixed"])
def test_top_tagging_data_as_pandas_writes_it(form: str, tmp_path: Path) -> None:
    """The files are written by pandas and PyTables (make_pandas.py), and read without them."""
    found = converted(HERE / f"toptag_pandas_{form}.h5", tmp_path)
    with np.load(HERE / "toptag_pandas.npz") as file:
        p4, y = file["p4"].astype(float), file["y"]
    n = (p4[..., 0] > 0).sum(axis=1)
    np.testing.assert_array_equal(found["p4"], p4[:, : n.max()])
    same(found, {"jet": p4.sum(axis=1), "n": n})
    np.testing.assert_array_equal(found["y"], y)


def test_jets_of_hls4ml(tmp_path: Path, rng: np.random.Generator) -> None:
    counts = rng.integers(5, 151, 12)
    array = double(momenta(rng, counts))
    want = expected(array, 150)
    classes = rng.integers(0, 5, 12)
    write_hls4ml(tmp_path / "jetImage_0_150p_0_12.h5", want["p4"], classes)
    found = converted(tmp_path / "jetImage_0_150p_0_12.h5", tmp_path, "--constituents", 150)
    same(found, want)
    np.testing.assert_array_equal(found["y"], classes)


@pytest.mark.parametrize("records", [False, True])
def test_parquet(records: bool, tmp_path: Path, rng: np.random.Generator) -> None:
    """Lists of numbers, or of records; ranges cross the row groups."""
    array = momenta(rng, rng.integers(0, 9, 50))
    y = rng.integers(0, 2, 50)
    lists = {f"c_{k}": array[k] for k in array.fields}
    columns = {"particles": ak.zip({k: array[k] for k in array.fields})} if records else lists
    write_parquet(tmp_path / "jets.parquet", {**columns, "label": ak.Array(y)}, rows=16)
    found = converted(tmp_path / "jets.parquet", tmp_path, "--events", "10:40", "--constituents", 6)
    same(found, expected(double(array)[10:40], 6))
    np.testing.assert_array_equal(found["y"], y[10:40])
    np.testing.assert_array_equal(found["entry"], np.arange(10, 40))


def test_names_of_a_users_own_tree(tmp_path: Path, rng: np.random.Generator) -> None:
    """Branches that count others are not momenta, nor is what is called truth a jet; one called fj is."""
    array = double(momenta(rng, rng.integers(1, 9, 20)))
    truth, whole = (vectors({k: rng.uniform(0.5, 2, 20) for k in FIELDS}) for _ in range(2))
    columns = {f"const_{k}": array[k] for k in FIELDS} | {f"truth_{k}": truth[k] for k in FIELDS}
    write_tree(tmp_path / "own.root", {"t": columns})
    same(converted(tmp_path / "own.root", tmp_path), expected(array, 8))
    write_tree(tmp_path / "own.root", {"t": columns | {f"fj_{k}": whole[k] for k in FIELDS}})
    same(converted(tmp_path / "own.root", tmp_path), expected(array, 8, whole))
    same(converted(tmp_path / "own.root", tmp_path, "--jets", "truth"), expected(array, 8, truth))


def test_units_and_massless_particles(tmp_path: Path, rng: np.random.Generator) -> None:
    """MeV is said, not guessed; without it the suspicion is told. A mass may be a number."""
    array = double(momenta(rng, rng.integers(3, 9, 20)))
    massless = vectors({k: array[k] for k in ("pt", "eta", "phi")} | {"mass": 0 * array.mass})
    with uproot.recreate(tmp_path / "mev.root") as file:
        file["t"] = {f"cl_{k}": array[k] * (1000 if k == "pt" else 1) for k in ("pt", "eta", "phi")}
    branches = ("--branches", "pt=cl_pt,eta=cl_eta,phi=cl_phi,mass=0")
    same(converted(tmp_path / "mev.root", tmp_path, *branches, "--unit", "MeV"), expected(massless, 8), 1e-12)
    said = convert(tmp_path / "mev.root", "-o", tmp_path / "x.npz", *branches)
    assert "are the momenta in MeV? expected GeV" in said


# ---- size


@pytest.mark.parametrize("kind", ["root", "rntuple", "parquet", "h5"])
def test_chunks_make_no_difference(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read in pieces that fit the memory; the bytes of the result are those of one piece."""
    path, module = _large(kind, tmp_path)
    convert(path, "-o", tmp_path / "one.npz")
    sizes: list[int] = []
    monkeypatch.setattr(module, "CHUNK", 2_000)
    monkeypatch.setattr(root, "RNTUPLE_ENTRIES", 7)
    note_chunks(sizes, monkeypatch)
    convert(path, "-o", tmp_path / "many.npz")
    assert len(sizes) > 4 and max(sizes) < 40 and sum(sizes) == 80
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "many.npz").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir() if ".eqhls-" in p.name) == []


def note_chunks(sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Note the number of jets of every chunk that is converted."""

    def seen(*arguments: Any) -> Any:
        batch = converted_chunk(*arguments)
        sizes.append(len(batch.entry))
        return batch

    monkeypatch.setattr(stream, "converted", seen)


def _large(kind: str, tmp: Path) -> tuple[Path, Any]:
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


# ---- the same files for every command


def features(slots: int = 4) -> Graph:
    """Products of four-vectors weighed by a feature of the particles."""
    b, j = Builder("features"), Axis("j", slots)
    b.add("p", Input(Type(V, (j,), formats=(Fixed(16, 12),))))
    b.add("part_charge", Input(Type(S, (j,), formats=(Fixed(6, 4),))))
    b.add("n", Gram(), "p", "p")
    return b.graph(b.add("m", PairSum("j"), "n", "part_charge")).formatted()


def test_a_file_is_what_its_conversion_is(tmp_path: Path, rng: np.random.Generator) -> None:
    """Read directly, events are those of the .npz file to the last bit; it is said how they were read."""
    path, *_ = jetclass(tmp_path, rng)
    direct = read_events(path, features())
    convert(path, "-o", tmp_path / "all.npz", "--also", "part_charge")
    through = read_events(tmp_path / "all.npz", features())
    for name in ("p", "part_charge"):
        np.testing.assert_array_equal(direct.raw[name], through.raw[name])
        np.testing.assert_array_equal(direct.floats[name], through.floats[name])
    assert direct.labels is not None and through.labels is not None
    np.testing.assert_array_equal(direct.labels, through.labels)
    assert direct.notes[0].startswith(
        "read as jetclass: particles from part_px, part_py, part_pz, part_energy;"
    )
    assert "constituents beyond the first 4 are left out of" in direct.notes[1]
    assert not any("nothing reads" in line for line in (*direct.notes, *through.notes))


def test_words_count_all_constituents(tmp_path: Path) -> None:
    """Networks on words of the trigger get them from the same files; multiplicity is that of the whole jet."""
    write_root(tmp_path / "jets.root", 30)
    b, j = Builder("words"), Axis("j", 4)
    b.add("pt", Input(Type.parse("S[j:4]:ufix<14,12>")))
    b.add("eta", Input(Type.parse("S+eta[j:4]:fix<12,12>")))
    b.add("phi", Input(Type.parse("S+phi%1440[j:4]:fix<11,11>")))
    graph = b.graph(b.add("multiplicity", Input(Type.parse("S[]:ufix<7,7>"))))
    convert(tmp_path / "jets.root", "-o", tmp_path / "all.npz")
    with np.load(tmp_path / "all.npz") as file:
        want = from_mapping(graph, {k: file[k] for k in ("p4", "jet")})
        n = file["n"]
    found = read_events(tmp_path / "jets.root", graph)
    for name in ("pt", "eta", "phi", "multiplicity"):
        np.testing.assert_array_equal(found.raw[name], want.raw[name])
    assert (found.raw["multiplicity"].ravel() <= n).all() and found.raw["multiplicity"].max() > 4
    assert j.size == 4


def test_columns_fill_plain_ports(tmp_path: Path, rng: np.random.Generator) -> None:
    """A network without four-vectors reads columns by name: numbers of any kind are real values."""
    b = Builder("plain")
    b.add("x", Input(Type(S, (Axis("c", 3),), formats=(Fixed(8, 6),))))
    graph = b.graph(b.add("q", Input(Type(S, (), formats=(Fixed(6, 4),)))))
    x, q = np.round(rng.normal(size=(9, 3)), 3), rng.integers(-3, 4, 9)
    write_parquet(tmp_path / "x.parquet", {"x": ak.Array(x), "q": ak.Array(q)}, rows=4)
    found = read_events(tmp_path / "x.parquet", graph)
    np.testing.assert_array_equal(found.raw["x"][..., 0], np.rint(x * 4))
    np.testing.assert_array_equal(found.raw["q"].ravel(), 4 * q)


def test_hdf5_by_names_of_ports_stays_as_it_was(tmp_path: Path, rng: np.random.Generator) -> None:
    """An HDF5 file of p4, or with an array for a port, is not a file of columns."""
    p4, charge = np.abs(rng.normal(0, 20, (6, 4, 4))), rng.integers(-3, 4, (6, 4))
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file["p4"], file["part_charge"] = p4, charge
    found = read_events(tmp_path / "e.h5", features())
    np.testing.assert_array_equal(found.raw["part_charge"][..., 0], charge)


# ---- mistakes


def _empty(tmp: Path) -> Path:
    with uproot.recreate(tmp / "empty.root") as file:
        file.mktree("jets", {f"p_{k}": "var * float32" for k in ("pt", "eta", "phi", "mass")})
    return tmp / "empty.root"


def _nan(tmp: Path) -> Path:
    lists = {k: ak.Array([[1.0, 2.0], [3.0], [1.0]]) for k in ("p_px", "p_py", "p_pz")}
    with uproot.recreate(tmp / "nan.root") as file:
        file["jets"] = {**lists, "p_E": ak.Array([[5.0, 6.0], [7.0], [float("nan")]])}
    return tmp / "nan.root"


def _uneven(tmp: Path) -> Path:
    lists = {k: ak.Array([[1.0, 2.0], [3.0]]) for k in ("p_px", "p_py", "p_pz")}
    write_parquet(tmp / "u.parquet", {**lists, "p_E": ak.Array([[5.0, 6.0], [7.0, 8.0]])}, rows=2)
    return tmp / "u.parquet"


def _broken(tmp: Path) -> Path:
    write_root(tmp / "r.root", 5)
    (tmp / "broken.root").write_bytes((tmp / "r.root").read_bytes()[:300])
    return tmp / "broken.root"


def _two_trees(tmp: Path) -> Path:
    lists = {k: ak.Array([[1.0], [3.0]]) for k in ("pt", "eta", "phi", "m")}
    with uproot.recreate(tmp / "two.root") as file:
        file["train"], file["test"] = lists, lists
    return tmp / "two.root"


def _text(tmp: Path) -> Path:
    (tmp / "jets.csv").write_text("pt,eta\n")
    return tmp / "jets.csv"


def _jets(tmp: Path) -> Path:
    write_root(tmp / "jets.root", 5)
    return tmp / "jets.root"


def _many(tmp: Path) -> Path:
    lists = {
        f"{c}_{k}": ak.Array([[1.0], [3.0]]) for c in ("Muon", "Tau") for k in ("pt", "eta", "phi", "mass")
    }
    write_parquet(tmp / "many.parquet", lists, rows=2)
    return tmp / "many.parquet"


Make = Callable[[Path], Path]
MISTAKES: dict[str, tuple[Make, tuple[str, ...], str]] = {
    "no file": (lambda tmp: tmp / "none.root", (), "cannot be read (No such file"),
    "no such kind": (_text, (), "is not a ROOT, Parquet or HDF5 file"),
    "damaged": (_broken, (), "is not a readable ROOT file"),
    "empty": (_empty, (), "ROOT: has no events"),
    "NaN": (_nan, (), "p_E: event 2 holds NaN or infinity; clean the events"),
    "uneven": (_uneven, (), "p_E: has another length than p_px in event 1"),
    "two trees": (_two_trees, (), "has the trees train, test; name one: --tree train"),
    "no such tree": (
        _two_trees,
        ("--tree", "trian"),
        "'trian', expected one of train, test; did you mean train",
    ),
    "layout": (_jets, ("--layout", "jetklass"), "did you mean jetclass?"),
    "layout that does not fit": (_jets, ("--layout", "jetclass"), "needs the columns part_px, part_py"),
    "branch": (_jets, ("--branches", "pt=pt,eta=et,phi=phi,mass=0"), "found 'et', expected one of pt"),
    "near branch": (_jets, ("--branches", "pt=pt,eta=et,phi=phi,mass=0"), "did you mean eta"),
    "coordinate": (_jets, ("--branches", "pt=pt,eat=eta"), "found 'eat', expected one of px"),
    "too few": (
        _jets,
        ("--branches", "pt=pt,eta=eta,phi=phi"),
        "gives pt, eta, phi; give pt, eta, phi and mass or E",
    ),
    "prefix": (_jets, ("--branches", "jet_*"), "as prefix of pt, eta, phi and mass"),
    "label": (_jets, ("--label", "Y"), "--label: found 'Y', expected one of"),
    "also": (_jets, ("--also", "pT"), "--also: found 'pT'"),
    "several collections": (_many, (), "Muon_*, Tau_*; name them: --branches 'Muon_*'"),
    "range": (_jets, ("--events", "5:9"), "has 5 events, none in 5:9"),
    "no range": (_jets, ("--events", "first"), "expected A:B"),
    "unit": (_jets, ("--unit", "eV"), "expected one of GeV, MeV, TeV"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistakes_are_named(kind: str, tmp_path: Path) -> None:
    """Each is a CompileError, so the command ends with status 2; nothing is written."""
    make, options, message = MISTAKES[kind]
    with pytest.raises(CompileError) as error:
        convert(make(tmp_path), "-o", tmp_path / "out.npz", *options)
    assert message in str(error.value)
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("package", ["uproot", "pyarrow.parquet", "h5py", "awkward"])
def test_a_missing_package_names_the_extra(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"uproot": _jets, "pyarrow.parquet": _many, "awkward": _jets}
    path = files[package](tmp_path) if package in files else HERE / "toptag_pandas_table.h5"
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CompileError, match=r"pip install 'eqhls\[hep\]'"):
        convert(path, "-o", tmp_path / "out.npz", "--branches", "pt=pt,eta=eta,phi=phi,mass=0")


def test_direct_reading_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="say so to eqhls events, and give the .npz file that it writes"):
        read_events(_many(tmp_path), features())


def test_a_tree_may_be_named_behind_the_file(tmp_path: Path) -> None:
    path = _two_trees(tmp_path)
    with pytest.raises(CompileError, match="has the trees train, test"):
        read_events(path, features())
    graph = features()
    b = Builder("masses")
    b.add("p", Input(graph.node("p").type))
    events = read_events(
        path.with_name("two.root:test"), b.graph(b.add("n", Gram("j", "q"), "p")).formatted()
    )
    assert len(events) == 2


def test_names_of_pandas_are_no_code(tmp_path: Path) -> None:
    """The pickled list of names is read without classes: anything else in it is refused."""
    (tmp_path / "evil.h5").write_bytes((HERE / "toptag_pandas_table.h5").read_bytes())
    with h5py.File(tmp_path / "evil.h5", "r+") as file:
        file["table/table"].attrs["values_block_1_kind"] = np.bytes_(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(CompileError, match=r"names of columns are not os.system"):
        convert(tmp_path / "evil.h5", "-o", tmp_path / "out.npz")


def test_the_page_lists_every_layout() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "event-files.md").read_text()
    for layout in LAYOUTS.values():
        assert f"| `{layout.name}` | {layout.what} |" in page, layout.name
    assert eventfiles.FEATURES[-1] == "j1_pdgid"
