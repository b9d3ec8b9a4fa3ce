"""Events as physicists have them: files in the layouts of public data, and arrays in memory, against the
numbers that the libraries awkward and vector give for the same jets."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
import vector
from eventfiles import CLASSES, HERE, momenta, write_hls4ml, write_nano, write_parquet, write_tree
from hepfiles import FIELDS, convert, converted, double, expected, jetclass, nano, same, vectors
from rootfiles import write_root

from eqhls.errors import CompileError
from eqhls.events.hep import momenta_of

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
