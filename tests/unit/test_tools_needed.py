"""A tool that is missing skips a test and says why; in CI it fails it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tools_needed import need, need_module


def test_what_is_there_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "eqhls-test-tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert need("eqhls-test-tool") == str(tool)
    assert Path(need(Path(sys.executable).name)).parent == Path(sys.executable).parent
    need_module("json", "none")


def test_what_is_missing_skips_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for ci, outcome in (("", pytest.skip.Exception), ("true", pytest.fail.Exception)):
        monkeypatch.setenv("CI", ci)
        with pytest.raises(outcome, match="no-such-tool is not installed: run make tools"):
            need("no-such-tool")
        with pytest.raises(outcome, match="no_such.module is not installed: pip install nothing"):
            need_module("no_such.module", "nothing")
