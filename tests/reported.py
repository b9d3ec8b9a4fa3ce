"""A small project with everything that a report shows, for the tests of the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from eqhls.flow import Compiled, compile_model
from eqhls.text import write_file
from eqhls.verify.curves import CURVES, curves
from eqhls.verify.evidence import LABELLED, STAGES, Evidence, Moved, Stage
from eqhls.verify.workpoints import CSV, JSON, working_points

NETWORK = """graph seen
%p = input() {type = V.xyz[j:2]:ufix<5,5>|fix<5,5>|fix<5,5>|fix<5,5>} : V.xyz[j:2]:ufix<5,5>|fix<5,5>|fix<5,5>|fix<5,5>
%g = gram(%p) {axis = j; to = q} : S[q:3]:fix<12,12>
%s = particle_sum(%g) {axis = q} : S[]:fix<14,14>
output %s
"""
HOSTILE = "<script>alert('x')</script> & \"quoted\" | cell"
EVENTS = 2000


def tiny_project(folder: Path) -> Compiled:
    """Compile a network of two four-vectors into folder/project."""
    (folder / "seen.eq").write_text(NETWORK)
    np.savez(folder / "seen.npz")
    return compile_model(folder / "seen.eq", output=folder / "project")


def proved(
    project: Compiled, *, failed: tuple[str, ...] = (), left_out: tuple[str, ...] = (), classes: int = 2
) -> Evidence:
    """Write the evidence and the figures of merit of seeded scores into a project, without any engine: some
    stages may have failed, and some be left out. Two classes have one score, more of them one each."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, classes, EVENTS)
    means = 2.0 * labels[:, None] if classes == 2 else 2.0 * np.eye(classes)[labels]
    floats = rng.normal(means, 1.0)
    raw = np.round(floats * 4).astype(np.int64)
    names = ("s",) if classes == 2 else tuple(f"s{k}" for k in range(classes))
    found = working_points(raw, tuple((n, 0.25) for n in names), labels)
    write_file(project.folder / CSV, found.csv())
    write_file(project.folder / JSON, found.json())
    write_file(project.folder / CURVES, curves(raw * 0.25, floats, labels, found))
    names = [n for n in (*STAGES, *LABELLED) if n not in left_out]
    evidence = Evidence(tuple(_stage(n, n not in failed) for n in names), labelled=True)
    write_file(project.folder / "report" / "evidence.json", json.dumps(evidence.as_json()))
    return evidence


def _stage(name: str, ok: bool) -> Stage:
    detail = f"{name}: {HOSTILE}" if name in ("given network", "inputs") else f"what {name} found"
    if name.startswith("symmetry") and name != "symmetry controls":
        groups = (
            Moved("O(3,1;Z)", 1200, 0 if ok else 7, 311),
            Moved(f"turns {HOSTILE}", 60, 0, 0, "no vectors"),
        )
        numbers = (("transformed", 1260), ("mismatches", 0 if ok else 7), ("controls_caught", True))
        return Stage(name, ok, detail, numbers, groups)
    numbers: dict[str, tuple[tuple[str, float], ...]] = {
        "inputs": (("input", 12), ("g", 3456)),
        "integer": (("events", EVENTS),),
        "symmetry controls": (("flipped metric sign", 2026), ("truncated product", 337)),
        "boosts": (
            ("rms_gamma_1.05_bits_0", 1.5),
            ("rms_gamma_2.0_bits_0", 3.0),
            ("rms_gamma_1.05_bits_4", 0.15),
            ("rms_gamma_2.0_bits_4", 0.3),
            ("rms_gamma_2.0_bits_8", 0.06),
            ("float", 1e-13),
            ("spread", 6.0),
        ),
        "auc": (("float", 0.9214), ("fixed", 0.9207)),
    }
    return Stage(name, ok, detail, numbers.get(name, ()))


def tree_of(page: str) -> ElementTree.Element:
    """Return the elements of a page, which is well-formed XML, too."""
    return ElementTree.fromstring(page)


def text_of(element: ElementTree.Element) -> str:
    """Return the text of an element as a reader sees it."""
    return " ".join("".join(element.itertext()).split())


def tables_of(section: ElementTree.Element) -> dict[str, list[list[str]]]:
    """Return the tables of a part of a page by their captions, the names of the columns first."""
    found: dict[str, list[list[str]]] = {}
    for region in section.iter("div"):
        if region.get("role") == "region":
            rows = [[text_of(cell) for cell in row] for row in region.iter("tr")]
            found[region.attrib["aria-label"]] = rows
    return found


def section_of(page: ElementTree.Element, name: str) -> ElementTree.Element:
    """Return a part of a page by its identifier."""
    (one,) = [s for s in page.iter("section") if s.get("id") == name]
    return one


def plain(value: Any) -> str:
    """Return a text with every run of spaces as one."""
    return " ".join(str(value).split())
