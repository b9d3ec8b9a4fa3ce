"""What pip installs: source archive and wheel, built once, have every file of the package, installers put it where they
like, and a project with every package is made by it, away from the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

import pytest
from packed import NAMES, TOKEN, write_network
from tools_needed import need_module

ROOT = Path(__file__).resolve().parents[2]
METADATA = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff")
LEFT_OUT = ("__pycache__", "*.pyc")
PYTHON = Path(sys.executable)
WHERE = "from eqhls.text import asset; print(asset('sim', 'run.py'), asset('rtl', 'eq_skid.sv'))"


@dataclass(frozen=True, slots=True)
class Built:
    archive: Path
    wheel: Path


def python(*words: object, folder: Path, by: Path = PYTHON, fails: bool = False, **variables: object) -> str:
    """Run Python in a folder with environment variables changed, and return what it prints."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {k: str(v) for k, v in variables.items()}
    command = [str(by), *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr if fails else done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The wheel is built from the source archive, so it has what the archive has."""
    need_module("build", "build")
    tree, folder = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT / "eqhls", tree / "eqhls", ignore=shutil.ignore_patterns(*LEFT_OUT))
    for file in METADATA:
        shutil.copy(ROOT / file, tree)
    python("-m", "build", "--no-isolation", "--outdir", folder, folder=tree)
    (archive,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Built(archive, wheel)


@pytest.fixture(scope="module")
def target(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of `pip install --target`, with a blank in its path."""
    folder = tmp_path_factory.mktemp("a target")
    installed(built.wheel, folder, "--target", folder)
    return folder


def installed(wheel: Path, folder: Path, *where: object, by: Path = PYTHON, **variables: object) -> None:
    options = ("-q", "--no-deps", "--no-index", "--no-compile", "--no-warn-script-location")
    python("-m", "pip", "--python", by, "install", *options, *where, wheel, folder=folder, **variables)


def files_below(folder: Path) -> set[Path]:
    paths = (p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc")
    return {p.relative_to(folder) for p in paths}


def test_every_file_is_installed(target: Path) -> None:
    """A template, a cell, a header or a notice that no pattern of pyproject.toml names would be missing, and what
    lies beside the package would be in the way of others."""
    assert files_below(target / "eqhls") == files_below(ROOT / "eqhls")
    assert {p.name.split("-")[0] for p in target.iterdir()} == {"eqhls", "bin"}


def test_the_source_archive_has_what_it_is_built_from(built: Built) -> None:
    with tarfile.open(built.archive) as archive:
        found = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    assert {Path(name) for name in METADATA} <= found
    assert not [p for p in found if p.parts[:1] == ("tests",)]


def test_the_metadata_is_what_an_index_takes(built: Built, target: Path) -> None:
    need_module("twine", "twine")
    command = ("-m", "twine", "check", "--strict", built.archive, built.wheel)
    assert python(*command, folder=target).count("PASSED") == 2
    (info,) = target.glob("eqhls-*.dist-info")
    metadata = message_from_string((info / "METADATA").read_text())
    assert metadata["License-Expression"] == "Apache-2.0" and metadata["Home-page"] is None
    assert metadata.get_all("Project-URL") is None  # a host would be named
    assert metadata["Version"] == python("-m", "eqhls", "--version", folder=target).split()[1]
    assert len([p for p in files_below(info / "licenses") if p.name in ("LICENSE", "NOTICE")]) == 3


def test_a_broken_page_is_seen(built: Built, tmp_path: Path) -> None:
    """The negative control of twine's check: metadata without a description."""
    need_module("twine", "twine")
    with tarfile.open(built.archive) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    (info,) = tree.glob("PKG-INFO")
    info.write_text(info.read_text().split("\n\n")[0] + "\n\n")
    with tarfile.open(tmp_path / built.archive.name, "w:gz") as archive:
        archive.add(tree, tree.name)
    said = python(
        "-m", "twine", "check", "--strict", tmp_path / built.archive.name, folder=tmp_path, fails=True
    )
    assert "FAILED" in said


def test_pip_installs_for_one_user(built: Built, tmp_path: Path) -> None:
    """`pip install --user`, which a virtual environment allows only if it sees the packages of the system."""
    venv.create(tmp_path / "env", system_site_packages=True)
    own, base = tmp_path / "env" / "bin" / "python", tmp_path / "my base"
    installed(built.wheel, tmp_path, "--user", "--ignore-installed", by=own, PYTHONUSERBASE=base)
    (site,) = base.glob("lib/python*/site-packages")
    others = {"PYTHONPATH": sysconfig.get_path("purelib"), "PYTHONUSERBASE": base}
    found = python("-c", WHERE, folder=tmp_path, by=own, **others)
    assert found.count(str(site / "eqhls" / "data")) == 2
    assert (base / "bin" / "eqhls").is_file()


def test_an_archive_on_the_path_is_refused(built: Built, tmp_path: Path) -> None:
    """Files are handed to compilers by their paths, so they must lie in a folder."""
    said = python("-c", WHERE, folder=tmp_path, fails=True, PYTHONPATH=built.wheel)
    assert "installation: eqhls is imported from an archive" in said and "install it into a folder" in said


def test_what_is_installed_writes_every_package(target: Path, tmp_path: Path) -> None:
    write_network(tmp_path)
    found = python("-c", WHERE, folder=tmp_path, PYTHONPATH=target)
    assert found.count(str(target / "eqhls" / "data")) == 2
    python("-m", "eqhls", "compile", "pair.eq", "-o", "pair", folder=tmp_path, PYTHONPATH=target)
    wishes = (word for name in NAMES for word in ("--for", name))
    command = ("-m", "eqhls", "package", "pair", *wishes, "--token", TOKEN)
    said = python(*command, folder=tmp_path, PYTHONPATH=target)
    assert all(f"wrote package {name} " in said for name in NAMES)
