"""Programs end with us, whenever the request to stop comes."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from eqhls.processes import STOPS, run_logged


def test_the_status_and_the_log(tmp_path: Path) -> None:
    before = [signal.getsignal(n) for n in STOPS]
    assert run_logged(["sh", "-c", "echo said; exit 3"], tmp_path / "log", tmp_path) == 3
    assert (tmp_path / "log").read_text() == "said\n"
    assert [signal.getsignal(n) for n in STOPS] == before


def test_a_signal_while_a_program_is_started_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows the number of the program yet; the signal waits until somebody does."""
    started = list[subprocess.Popen[bytes]]()

    class Slow(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            started.append(self)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Slow)
    # a shell starts what it runs in the background with the signal ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_logged(["sleep", "300"], tmp_path / "log", tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    (child,) = started
    assert child.returncode == -signal.SIGKILL
