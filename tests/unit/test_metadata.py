"""What pyproject.toml, the changelog, the citation and the Makefile say of one release agrees."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from eqhls.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: dict[str, Any] = SETTINGS["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
WORK = {"dev", "route"}
"""Extras of tools that tests and benchmarks drive; no user of eqhls needs one, and `make test` uses them."""
SAME_PACKAGES = {"h5": "hep"}
"""An extra whose packages another one has with the same range."""


def releases(changelog: str) -> list[str]:
    """Return the headings of a changelog, newest first, without their dates."""
    return re.findall(r"^## (\S+)", changelog, re.M)


def falls(versions: list[str]) -> bool:
    numbers = [tuple(map(int, v.split("."))) for v in versions]
    return numbers == sorted(set(numbers), reverse=True)


def test_the_changelog_ends_with_this_version() -> None:
    found = releases((ROOT / "CHANGELOG.md").read_text())
    assert next(v for v in found if v != "Unreleased") == VERSION
    assert "Unreleased" not in found[1:], "what is not released stands above all releases"
    assert falls([v for v in found if v != "Unreleased"])
    assert not falls(["0.1.0", "0.2.0"]) and not falls(["0.2.0", "0.2.0"])


def test_every_release_has_a_date() -> None:
    heads = re.findall(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    dates = [re.fullmatch(r"\d+\.\d+\.\d+ \((\d{4}-\d\d-\d\d)\)", h) for h in heads if h != "Unreleased"]
    days = [m[1] for m in dates if m]
    assert len(days) == len(dates) and days == sorted(days, reverse=True)


def test_the_version_stands_in_one_place() -> None:
    assert "version" not in PROJECT and PROJECT["dynamic"] == ["version"]
    assert SETTINGS["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "eqhls.version.VERSION"}
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(citation["version"]) == VERSION and citation["license"] == PROJECT["license"]
    assert [a["name"] for a in citation["authors"]] == [a["name"] for a in PROJECT["authors"]]


def test_no_host_is_named() -> None:
    assert "urls" not in PROJECT
    assert "://" not in (ROOT / "pyproject.toml").read_text() + (ROOT / "CITATION.cff").read_text()


def ranged(requirements: list[str]) -> list[str]:
    """Return those that are no exact pins and no extras of eqhls itself."""
    return [r for r in requirements if "==" not in r and not r.startswith("eqhls[")]


@pytest.mark.parametrize("extra", EXTRAS)
def test_ranges_are_tested_at_both_ends(extra: str) -> None:
    """`make oldest` and `make newest` install every extra with a range, and each range has a lower end."""
    requirements = EXTRAS[extra]
    assert all(">=" in r for r in ranged(requirements)), requirements
    (line,) = re.findall(r"^RANGED := (.*)$", (ROOT / "Makefile").read_text(), re.M)
    tested = line.split(",")
    assert set(tested) <= set(EXTRAS)
    if extra in SAME_PACKAGES:
        assert set(requirements) <= set(EXTRAS[SAME_PACKAGES[extra]]) and SAME_PACKAGES[extra] in tested
    elif ranged(requirements) and extra not in WORK:
        assert extra in tested


def test_every_dependency_has_a_lower_end() -> None:
    assert all(">=" in r or "==" in r for r in PROJECT["dependencies"])


def test_the_tests_of_the_ranges_are_there() -> None:
    text = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^RANGE_TESTS := (.*)$", text, re.M)
    groups = re.findall(r"\$\(addprefix (\S+?),([^)]*)\)", line)
    files = [f"{prefix}{name}" for prefix, names in groups for name in names.split()]
    assert len(files) > 5 and all((ROOT / f).is_file() for f in files), files


def test_keras_comes_without_a_backend() -> None:
    """It is the user's choice, and the development environment has both."""
    assert not [r for r in EXTRAS["keras"] if re.match(r"tensorflow|jax|torch", r)]
    (line,) = re.findall(r"-e '\.\[(dev,[^]]*)\]'", (ROOT / "Makefile").read_text())
    assert {"keras", "jax", "tensorflow"} <= set(line.split(","))


def test_the_page_of_installing_lists_every_extra() -> None:
    text = (ROOT / "docs" / "installing.md").read_text()
    assert not [extra for extra in EXTRAS if f"`{extra}`" not in text]
