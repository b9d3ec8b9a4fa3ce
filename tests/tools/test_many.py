"""Many files of events: what one run would give, file by file, whatever happens in the middle."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pytest
from pages import parts

from eqhls.commands.many import are_many, pool_of
from eqhls.errors import CompileError
from eqhls.events.read import read_events, sampled
from eqhls.events.scores import save_predictions
from eqhls.flow import compile_model, open_project, read_model
from eqhls.many.evidence import one_stage
from eqhls.many.join import drawn, drawn_many
from eqhls.many.paths import matched, several
from eqhls.many.predict import Source, predict_many, score_file, targets
from eqhls.many.table import FileTable, Row
from eqhls.many.tasks import Failed, Pool, client_of, run_each
from eqhls.many.verify import Part, verify_file
from eqhls.verify.evidence import Stage
from eqhls.verify.metrics import class_aucs

EVENTS = 40
NETWORK = """graph small
%x = input() {type = S[c:4]:fix<8,4>} : S[c:4]:fix<8,4>
%h = dense(%x) {weight = @w; bias = @b} : S[c:1]
%y = requantize(%h) {formats = [fix<7,4,RND_CONV,SAT>]} : S[c:1]
output %y
"""
FLOATING = """graph floating
%x = input() {type = S[c:4]} : S[c:4]
%y = dense(%x) {weight = @w; bias = @b} : S[c:1]
output %y
"""
"""A network whose formats a search finds."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project and three files of events."""
    folder = tmp_path_factory.mktemp("many")
    model, rng = folder / "small", np.random.default_rng(3)
    model.mkdir()
    (model / "graph.eq").write_text(NETWORK)
    np.savez(model / "graph.npz", w=np.array([[0.5, -0.25, 1.0, 0.75]]), b=np.array([0.125]))
    (folder / "floating").mkdir()
    (folder / "floating" / "graph.eq").write_text(FLOATING)
    np.savez(folder / "floating" / "graph.npz", w=np.array([[0.3, -0.7, 1.1, 0.9]]), b=np.array([0.1]))
    (folder / "in").mkdir()
    for name in ("a", "b", "c"):
        x = rng.normal(scale=3.0, size=(EVENTS, 4))
        np.savez(folder / "in" / f"{name}.npz", x=x, y=(x[:, 0] > 0).astype(int))
    compile_model(model, None, folder / "project")
    return folder


@pytest.fixture
def files(place: Path) -> list[Path]:
    return sorted((place / "in").glob("*.npz"))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eqhls", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_pattern_is_the_files_that_it_matches(place: Path, files: list[Path], tmp_path: Path) -> None:
    assert matched([place / "in" / "*.npz"]) == tuple(files)
    assert matched([files[1], place / "**" / "[ab].npz"]) == tuple(files[:2])
    assert several(files) and several([place / "*.npz"]) and not several(files[:1])
    odd = tmp_path / "a[1].npz"
    odd.write_bytes(b"")
    assert matched([odd]) == (odd,) and not several([odd])
    with pytest.raises(CompileError, match="matches no file"):
        matched([tmp_path / "*.root"])


def test_predict_gives_each_file_what_it_gives_alone_and_does_nothing_twice(
    place: Path, files: list[Path], tmp_path: Path
) -> None:
    """From the command line, by a quoted pattern and with a bad file, which is named while the others finish;
    then again, with a changed file and a damaged result."""
    out, bad = tmp_path / "out", tmp_path / "bad.npz"
    bad.write_bytes(b"no events")
    first = run("predict", place / "project", place / "in" / "*.npz", bad, "-o", out, "--workers", 2)
    assert first.returncode == 2 and str(bad) in first.stderr and "1 file failed" in first.stderr
    assert "Traceback" not in first.stderr
    assert f"wrote {out}: 4 files (3 done, 1 failed), 120 events" in first.stdout
    for file in files:
        alone = tmp_path / f"alone_{file.name}"
        save_predictions(alone, open_project(place / "project").prediction(file))
        assert alone.read_bytes() == (out / file.name).read_bytes()
    times = {p: p.stat().st_mtime_ns for p in out.iterdir()}
    source = Source.of(place / "project", "integer", None)
    for file in files:
        record, new = score_file(file, source, out / file.name)
        assert not new and record.events == EVENTS
    assert times == {p: p.stat().st_mtime_ns for p in out.iterdir()}
    (out / "a.npz").write_bytes(b"damaged")
    assert score_file(files[0], source, out / "a.npz")[1]
    changed = tmp_path / "b.npz"
    np.savez(changed, x=np.zeros((5, 4)))
    record, new = score_file(changed, source, out / "b.npz")
    assert new and record.events == 5
    assert score_file(files[2], Source.of(place / "project", "float", None), out / "c.npz")[1]


@pytest.mark.parametrize("clash", ["names", "events", "foreign"])
def test_nothing_of_the_user_is_replaced(clash: str, place: Path, files: list[Path], tmp_path: Path) -> None:
    given, out = files, tmp_path
    if clash == "names":
        (tmp_path / "other").mkdir()
        given = [files[0], tmp_path / "other" / "a.root"]
    if clash == "events":
        out = place / "in"
    if clash == "foreign":
        (tmp_path / "b.npz").write_bytes(b"mine")
    with pytest.raises(CompileError):
        targets(given, out)


def slow(file: Path, marks: Path) -> int:
    """Say who works on a file, and take a while."""
    with (marks / f"{file.stem}.{os.getpid()}.{time.monotonic_ns()}").open("w"):
        time.sleep(1.0)
    return len(np.load(file)["x"])


def test_a_lost_worker_costs_a_retry_and_no_event(files: list[Path], tmp_path: Path) -> None:
    """A worker is killed while it holds a file: another one does it, and every event is there once."""
    killed: list[int] = []

    def kill() -> None:
        while not killed:
            marks = sorted(tmp_path.glob("*.*.*"))
            if marks:
                pid = int(marks[0].name.split(".")[1])
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    with client_of(Pool(2), len(files)) as client:
        killer.start()
        found = dict(run_each(client, slow, files, lambda _: (tmp_path,), lambda _: None))
    killer.join()
    assert killed and found == dict.fromkeys(files, EVENTS)
    again = [m.name.split(".")[0] for m in tmp_path.glob("*.*.*")]
    assert len(again) > len(files) and set(again) == {f.stem for f in files}


def fatal(file: Path) -> int:
    if file.stem == "b":
        os._exit(9)
    return 1


@pytest.mark.slow
def test_a_file_that_kills_every_worker_fails_and_the_others_do_not(files: list[Path]) -> None:
    with client_of(Pool(1), len(files)) as client:
        found = dict(run_each(client, fatal, files, lambda _: (), lambda _: None))
    assert isinstance(found[files[1]], Failed) and "lost" in found[files[1]].reason
    assert found[files[0]] == found[files[2]] == 1


def test_a_cluster_that_does_not_answer() -> None:
    with pytest.raises(CompileError, match="does not answer"), client_of(Pool(0, "tcp://127.0.0.1:9"), 1):
        pass


def test_a_result_killed_half_way_is_made_again(place: Path, files: list[Path], tmp_path: Path) -> None:
    source, out = Source.of(place / "project", "integer", None), tmp_path / "a.npz"
    (tmp_path / "a.json").write_text('{"file": "a.npz", "state": "begun"}')
    out.write_bytes(b"half")
    assert targets(files[:1], tmp_path) == {files[0]: out}
    assert score_file(files[0], source, out)[1]
    assert not score_file(files[0], source, out)[1]


@pytest.mark.slow
def test_verify_adds_up(place: Path, files: list[Path], tmp_path: Path) -> None:
    """The evidence over three files is that over their events in one; a bad file is named, and with it the
    evidence does not hold."""
    arrays, bad = [np.load(f) for f in files], tmp_path / "bad.npz"
    bad.write_bytes(b"no events")
    found = run("verify", place / "project", place / "in" / "*.npz", bad, "--workers", 2)
    assert found.returncode == 2 and str(bad) in found.stderr, found.stderr
    evidence = json.loads((place / "project" / "report" / "evidence.json").read_text())
    stages = {s["name"]: s for s in evidence["stages"]}
    assert not evidence["ok"] and not evidence["missing"]
    assert [name for name, s in stages.items() if not s["ok"]] == ["inputs"]
    whole = tmp_path / "whole.npz"
    np.savez(whole, **{k: np.concatenate([a[k] for a in arrays]) for k in ("x", "y")})
    one = verify_file(whole, place / "project")
    assert isinstance(one, Part) and one.labels is not None
    assert [s.name for s in one.stages] == list(stages)[1:8]
    for stage in one.stages:
        if stage.name != "given network":
            assert stages[stage.name]["numbers"] == pytest.approx(dict(stage.numbers)), stage.name
    held = stages["given network"]["numbers"]
    assert held["rms"] == pytest.approx(dict(one.stages[0].numbers)["rms"]) and held["events"] == 3 * EVENTS
    for engine, scores in (("fixed", one.exact.scores), ("float", one.floating.scores)):
        assert stages["auc"]["numbers"][engine] == pytest.approx(np.mean(class_aucs(scores, one.labels)))


def test_stages_of_files_add_up() -> None:
    def stage(ok: bool, events: int, wrong: int) -> Stage:
        return Stage("hls", ok, f"{wrong} wrong", (("events", events), ("mismatches", wrong)))

    found = one_stage({Path("a"): stage(True, 3, 0), Path("b"): stage(False, 5, 2)})
    assert not found.ok and dict(found.numbers) == {"events": 8, "mismatches": 2}
    assert found.detail == "2 files, 8 events, 2 mismatches; b: 2 wrong"
    rms = [
        Stage("given network", True, "", (("events", n), ("rms", r), ("used", r)))
        for n, r in ((1, 0.0), (3, 2.0))
    ]
    numbers = dict(one_stage(dict(zip((Path("a"), Path("b")), rms, strict=True))).numbers)
    assert numbers["rms"] == pytest.approx(np.sqrt(3.0)) and numbers["used"] == 2.0


@pytest.mark.parametrize("size", [30, 1000])
def test_what_is_drawn_of_many_files_is_drawn_of_one(
    size: int, place: Path, files: list[Path], tmp_path: Path
) -> None:
    graph, arrays = read_model(place / "small"), [np.load(f) for f in files]
    whole = tmp_path / "whole.npz"
    np.savez(whole, **{k: np.concatenate([a[k] for a in arrays]) for k in ("x", "y")})
    want, got = sampled(read_events(whole, graph), size, 7), drawn(files, graph, size, 7)
    assert got.labels is not None and want.labels is not None and len(got) == min(size, 120)
    for a, b in (
        (want.raw["x"], got.raw["x"]),
        (want.floats["x"], got.floats["x"]),
        (want.labels, got.labels),
    ):
        np.testing.assert_array_equal(a, b)
    unlabelled = tmp_path / "u.npz"
    np.savez(unlabelled, x=np.zeros((3, 4)))
    with pytest.raises(CompileError, match="none in others"):
        drawn([files[0], unlabelled], graph, size, 7)


def test_the_table_says_what_is_done(files: Sequence[Path], capsys: pytest.CaptureFixture[str]) -> None:
    with FileTable(files) as table:
        table.running(frozenset(files[:2]))
        assert [r.state for r in table.rows.values()] == ["running", "running", "waiting"]
        table.running(frozenset(files[2:]))
        assert [r.state for r in table.rows.values()] == ["waiting", "waiting", "running"]
        table.ended(files[0], Row("done", 50, 2.0))
        table.ended(files[1], Row("failed: no events"))
        assert "3 files (1 done, 1 failed, 1 running), 50 events" in table.total()
    printed = capsys.readouterr().err
    assert "50 events, 25 events/s, done" in printed and "failed: no events" in printed


def test_options_that_contradict_each_other(place: Path, files: list[Path], tmp_path: Path) -> None:
    for workers, scheduler in ((2, "tcp://x:1"), (-1, "")):
        with pytest.raises(CompileError, match="--workers"):
            pool_of(workers, scheduler)
    assert not are_many(files[:1], pool_of(0, "")) and are_many(files[:1], pool_of(1, ""))
    many: Callable[..., Any] = predict_many
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CompileError, match="is a file"):
        many(Source.of(place / "project", "integer", None), files, tmp_path / "file", Pool(1), lambda _: None)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a scheduler on this machine, with two processes that the commands did not start."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as started:
        yield started.scheduler_address


def names_of_tasks(dask_scheduler: Any) -> list[str]:
    """Return the functions that the workers of a cluster have run, by its scheduler's own account."""
    return sorted({p for p, done in dask_scheduler.task_prefixes.items() if sum(done.state_counts.values())})


def test_a_cluster_gives_the_scores_of_this_machine(
    place: Path, files: list[Path], cluster: str, tmp_path: Path
) -> None:
    """`predict --scheduler`, also for a single file. The workers of the cluster did it, and live on."""
    out = tmp_path / "out"
    done = run("predict", place / "project", place / "in" / "*.npz", "-o", out, "--scheduler", cluster)
    assert done.returncode == 0 and f"{3 * EVENTS} events" in done.stdout, done.stderr
    for file in files:
        alone = tmp_path / f"alone_{file.name}"
        save_predictions(alone, open_project(place / "project").prediction(file))
        assert alone.read_bytes() == (out / file.name).read_bytes()
    one = run("predict", place / "project", files[0], "-o", tmp_path / "one", "--scheduler", cluster)
    assert one.returncode == 0 and (tmp_path / "one" / "a.npz").read_bytes() == (out / "a.npz").read_bytes()
    with distributed.Client(cluster) as client:
        assert "score_file" in client.run_on_scheduler(names_of_tasks)
        assert len(client.nthreads()) == 2


@pytest.mark.slow
def test_a_cluster_proves_what_this_machine_proves(place: Path, cluster: str, tmp_path: Path) -> None:
    """`verify --scheduler`: the evidence over the files is that of processes of this machine."""
    found: list[dict[str, Any]] = []
    for where in (("--scheduler", cluster), ("--workers", "1")):
        done = run("verify", place / "project", place / "in" / "*.npz", *where)
        assert done.returncode == 0, done.stdout + done.stderr
        found.append(json.loads((place / "project" / "report" / "evidence.json").read_text()))
    ours, theirs = ({s["name"]: s["numbers"] for s in e["stages"]} for e in found)
    assert all(e["ok"] for e in found) and ours.keys() == theirs.keys()
    for name, numbers in ours.items():
        kept = {k for k in numbers if k != "events_per_second"}
        assert {k: numbers[k] for k in kept} == pytest.approx({k: theirs[name][k] for k in kept}), name
    with distributed.Client(cluster) as client:
        assert "verify_file" in client.run_on_scheduler(names_of_tasks)


def test_a_cluster_draws_the_events_that_one_file_would_give(
    place: Path, files: list[Path], cluster: str, tmp_path: Path
) -> None:
    """What `quantize` reads; a file that cannot be read is named."""
    graph = read_model(place / "small")
    for size in (30, 1000):
        want = drawn(files, graph, size, 7)
        for pool in (Pool(0, cluster), Pool(1)):
            got = drawn_many(place / "small", files, size, 7, pool)
            assert got.labels is not None and want.labels is not None
            np.testing.assert_array_equal(got.labels, want.labels)
            np.testing.assert_array_equal(got.floats["x"], want.floats["x"])
            np.testing.assert_array_equal(got.raw["x"], want.raw["x"])
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"no events")
    with pytest.raises(CompileError, match=r"bad\.npz.*leave it out"):
        drawn_many(place / "small", [*files, bad], 30, 7, Pool(0, cluster))


def test_quantize_draws_from_many_files_on_a_cluster(place: Path, cluster: str, tmp_path: Path) -> None:
    """`quantize --scheduler` finds the formats that it finds from one file with all the events."""
    arrays = [np.load(f) for f in sorted((place / "in").glob("*.npz"))]
    whole = tmp_path / "whole.npz"
    np.savez(whole, **{k: np.concatenate([a[k] for a in arrays]) for k in ("x", "y")})
    for name, events in (("many", place / "in" / "*.npz"), ("one", whole)):
        where = ("--scheduler", cluster) if name == "many" else ()
        done = run("quantize", place / "floating", "--events", events, "-o", tmp_path / name, *where)
        assert done.returncode == 0, done.stdout + done.stderr
    many, one = ((tmp_path / n / "config.yml").read_text() for n in ("many", "one"))
    assert many == one and "Precision" in many
    with distributed.Client(cluster) as client:
        assert {"count_file", "pick_file"} <= set(client.run_on_scheduler(names_of_tasks))


PAGE = [shlex.split(line)[1:] for line in parts("many-files.md", "console")[0].text.splitlines()]
WRITTEN = {
    "predict": [f"scores/{n}.{kind}" for n in "abc" for kind in ("json", "npz")],
    "verify": ["build/lgn_top/report/evidence.json"],
    "quantize": ["quantized/config.yml", "quantized/pareto.csv"],
}
"""What each command of the page writes."""


def test_the_page_has_a_command_of_each_kind() -> None:
    assert [command[0] for command in PAGE] == list(WRITTEN)


@pytest.mark.parametrize(
    "command", [pytest.param(c, id=c[0], marks=[pytest.mark.slow] * (c[0] == "verify")) for c in PAGE]
)
def test_the_commands_of_the_page_do_what_it_says(command: list[str], place: Path, tmp_path: Path) -> None:
    """With a small network and three files under the names of the page."""
    shutil.copytree(place / "project", tmp_path / "build" / "lgn_top")
    shutil.copytree(place / "floating", tmp_path / "models" / "lgn_top")
    shutil.copytree(place / "in", tmp_path / "events")
    done = subprocess.run(
        [sys.executable, "-m", "eqhls", *command], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all((tmp_path / name).is_file() for name in WRITTEN[command[0]])
    for name in "abc":
        assert f"events/{name}.npz: {EVENTS} events" in done.stderr
