"""A command that hears a signal while one of its tools hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GRAPH = """graph net.v2
%x = input() {type = S[c:2]:fix<6,3>} : S[c:2]:fix<6,3>
%y = relu(%x) : S[c:2]:ufix<5,2>
output %y
"""
SLOW = "#!/bin/sh\necho $$ > {pid}\nsleep 300 &\necho $! >> {pid}\nwait\n"
"""A tool that hangs, with a child of its own, whose numbers it writes."""
HEARING = """import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def interrupted(command: list[object], number: int, pid: Path, **more: str) -> tuple[int, str]:
    """Start a command, send a signal when the slow tool has written its number; return status and stderr.
    The command hears the signal even if the tests run in the background, where shells and nohup ignore some."""
    child = subprocess.Popen(
        [sys.executable, "-c", HEARING, *map(str, command)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        text=True, env=dict(os.environ) | more, cwd=ROOT,
    )  # fmt: skip
    for _ in range(600):
        if pid.is_file() and len(pid.read_text().split()) == 2:
            break
        time.sleep(0.1)
    child.send_signal(number)
    with child:
        try:
            _, said = child.communicate(timeout=60)
            return child.returncode, said
        finally:
            child.kill()
