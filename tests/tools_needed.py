"""Tools that tests drive and pip cannot install: a machine without one skips the tests, CI fails them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest

PACKAGES = {"tclsh": "tcl"}
"""The packages of apt that have another name than their tool."""


def need(tool: str) -> str:
    """Return the path of a tool, of this Python's own folder or of PATH. If it is missing, skip the test with
    the reason, or fail it if the environment variable CI is set."""
    own = Path(sys.executable).parent
    found = shutil.which(tool, path=os.pathsep.join([str(own), os.environ.get("PATH", "")]))
    if found is None:
        _missing(f"{tool} is not installed: run make tools, or apt-get install {PACKAGES.get(tool, tool)}")
    return found


def need_module(name: str, package: str) -> None:
    """Do the same for a Python module, given with the package of pip that brings it."""
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        found = None
    if found is None:
        _missing(f"{name} is not installed: pip install {package}")


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (CI is set: nothing is skipped)")
    pytest.skip(reason)
