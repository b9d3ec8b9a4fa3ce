"""The page on adding a group, followed to the letter in a copy of the tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import applied, commands, lint, parts, run

GROUP = "adding-a-group.md"


@pytest.fixture(scope="module")
def with_group(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree to which the page of groups has been applied."""
    return applied(GROUP, tmp_path_factory.mktemp("group"))


def test_the_laws_accept_the_group_of_the_page(with_group: Path) -> None:
    assert " passed" in commands(GROUP, with_group)
    lint(GROUP, with_group)
    run(with_group, "-m", "pytest", "-q", "tests/test_floors.py")


def test_every_engine_computes_in_the_group_of_the_page(with_group: Path) -> None:
    """C++ and Verilog among them, and an event and its image give the same bits."""
    (program,) = (b for b in parts(GROUP, "python") if not b.file)
    (said,) = parts(GROUP, "text")
    assert run(with_group, "-c", program.text) == said.text


def test_a_wrong_sign_in_the_group_of_the_page_is_noticed(tmp_path: Path) -> None:
    """The negative control: one entry of one table."""
    folder = applied(GROUP, tmp_path)
    file = folder / "eqhls" / "groups" / "planar.py"
    right, wrong = "Path(M1, M1, M2): (((1, 0), (0, -1))", "Path(M1, M1, M2): (((1, 0), (0, 1))"
    assert file.read_text().count(right) == 1
    file.write_text(file.read_text().replace(right, wrong))
    printed = run(
        folder,
        "-m",
        "pytest",
        "-q",
        "tests/laws/test_registry.py",
        "-k",
        "m1 and m2 and (follow or tensor)",
        fails=True,
    )
    assert "test_products_follow_the_group" in printed and "test_tables_are_the_tensor_formulas" in printed
