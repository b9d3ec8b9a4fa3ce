"""How the tests lie in the tree."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent
MOST_LINES = 400


def test_names_of_test_files_differ() -> None:
    """pytest imports the files of folders without `__init__.py` by their names: of two of one name it runs one, and
    only a run of all of them says so."""
    files = Counter(p.name for p in TESTS.rglob("test_*.py"))
    assert not [name for name, count in files.items() if count > 1]


def test_sizes_of_tests() -> None:
    """At most 400 lines per file, as in the package (tests/test_floors.py)."""
    lines = {str(p.relative_to(TESTS)): p.read_text().count("\n") for p in TESTS.rglob("*.py")}
    assert len(lines) > 100
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
