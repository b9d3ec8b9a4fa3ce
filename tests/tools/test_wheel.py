"""What pip installs: the wheel, built once, has every file of the package, and a project with every package is made by
it, away from the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packed import NAMES, TOKEN, write_network
from tools_needed import need_module

ROOT = Path(__file__).resolve().parents[2]
METADATA = ("pyproject.toml", "README.md", "LICENSE")
LEFT_OUT = ("__pycache__", "*.pyc")


def python(*words: object, folder: Path, **variables: object) -> str:
    """Run Python in a folder with environment variables changed, and return what it prints."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {k: str(v) for k, v in variables.items()}
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_module("setuptools", "setuptools")
    tree, folder = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "eqhls", tree / "eqhls", ignore=shutil.ignore_patterns(*LEFT_OUT))
    for file in METADATA:
        shutil.copy(ROOT / file, tree)
    python("-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, tree, folder=tree)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def target(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of `pip install --target`, with a blank in its path."""
    folder = tmp_path_factory.mktemp("a target")
    options = ("-q", "--no-deps", "--no-index", "--no-compile", "--target", folder)
    python("-m", "pip", "install", *options, wheel, folder=folder)
    return folder


def files_below(folder: Path) -> set[Path]:
    paths = (p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc")
    return {p.relative_to(folder) for p in paths}


def test_every_file_is_installed(target: Path) -> None:
    """A template, a cell, a header or a notice that no pattern of pyproject.toml names would be missing, and what
    lies beside the package would be in the way of others."""
    assert files_below(target / "eqhls") == files_below(ROOT / "eqhls")
    assert {p.name.split("-")[0] for p in target.iterdir()} == {"eqhls", "bin"}


def test_what_is_installed_writes_every_package(target: Path, tmp_path: Path) -> None:
    write_network(tmp_path)
    where = "from eqhls.text import asset; print(asset('sim', 'run.py'), asset('rtl', 'eq_skid.sv'))"
    found = python("-c", where, folder=tmp_path, PYTHONPATH=target)
    assert found.count(str(target / "eqhls" / "data")) == 2
    python("-m", "eqhls", "compile", "pair.eq", "-o", "pair", folder=tmp_path, PYTHONPATH=target)
    wishes = (word for name in NAMES for word in ("--for", name))
    command = ("-m", "eqhls", "package", "pair", *wishes, "--token", TOKEN)
    said = python(*command, folder=tmp_path, PYTHONPATH=target)
    assert all(f"wrote package {name} " in said for name in NAMES)
