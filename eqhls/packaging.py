"""Who packages a project: the one list of packages, and what happens before one is written."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from eqhls.backends.package.axi import PACKAGE as AXI
from eqhls.backends.package.bender import PACKAGE as BENDER
from eqhls.backends.package.cmssw import PACKAGE as CMSSW
from eqhls.backends.package.emp import PACKAGE as EMP
from eqhls.backends.package.fusesoc import PACKAGE as FUSESOC
from eqhls.backends.package.hog import PACKAGE as HOG
from eqhls.backends.package.ipbb import PACKAGE as IPBB
from eqhls.backends.package.ipxact import PACKAGE as IPXACT
from eqhls.backends.package.links import PACKAGE as LINKS
from eqhls.backends.package.package import Package, Settings
from eqhls.backends.package.quartus import PACKAGE as QUARTUS
from eqhls.backends.package.sources import PACKAGE as SOURCES
from eqhls.backends.package.token import PACKAGE as TOKEN
from eqhls.backends.package.vivado import PACKAGE as VIVADO
from eqhls.backends.rtl.emit import emit as emit_rtl
from eqhls.errors import CompileError
from eqhls.lower.plan import Plan
from eqhls.text import add_parts, sums

PACKAGES = (EMP, AXI, TOKEN, LINKS, FUSESOC, IPBB, HOG, IPXACT, VIVADO, QUARTUS, BENDER, CMSSW, SOURCES)


@dataclass(frozen=True, slots=True)
class Packaged:
    """A package in a project folder: its files, as paths below the folder, and how to connect it."""

    name: str
    files: tuple[str, ...]
    connect: str


def package_named(name: str, packages: Sequence[Package] = PACKAGES) -> Package:
    """Return a package of the list. Raises CompileError for a name that it does not have."""
    for package in packages:
        if package.name == name:
            return package
    names = [p.name for p in packages]
    close = difflib.get_close_matches(name, names, 1, 0.5)
    remedy = f"did you mean {close[0]}?" if close else "choose one of them"
    raise CompileError("--for", f"found {name!r}, expected one of {', '.join(names)}", remedy)


def package_project(
    plan: Plan, folder: Path, listed: Mapping[str, str], packages: Sequence[Package], settings: Settings
) -> tuple[Packaged, ...]:
    """Write packages of a plan into its project folder, all of them or none.

    `listed` are the SHA-256 of the manifest. Raises CompileError if the RTL in the folder is not what the
    plan gives, as the proof is about what lies there, or if a package cannot be made.
    """
    check_rtl(plan, folder, listed)
    parts = {p.name: p.write(plan, settings) for p in packages}
    add_parts(parts, asdict(settings), folder)
    return tuple(
        Packaged(p.name, tuple(sorted(parts[p.name])), p.connect(plan, settings).rstrip("\n"))
        for p in packages
    )


def check_rtl(plan: Plan, folder: Path, listed: Mapping[str, str]) -> None:
    """Raise CompileError unless every file of the RTL of `plan` lies in `folder`, byte for byte."""
    for path, digest in sums(emit_rtl(plan)).items():
        place = folder / path
        if not place.is_file():
            raise CompileError(str(place), "is missing", "compile the network again, and verify it")
        found = hashlib.sha256(place.read_bytes()).hexdigest()
        if found != digest:
            whose = (
                "is what another version of eqhls made of the network"
                if found == listed.get(path)
                else "is not what the network gives: it was changed after it was compiled"
            )
            raise CompileError(str(place), whose, "compile the network again, and verify it")
