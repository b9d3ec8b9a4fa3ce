"""A linter for the scripts that the HLS tools read: Tcl commands with their options, and hls_config.cfg."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from eqhls.backends.hls.tools import COMMANDS, GLOBAL_KEYS, HLS_KEYS, REPEATED, VALUES, Command, Tool

PLAIN_TCL = frozenset(
    {
        *("array", "catch", "error", "exit", "expr", "file", "foreach", "if", "info", "proc", "puts", "pwd"),
        *("return", "set", "source", "string"),
    }
)
"""Commands of Tcl itself that scripts use."""

_BODIES = {"if": (2, 4, 6), "catch": (1,), "foreach": (3,), "proc": (3,)}
"""Words of commands that are scripts themselves, counted from the name; `if` may have else parts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect: where and what."""

    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}"


def lint_tcl(file: str, text: str, tool: Tool) -> list[Finding]:
    """Check every command of a script: that Tcl or the tool has it, with these options and values."""
    return [Finding(file, line, p) for line, words in commands(text) for p in _problems(words, tool)]


def commands(text: str, line: int = 1) -> Iterator[tuple[int, list[str]]]:
    """Yield the commands of a Tcl script as words with their lines, those inside bodies and brackets too.

    Braces and quotes around a word are taken off; what the word holds is not substituted.
    """
    place = 0
    while place < len(text):
        if text[place] in " \t\r\n;":
            place += 1
        elif text[place] == "#":
            place = (text + "\n").index("\n", place)
        else:
            words, end = _words(text, place)
            yield line + text.count("\n", 0, place), [_bare(text[w]) for w in words]
            bodies = _BODIES.get(text[words[0]], ())
            for k, word in enumerate(words):
                inside = [text[word][1:-1]] if k in bodies else re.findall(r"\[([^\[\]]+)\]", text[word])
                for script in inside:
                    yield from commands(script, line + text.count("\n", 0, word.start))
            place = end


def _words(text: str, place: int) -> tuple[list[slice], int]:
    """Return the places of the words of the command that begins at a place, and the place behind it."""
    words: list[slice] = []
    while place < len(text) and text[place] not in "\n;":
        if text[place] in " \t\r":
            place += 1
            continue
        end = _word_end(text, place)
        words.append(slice(place, end))
        place = end
    return words, place


def _bare(word: str) -> str:
    """Return a word without the braces or quotes around it."""
    return word[1:-1] if word[0] + word[-1] in ("{}", '""') and len(word) > 1 else word


def _word_end(text: str, place: int) -> int:
    """Return the place behind a word: of a braced or quoted one behind its end, of another at the next blank
    outside of brackets and braces."""
    if text[place] == '"':
        return text.index('"', place + 1) + 1
    depth = 0
    for k in range(place, len(text)):
        depth += (text[k] in "{[") - (text[k] in "}]")
        if depth == 0 and text[k] in "}" and text[place] == "{":
            return k + 1
        if depth == 0 and text[k] in " \t\r\n;":
            return k
    return len(text)


def _problems(words: list[str], tool: Tool) -> Iterator[str]:
    name, given = words[0], words[1:]
    if name in PLAIN_TCL:
        return
    command = COMMANDS[tool].get(name)
    if command is None:
        yield f"{name!r} is no command of Tcl or of {tool} HLS"
        return
    count, k, unknown = 0, 0, False
    while k < len(given):
        option, equals, value = given[k].partition("=")
        if not option.startswith("-"):
            count += 1
        else:
            takes_next = option[1:] in command.valued and not equals
            value = given[k + 1] if takes_next and k + 1 < len(given) else value
            yield from _option(name, option[1:], value, bool(equals), command, tool)
            unknown = unknown or option[1:] not in command.valued | command.flags
            k += takes_next
        k += 1
    least, most = command.words
    if not unknown and not least <= count <= most:  # the next word may be the value of what is not known
        yield f"{name} has {count} words beside its options, expected {least} to {most}"


def _option(name: str, option: str, value: str, equals: bool, command: Command, tool: Tool) -> Iterator[str]:
    if option in command.flags:
        if equals and value not in ("true", "false", "0", "1"):
            yield f"{name} -{option} is {value!r}, expected true or false"
    elif option not in command.valued:
        yield f"{name} has no option -{option} in {tool} HLS"
    elif not value:
        yield f"{name} -{option} has no value"
    elif "$" not in value and "[" not in value:
        form = VALUES.get(f"{name} -{option}", ".*")
        if not re.fullmatch(form, value):
            yield f"{name} -{option} is {value!r}, expected {form}"


def lint_config(file: str, text: str, files: Collection[str]) -> list[Finding]:
    """Check hls_config.cfg: that every key is known, in its section, has a value that the tool takes and
    stands once, and that the files that it names are among `files` (of a folder, that it holds something)."""
    findings: list[Finding] = []
    section, seen = "", set[str]()
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if re.fullmatch(r"\[\w+\]", line):
            section = line[1:-1]
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            problems = (
                _entry(section, key, value, files) if equals else [f"found {line!r}, expected key=value"]
            )
            if key in seen and key not in REPEATED:
                problems = [*problems, f"{key} stands twice"]
            seen.add(key)
            findings += [Finding(file, number, p) for p in problems]
    return findings


def _entry(section: str, key: str, value: str, files: Collection[str]) -> Iterator[str]:
    known = {"": GLOBAL_KEYS, "hls": HLS_KEYS}.get(section)
    if known is None:
        yield f"unknown section [{section}]"
        return
    form = known.get(key)
    if form is None:
        where = f"section [{section}]" if section else "the part before [hls]"
        yield f"unknown key {key!r} in {where}"
    elif not re.fullmatch(form, value):
        yield f"{key} is {value!r}, expected {form}"
    elif key in ("syn.file", "tb.file", "syn.file_cflags", "tb.file_cflags"):
        path = value.split(",")[0]
        if not any(f == path or f.startswith(f"{path}/") for f in files):
            yield f"{key} names {path!r}, which is not in the project"
