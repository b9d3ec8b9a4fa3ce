"""Builds by content: taken only if everything that enters and every byte that came out are the same."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from eqhls.errors import VerificationError
from eqhls.verify.builds import IDLE, KEEP, RECORD, Recipe, built, forget, is_built, placed


def recipe(text: str = "one", script: str = "cat in part/more > out", tool: str = "cat 1") -> Recipe:
    files: dict[str, str | bytes] = {"in": text, "part/more": b"!"}
    return Recipe("text", "out", files, (("sh", "-c", script),), (tool,))


def entries(root: Path) -> list[str]:
    return sorted(p.name for p in root.iterdir() if p.is_dir())


def test_an_equal_recipe_is_taken(tmp_path: Path) -> None:
    """The command runs once; the product alone stays, with the record of what made it."""
    counted = recipe(script=f"cat in > out; echo made >> {tmp_path / 'count'}")
    assert not is_built(tmp_path, counted)
    product = built(tmp_path, counted)
    assert built(tmp_path, counted) == product and is_built(tmp_path, counted)
    assert (tmp_path / "count").read_text() == "made\n" and product.read_text() == "one"
    assert sorted(p.name for p in product.parent.iterdir()) == [RECORD, "out"]


@pytest.mark.parametrize(
    "other",
    [
        recipe("onE"),
        replace(recipe(), files={"in": "one", "part/more": b"?"}),
        replace(recipe(), files={"in": "one", "part/more": b"!", "new": b""}),
        replace(recipe(), files={"in": "one", "part/mores": b"!", "part/more": b"!"}),
        recipe(script="cat in part/more  > out"),
        recipe(tool="cat 2"),
        replace(recipe(), env={**os.environ, "CXXFLAGS": "-O0"}),
        replace(recipe(), kind="texts"),
    ],
    ids=["source", "header", "another file", "name", "command", "version", "environment", "kind"],
)
def test_any_difference_builds_again(other: Recipe, tmp_path: Path) -> None:
    built(tmp_path, recipe())
    assert not is_built(tmp_path, other)
    built(tmp_path, other)
    assert len(entries(tmp_path)) == 2 and is_built(tmp_path, recipe()) and is_built(tmp_path, other)


def test_what_compilers_do_not_read_changes_nothing(tmp_path: Path) -> None:
    built(tmp_path, recipe())
    assert is_built(tmp_path, replace(recipe(), env={**os.environ, "EDITOR": "another"}))


def test_a_product_that_was_changed_is_built_again(tmp_path: Path) -> None:
    product = built(tmp_path, recipe())
    for spoil in (
        lambda: product.write_text("onf!"),
        lambda: product.write_text("one"),
        product.unlink,
        (product.parent / RECORD).unlink,
        lambda: (product.parent / RECORD).write_text("{"),
        lambda: (product.parent / RECORD).write_text(json.dumps({"sha256": "0"})),
    ):
        spoil()
        assert not is_built(tmp_path, recipe())
        assert built(tmp_path, recipe()).read_text() == "one!" and is_built(tmp_path, recipe())


def test_a_build_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while the second of two commands runs: what the first one wrote is not taken."""
    stopped = replace(
        recipe(), commands=(("sh", "-c", "echo half > out"), ("sh", "-c", "kill -INT $PPID; sleep 300"))
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            built(tmp_path, stopped)
    finally:
        signal.signal(signal.SIGINT, before)
    assert entries(tmp_path) == [] and not is_built(tmp_path, stopped)


def test_a_build_that_fails_leaves_its_log(tmp_path: Path) -> None:
    failing = recipe(script="echo half > out; echo no space here; exit 3")
    with pytest.raises(VerificationError, match="sh: failed with status 3: no space here"):
        built(tmp_path, failing)
    assert entries(tmp_path) == [] and (tmp_path / "text.log").read_text() == "no space here\n"


def test_many_at_once_get_one_whole_product(tmp_path: Path) -> None:
    slow = recipe(script="cat in > out; sleep 0.2; cat part/more >> out")
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: built(tmp_path, slow).read_text(), range(6)))
    assert found == ["one!"] * 6 and len(entries(tmp_path)) == 1


def test_old_builds_go_and_others_stay(tmp_path: Path) -> None:
    """The last ones of a kind stay, and those that another command may be using."""
    old = [built(tmp_path, recipe(str(k))).parent for k in range(KEEP + 1)]
    assert all(p.is_dir() for p in old), "just used"
    mine = tmp_path / f"text_{'0' * 16}"
    mine.mkdir()
    for age, place in enumerate(reversed(old)):
        then = time.time() - IDLE - 10 - age
        os.utime(place, (then, then))
    built(tmp_path, replace(recipe(), kind="texts"))
    assert all(p.is_dir() for p in old), "of another kind"
    newest = built(tmp_path, recipe("newest")).parent
    assert [p.is_dir() for p in (newest, *reversed(old))] == [True] * KEEP + [False] * KEEP
    assert mine.is_dir(), "was not built by eqhls"
    forget(tmp_path)
    assert entries(tmp_path) == [mine.name]


def test_a_project_below_is_held_against_its_content(tmp_path: Path) -> None:
    project: dict[str, str | bytes] = {"eqhls.json": "{}", "rtl/net.v": "module"}
    place = placed(tmp_path, "symmetry", project)
    (place / "build").mkdir()
    assert placed(tmp_path, "symmetry", project) == place and (place / "build").is_dir()
    (place / "rtl" / "net.v").write_text("modulE")
    assert placed(tmp_path, "symmetry", project) == place
    assert (place / "rtl" / "net.v").read_text() == "module" and not (place / "build").exists()
