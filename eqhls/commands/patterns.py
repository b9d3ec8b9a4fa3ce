"""`eqhls patterns`: the events of a project as pattern files of EMP boards, and what a board made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eqhls.commands.shell import FolderArg, show
from eqhls.errors import CompileError, VerificationError
from eqhls.flow import Compiled, open_project
from eqhls.names import counted
from eqhls.text import write_file
from eqhls.verify.patterns import Placing, difference, pattern_files


def patterns(
    folder: FolderArg,
    events: Annotated[
        Path | None, typer.Argument(help="EVENTS, or a pattern file (default: the shipped vectors)")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="FILE.txt for the input; FILE.expected.txt gets the results"),
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="a captured output file, to be checked against the integers")
    ] = None,
    links: Annotated[int, typer.Option(help="input links of 64 bits")] = 4,
    tmux: Annotated[int, typer.Option(help="clocks of a packet; 0: as few as hold an event")] = 0,
    gap: Annotated[int, typer.Option(help="clocks between packets in which no word is valid")] = 0,
    frames: Annotated[int, typer.Option(help="at most this many frames, e.g. 1024; 0: all events")] = 0,
    first_input: Annotated[int, typer.Option(help="number of the first input link")] = 0,
    first_output: Annotated[int, typer.Option(help="number of the first output link")] = 0,
) -> None:
    """Write EMPv2 pattern files, or check one that a board wrote.

    The input of events and the results that belong to it are written for a board; a file that a board or a
    simulation captured is checked against the integers (docs/patterns.md). The exit status is 1 if any
    differ.
    """
    if (output is None) == (check is None):
        both = "-o and --check were both given" if check else "neither -o nor --check was given"
        raise CompileError("patterns", both, "give -o FILE to write files, or --check FILE to compare one")
    placing = Placing(links, tmux, gap, frames, first_input, first_output)
    project = open_project(folder)
    if check is None:
        _write(project, events, output or Path(), placing)
        return
    graph, compare_with = project.graph, project.events(events)
    compared, line = difference(graph, compare_with, check, first_output)
    if line and events is None and 0 < compared < len(compare_with):
        raise VerificationError(
            str(check),
            f"{line}; EVENTS was not given, so the {len(compare_with):,} vectors of the project are expected",
            f"give the file that was played: eqhls patterns {folder} PLAYED.txt --check {check}",
        )
    if line:
        raise VerificationError(str(check), line, "the output is not that of the integers")
    show({"results": compared, "equal": True}, f"{compared:,} results equal the integers, every bit")


def _write(project: Compiled, events: Path | None, output: Path, placing: Placing) -> None:
    found = pattern_files(project.graph, project.events(events), project.manifest["latency_cycles"], placing)
    expected = output.with_name(f"{output.stem}.expected{output.suffix}")
    lines = list[str]()
    for path, made in ((output, found.inputs), (expected, found.expected)):
        write_file(path, made.text())
        shown = " ".join(f"{link:03d}" for link in made.links)
        lines.append(f"wrote {path}: {made.frames:,} frames, links {shown}")
    show(
        {"wrote": [output, expected], "events": found.events, "first_result": found.first_result},
        *lines,
        f"{found.events:,} of {found.given:,} events, {counted(found.clocks, 'clock')} each; the first "
        f"result is in frame {found.first_result}, as ip/emp and ip/links give it",
    )
