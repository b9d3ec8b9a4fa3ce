"""The floors of the design: a module imports only from below or from its own folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

FLOORS = [
    "errors progress version",
    "hls4mlkeys kerasbackend lazy names parts staging yamlfile",
    "columns fixed text groups processes plots",
    "engines options",
    "ir",
    "ops",
    "events exchange",
    "quantize passes",
    "lower",
    "frontends backends",  # neither imports the other; what both need is below: exchange, events, lower
    "project complete layers packaging",
    "verify",
    "report trace",
    "flow",
    "hls4ml tune train",
    "many",
    "commands",
    "cli",
]
FLOOR = {name: level for level, names in enumerate(FLOORS) for name in names.split()}
ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "eqhls" / "data"
"""What eqhls copies into projects. Its Python is the bench, which runs in a project without eqhls: it is on no floor."""
FILES = sorted(p for p in (ROOT / "eqhls").rglob("*.py") if SHIPPED not in p.parents)
BENCH = sorted(SHIPPED.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every eqhls module a file imports, and whether it does so at the top."""
    tree = ast.parse(path.read_text())
    top = [*tree.body, *_for_checkers(path, tree)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not any(a.name.startswith("eqhls") for a in node.names), (
                f"{path}: use 'from eqhls.x import y'"
            )
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            parts = (node.module or "").split(".")
            if parts[0] == "eqhls":
                names = [parts[1]] if parts[1:] else [a.name for a in node.names]
                for name in names:
                    yield name, node in top
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lazy":
            module = node.args[0]
            assert isinstance(module, ast.Constant), f"{path}: name the lazy module as it is"
            parts = str(module.value).split(".")
            if parts[0] == "eqhls":
                yield parts[1], any(node in ast.walk(line) for line in tree.body if not _defines(line))


def _for_checkers(path: Path, tree: ast.Module) -> list[ast.stmt]:
    """What the front door shows type checkers alone, and imports when it is asked for."""
    only = [n for n in tree.body if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING"]
    return [n for block in only for n in block.body] if path == ROOT / "eqhls" / "__init__.py" else []


def _defines(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef)


def test_every_module_has_a_floor() -> None:
    found = {p.relative_to(ROOT / "eqhls").parts[0].removesuffix(".py") for p in FILES}
    assert found - {"__init__", "__main__"} == set(FLOOR)


def test_imports_go_down() -> None:
    for path in FILES:
        here = path.relative_to(ROOT / "eqhls").parts[0].removesuffix(".py")
        for there, at_top in imports(path):
            assert at_top, f"{path}: move the import of {there} to the top of the file"
            if here in ("__init__", "__main__") or there == here:
                continue
            assert FLOOR[there] < FLOOR[here], f"{path}: {here} must not import {there}"


def test_the_bench_stands_alone() -> None:
    """A project has the bench and no eqhls: its files import none of it, and are not imported by it."""
    assert [p.name for p in BENCH] == ["eq_bench.py", "run.py"]
    assert not list(SHIPPED.rglob("__init__.py"))
    for path in BENCH:
        assert list(imports(path)) == [], f"{path}: the bench of a project must not import eqhls"
    for path in FILES:
        assert not [n for n, _ in imports(path) if n == SHIPPED.name], f"{path}: read it by eqhls.text.asset"


def test_one_module_imports_by_name() -> None:
    """No import hides in a string but those that `lazy` names at the top of a file."""
    for path in FILES:
        named = [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if getattr(node, "id", getattr(node, "attr", "")) in ("import_module", "__import__")
        ]
        assert not named or path.name == "lazy.py", f"{path}: use eqhls.lazy"


def test_five_modules_touch_alkaid() -> None:
    users = [
        p.name
        for p in FILES
        if "alkaid"
        in {
            (n.module or "").split(".")[0]
            for n in ast.walk(ast.parse(p.read_text()))
            if isinstance(n, ast.ImportFrom)
        }
    ]
    assert users == ["circuits.py", "replays.py", "stages.py", "tracer.py", "wires.py"]


def test_sizes() -> None:
    """Files of at most 400 lines, functions under 40."""
    for path in (*FILES, *BENCH):
        text = path.read_text()
        assert text.count("\n") <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                assert lines < 40, f"{path}: {node.name} has {lines} lines"
