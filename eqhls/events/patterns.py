"""Pattern files of EMP boards (EMPv2 text): what each link carries in each clock, as Serenity and Apollo
boards load and capture it.

The grammar is that of CMSSW's reader (L1Trigger/DemonstratorTools), in our own words:

    ID: NAME
    Metadata: (strobe,) start of orbit, start of packet, end of packet, valid
    (blank)
          Link  NUMBER  NUMBER ..           three digits each
    Frame 0000    0101 0123456789abcdef  ..

Frames are clocks, numbered from 0 without a hole, four digits or more. A column holds four flags, or five
with strobe first, one blank, and 16 hexadecimal digits; two blanks or more part the columns. Empty lines and
lines that begin with # mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError

Flags = NDArray[np.bool_]
"""Shape (frames, links)."""
HEADER = "Metadata: (strobe,) start of orbit, start of packet, end of packet, valid"
FLAGS = ("orbit", "start", "last", "valid")
_WORD = re.compile(r"([01])?([01])([01])([01])([01]) ([0-9a-fA-F]{16})")
_START = b"ID:"


@dataclass(frozen=True, slots=True)
class Patterns:
    """The words of some links, clock by clock: `data` of shape (frames, links), as all flags; `links` are the
    numbers of the columns. A word counts only in a clock with `strobe`, which most links always have."""

    name: str
    links: tuple[int, ...]
    data: NDArray[np.uint64]
    valid: Flags
    start: Flags
    last: Flags
    orbit: Flags
    strobe: Flags

    @property
    def frames(self) -> int:
        return len(self.data)

    def text(self) -> str:
        """Return the file; a link whose strobe is always high has four flags."""
        five = [not all(column) for column in self.strobe.T.tolist()]
        head = "".join(
            f"{' ' * wide}            {link:03d}        " for link, wide in zip(self.links, five, strict=True)
        )
        lines = [f"ID: {self.name}", HEADER, "", f"      Link  {head}".rstrip()]
        columns = np.stack([getattr(self, k) for k in ("strobe", *FLAGS)], axis=2).astype(int).tolist()
        for number, (flags, words) in enumerate(zip(columns, self.data.tolist(), strict=True)):
            row = (
                f"  {''.join(map(str, f if wide else f[1:]))} {word:016x}"
                for f, word, wide in zip(flags, words, five, strict=True)
            )
            lines.append(f"Frame {number:04d}  {''.join(row)}")
        return "\n".join(lines) + "\n"


def is_patterns(path: Path) -> bool:
    """Return whether a file begins as a pattern file does, comments aside. A file that cannot be read
    is not one: whoever reads it next says why."""
    try:
        with path.open("rb") as file:
            lines = file.read(4096).splitlines()
    except OSError:
        return False
    return next((s.startswith(_START) for line in lines if (s := line.strip()) and s[:1] != b"#"), False)


def read_patterns(path: Path) -> Patterns:
    """Read a pattern file. Raises CompileError with the number of the line that breaks the grammar."""
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise CompileError(str(path), f"cannot be read ({error.strerror})", "check the path") from None
    except UnicodeDecodeError as error:
        raise CompileError(str(path), f"is not a text file ({error})", "give a pattern file, EMPv2") from None
    return parse(text, str(path))


def parse(text: str, where: str) -> Patterns:
    """Return the patterns of a text; `where` names it in errors."""
    lines = _lines(text)
    name = _after("ID:", next(lines, None), where)
    number, line = next(lines, (0, ""))
    if not line.startswith(HEADER):
        raise CompileError(_at(where, number), f"found {line!r}", f"expected {HEADER!r}, as EMPv2 has it")
    labels = _after("Link ", next(lines, None), where).split()
    links = tuple(int(label) for label in labels if label.isdigit())
    if not links or len(links) != len(labels) or len(set(links)) != len(links):
        raise CompileError(
            where, f"has the links {' '.join(labels)!r}", "give each column a number of its own"
        )
    rows = [_row(line, _at(where, number), k, len(links)) for k, (number, line) in enumerate(lines)]
    if not rows:
        raise CompileError(where, "has no frame", "give at least one line `Frame 0000 ..`")
    flags = np.array([[[c != "0" for c in f] for f, _ in row] for row in rows], dtype=bool)
    data = np.array([[int(word, 16) for _, word in row] for row in rows], dtype=np.uint64)
    strobe, orbit, start, last, valid = (flags[:, :, k] for k in range(5))
    return Patterns(name.strip(), links, data, valid, start, last, orbit, strobe)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Return the lines that mean something, with their numbers from 1."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()


def _at(where: str, number: int) -> str:
    return f"{where}, line {number}" if number else where


def _after(prefix: str, found: tuple[int, str] | None, where: str) -> str:
    number, line = found or (0, "the end of the file")
    if not line.startswith(prefix):
        raise CompileError(
            _at(where, number),
            f"found {line!r}, expected a line that begins with {prefix!r}",
            "write the file as EMPv2 (docs/patterns.md)",
        )
    return line.removeprefix(prefix)


def _row(line: str, where: str, number: int, links: int) -> list[tuple[str, str]]:
    """Return the flags, strobe first, and the digits of each column of a frame."""
    label, *words = re.split(r"\s\s+", line)
    if label != f"Frame {number:04d}":
        raise CompileError(
            where, f"found {label!r}, expected 'Frame {number:04d}'", "number all frames from 0"
        )
    if len(words) != links:
        raise CompileError(where, f"has {len(words)} columns for {links} links", "part columns by two blanks")
    found: list[tuple[str, str]] = []
    for word in words:
        match = _WORD.fullmatch(word)
        if match is None:
            remedy = "give 4 or 5 flags of 0 and 1, a blank, and 16 hexadecimal digits"
            raise CompileError(where, f"found {word!r}", remedy)
        strobe, *flags, digits = match.groups()
        found.append(("".join([strobe or "1", *flags]), digits))
    return found
