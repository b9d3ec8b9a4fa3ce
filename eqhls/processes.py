"""Other programs, run so that they end with us: Ctrl-C and a request to stop reach all their children."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from eqhls.staging import private_name

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks us to stop."""


def run_logged(
    command: Sequence[str | Path], log: Path, folder: Path, env: Mapping[str, str] | None = None
) -> int:
    """Run a program in `folder` and return its exit status; what it prints takes the place of `log` when it
    ends. If we are interrupted, its whole process group is killed. Raises OSError if it cannot be started."""
    log.parent.mkdir(parents=True, exist_ok=True)
    growing = log.with_name(private_name(log.name))
    try:
        with growing.open("wb") as file:
            return _run([str(c) for c in command], file, folder, env)
    finally:
        with suppress(FileNotFoundError):
            os.replace(growing, log)


def _run(command: list[str], output: IO[bytes], folder: Path, env: Mapping[str, str] | None) -> int:
    """Run a program in a process group of its own, which does not outlive an exception here."""
    child: subprocess.Popen[bytes] | None = None
    try:
        with _signals_held():
            child = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return child.wait()
    except BaseException:
        if child is not None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        raise


@contextmanager
def _signals_held() -> Generator[None]:
    """Let requests to stop wait: one that comes while a program is being started would leave nobody who knows
    its number. Threads other than the main one get no signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = list[int]()
    kept: dict[int, Any] = {n: signal.getsignal(n) for n in STOPS}
    heard = [n for n, handler in kept.items() if handler not in (signal.SIG_IGN, None)]
    for number in heard:
        signal.signal(number, lambda n, _: came.append(n))
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, kept[number])
    for number in came[:1]:
        signal.raise_signal(number)
