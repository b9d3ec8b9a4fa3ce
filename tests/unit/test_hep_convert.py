"""`eqhls events`: chunks, words, plain ports, and one message for every mistake."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import awkward as ak
import eventfiles
import h5py
import numpy as np
import pytest
import uproot
from eventfiles import HERE, write_parquet
from hepfiles import convert, features, jetclass, jets_only, large, many_events, note_chunks
from rootfiles import write_root

from eqhls.errors import CompileError
from eqhls.events.hep import root
from eqhls.events.hep.layouts import LAYOUTS
from eqhls.events.read import from_mapping, read_events
from eqhls.fixed import Fixed
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder
from eqhls.ir.types import Axis, Type
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input

# ---- size


@pytest.mark.parametrize("kind", ["root", "rntuple", "parquet", "h5"])
def test_chunks_make_no_difference(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read in pieces that fit the memory; the bytes of the result are those of one piece."""
    path, module = large(kind, tmp_path)
    convert(path, "-o", tmp_path / "one.npz")
    sizes: list[int] = []
    monkeypatch.setattr(module, "CHUNK", 2_000)
    monkeypatch.setattr(root, "RNTUPLE_ENTRIES", 7)
    note_chunks(sizes, monkeypatch)
    convert(path, "-o", tmp_path / "many.npz")
    assert len(sizes) > 4 and max(sizes) < 40 and sum(sizes) == 80
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "many.npz").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir() if ".eqhls-" in p.name) == []


# ---- the same files for every command


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
    "layout": (jets_only, ("--layout", "jetklass"), "did you mean jetclass?"),
    "layout that does not fit": (jets_only, ("--layout", "jetclass"), "needs the columns part_px, part_py"),
    "branch": (jets_only, ("--branches", "pt=pt,eta=et,phi=phi,mass=0"), "found 'et', expected one of pt"),
    "near branch": (jets_only, ("--branches", "pt=pt,eta=et,phi=phi,mass=0"), "did you mean eta"),
    "coordinate": (jets_only, ("--branches", "pt=pt,eat=eta"), "found 'eat', expected one of px"),
    "too few": (
        jets_only,
        ("--branches", "pt=pt,eta=eta,phi=phi"),
        "gives pt, eta, phi; give pt, eta, phi and mass or E",
    ),
    "prefix": (jets_only, ("--branches", "jet_*"), "as prefix of pt, eta, phi and mass"),
    "label": (jets_only, ("--label", "Y"), "--label: found 'Y', expected one of"),
    "also": (jets_only, ("--also", "pT"), "--also: found 'pT'"),
    "several collections": (many_events, (), "Muon_*, Tau_*; name them: --branches 'Muon_*'"),
    "range": (jets_only, ("--events", "5:9"), "has 5 events, none in 5:9"),
    "no range": (jets_only, ("--events", "first"), "expected A:B"),
    "unit": (jets_only, ("--unit", "eV"), "expected one of GeV, MeV, TeV"),
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
    files = {"uproot": jets_only, "pyarrow.parquet": many_events, "awkward": jets_only}
    path = files[package](tmp_path) if package in files else HERE / "toptag_pandas_table.h5"
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CompileError, match=r"pip install 'eqhls\[hep\]'"):
        convert(path, "-o", tmp_path / "out.npz", "--branches", "pt=pt,eta=eta,phi=phi,mass=0")


def test_direct_reading_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="say so to eqhls events, and give the .npz file that it writes"):
        read_events(many_events(tmp_path), features())


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
