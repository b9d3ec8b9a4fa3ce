"""What pip installs: the files of the package and its data, as setuptools collects them for a wheel, and a project
with every package that is made by them, away from the repository."""

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
DATA = ("sim", "firmware", "hls_templates")
"""The folders beside the package that it reads."""
LEFT_OUT = ("__pycache__", "*.pyc")
SITE = Path("lib", "python", "site-packages")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the prefix of an installation as `pip install --user` makes it, which is not `sys.prefix`."""
    need_module("setuptools", "setuptools")
    tree, prefix = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("a prefix")
    for folder in ("eqhls", *DATA):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, tree)
    steps = ("build_py", "--build-lib", prefix / SITE, "install_data", "--install-dir", prefix)
    command = [sys.executable, "-c", "import setuptools; setuptools.setup()", *map(str, steps)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return prefix


def files_below(folder: Path) -> set[Path]:
    paths = (p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc")
    return {p.relative_to(folder) for p in paths}


@pytest.mark.parametrize("folder", ["eqhls", *DATA])
def test_every_file_is_installed(installed: Path, folder: str) -> None:
    """A template, a cell, a header or a notice that no pattern of pyproject.toml names would be missing."""
    there = installed / SITE / folder if folder == "eqhls" else installed / "share" / "eqhls" / folder
    wanted = files_below(ROOT / folder)
    assert len(wanted) > 3
    assert files_below(there) == wanted


def test_what_is_installed_writes_every_package(installed: Path, tmp_path: Path) -> None:
    write_network(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(installed / SITE)}

    def run(*words: object) -> str:
        command = [sys.executable, *map(str, words)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = (
        "from eqhls.text import asset; print(asset('sim', 'run.py'), asset('firmware', 'rtl', 'eq_skid.sv'))"
    )
    assert run("-c", where).count(str(installed / "share")) == 2
    run("-m", "eqhls", "compile", "pair.eq", "-o", "pair")
    wishes = (word for name in NAMES for word in ("--for", name))
    said = run("-m", "eqhls", "package", "pair", *wishes, "--token", TOKEN)
    assert all(f"wrote package {name} " in said for name in NAMES)
