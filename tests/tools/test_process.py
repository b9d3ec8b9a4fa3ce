"""eqhls as a process: what an import costs, signals, exit statuses, readers that leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from signalled import GRAPH, ROOT, SLOW, interrupted

from eqhls.cli import AGAIN
from eqhls.flow import compile_model
from eqhls.frontends.graphfile import save_graph
from eqhls.ir.text import parse_graph
from eqhls.ops import BY_NAME
from eqhls.version import VERSION


def python(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ) | more,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_graph(parse_graph(GRAPH, {}, BY_NAME), folder / "m")
    np.savez(folder / "events.npz", x=np.zeros((3, 2, 1), dtype=np.int64))
    return folder


@pytest.fixture(scope="module")
def project(model: Path) -> Path:
    made = compile_model(model / "m", output=model / "p")
    assert made.manifest["name"] == "net_v2"
    return made.folder


def test_an_import_is_light_and_changes_nothing(model: Path) -> None:
    """Neither `import eqhls`, nor reading a model, nor `eqhls info` loads what only some users need."""
    heavy = "{'matplotlib', 'alkaid', 'keras', 'onnx', 'onnxruntime', 'tensorflow', 'torch', 'jax', 'cocotb'}"
    program = (
        "import sys, warnings, signal, numpy, pydantic, typer, yaml, jinja2\n"
        "before = list(warnings.filters), signal.getsignal(signal.SIGTERM), list(sys.path)\n"
        f"import eqhls, eqhls.cli\nfrom pathlib import Path\nfrom eqhls.commands.info import info\neqhls.load_any({str(model / 'm')!r})\n"
        f"info(Path({str(model / 'm')!r}))\n"
        f"found = {heavy} & set(sys.modules)\nassert not found, found\n"
        "assert before == (list(warnings.filters), signal.getsignal(signal.SIGTERM), list(sys.path))\n"
        "import matplotlib\nmatplotlib.use('svg')\nimport eqhls.verify.approximate, eqhls.report.pareto\n"
        "eqhls.plots.figures.Figure\n"
        "assert matplotlib.get_backend() == 'svg'\n"
    )
    done = python("-c", program)
    assert done.returncode == 0, done.stderr


def test_version_and_help() -> None:
    done = python("-m", "eqhls", "--version")
    assert (done.returncode, done.stdout) == (0, f"eqhls {VERSION}\n")
    done = python("-m", "eqhls")
    assert done.returncode == 2 and "Usage" in done.stdout and done.stderr == ""


def gone(process: int) -> bool:
    """Whether a process ended; one that nobody has waited for yet counts as ended."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGINT, 130, f"eqhls: interrupted; {AGAIN['predict']}\n"),
        (signal.SIGTERM, 143, ""),
        (signal.SIGHUP, 129, ""),
    ],
)
def test_a_signal_ends_the_tools_too_and_leaves_nothing(
    number: int, status: int, said: str, project: Path, model: Path, tmp_path: Path
) -> None:
    """A compiler that hangs, with a child of its own."""
    pid, tool = tmp_path / "pid", tmp_path / "bin" / "g++"
    tool.parent.mkdir()
    tool.write_text(SLOW.format(pid=pid))
    tool.chmod(0o755)
    command = [sys.executable, "-m", "eqhls", "predict", project, model / "events.npz", "--engine", "hls"]
    path = f"{tool.parent}{os.pathsep}{os.environ['PATH']}"
    assert interrupted([*command, "-o", tmp_path / "o.npz"], number, pid, PATH=path) == (status, said)
    assert all(gone(int(p)) for p in pid.read_text().split())
    assert not (tmp_path / "o.npz").exists()
    hidden = [p.name for p in project.rglob("*") if p.name.startswith(".") or p.name.startswith("csim_")]
    assert all(name.endswith(".log") and not name.startswith(".") for name in hidden), hidden


def test_a_reader_that_leaves_is_no_error(model: Path) -> None:
    """`eqhls info MODEL | true`: no traceback, and not the status of a failed proof."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "eqhls", "info", model / "m"],
        cwd=ROOT,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert done.returncode == 141 and done.stderr == b""


def test_unexpected_errors_are_not_swallowed(model: Path) -> None:
    """A fault of eqhls is a traceback and status 1 of Python, never a polite line."""
    program = (
        "import eqhls.cli, eqhls.commands.info, sys\n"
        "def broken(*_): raise ZeroDivisionError('a fault of eqhls')\n"
        f"eqhls.commands.info.simplify = broken\nsys.argv = ['eqhls', 'info', {str(model / 'm')!r}]\neqhls.cli.main()\n"
    )
    done = python("-c", program)
    assert done.returncode == 1 and "Traceback" in done.stderr and "a fault of eqhls" in done.stderr


def test_the_bench_below_a_blank_by_make(project: Path, tmp_path: Path) -> None:
    """The whole path of `make` in sim/, which users call, with a blank in the path of the project."""
    folder = tmp_path / "My Documents" / "p"
    folder.parent.mkdir()
    subprocess.run(["cp", "-r", project, folder], check=True)
    done = subprocess.run(
        ["make", "-C", folder / "sim", f"PYTHON={sys.executable}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "4 tests ran, 0 failed" in done.stdout, done.stdout[-2000:]
