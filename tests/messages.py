"""Every sentence that eqhls may say to its user, taken from the source and from the command line's help.

    python tests/messages.py

writes tests/golden/messages.txt and tests/golden/help.txt, so that sentences are reviewed side by side and a
change of one shows in the diff. `tests/unit/test_messages.py` checks both files against the source.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from eqhls.cli import app

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "golden"
MESSAGES, HELP = GOLDEN / "messages.txt", GOLDEN / "help.txt"
ERRORS = ("CompileError", "VerificationError", "Refused")
METHODS = ("error",)
"""Methods that make an error, with the place said by the object: `op.error(problem, remedy)`."""
WIDTH = 100
"""Columns of the help texts, whatever the terminal is."""


@dataclass(frozen=True)
class Message:
    """An error as the source writes it, expressions in braces: where, what is wrong, what to do."""

    file: str
    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" + (f"; {self.remedy}" if self.remedy else "")


def messages() -> tuple[Message, ...]:
    """Return the errors of the whole package, by file and in their order in it."""
    files = sorted((ROOT / "eqhls").rglob("*.py"))
    return tuple(m for path in files for m in _of_file(path))


def _of_file(path: Path) -> Iterator[Message]:
    name = path.relative_to(ROOT).as_posix()
    for node in _in_order(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        given = [_text(a) for a in node.args] + [_text(k.value) for k in node.keywords if k.arg]
        if isinstance(called, ast.Name) and called.id in ERRORS and len(given) >= 2:
            yield Message(name, given[0], given[1], given[2] if given[2:] else "")
        if isinstance(called, ast.Attribute) and called.attr in METHODS and given:
            yield Message(
                name, "{" + ast.unparse(called.value) + "}", given[0], given[1] if given[1:] else ""
            )


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        yield child
        yield from _in_order(child)


def _text(node: ast.expr) -> str:
    """Return what an argument says: texts as they are, expressions in braces, alternatives with a bar."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(v) for v in values)
        case ast.FormattedValue(value=value):
            return "{" + ast.unparse(value) + "}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
        case ast.IfExp(body=body, orelse=other):
            return f"[{_text(body)} | {_text(other)}]"
        case _:
            return "{" + ast.unparse(node) + "}"


def messages_text() -> str:
    """Return all errors as a text, each file once above its own."""
    lines, last = list[str](), ""
    for message in messages():
        if message.file != last:
            lines += ["", f"# {message.file}"]
            last = message.file
        lines.append(" ".join(str(message).split()))
    return "\n".join(lines[1:]) + "\n"


def help_text() -> str:
    """Return the help of every command, at a width of its own and without colours. A new process says it,
    since the width is read from the environment as soon as typer is imported."""
    script = "import messages; print(messages.spoken(), end='')"
    environment = os.environ | {"TERMINAL_WIDTH": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"}
    paths = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command, env=environment | {"PYTHONPATH": paths}, check=True, capture_output=True, text=True
    ).stdout


def spoken() -> str:
    """Return the help of every command in this process."""
    runner, names = CliRunner(), sorted(vars(get_command(app))["commands"])
    return "\n".join(_help(runner, words) for words in ([], *([n] for n in names)))


def _help(runner: CliRunner, words: list[str]) -> str:
    done = runner.invoke(app, [*words, "--help"], prog_name="eqhls")
    assert done.exit_code == 0, done.output
    lines = [line.rstrip() for line in done.output.splitlines()]
    return f"$ {' '.join(['eqhls', *words, '--help'])}\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    MESSAGES.write_text(messages_text())
    HELP.write_text(help_text())
    print(f"wrote {MESSAGES} and {HELP}")
