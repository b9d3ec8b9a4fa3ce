"""The emulator as an engine and a stage of the proof, with a fault that must be seen, and as CMSSW loads it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import eqhls
from eqhls.backends.emulator.emit import emit
from eqhls.backends.package.cmssw import PACKAGE
from eqhls.backends.package.package import Settings
from eqhls.errors import CompileError
from eqhls.events.read import read_events
from eqhls.fixed import Fixed, Formats
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.lower.plan import Plan
from eqhls.ops.dense import Dense
from eqhls.ops.input import Input
from eqhls.ops.invariants import Invariants
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.table import Activation, Table
from eqhls.options import Options
from eqhls.text import write_project
from eqhls.verify import proof
from eqhls.verify.emulator import Emulator
from eqhls.verify.proof import ProjectEngines, engine_stages, vectors

AP_TYPES = Path(__file__).parents[2] / "eqhls" / "data" / "hls_templates" / "ap_types"


def pair(weight: float = 0.75) -> Graph:
    """A mass, and a function of a port of another width: words of up to 40 bits, a table, two outputs."""
    b = Builder("pair")
    forms = (Fixed(17, 12, False), *(Fixed(14, 12),) * 3)
    p = b.add("p", Input(Type(V, (Axis("j", 3),), formats=Formats(forms))))
    x = b.add("x.y", Input(Type(S, (Axis("c", 2),), formats=Formats([Fixed(7, 4)]))))
    mass = b.add("mass", Invariants(), b.add("sum", ParticleSum(), p))
    mixed = b.add("mixed", Dense(Tensor([[weight, -1.25]])), x)
    return b.graph(mass, mixed).formatted()


def single() -> Graph:
    b = Builder("single")
    x = b.add("x", Input(Type(S, (Axis("c", 4),), formats=Formats([Fixed(6, 3)]))))
    dense = b.add("dense", Dense(Tensor([[0.5, 1.0, -0.25, 0.75], [1.0, -1.0, 0.5, 0.25]])), x)
    table = Table(activation=Activation.TANH, out=Fixed(8, 1))
    return b.graph(b.add("bent", table, dense)).formatted()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> eqhls.Compiled:
    return eqhls.compile(pair(), output=tmp_path_factory.mktemp("emulator") / "pair")


def compared(folder: Path, graph: Graph) -> dict[str, float]:
    """Return the mismatches that the stage of the proof finds, and how many events it has seen."""
    stages = engine_stages(ProjectEngines(folder, graph), vectors(folder, graph), lambda *_: None)
    stage = next(s for s in stages if s.name == "emulator")
    assert stage.ok == (stage.number("mismatches") == 0)
    return dict(stage.numbers)


def test_stage_of_the_proof(project: eqhls.Compiled) -> None:
    found = compared(project.folder, project.graph)
    assert found["mismatches"] == 0 and found["events"] >= 4000


@pytest.mark.parametrize("number", range(4))
def test_a_fault_in_the_emulator_is_seen(project: eqhls.Compiled, number: int, tmp_path: Path) -> None:
    """The sign of one term of a sum, somewhere in the netlist."""
    folder = tmp_path / "pair"
    shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns("build"))
    path = folder / "emulator" / "pair_emulator.cpp"
    lines = path.read_text().splitlines()
    sums = [k for k, line in enumerate(lines) if line.startswith("  const") and " + " in line]
    place = sums[number * (len(sums) - 1) // 3]
    lines[place] = lines[place].replace(" + ", " - ", 1)
    path.write_text("\n".join(lines) + "\n")
    assert compared(folder, project.graph)["mismatches"] > 100


def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "MANY", 100)


def test_predict_takes_the_emulator_for_many_events(
    project: eqhls.Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = project.folder / "tb_data" / "vectors.npz"
    want = project.prediction(file, "integer")
    few = read_events(file, project.graph)
    calls: list[int] = []
    original = Emulator.run

    def counted(self: Emulator, graph: Graph, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        calls.append(len(next(iter(feeds.values()))))
        return original(self, graph, feeds)

    monkeypatch.setattr(Emulator, "run", counted)
    assert len(few) < proof.MANY and project.prediction(few).notes == want.notes and not calls
    many(monkeypatch)
    found = project.prediction(file)
    assert calls == [len(few)] and found.notes == want.notes
    for name, result in want.outputs.items():
        np.testing.assert_array_equal(found[name].raw, result.raw)


def test_predict_without_a_compiler(
    project: eqhls.Compiled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """NumPy computes the same, and a note says so; whoever asks for the emulator is told what is missing."""
    many(monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))
    file = project.folder / "tb_data" / "vectors.npz"
    found = project.prediction(file)
    assert "g++: is not installed" in found.notes[-1] and "NumPy" in found.notes[-1]
    np.testing.assert_array_equal(found.first.raw, project.prediction(file, "integer").first.raw)
    with pytest.raises(CompileError, match=r"g\+\+: is not installed; apt-get install g\+\+"):
        project.prediction(file, "emulator")


def test_integers_beyond_a_port_are_cut(project: eqhls.Compiled) -> None:
    """No address can leave a table: an input has the bits of its port and no others."""
    graph, raw = project.graph, vectors(project.folder, project.graph).raw
    wide = {n.name: raw[n.name] + (1 << n.type.formats[0].width + 20) for n in graph.inputs}
    emulator = Emulator(project.folder)
    for name, want in emulator.run(graph, raw).items():
        np.testing.assert_array_equal(emulator.run(graph, wide)[name], want)


@pytest.mark.parametrize("events", [0, 1, 31, 33])
def test_blocks_that_are_not_full(project: eqhls.Compiled, events: int) -> None:
    graph = project.graph
    raw = {k: v[:events] for k, v in vectors(project.folder, graph).raw.items()}
    found = Emulator(project.folder).run(graph, raw)
    for name, want in graph.evaluate(raw).items():
        np.testing.assert_array_equal(found[name], want)


def test_equal_plans_give_equal_bytes() -> None:
    assert emit(Plan.of(pair(), Options())) == emit(Plan.of(pair(), Options()))


def test_clang_takes_the_source(project: eqhls.Compiled, tmp_path: Path) -> None:
    """Both compilers that CMSSW has. Clang is no tool of ours, so nobody has to install it."""
    if not shutil.which("clang++"):
        pytest.skip("clang++ is not installed")
    sources = [str(p) for p in Emulator(project.folder).sources() if p.suffix == ".cpp"]
    flags = ["-std=c++17", "-O1", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]
    for machine in ([], ["-march=haswell"], ["-march=skylake-avx512"]):
        subprocess.run(["clang++", *flags, *machine, *sources], check=True)


def cmssw(folder: Path) -> dict[str, Path]:
    """Write two versions of one network, of other weights, and another network; return their folders."""
    kinds = {"pair_v1": (pair(), 1), "pair_v2": (pair(-1.5), 2), "single_v1": (single(), 1)}
    for graph, version in kinds.values():
        files = PACKAGE.write(Plan.of(graph, Options()), Settings(version=version))
        write_project({**files, "eqhls.json": "{}"}, folder / f"{graph.name}{version}")
        shutil.copytree(folder / f"{graph.name}{version}" / "ip" / "cmssw", folder, dirs_exist_ok=True)
    return {name: folder / name for name in kinds}


def made(folder: Path, *targets: str) -> str:
    command = ["make", "-C", str(folder), f"AP_INCLUDE={AP_TYPES}", "CXXFLAGS=-O1", *targets]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def exported(library: Path) -> list[str]:
    command = ["nm", "-D", "--defined-only", str(library)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sorted(line.split()[-1] for line in listed.splitlines())


def test_cmssw(tmp_path: Path) -> None:
    """Each library by its own smoke test, then all in one process; two symbols are exported and no more."""
    for name, folder in cmssw(tmp_path).items():
        assert f"{name}: 64 predictions, 0 wrong, a wrong type is refused" in made(folder, "test")
        assert exported(folder / f"{name}.so") == ["create_model", "destroy_model"]
    assert loaded(tmp_path, ["pair_v1", "pair_v2", "single_v1"]) == "196 predictions, 0 wrong\n"
    shutil.copyfile(tmp_path / "pair_v1" / "pair_v1.so", tmp_path / "pair_v2" / "pair_v2.so")
    with pytest.raises(subprocess.SubprocessError):
        loaded(tmp_path, ["pair_v1", "pair_v2", "single_v1"])


def loaded(folder: Path, names: Sequence[str]) -> str:
    """Build the loader in `folder` and return what it prints. Raises SubprocessError if it fails."""
    include = [f"-I{folder}", f"-I{folder / names[0] / 'interface'}", f"-I{AP_TYPES}"]
    source = Path(__file__).with_name("loader.cpp")
    command = ["g++", "-std=c++17", "-O1", "-w", *include, str(source), "-o", str(folder / "loader"), "-ldl"]
    subprocess.run(command, check=True)
    program = [str(folder / "loader")]
    done = subprocess.run(program, capture_output=True, text=True, cwd=folder, check=True)
    return done.stdout


def test_connect_names_what_is_written() -> None:
    plan, settings = Plan.of(single(), Options()), Settings(version=7)
    text = PACKAGE.connect(plan, settings)
    assert "ip/cmssw/single_v7" in text and len(text.splitlines()) < 24
    assert all(path.startswith("ip/cmssw/single_v7/") for path in PACKAGE.write(plan, settings))
