"""Which columns of a file are what: known layouts, what the names say, and what a user says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase

from eqhls.errors import CompileError
from eqhls.events.hep.columns import few, series
from eqhls.events.hep.kinematics import coordinates
from eqhls.events.hep.layouts import LABELS, LAYOUTS, Layout
from eqhls.events.hep.sources import Source

SPELLED = {
    "px": "px",
    "py": "py",
    "pz": "pz",
    "pt": "pt",
    "eta": "eta",
    "phi": "phi",
    "mass": "mass",
    "m": "mass",
    "e": "E",
    "energy": "E",
}
"""Coordinates by what ends the names of columns, in small letters."""
JETS = ("jet", "fatjet", "fj", "j")
"""What the columns of the jet are called before pt, eta, .. in files of no known layout."""
UNITS = {"GeV": 1.0, "MeV": 1e-3, "TeV": 1e3}
NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user says of a file, each empty if nothing: the name of a layout, of a tree, the columns of the
    particles and of the jet (`pt=..,eta=..,phi=..,mass=..`, or `PREFIX*`), labels, and the unit."""

    layout: str = ""
    tree: str = ""
    branches: str = ""
    jets: str = ""
    label: str = ""
    unit: str = "GeV"


def chosen(source: Source, choice: Choice) -> Layout:
    """Return the layout of a file, all names being those of its columns. Raises CompileError if it is not
    clear, or if a name is not there, with what is near."""
    if choice.unit not in UNITS:
        raise CompileError(
            "--unit", f"found {choice.unit!r}, expected one of {', '.join(UNITS)}", "choose one of these"
        )
    if choice.branches:
        base = Layout(
            "branches", "columns named by --branches", _named("--branches", choice.branches, source)
        )
        found = _with_jet(base, source, choice.jets)
    elif choice.layout:
        found = _called(choice, source)
    else:
        found = _detected(source, choice)
    return replace(_with_labels(found, source, choice.label), gev=UNITS[choice.unit])


def known(columns: Mapping[str, str], jets: str = "") -> list[Layout]:
    """Return the known layouts that the names of columns fit, as far as these are there."""
    fitting = [k for k in LAYOUTS.values() if not _missing(k, columns)]
    if jets and jets != NOTHING:
        fitting = [k for k in fitting if not k.index or k.index.jets.startswith(f"{jets}_")]
    return [_reduced(k, columns) for k in fitting]


def groups(columns: Mapping[str, str], lists: bool) -> dict[str, dict[str, str]]:
    """Return the columns that make four-vectors, by their prefix: coordinates of lists, or of numbers."""
    found: dict[str, dict[str, str]] = {}
    for name, kind in columns.items():
        stem = max((s for s in SPELLED if _ends(name, s)), key=len, default="")
        if stem and is_list(kind) == lists and not is_deep(kind):
            found.setdefault(name[: len(name) - len(stem)], {})[SPELLED[stem]] = name
    made = {prefix: coordinates(parts) for prefix, parts in found.items()}
    return {prefix: {k: found[prefix][k] for k in parts} for prefix, parts in made.items() if parts}


def is_list(kind: str) -> bool:
    """Whether a type, as the libraries of ROOT, Parquet and HDF5 write it, is one of lists or rows."""
    return any(mark in kind for mark in ("[", "vector<", "RVec<", "list<"))


def is_deep(kind: str) -> bool:
    return sum(kind.count(mark) for mark in ("[", "vector<", "RVec<", "list<")) > 1


def _ends(name: str, stem: str) -> bool:
    return name.lower() == stem or (name.lower().endswith(stem) and name[-len(stem) - 1] in "_.")


def _missing(layout: Layout, columns: Mapping[str, str]) -> list[str]:
    """Return what a layout must have and a file has not."""
    index = layout.index
    needed = [*layout.particles.values(), *((index.jet, index.particle, index.jets) if index else ())]
    present = {*columns, *series(columns)}
    return [n for n in needed if n not in present]


def _reduced(layout: Layout, columns: Mapping[str, str]) -> Layout:
    """Return a layout without the jet and the labels if the file does not have them."""
    jet = layout.jet if all(n in columns for n in layout.jet.values()) else {}
    labels = dict.fromkeys(n for mark in layout.labels for n in columns if fnmatchcase(n, mark))
    return replace(layout, jet=jet, labels=tuple(labels))


def _called(choice: Choice, source: Source) -> Layout:
    if choice.layout not in LAYOUTS:
        raise _unknown("--layout", choice.layout, LAYOUTS)
    layout = LAYOUTS[choice.layout]
    missing = _missing(layout, source.columns)
    if missing:
        raise CompileError(
            f"--layout {choice.layout}",
            f"needs the columns {few(missing)}, which are not in the file",
            f"it has {few(list(source.columns))}",
        )
    return _with_jet(_reduced(layout, source.columns), source, choice.jets)


def _detected(source: Source, choice: Choice) -> Layout:
    """Return the one layout that the names of the columns say."""
    fitting = known(source.columns, choice.jets)
    if len(fitting) == 1:
        return _with_jet(
            fitting[0], source, "" if fitting[0].index and choice.jets != NOTHING else choice.jets
        )
    if fitting:
        names = ", ".join(k.name for k in fitting)
        raise CompileError(source.kind, f"fits the layouts {names}", f"name one: --layout {fitting[0].name}")
    found = groups(source.columns, lists=True)
    if len(found) != 1:
        what = f"has several collections of particles: {few([f'{p}*' for p in found])}"
        nothing = f"has no columns of particles that are known: {few(list(source.columns))}"
        usual = next(iter(found), "part_")
        raise CompileError(
            source.kind,
            what if found else nothing,
            f"name them: --branches '{usual}*', or pt=..,eta=..,phi=..,mass=.. (mass=0 if massless)",
        )
    ((prefix, parts),) = found.items()
    base = Layout("columns", f"lists {prefix}* of the file", parts)
    return _with_jet(base, source, choice.jets)


def _with_jet(layout: Layout, source: Source, jets: str) -> Layout:
    """Return a layout with the jet of the file: the one that is named, else the one of the layout, else the
    only one that is called so."""
    if jets == NOTHING:
        return replace(layout, jet={})
    if jets:
        said = jets if any(mark in jets for mark in "=*") else f"{jets}_*"
        return replace(layout, jet=_named("--jets", said, source, lists=layout.index is not None))
    if layout.jet or layout.name in LAYOUTS:
        return layout
    found = groups(source.columns, lists=False)
    called = [p for p in found if p.lower().strip("_.") in JETS]
    return replace(layout, jet=found[called[0]]) if len(called) == 1 else layout


def _with_labels(layout: Layout, source: Source, label: str) -> Layout:
    if label == NOTHING:
        return replace(layout, labels=())
    if label:
        names = [n for part in label.split(",") for n in _matching("--label", part, source.columns)]
        return replace(layout, labels=tuple(names))
    if layout.labels or layout.name in LAYOUTS:
        return layout
    found = [n for n in LABELS if n in source.columns and not is_list(source.columns[n])]
    return replace(layout, labels=tuple(found[:1]) if len(found) == 1 else ())


def _named(option: str, said: str, source: Source, lists: bool = True) -> dict[str, str]:
    """Return columns by coordinate, as `pt=a,eta=b,phi=c,mass=d` or `PREFIX*` say them."""
    if "=" not in said:
        found = groups(source.columns, lists)
        prefix = said.removesuffix("*")
        if prefix not in found:
            raise _unknown(option, said, [f"{p}*" for p in found], "as prefix of pt, eta, phi and mass, ")
        return found[prefix]
    pairs = {part.partition("=")[0]: part.partition("=")[2] for part in said.split(",")}
    known_as = {k: SPELLED.get(k.lower(), "") for k in pairs}
    wrong = [k for k, v in known_as.items() if not v]
    if wrong:
        raise _unknown(option, wrong[0], ["px", "py", "pz", "pt", "eta", "phi", "mass", "E"])
    parts = {known_as[k]: _column(option, v, source.columns) for k, v in pairs.items()}
    if set(coordinates(parts)) != set(parts):
        raise CompileError(
            option,
            f"gives {', '.join(parts)}",
            "give pt, eta, phi and mass or E, or px, py, pz and E or mass",
        )
    return parts


def known_column(option: str, name: str, columns: Mapping[str, str]) -> str:
    """Return the name of a column. Raises CompileError, with similar names, if the file has none such."""
    if name not in columns:
        raise _unknown(option, name, columns)
    return name


def _column(option: str, name: str, columns: Mapping[str, str]) -> str:
    """Return the name of a column or of a series of them, or a number. Raises CompileError for any other."""
    if name in columns or name in series(columns):
        return name
    try:
        return str(float(name))
    except ValueError:
        raise _unknown(option, name, columns) from None


def _matching(option: str, mark: str, columns: Mapping[str, str]) -> list[str]:
    found = [n for n in columns if fnmatchcase(n, mark)]
    if not found:
        raise _unknown(option, mark, columns)
    return found


def _unknown(option: str, name: str, names: Collection[str], what: str = "") -> CompileError:
    """Return the error of a name that is not there, with those that are near."""
    small = {n.lower(): n for n in names}
    near = [small[n] for n in get_close_matches(name.lower(), small, 3, 0.5)]
    listed = few(list(names)) or "none"
    return CompileError(
        option,
        f"found {name!r}, expected {what}one of {listed}",
        f"did you mean {', '.join(near)}?" if near else "",
    )
