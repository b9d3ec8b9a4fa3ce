"""The command line starts quickly, its list of commands is true, and every command has the common options."""

from __future__ import annotations

import inspect
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from eqhls.cli import AGAIN, COMMANDS, Entry, app

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "lgn_top_small" / "graph.eq"
ENTRIES = pytest.mark.parametrize("entry", COMMANDS, ids=lambda e: e.name)


def modules(*words: str) -> set[str]:
    """Return the names of all modules that a command imports in a process of its own."""
    script = "import sys; from eqhls.cli import main\ntry:\n main()\nfinally:\n print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_help_imports_no_command() -> None:
    """`eqhls --help` needs neither NumPy nor a single op: 0.13 s of CPU where it was printed first."""
    found = modules("--help")
    assert "eqhls.cli" in found
    heavy = {"numpy", "matplotlib", "pydantic", "keras", "onnx", "alkaid", "dask", "eqhls.ops", "eqhls.flow"}
    assert not found & heavy


def test_info_of_a_text_imports_no_framework() -> None:
    found = modules("info", str(MODEL))
    assert "eqhls.ops" in found
    heavy = {
        "matplotlib",
        "keras",
        "tensorflow",
        "jax",
        "onnx",
        "alkaid",
        "dask",
        "h5py",
        "pyarrow",
        "cocotb",
    }
    assert not found & heavy


def test_importing_eqhls_is_cheap() -> None:
    script = "import eqhls, sys; print(*sys.modules); eqhls.compile; assert callable(eqhls.compile)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "numpy" not in done.stdout.split()


@ENTRIES
def test_the_list_says_what_the_command_says(entry: Entry) -> None:
    command = entry.load()
    assert inspect.cleandoc(command.help).splitlines()[0] == entry.summary
    assert len(entry.summary) <= 70 and entry.summary.endswith(".")


@ENTRIES
def test_the_example_is_taken(entry: Entry) -> None:
    """Its options exist and its values fit them."""
    words = shlex.split(entry.example)
    assert words[:2] == ["eqhls", entry.name]
    entry.load().make_context(entry.name, words[2:])
    with pytest.raises(Exception, match="No such option"):
        entry.load().make_context(entry.name, [*words[2:], "--no-such-option"])


@ENTRIES
def test_every_command_has_the_common_options(entry: Entry) -> None:
    done = CliRunner().invoke(app, [entry.name, "--help"], env={"TERMINAL_WIDTH": "100"})
    assert all(option in done.output for option in ("--json", "--quiet", "--log", "Example"))


def test_names_are_known() -> None:
    assert set(AGAIN) <= {e.name for e in COMMANDS}
    assert list(vars(get_command(app))["commands"]) == [e.name for e in COMMANDS]


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "eqhls", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def test_results_as_json(tmp_path: Path) -> None:
    """One object on standard output; progress stays on the other stream, or goes with --quiet."""
    facts = json.loads(run("info", MODEL, "--json").stdout)
    assert facts["name"] == "lgn_top_small" and facts["products"] > 0
    assert facts["values"][-1]["op"] == "add"
    (tmp_path / "mass.eq").write_text(
        "graph mass\n%p = input() {type = V.xyz[j:2]:fix<8,8>} : V.xyz[j:2]:fix<8,8>\n"
        "%s = particle_sum(%p) : V.xyz[]\n%m = invariants(%s) : S[]\noutput %m\n"
    )
    (tmp_path / "mass.npz").write_bytes(b"PK\x05\x06" + bytes(18))
    log = tmp_path / "log"
    done = run("compile", tmp_path / "mass.eq", "-o", tmp_path / "out", "--json", "--quiet", "--log", log)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert json.loads(done.stdout)["manifest"]["name"] == "mass"
    assert "lower to a netlist" in log.read_text()


def test_errors_are_kept_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = run("info", "nofile", "--quiet", "--log", log)
    assert done.returncode == 2 and "nofile: does not exist" in done.stderr
    assert "nofile: does not exist" in log.read_text()


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    done = run("info", MODEL, "--log", tmp_path / "missing" / "log")
    assert done.returncode == 2 and "missing" in done.stderr and "Traceback" not in done.stderr
