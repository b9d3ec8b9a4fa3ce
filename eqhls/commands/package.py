"""`eqhls package`: the files that one tool or framework needs to take the IP, and how to connect it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eqhls.backends.package.package import Settings
from eqhls.commands.shell import FolderArg, Steps, show, told
from eqhls.flow import open_project
from eqhls.packaging import PACKAGES, Packaged

SHOWN = 6
"""Files of a package that are named on the screen; of more, the first ones and how many there are."""
DEFAULTS = Settings()
NAMES = ", ".join(p.name for p in PACKAGES)


def package_command(
    folder: FolderArg,
    wanted: Annotated[
        list[str] | None, typer.Option("--for", help=f"{NAMES}; may be repeated (without it, all are listed)")
    ] = None,
    links: Annotated[int, typer.Option(help="input links of 64 bits that bring an event")] = DEFAULTS.links,
    tmux: Annotated[int, typer.Option(help="clocks over which the links bring one event")] = DEFAULTS.tmux,
    token: Annotated[
        int | None, typer.Option(help="bits that travel beside each event; if not given, those of TokenBits")
    ] = None,
    version: Annotated[int, typer.Option(help="the number in the name of an emulator")] = DEFAULTS.version,
) -> None:
    """Write what a tool or a framework needs to take the IP.

    One screen says what was written and how to connect it (docs/packages.md).
    """
    project = open_project(folder)
    if not wanted:
        width = max(len(p.name) for p in PACKAGES)
        show(
            {p.name: p.summary for p in PACKAGES},
            *(f"{p.name:{width}}  {p.summary}" for p in PACKAGES),
            f"eqhls package {folder} --for NAME writes one, and says how to connect it",
        )
        return
    with Steps() as progress:
        progress("make the plan of the project again", 0.0)
        made = project.package(*wanted, links=links, tmux=tmux, token=token, version=version)
    if not project.verified:
        told("note: the project is not verified; eqhls verify does that")
    show({m.name: m.files for m in made}, *(line for m in made for line in lines(m, folder)))


def lines(done: Packaged, folder: Path) -> list[str]:
    """Return what was written and how to connect it, for one screen."""
    files = done.files[:SHOWN]
    more = len(done.files) - len(files)
    return [
        f"wrote package {done.name} into DIR = {folder}:",
        *(f"  {file}" for file in files),
        *([f"  and {more} more files, listed in eqhls.json"] if more else []),
        *done.connect.splitlines(),
    ]
