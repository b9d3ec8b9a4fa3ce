"""A small project with every package, for tests of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

import eqhls
from eqhls.flow import Compiled, open_project
from eqhls.packaging import PACKAGES

NETWORK = """graph pair
%p = input() {type = V.xyz[j:2]:ufix<5,5>|fix<5,5>|fix<5,5>|fix<5,5>} : V.xyz[j:2]:ufix<5,5>|fix<5,5>|fix<5,5>|fix<5,5>
%g = gram(%p) {axis = j; to = q} : S[q:3]:fix<12,12>
%s = particle_sum(%g) {axis = q} : S[]:fix<14,14>
output %s
"""
NAMES = [p.name for p in PACKAGES]
TOKEN = 8
"""Bits of the token beside each event, without which there is no package `token`."""
SOURCES = ["rtl/pair_valid_pipe.sv", "rtl/pair_core.v", "rtl/pair.v"]


def packed_project(folder: Path) -> Compiled:
    """Return the project `pair` below a new folder, with all packages."""
    write_network(folder)
    project = eqhls.compile(folder / "pair.eq", output=folder / "pair")
    project.package(*NAMES, token=TOKEN)
    return project


def write_network(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "pair.eq").write_text(NETWORK)
    np.savez(folder / "pair.npz")


def copied(project: Compiled, folder: Path) -> Compiled:
    """Return a copy of the project, to be changed."""
    shutil.copytree(project.folder, folder / "pair")
    return open_project(folder / "pair")


def spoil(path: Path, old: str, new: str) -> None:
    """Put a mistake into a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
