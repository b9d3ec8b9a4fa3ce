"""What an op is stands in its class: outside `eqhls/ops`, importers and rewrite patterns, nothing asks an op for
its class or its name. Rules of a dispatch (`@config.register`), one an op, are no such questions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import pytest

from eqhls import ops
from eqhls.ir.op import Op

ROOT = Path(__file__).resolve().parents[1] / "eqhls"
MAY_ASK = ("ops", "frontends", "passes")
ASKING = [p for p in sorted(ROOT.rglob("*.py")) if p.relative_to(ROOT).parts[0] not in MAY_ASK]
FIELDS = {f.name for op in ops.ALL for f in fields(op)} - {"type"}
CLASSES = {c.__name__ for op in ops.ALL for c in op.__mro__ if issubclass(c, Op)}


def imported_ops(tree: ast.AST) -> set[str]:
    """Return the names that stand for classes of ops in a file: those imported, and those made of them."""
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("eqhls.ops", "eqhls.ir.op"))
        for alias in node.names
        if alias.name in CLASSES or alias.name == "ops"
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.BinOp | ast.Tuple | ast.Name)
            and mentions(node.value, names)
        ):
            names |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    return names


def mentions(node: ast.AST, names: set[str]) -> bool:
    """Whether a class of ops is named in an expression, by itself or as an attribute of a module."""
    return any(
        (isinstance(n, ast.Name) and n.id in names) or (isinstance(n, ast.Attribute) and n.attr in CLASSES)
        for n in ast.walk(node)
    )


def _of_op(node: ast.AST) -> bool:
    """Whether an expression is the class or the name of an op: type(node.op), op.name()."""
    match node:
        case ast.Call(func=ast.Name(id="type"), args=[ast.Name(id="op") | ast.Attribute(attr="op")]):
            return True
        case ast.Call(func=ast.Attribute(attr="name")):
            return True
        case _:
            return False


def _of_any(node: ast.AST) -> bool:
    """Whether an expression is the class of anything, or the name of an op: two of them may be compared."""
    return _of_op(node) or (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "type")


def _names(nodes: Sequence[ast.expr | None]) -> bool:
    """Whether several expressions are names of ops in text and C++, and nothing else."""
    return len(nodes) > 1 and all(isinstance(n, ast.Constant) and n.value in ops.BY_NAME for n in nodes)


def questions(text: str) -> Iterator[tuple[int, str]]:
    """Yield each question for the class or the name of an op: its line, and what it is."""
    tree = ast.parse(text)
    names = imported_ops(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass" as asked), args=[_, kinds]):
                if mentions(kinds, names):
                    yield node.lineno, asked
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr" as asked), args=[_, ast.Constant(value), *_]
            ):
                if value in FIELDS:
                    yield node.lineno, f"{asked} of {value}"
            case ast.MatchClass(cls=kind) if mentions(kind, names):
                yield kind.lineno, "case"
            case ast.Compare(left=left, comparators=[*others]):
                sides = [left, *others]
                if any(map(_of_op, sides)) and not all(_of_any(s) for s in sides):
                    yield node.lineno, "type or name"
            case ast.Subscript(slice=key) | ast.Call(func=ast.Attribute(attr="get"), args=[key, *_]):
                if _of_op(key):
                    yield node.lineno, "a table of classes or names"
            case (
                ast.Tuple(elts=listed) | ast.List(elts=listed) | ast.Set(elts=listed) | ast.Dict(keys=listed)
            ):
                if _names(listed):
                    yield node.lineno, "names of ops"
            case _:
                pass


@pytest.mark.parametrize("path", ASKING, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_asks_for_the_class_of_an_op(path: Path) -> None:
    found = [f"{path}:{line}: {what}" for line, what in questions(path.read_text())]
    assert not found, f"{found}: let the op say what it is (ADR 20)"


IMPORT = (
    "from eqhls.ops.table import Table\nfrom eqhls.ops.radial import Radial as R\nfrom eqhls import ops\n"
)
WRONG = [
    "isinstance(node.op, Table)",
    "isinstance(node.op, int | R)",
    "isinstance(node.op, (Table, R))",
    "issubclass(type(op), Table)",
    "isinstance(op, ops.table.Table)",
    "Both = Table | R\nisinstance(op, Both)",
    "type(op) is Table",
    "type(node.op) in (Table, R)",
    "RULES[type(node.op)]",
    "RULES[op.name()]",
    "op.name() == 'table'",
    "op.name() in SOME",
    "match op:\n    case Table(out=None):\n        pass",
    "match op:\n    case Table() | R():\n        pass",
    "getattr(op, 'keep', None)",
    "hasattr(op, 'diagonal')",
    "FIRST = ('concat', 'add')",
    "NEEDS = {'dense': 'channel_mix', 'invariants': 'rename'}",
    "NEEDS.get(op.name(), '')",
]
RIGHT = [
    "isinstance(value, Tensor)",
    "isinstance(cell, Relu)",
    "match cell:\n    case Relu():\n        pass",
    "type(a.op) is type(b.op)",
    "type(before) is type(op)",
    "made.op.name() == node.op.name()",
    "@config.register\ndef _(op: Table, c: Context) -> None: ...",
    "config.register(Table)(rule)",
    "made = Table(out=form)",
    "getattr(op, field.name)",
    "names = {op.name(): op}",
    "('name', 'table')",
    "counts = {'input': 3}",
    "RULES[type(cell)]",
]


@pytest.mark.parametrize("text", WRONG)
def test_questions_are_found(text: str) -> None:
    assert list(questions(IMPORT + text))


@pytest.mark.parametrize("text", RIGHT)
def test_nothing_else_is_found(text: str) -> None:
    assert not list(questions(IMPORT + "from eqhls.lower.netlist import Relu\n" + text))
