"""The tools of a machine where nothing was set up for them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from packed import packed_project


def test_the_proof_needs_no_python_in_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verilator's make rules call `python`. Debian has none, and an environment that is not activated, as when
    the command is called by its path, puts none into PATH: any other one that is found there may not run."""
    broken = tmp_path / "bin" / "python"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    places = [p for p in os.environ["PATH"].split(os.pathsep) if Path(p) != Path(sys.executable).parent]
    monkeypatch.setenv("PATH", os.pathsep.join((str(broken.parent), *places)))
    evidence = packed_project(tmp_path / "project").verify()
    assert evidence.ok, [s for s in evidence.stages if not s.ok]
