"""`eqhls events`: jets as physicists keep them, as the arrays that every other command reads."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from eqhls.commands.shell import Steps, show, told
from eqhls.errors import CompileError
from eqhls.events.hep.choose import UNITS, Choice, chosen, known_column
from eqhls.events.hep.layouts import LAYOUTS
from eqhls.events.hep.stream import Wanted, batches, open_source, split_tree
from eqhls.events.hep.tell import Told, cutting, reading
from eqhls.events.hep.write import write_jets

NAMES = ", ".join(LAYOUTS)


def events_command(
    source: Annotated[
        Path, typer.Argument(help="a file of ROOT (or FILE:TREE), Parquet or HDF5", metavar="IN")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="the .npz file to write: p4, jet, n, entry, y")
    ],
    layout: Annotated[
        str, typer.Option(help=f"one of {NAMES}; by default recognised by the names of the columns")
    ] = "",
    tree: Annotated[str, typer.Option(help="the tree of a ROOT file, or the table of pandas")] = "",
    branches: Annotated[
        str, typer.Option(help="columns of the particles: pt=..,eta=..,phi=..,mass=.. or 'PREFIX*'")
    ] = "",
    jets: Annotated[
        str, typer.Option(help="the jet: FatJet, pt=..,eta=..,phi=..,mass=.., or none: sum of its particles")
    ] = "",
    label: Annotated[
        str, typer.Option(help="a column of labels, several with one 1, or none", metavar="NAME,..")
    ] = "",
    also: Annotated[str, typer.Option(help="more columns, as NAME or PORT=NAME", metavar="NAME,..")] = "",
    constituents: Annotated[int | None, typer.Option(min=1, help="how many to keep (default: all)")] = None,
    events: Annotated[str, typer.Option(help="entries of the file to read: A:B", metavar="A:B")] = "",
    unit: Annotated[str, typer.Option(help=f"unit of the momenta: {', '.join(UNITS)}")] = "GeV",
) -> None:
    """Convert a file of ROOT, Parquet or HDF5 to events.

    Constituents become four-vectors by falling pT; the jet and the labels are kept beside them (docs/event-
    files.md).
    """
    path, inside = split_tree(source)
    choice = Choice(layout, tree or inside, branches, jets, label, unit)
    with closing(open_source(path, choice.tree)) as opened:
        found = chosen(opened, choice)
        wanted = Wanted(constituents, *entries(events), also_columns(also, opened.columns))
        with Steps() as progress:
            progress(reading(found), 0.0)
            counted = write_jets(batches(opened, found, wanted, progress), output)
    for line in (*cutting(counted, constituents), *counted.lines):
        told(f"note: {line}")
    facts = {"wrote": output, "jets": counted.jets, "labels": {f"{v:g}": n for v, n in counted.labels}}
    show(facts, f"wrote {output}: {_counts(counted)}")


def entries(said: str) -> tuple[int, int | None]:
    """Return the first entry and the one behind the last, from A:B, A: or :B, else raise CompileError."""
    first, colon, behind = said.partition(":")
    if not said:
        return 0, None
    if not colon or not all(part == "" or part.isdigit() for part in (first, behind)):
        raise CompileError("--events", f"found {said!r}, expected A:B", "give e.g. 0:10000, entries from 0")
    return int(first or 0), int(behind) if behind else None


def also_columns(said: str, columns: Mapping[str, str]) -> dict[str, str]:
    """Return columns by the name under which they are written, from NAME or PORT=NAME."""
    parts = [part.rpartition("=") for part in said.split(",") if part]
    return {(port or name): known_column("--also", name, columns) for port, _, name in parts}


def _counts(jets: Told) -> str:
    classes = ", ".join(f"{number:,} of class {value:g}" for value, number in jets.labels[:12])
    return f"{jets.jets:,} jets" + (f", {classes}" if classes else "")
