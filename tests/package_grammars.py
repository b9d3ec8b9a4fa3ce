"""Readers of the files by which build systems name sources, as strict as their tools: what they do not know is an
error, and so is a file that does not exist."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import yaml


class GrammarFault(Exception):
    """What a tool would say against a file."""


DEFAULT_FOLDERS = {
    "src": "firmware/hdl",
    "include": "firmware/cfg",
    "setup": "firmware/cfg",
    "iprepo": "firmware/cgn",
}
"""Where ipbb looks for the files of a command, below the component."""
VALUED = {
    "src": "-c --component -l --lib --cd -u --usein -f --usefor --simflags",
    "include": "-c --component --cd",
}
FLAGS = {"src": "--vhdl2008 --vhdl2019", "setup": "-f --finalise"}


def read_dep(area: Path, package: str, component: str, name: str = "") -> list[Path]:
    """Return the sources of a dependency file of ipbb in the order of compilation. `area` holds the packages.
    A .d3 file is read downwards, a .dep file upwards; without a name, the folder must have exactly one of
    them, named after the last part of the component."""
    cfg = area / package / component / DEFAULT_FOLDERS["include"]
    if not name:
        last = Path(component).name
        found = [f"{last}.{end}" for end in ("d3", "dep") if (cfg / f"{last}.{end}").is_file()]
        if len(found) != 1:
            raise GrammarFault(f"{cfg}: found {found}, expected one default file")
        (name,) = found
    path = cfg / name
    if not path.is_file():
        raise GrammarFault(f"{path} does not exist")
    entries: list[list[Path]] = []
    for line in path.read_text().splitlines():
        text = line.strip()
        if text and not text.startswith("#"):  # a comment has a line of its own
            entries.append(_entry(shlex.split(text), area, package, component))
    if path.suffix == ".dep":
        entries.reverse()
    return [file for entry in entries for file in entry]


def _entry(words: list[str], area: Path, package: str, component: str) -> list[Path]:
    command, *rest = words
    if command not in DEFAULT_FOLDERS:
        raise GrammarFault(f"there is no command {command}")
    files: list[str] = []
    options: dict[str, str] = {}
    while rest:
        word = rest.pop(0)
        if word in VALUED.get(command, "").split():
            options[word] = rest.pop(0)
        elif word.startswith("-"):
            if word not in FLAGS.get(command, "").split():
                raise GrammarFault(f"{command} has no option {word}")
        else:
            files.append(word)
    place = options.get("-c", options.get("--component", ""))
    if place:
        other, _, component = place.rpartition(":")
        package = other or package
    if command == "include":
        return read_dep(area, package, component, files[0] if files else "")
    base = area / package / component / DEFAULT_FOLDERS[command] / options.get("--cd", "")
    # ipbb joins the parts as text, so that .. also leaves folders that do not exist
    places = [Path(_normal(base / file)) for file in files]
    for place in places:
        if not place.is_file():
            raise GrammarFault(f"{place} does not exist")
    return places if command == "src" else []


def _normal(path: Path) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return str(Path(*parts))


HOG_PROPERTIES = "nosynth noimpl nosim 93 2008 2019 XDC"
HOG_SOURCES = ".v .sv .vhd .vhdl .xci .bd"


def read_hog(listing: Path, repository: Path) -> list[Path]:
    """Return the sources of a list of Hog: a path from the root of the repository on each line, then
    properties; # begins a comment."""
    if listing.suffix != ".src":
        raise GrammarFault(f"{listing.name} is not a list of sources")
    found: list[Path] = []
    for line in listing.read_text().splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        path, *properties = words
        unknown = [p for p in properties if p not in HOG_PROPERTIES.split() and "=" not in p]
        files = sorted(repository.glob(path)) if not path.startswith("/") else []
        if unknown or not files:
            raise GrammarFault(f"{line}: " + (f"unknown {unknown}" if unknown else "names no file"))
        if any(f.suffix not in HOG_SOURCES.split() for f in files):
            raise GrammarFault(f"{line}: is no source")
        found += files
    return found


BENDER = "package dependencies sources export_include_dirs plugins frozen workspace vendor_package"
BENDER_PACKAGE = "name authors description import"
BENDER_GROUP = "files target include_dirs defines"


def read_bender(manifest: Path) -> list[Path]:
    """Return the sources of a Bender.yml in their order."""
    content: Any = yaml.safe_load(manifest.read_text())
    _keys(content, BENDER, "package sources")
    _keys(content["package"], BENDER_PACKAGE, "name")
    found: list[Path] = []
    for group in content["sources"]:
        if isinstance(group, dict):
            _keys(group, BENDER_GROUP, "files")
        for file in group["files"] if isinstance(group, dict) else [group]:
            if not (manifest.parent / file).is_file():
                raise GrammarFault(f"{file} does not exist")
            found.append(manifest.parent / file)
    return found


def _keys(given: dict[str, Any], known: str, needed: str) -> None:
    wrong = [k for k in given if k not in known.split()] + [k for k in needed.split() if k not in given]
    if wrong:
        raise GrammarFault(f"found {sorted(given)}, wrong: {wrong}")
