"""A proof that is run again builds nothing, goes on where it was stopped, and takes over nothing else."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from signalled import GRAPH, SLOW, interrupted

from eqhls.errors import CompileError, Interrupted
from eqhls.flow import Compiled, compile_model
from eqhls.frontends.graphfile import save_graph
from eqhls.ir.text import parse_graph
from eqhls.many.tasks import Pool
from eqhls.many.verify import verify_many
from eqhls.ops import BY_NAME
from eqhls.options import Options
from eqhls.report.tables import summary_lines
from eqhls.verify import resume
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.cocotb_run import bench_recipe
from eqhls.verify.collect import collected
from eqhls.verify.csim import CSim
from eqhls.verify.emulator import Emulator
from eqhls.verify.evidence import STAGES, Stage
from eqhls.verify.resume import EVIDENCE


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """A small project that is verified once, with labelled events beside it."""
    root = tmp_path_factory.mktemp("resume")
    save_graph(parse_graph(GRAPH, {}, BY_NAME), root / "m")
    rng = np.random.default_rng(8)
    np.savez(root / "events.npz", x=rng.integers(-32, 32, (300, 2, 1)), y=np.arange(300) % 2)
    project = compile_model(root / "m", output=root / "p")
    assert project.verify(root / "events.npz", score="y").ok
    return project


@pytest.fixture
def project(first: Compiled, tmp_path: Path) -> Compiled:
    """A copy of it with all that was built and its evidence, and of the events."""
    shutil.copytree(first.folder, tmp_path / "p")
    shutil.copyfile(first.folder.parent / "events.npz", tmp_path / "events.npz")
    return Compiled(tmp_path / "p")


def again(project: Compiled, start: str, score: str = "y") -> Any:
    return project.verify(project.folder.parent / "events.npz", score=score, start=start)


def kept(project: Compiled) -> dict[str, Any]:
    return json.loads((project.folder / EVIDENCE).read_text())


def products(folder: Path) -> dict[str, tuple[int, int]]:
    """The files of all builds, with what tells a file from another one in its place."""
    found = [p for p in sorted((folder / "build").glob("*_*/*")) if p.is_file()]
    return {str(p.relative_to(folder)): (p.stat().st_ino, p.stat().st_mtime_ns) for p in found}


def test_a_second_proof_builds_nothing(project: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs one program, the bench with the simulator that is there; a copy takes its builds along."""
    before, started, said = products(project.folder), list[list[str]](), list[str]()
    true = subprocess.Popen

    class Noted(true[bytes]):
        def __init__(self, command: Any, **more: Any) -> None:
            started.append([str(word) for word in command])
            super().__init__(command, **more)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    found = project.verify(project.folder.parent / "events.npz", lambda text, _: said.append(text), "y")
    assert found.ok and not found.taken
    runs = [c for c in started if not {"--version", "-v"} & {*c}]
    assert len(runs) == 1 and "--simulator" in runs[0], runs
    assert products(project.folder) == before and len(before) >= 8
    assert [t.split(":")[0] for t in said if "built before" in t] == [
        "emulator", "hls", "rtl", "cocotb on Verilator", "symmetry hls", "symmetry rtl",
    ]  # fmt: skip


def spoilt(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data + b"\n")


BUILDS: dict[str, Callable[[Path], Path]] = {
    "csim": lambda p: CSim(p).recipe().place(p),
    "emulator": lambda p: Emulator(p).recipe().place(p),
    "rtl": lambda p: BulkSimulator(p).recipe().place(p),
    "bench": lambda p: bench_recipe(p).place(p),
}


@pytest.mark.parametrize(
    ("pattern", "kinds"),
    [
        ("firmware/eqhls/*.h", {"csim"}),
        ("firmware/ap_types/*.h", {"csim"}),
        ("firmware/net_v2.cpp", {"csim"}),
        ("emulator/*", {"emulator"}),
        ("rtl/*_core.v", {"rtl", "bench"}),
        ("rtl/*.portmap.json", {"bench"}),
        ("tb_data/vectors.npz", set()),
    ],
)
def test_a_byte_of_a_source_builds_again(pattern: str, kinds: set[str], project: Compiled) -> None:
    before = {kind: place(project.folder) for kind, place in BUILDS.items()}
    spoilt(min(project.folder.glob(pattern)))
    assert {kind for kind, place in BUILDS.items() if place(project.folder) != before[kind]} == kinds


def test_flags_compilers_and_harnesses_build_again(
    project: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not in the project decides, too: flags, lanes of a machine, the version of g++, the bench."""

    def places() -> dict[str, Path]:
        return {kind: place(project.folder) for kind, place in BUILDS.items()}

    before = places()
    assert Emulator(project.folder, "").recipe().place(project.folder) != before["emulator"]
    with monkeypatch.context() as changed:
        changed.setattr("eqhls.verify.csim.FLAGS", ("-std=c++14", "-O2"))
        assert {k for k, p in places().items() if p != before[k]} == {"csim"}
    with monkeypatch.context() as changed:
        changed.setenv("CPATH", str(tmp_path))
        assert {k for k, p in places().items() if p != before[k]} == set(BUILDS)
    for name, kind in (("bulk_harness.cpp", "rtl"), ("run.py", "bench")):
        module = {"rtl": "bulk", "bench": "cocotb_run"}[kind]
        (tmp_path / name).write_text("// another one\n")
        with monkeypatch.context() as changed:
            changed.setattr(f"eqhls.verify.{module}.asset", lambda *parts: tmp_path / parts[-1])
            (tmp_path / "words.h").write_bytes(project.folder.joinpath("sim/words.h").read_bytes())
            assert places()[kind] != before[kind]
    real, tools = shutil.which("c++"), tmp_path / "bin"
    tools.mkdir()
    for name in ("g++", "c++"):
        (tools / name).write_text(f'#!/bin/sh\necho "gcc version 99" >&2\nexec {real} "$@"\n')
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    assert {k for k, p in places().items() if p != before[k]} == set(BUILDS)


def test_a_library_that_was_changed_does_not_run(project: Compiled) -> None:
    """The bytes of a wrong library in the place of the right one, with a record that fits the recipe."""
    library = CSim(project.folder).build()
    true = library.read_bytes()
    library.write_bytes(Emulator(project.folder).build().read_bytes())
    assert not CSim(project.folder).is_built()
    assert CSim(project.folder).build() == library and library.read_bytes() == true


def test_from_a_stage_takes_the_others_over(project: Compiled) -> None:
    """The verdict says so, in the evidence, on the screen and on the page; times are those of the first run."""
    old = kept(project)
    found = again(project, "symmetry-controls")
    names = STAGES[1 : STAGES.index("symmetry controls")]
    assert found.ok and found.taken == names
    new = kept(project)
    assert new["taken_over"] == [{"stage": n, "finished": old["finished"][n]} for n in names]
    assert new["stages"] == old["stages"] and list(new["finished"]) == list(old["finished"])
    lines = summary_lines(project.manifest, found)
    assert any(line.startswith("taken over   given network, rewrites") for line in lines)
    assert again(project, "working points").taken[-1] == "auc"
    assert again(project, "files").taken == ()


CHANGES: dict[str, tuple[Callable[[Compiled, pytest.MonkeyPatch], object], str]] = {
    "events": (lambda p, _: np.savez(p.folder.parent / "events.npz", x=np.zeros((2, 2, 1), int), y=[0, 1]), "the events"),
    "a file": (lambda p, _: spoilt(p.folder / "firmware" / "net_v2.cpp"), "the files of the project"),
    "version": (lambda _, m: m.setattr(resume, "VERSION", "9"), "the version of eqhls \\(0.*, now 9\\)"),
    "code": (lambda _, m: m.setattr(resume, "_code", lambda: "0"), "the code of eqhls"),
    "tools": (lambda _, m: m.setattr(resume, "_tools", lambda: "0"), "the tools or the machine"),
    "no evidence": (lambda p, _: (p.folder / EVIDENCE).unlink(), "is missing; verify without --from"),
    "no JSON": (lambda p, _: (p.folder / EVIDENCE).write_text("{"), "cannot be read"),
    "old evidence": (lambda p, _: edited(p, content={}), "it does not say"),
    "half an evidence": (lambda p, _: edited(p, finished={}), "is damaged"),
    "compiled again": (lambda p, _: recompiled(p), "the manifest: the project was compiled or packaged again"),
    "a failed stage": (lambda p, _: failed(p, "rtl"), "stage 'rtl' did not pass; begin there: --from 'rtl'"),
    "a missing stage": (lambda p, _: failed(p, "hls", True), "has no stage 'hls'; begin there: --from 'hls'"),
}  # fmt: skip
"""What may be different, how it comes, and what is said."""


def edited(project: Compiled, **changes: Any) -> None:
    (project.folder / EVIDENCE).write_text(json.dumps(kept(project) | changes))


def failed(project: Compiled, name: str, missing: bool = False) -> None:
    stages = kept(project)["stages"]
    changed = [s | {"ok": s["ok"] and s["name"] != name} for s in stages if s["name"] != name or not missing]
    edited(project, stages=changed)


def recompiled(project: Compiled) -> None:
    """Compile for another clock, and put the evidence of before back."""
    evidence = (project.folder / EVIDENCE).read_text()
    compile_model(project.folder / "model", output=project.folder, options=Options(ClockPeriod=4.0))
    assert not (project.folder / EVIDENCE).exists()
    (project.folder / EVIDENCE).parent.mkdir(exist_ok=True)
    (project.folder / EVIDENCE).write_text(evidence)


@pytest.mark.parametrize("change", CHANGES)
def test_other_content_is_not_taken_over(
    change: str, project: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter, said = CHANGES[change]
    alter(project, monkeypatch)
    evidence = project.folder / EVIDENCE
    before = evidence.read_bytes() if evidence.is_file() else b""
    with pytest.raises(CompileError, match=said):
        again(project, "cocotb")
    assert (evidence.read_bytes() if evidence.is_file() else b"") == before


def test_other_options_are_not_taken_over(project: Compiled) -> None:
    with pytest.raises(CompileError, match="the options"):
        again(project, "cocotb", score="")
    with pytest.raises(CompileError, match="the events"):
        project.verify(score="y", start="cocotb")
    with pytest.raises(CompileError, match="'auc', a stage for events with labels"):
        project.verify(start="auc")
    with pytest.raises(CompileError, match="found 'cocotB', expected one of files, given network"):
        again(project, "cocotB")
    with pytest.raises(CompileError, match="not a regular file, so they have no hash"):
        resume.taken_over(project.folder, "cocotb", resume.content(project.folder, [Path("/dev/null")], {}))
    files = [project.folder.parent / "events.npz"]
    with pytest.raises(CompileError, match="the stages given network to rtl run together"):
        verify_many(project.folder, files, Pool(1), lambda *_: None, "y", "hls")


def test_what_a_hash_of_events_covers(project: Compiled, tmp_path: Path) -> None:
    """The bytes, the suffix, which says how to read them, and the tree; not the name or the folder."""

    def digest(name: str) -> list[str]:
        return resume.content(project.folder, [tmp_path / name], {})["events"]

    for name in ("a.root", "b.root", "a.npz"):
        (tmp_path / name).write_bytes(b"root")
    assert digest("a.root") == digest("b.root") and "" not in digest("a.root")
    others = [digest(n) for n in ("a.npz", "a.root:Jets", "a.root:Taus", "missing.root")]
    (tmp_path / "b.root").write_bytes(b"rooT")
    assert len({*map(str, [digest("a.root"), *others, digest("b.root")])}) == 6
    assert digest("missing.root") == [""]


def test_many_files_take_over_what_ran_file_by_file(project: Compiled, tmp_path: Path) -> None:
    """The figures of merit are made again of all files, of which a proof keeps no scores."""
    files = [tmp_path / "events.npz", tmp_path / "more.npz"]
    shutil.copyfile(files[0], files[1])
    found, lost = verify_many(project.folder, files, Pool(1), lambda *_: None, "y")
    assert found.ok and not lost
    resumed, lost = verify_many(project.folder, files, Pool(1), lambda *_: None, "y", "boosts")
    assert resumed.ok and not lost and resumed.taken == STAGES[1 : STAGES.index("boosts")]
    assert resumed.stages == found.stages


def test_ctrl_c_says_how_to_go_on_and_that_works(project: Compiled, tmp_path: Path) -> None:
    """The bench is gone, and make hangs when it is built again: the words on the screen do the rest."""
    (simulator,) = (project.folder / "build").glob("bench_*")
    shutil.move(simulator, tmp_path / "aside")
    pid, tool = tmp_path / "pid", tmp_path / "bin" / "make"
    tool.parent.mkdir()
    tool.write_text(SLOW.format(pid=pid))
    tool.chmod(0o755)
    command = [sys.executable, "-m", "eqhls", "verify", project.folder, tmp_path / "events.npz", "--score=y"]
    path = f"{tool.parent}{os.pathsep}{os.environ['PATH']}"
    status, said = interrupted([*command, "--from=inputs"], signal.SIGINT, pid, PATH=path)
    last = said.strip().splitlines()[-1]
    assert status == 130 and last.startswith(
        "eqhls: interrupted; the stages that passed are kept: go on with "
    )
    evidence = kept(project)
    assert not evidence["ok"] and evidence["stages"][-1]["detail"] == "did not finish: KeyboardInterrupt"
    words = shlex.split(last.partition("go on with ")[2])
    assert words[-2:] == ["--from", "cocotb"]
    shutil.move(tmp_path / "aside", simulator)
    done = subprocess.run(
        [sys.executable, "-m", *words, "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [t["stage"] for t in json.loads(done.stdout)["taken_over"]] == [*STAGES[1:8]]
    assert "7 of them were taken over" in (project.folder / "report" / "report.html").read_text()


def test_evidence_grows_with_the_stages(tmp_path: Path) -> None:
    """Whatever ends a proof: what has passed lies there, and where to go on is the first stage that has not."""

    def stages() -> Any:
        yield Stage("files", True, "")
        yield Stage("given network", False, "")
        assert [s["name"] for s in json.loads((tmp_path / EVIDENCE).read_text())["stages"]] == [*STAGES[:2]]
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        collected(tmp_path, stages(), lambda: False)
    assert stopped.value.stage == "given network"
    assert [s["ok"] for s in json.loads((tmp_path / EVIDENCE).read_text())["stages"]] == [True, False, False]


def test_a_project_that_cannot_be_written_is_told_at_once(project: Compiled) -> None:
    shutil.rmtree(project.folder / "report")
    (project.folder / "report").write_text("in the way of the folder")
    steps: list[str] = []
    with pytest.raises(
        CompileError, match=r"report: cannot be written \(.*\), so there is no place .* cp -r"
    ):
        project.verify(report=lambda text, _: steps.append(text))
    assert not steps


def test_rebuild_forgets_every_build(project: Compiled) -> None:
    assert CSim(project.folder).is_built() and Emulator(project.folder).is_built()
    project.forget_builds()
    assert not CSim(project.folder).is_built() and not Emulator(project.folder).is_built()
    assert not [p for p in (project.folder / "build").iterdir() if p.is_dir() and p.name != "cocotb"]
