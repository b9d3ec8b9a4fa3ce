"""How files lay out jets: which columns are particles, which the jet, which the label. Layouts are data.

Names may have a `*`: E_* are the columns E_0, E_1, .. of the constituents, label_* those of the classes in
their order in the file. What is known by name is listed in `LAYOUTS`; any other layout is made of the names
that a file has, or that a user gives (eqhls.events.hep.choose).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Index:
    """Constituents that several jets of an event share: columns with the jet of each entry, and with its
    place among the particles; entries of a negative number belong to none. `jets` is any column of the jets.
    """

    jet: str
    particle: str
    jets: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns by what they hold: the coordinates of the particles, lists per event or, with an `index`, of
    all jets of an event; those of the jet in the file, if it is there; and the label: one column of class
    numbers, or one per class with a 1 in that of the event, in the order of the classes. A coordinate may be
    a number instead (a mass of 0). `gev` is what one unit of momentum is."""

    name: str
    what: str
    particles: Mapping[str, str]
    jet: Mapping[str, str] = field(default_factory=dict[str, str])
    labels: tuple[str, ...] = ()
    index: Index | None = None
    gev: float = 1.0


JETCLASS = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")
"""The classes of JetClass in their order; a file of other classes has these behind them, in its own."""
CARTESIAN = ("px", "py", "pz")
CYLINDRICAL = ("pt", "eta", "phi")


def prefixed(prefix: str, coordinates: tuple[str, ...], *last: str) -> dict[str, str]:
    """Return columns by coordinate: the prefix and the name, `last` is (coordinate, name) of the energy."""
    return {k: prefix + k for k in coordinates} | {last[0]: prefix + last[-1]}


def nano(name: str, what: str, jets: str, particles: str, place: str) -> Layout:
    """Return a layout of NanoAOD: the collections of the jets and of the particles, and what the index of the
    particles is called in the collection between them."""
    return Layout(
        name,
        what,
        prefixed(f"{particles}_", CYLINDRICAL, "mass"),
        prefixed(f"{jets}_", CYLINDRICAL, "mass"),
        index=Index(f"{jets}{particles}_jetIdx", f"{jets}{particles}_{place}", f"{jets}_pt"),
    )


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        known.name: known
        for known in (
            Layout(
                "toptag",
                "top tagging reference data (Kasieczka et al.), a table of pandas",
                {"E": "E_*", "px": "PX_*", "py": "PY_*", "pz": "PZ_*"},
                labels=("is_signal_new",),
            ),
            Layout(
                "jetclass",
                "JetClass (Qu et al.), and files of the same branches",
                prefixed("part_", CARTESIAN, "E", "energy"),
                prefixed("jet_", CYLINDRICAL, "E", "energy"),
                labels=(*(f"label_{k}" for k in JETCLASS), "label_*"),
            ),
            Layout(
                "hls4ml",
                "LHC jets of hls4ml with 30 to 150 particles, five classes",
                prefixed("j1_", CARTESIAN, "E", "e"),
                labels=("j_g", "j_q", "j_w", "j_z", "j_t"),
            ),
            nano("nanoaod-fatjet", "NanoAOD from v15, AK8 jets", "FatJet", "PFCand", "pfCandIdx"),
            nano("pfnano-fatjet", "PFNano, AK8 jets", "FatJet", "PFCands", "pFCandsIdx"),
            nano("pfnano-jet", "PFNano, AK4 jets", "Jet", "PFCands", "pFCandsIdx"),
        )
    }
)
"""Layouts that are known by name."""
LABELS = ("y", "label", "labels", "is_signal", "is_signal_new", "signal", "target")
"""Columns that are taken as labels in files of no known layout, if there is one of them."""
