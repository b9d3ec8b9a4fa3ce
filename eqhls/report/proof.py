"""The sections of a report about the proof: verdict, symmetry, boosts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from eqhls.report.drawing import Curve, Figure, across, plot, upward
from eqhls.report.sources import Facts, Sources
from eqhls.report.table import Entry, Mark, Section, Table

STAGE_WORDS = {
    "files": "The files are those that were compiled",
    "given network": "Integers against the network as it was given",
    "rewrites": "No pass changes an integer",
    "inputs": "Saturation at the ports and inside",
    "integer": "Integer engine, which the others are compared with",
    "emulator": "C++ emulator, every bit",
    "hls": "HLS C++, every bit",
    "rtl": "Verilog, every bit",
    "cocotb": "Handshake of the Verilog: back to back, gaps, reset",
    "symmetry float": "Exact symmetry of the float network",
    "symmetry integer": "Exact symmetry of the integers",
    "symmetry hls": "Exact symmetry of the HLS C++",
    "symmetry rtl": "Exact symmetry of the Verilog",
    "symmetry controls": "Faults that the symmetry tests must catch",
    "boosts": "Boosts and turns that are not exact",
    "auc": "Area under the ROC curve",
    "working points": "Working points",
}
ENGINES = {"float": "float network", "integer": "integers", "hls": "HLS C++", "rtl": "Verilog"}
LIGHTCONE = re.compile(r"rms_(?P<kind>.+)_(?P<size>[\d.e+-]+)_bits_(?P<bits>\d+)")
WORDS = re.compile(r"(?P<kind>across|along|about)_(?P<size>[\d.e+-]+)")
MOVES = {"across": "boost across the beam", "along": "boost along the beam", "about": "turn about the beam"}
KINDS = ("c1", "c2", "c3", "c4")


def verdict(found: Sources) -> Mark:
    """Return whether the project is verified, in one sentence."""
    if found.evidence is None:
        return Mark(f"Not verified yet: run eqhls verify {found.folder}.", False)
    if found.verified:
        return Mark(_verified(found.evidence), True)
    failed = ", ".join(s["name"] for s in found.evidence["stages"] if not s["ok"])
    missing = ", ".join(found.evidence["missing"])
    parts = [f"failed: {failed}" if failed else "", f"did not run: {missing}" if missing else ""]
    return Mark(f"Not verified. Stages that {'; that '.join(p for p in parts if p)}.", False)


def _verified(evidence: Facts) -> str:
    """Return that all stages passed, and which of them ran in an earlier run on the same content."""
    every, taken = len(evidence["stages"]), evidence.get("taken_over", ())
    if not taken:
        return f"Verified: all {every} stages of the proof ran and passed."
    names, times = ", ".join(t["stage"] for t in taken), sorted(t["finished"] for t in taken)
    return (
        f"Verified: all {every} stages of the proof passed; {len(taken)} of them were taken over from an "
        f"earlier run on the same content, finished from {times[0]} to {times[-1]}: {names}."
    )


def _stages(found: Sources) -> tuple[list[Facts], list[str]]:
    """Return the stages that ran, and the names of those that did not."""
    return (found.evidence["stages"], found.evidence["missing"]) if found.evidence else ([], [])


def _words(stage: str) -> str:
    """Return what a stage proves."""
    return STAGE_WORDS.get(stage, stage)


def proof_section(found: Sources) -> Section:
    """Return every stage of the proof with its verdict and what it found."""
    rows: list[tuple[Entry, ...]] = []
    stages, missing = _stages(found)
    taken = {t["stage"] for t in (found.evidence or {}).get("taken_over", ())}
    for stage in stages:
        passed = "passed, taken over" if stage["name"] in taken else "passed"
        ok = Mark(passed if stage["ok"] else "FAILED", stage["ok"])
        rows.append((_words(stage["name"]), stage["name"], ok, _found(stage)))
    for name in missing:
        rows.append((_words(name), name, Mark("DID NOT RUN", False), ""))
    columns = ("what is proved", "stage", "verdict", "what was found")
    tables = (Table("Stages of the proof", columns, tuple(rows), 4),) if rows else ()
    return Section("proof", "Proof", () if rows else (verdict(found),), (), tables)


def _found(stage: Facts) -> str:
    """Return what a stage found. Groups of transformations that passed stand in a table of their own."""
    if not stage["ok"] or not stage.get("moved"):
        return stage["detail"]
    tried, wrong = (stage["numbers"][key] for key in ("transformed", "mismatches"))
    return f"{tried:,} transformed events, {wrong:,} differ; each group stands under Symmetry"


def symmetry_section(found: Sources) -> Section:
    """Return a table of groups by engines with the transformed events that differ, and the controls."""
    stages = {e: s for e in ENGINES if (s := found.stage(f"symmetry {e}"))}
    lines: list[Entry] = [f"Exact symmetry: {found.manifest['symmetry']}."]
    if not stages:
        lines.append(f"No engine has been tested: run eqhls verify {found.folder}.")
        return Section("symmetry", "Symmetry", tuple(lines))
    groups = dict.fromkeys(m["transform"] for s in stages.values() for m in s.get("moved", ()))
    columns = ("transformations", *(ENGINES[e] for e in stages))
    moved = Table(
        "Transformed events whose result differs, of which there must be 0; below each, as a control, "
        "how many results change if the transformation is spoiled",
        columns,
        (
            *(tuple(_row(g, stages)) for g in groups),
            ("all transformations together", *(_total(s) for s in stages.values())),
        ),
    )
    return Section("symmetry", "Symmetry", tuple(lines), (), (moved, *_faults(found)))


def _row(group: str, stages: Mapping[str, Facts]) -> Iterator[Entry]:
    yield group
    for stage in stages.values():
        one = next((m for m in stage["moved"] if m["transform"] == group), None)
        yield (_differ(one), _control(one)) if one else "not tested"


def _differ(moved: Facts) -> Mark:
    wrong, tried = moved["mismatches"], moved["transformed"]
    return Mark(f"{wrong:,} of {tried:,}", wrong == 0 and tried > 0)


def _control(moved: Facts) -> Mark:
    changed = moved["control_changed"]
    if not changed and moved["reason"]:
        return Mark(f"control: none can change: {moved['reason']}", True)
    return Mark(f"control: {changed:,} changed", changed > 0)


def _total(stage: Facts) -> Mark:
    numbers = stage["numbers"]
    if "transformed" not in numbers:
        return Mark(stage["detail"], stage["ok"])
    return Mark(f"{numbers['mismatches']:,} of {numbers['transformed']:,}", stage["ok"])


def _faults(found: Sources) -> Iterator[Table]:
    stage = found.stage("symmetry controls")
    if stage and stage["numbers"]:
        rows = tuple((name, f"{count:,.0f}") for name, count in stage["numbers"].items())
        columns = ("fault put into the network", "transformed events that show it")
        yield Table("Faults that the tests must catch", columns, rows)


def boosts_section(found: Sources) -> Section:
    """Return how far boosts and turns that are not exact move the result, as a share of its spread."""
    stage = found.stage("boosts")
    title = "Boosts and turns beyond the exact group"
    if stage is None:
        return Section("boosts", title, (f"They were not measured: run eqhls verify {found.folder}.",))
    moved = moves(stage["numbers"])
    if not moved:
        return Section("boosts", title, (stage["detail"],))
    sizes = sorted({size for row in moved.values() for size in row})
    rows = tuple((name, *(f"{row[s]:.2%}" if s in row else "" for s in sizes)) for name, row in moved.items())
    columns = ("transformation, or port formats", *(f"{_size(stage)} {s:g}" for s in sizes))
    drawn = [_boosts(found, stage, moved), *_by_bits(found, stage)]
    caption = "Root mean square change of the result, as a share of its spread"
    return Section("boosts", title, (stage["detail"],), tuple(drawn), (Table(caption, columns, rows),))


def moves(numbers: Mapping[str, float]) -> dict[str, dict[float, float]]:
    """Return for each curve of the stage its change over the spread by size of the transformation."""
    out: dict[str, dict[float, float]] = {}
    spread = numbers.get("spread", 0.0)
    for key, value in numbers.items():
        if (m := LIGHTCONE.fullmatch(key)) and spread:
            bits = int(m["bits"])
            name = f"ports with {bits} more bits" if bits else "ports as they are"
            out.setdefault(name, {})[float(m["size"])] = value / spread
        elif m := WORDS.fullmatch(key):
            out.setdefault(MOVES[m["kind"]], {})[float(m["size"])] = value
    return out


def by_bits(numbers: Mapping[str, float]) -> dict[float, dict[int, float]]:
    """Return for each size of the transformation the change over the spread by the bits that the ports have
    more."""
    out: dict[float, dict[int, float]] = {}
    spread = numbers.get("spread", 0.0)
    for key, value in numbers.items():
        if (m := LIGHTCONE.fullmatch(key)) and spread and value > 0:
            out.setdefault(float(m["size"]), {})[int(m["bits"])] = value / spread
    return {size: dict(sorted(row.items())) for size, row in sorted(out.items()) if len(row) > 1}


def _by_bits(found: Sources, stage: Facts) -> Iterator[Figure]:
    """Yield how the change falls with more bits on the ports, if it was measured with some."""
    rows = by_bits(stage["numbers"])
    if not rows:
        return
    values = [100 * v for row in rows.values() for v in row.values()]
    x = across("more fractional bits than the ports have", 0.0, max(max(row) for row in rows.values()))
    y = upward("change of the result, % of its spread", min(values) / 1.3, max(values) * 1.3, log=True)
    curves = [
        Curve(f"{_size(stage)} {size:g}", kind, [(bits, 100 * v) for bits, v in row.items()])
        for (size, row), kind in zip(rows.items(), KINDS, strict=False)
    ]
    size, row = max(rows.items(), key=lambda item: max(item[1]))
    (first, before), (last, after) = min(row.items()), max(row.items())
    said = f"{100 * before:.2g} % of the spread to {100 * after:.2g} %"
    title = f"{found.manifest['name']}: {last - first} more bits bring {_size(stage)} {size:g} from {said}"
    yield plot(title, "Change of the result against the fractional bits of the inputs.", x, y, curves)


def _size(stage: Facts) -> str:
    """Return the symbol of the size: that of the group, or the rapidity or angle for trigger words."""
    kinds = [m["kind"] for key in stage["numbers"] if (m := LIGHTCONE.fullmatch(key))]
    return kinds[0] if kinds else "rapidity or angle"


def _boosts(found: Sources, stage: Facts, moved: Mapping[str, Mapping[float, float]]) -> Figure:
    values = [100 * v for row in moved.values() for v in row.values()]
    sizes = [s for row in moved.values() for s in row]
    y = upward("change of the result, % of its spread", 0.0, max(*values, 1e-3) * 1.05)
    x = across(_size(stage), min(sizes), max(sizes), log=min(sizes) > 0 and max(sizes) > 10 * min(sizes))
    lines = {name: sorted(row.items()) for name, row in moved.items() if len(row) > 1 or len(sizes) == 1}
    curves = [
        Curve(name, kind, [(s, 100 * v) for s, v in row])
        for (name, row), kind in zip(lines.items(), KINDS, strict=False)
    ]
    title = f"{found.manifest['name']}: at most {max(values):.2g} % of the spread of the result"
    return plot(title, "Change of the result against the size of boosts and turns.", x, y, curves)
