"""Small files of seeded jets in the layouts of public data sets, column for column."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import uproot

HERE = Path(__file__).resolve().parent
CLASSES = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")
"""The classes of JetClass, in the order of its branches."""
FEATURES = (
    *("j1_px", "j1_py", "j1_pz", "j1_e", "j1_erel", "j1_pt", "j1_ptrel", "j1_eta", "j1_etarel", "j1_etarot"),
    *("j1_phi", "j1_phirel", "j1_phirot", "j1_deltaR", "j1_costheta", "j1_costhetarel", "j1_pdgid"),
)
"""Names of the particles' features in the hls4ml jets: one more than there are columns."""


def momenta(rng: np.random.Generator, counts: np.ndarray) -> ak.Array:
    """Return lists of massive particles, vectors of awkward in float32, in no order."""
    total = int(counts.sum())
    columns = {
        "pt": rng.exponential(20, total) + 0.1,
        "eta": rng.normal(0, 1.5, total),
        "phi": rng.uniform(-np.pi, np.pi, total),
        "mass": rng.choice([0.0, 0.13957, 0.4937, -0.0012], total),
    }
    single = {k: np.float32(v) for k, v in columns.items()}
    return ak.unflatten(ak.zip(single, with_name="Momentum4D"), counts)


def write_tree(path: Path, trees: dict[str, dict[str, ak.Array]], rntuple: bool = False) -> None:
    """Write columns as trees, or as RNTuples; records become columns NAME_FIELD of a tree."""
    with uproot.recreate(path) as file:
        for name, columns in trees.items():
            made = {k: ak.Array(v) for k, v in columns.items()}
            if rntuple:
                file.mkrntuple(name, made)
                continue
            file.mktree(name, {k: v.type.content for k, v in made.items()})
            file[name].extend(made)


def write_jetclass(
    path: Path, particles: ak.Array, jets: ak.Array, classes: np.ndarray, **more: ak.Array
) -> None:
    """Write the branches of JetClass."""
    single = ak.values_astype(
        ak.zip({"px": particles.px, "py": particles.py, "pz": particles.pz, "energy": particles.E}),
        np.float32,
    )
    columns = {f"part_{k}": single[k] for k in single.fields} | {
        "part_charge": ak.values_astype(ak.where(particles.phi > 0, 1.0, -1.0), np.float32),
        "jet_pt": np.float32(jets.pt),
        "jet_eta": np.float32(jets.eta),
        "jet_phi": np.float32(jets.phi),
        "jet_energy": np.float32(jets.E),
        "jet_nparticles": np.float32(ak.num(particles)),
        "jet_sdmass": np.float32(jets.mass),
    }
    columns |= {f"label_{name}": np.float32(classes == k) for k, name in enumerate(CLASSES)}
    write_tree(path, {"tree": columns | more})


def write_nano(
    path: Path,
    v15: bool,
    jets: ak.Array,
    particles: ak.Array,
    whose: ak.Array,
    which: ak.Array,
    rntuple: bool = False,
) -> None:
    """Write a NanoAOD file with constituents of AK8 jets: of v15, or of PFNano, which has those of AK4 jets,
    too. Muons and the tree of runs stand beside them as in every NanoAOD file."""
    name, link, place = (
        ("PFCand", "FatJetPFCand", "pfCandIdx") if v15 else ("PFCands", "FatJetPFCands", "pFCandsIdx")
    )
    columns = {
        "FatJet": ak.zip({k: jets[k] for k in jets.fields}),
        name: ak.zip({k: particles[k] for k in ("pt", "eta", "phi", "mass")}),
        link: ak.zip({"jetIdx": whose, place: which}),
        "Muon": ak.zip({k: particles[k][:, :1] for k in ("pt", "eta", "phi", "mass")}),
    }
    if not v15:
        columns["Jet"] = ak.zip({k: jets[k][:, :1] for k in ("pt", "eta", "phi", "mass")})
        columns["JetPFCands"] = ak.zip({"jetIdx": whose[whose == 0], place: which[whose == 0]})
    write_tree(path, {"Runs": {"run": np.array([1, 2])}, "Events": columns}, rntuple)


def write_hls4ml(path: Path, p4: np.ndarray, classes: np.ndarray) -> None:
    """Write the datasets of the hls4ml jets (Zenodo 3602260) from padded p4 (B, 150, 4)."""
    constituents = np.zeros((*p4.shape[:2], 16))
    constituents[..., :4] = p4[..., [1, 2, 3, 0]]
    constituents[..., 5] = np.hypot(p4[..., 1], p4[..., 2])
    jets = np.zeros((len(p4), 59))
    jets[:, 1] = np.hypot(*p4.sum(axis=1)[:, 1:3].T)
    jets[np.arange(len(p4)), 53 + classes] = 1
    names = ["j_ptfrac", "j_pt", "j_eta", "j_mass", *(f"j_feature{k}" for k in range(49))]
    with h5py.File(path, "w") as file:
        file["jetConstituentList"] = constituents
        file["jets"] = jets
        file["jetImage"] = np.zeros((len(p4), 4, 4))
        file["particleFeatureNames"] = np.array([n.encode() for n in FEATURES])
        labels = ["j_g", "j_q", "j_w", "j_z", "j_t", "j_undef"]
        file["jetFeatureNames"] = np.array([n.encode() for n in (*names, *labels)])


def write_parquet(path: Path, columns: dict[str, ak.Array], rows: int) -> None:
    """Write columns in row groups of so many events."""
    arrays = {k: pa.array(ak.to_arrow(v, extensionarray=False)) for k, v in columns.items()}
    pq.write_table(pa.table(arrays), path, row_group_size=rows)
