"""Other programs, run so that they end with us: Ctrl-C and a request to stop reach all their children."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from eqhls.staging import private_name


def run_logged(
    command: Sequence[str | Path], log: Path, folder: Path, env: Mapping[str, str] | None = None
) -> int:
    """Run a program in `folder` and return its exit status; what it prints takes the place of `log` when it
    ends. If we are interrupted, its whole process group is killed. Raises OSError if it cannot be started."""
    log.parent.mkdir(parents=True, exist_ok=True)
    growing = log.with_name(private_name(log.name))
    try:
        with growing.open("wb") as file:
            child = subprocess.Popen(
                [str(c) for c in command],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                return child.wait()
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                raise
    finally:
        with suppress(FileNotFoundError):
            os.replace(growing, log)
