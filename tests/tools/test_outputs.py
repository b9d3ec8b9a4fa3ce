"""Networks with several outputs: every engine, file and stage holds all of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from networks import two_outputs

import eqhls
from eqhls.errors import CompileError, VerificationError
from eqhls.events.scores import save_predictions
from eqhls.flow import Compiled
from eqhls.lower.layout import Layout
from eqhls.text import write_file
from eqhls.verify.csim import CSim
from eqhls.verify.evidence import STAGES
from eqhls.verify.proof import EXACT


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return eqhls.compile(two_outputs(), output=tmp_path_factory.mktemp("two") / "p")


@pytest.fixture(scope="module")
def p4() -> np.ndarray:
    p = np.random.default_rng(5).normal(0, 40, (60, 2, 3))
    return np.concatenate([np.sqrt((p**2).sum(-1, keepdims=True)), p], -1)


def test_every_engine_gives_every_output(project: Compiled, p4: np.ndarray, tmp_path: Path) -> None:
    want = project.graph.evaluate(dict(np.load(project.folder / "tb_data" / "vectors.npz")))
    vectors = project.folder / "tb_data" / "vectors.npz"
    for engine in EXACT:
        found = project.prediction(vectors, engine)
        assert list(found.outputs) == ["score", "mass"] and found.raw is found["score"].raw
        for name, raw in want.items():
            np.testing.assert_array_equal(found[name].raw, raw.reshape(len(raw), -1), err_msg=engine)
    scores = project.predict(p4)
    assert isinstance(scores, dict) and scores["score"].shape == (60, 3) and scores["mass"].shape == (60, 1)
    floats = project.predict(p4, "float")
    assert isinstance(floats, dict)
    np.testing.assert_allclose(scores["mass"], floats["mass"], rtol=0.1, atol=100)
    save_predictions(tmp_path / "out.npz", project.prediction(p4))
    with np.load(tmp_path / "out.npz") as file:
        assert {f"{kind}_{name}" for kind in ("scores", "raw", "format") for name in want} <= set(file.files)
    with pytest.raises(CompileError, match="expected one of score, mass"):
        project.prediction(p4)["logit"]


def test_the_data_of_the_testbench(project: Compiled) -> None:
    """One column per element of every output, and the C testbench checks all of them."""
    folder = project.folder / "tb_data"
    want = project.graph.evaluate(dict(np.load(folder / "vectors.npz")))
    rows = np.loadtxt(folder / "tb_output.dat", dtype=np.int64)
    np.testing.assert_array_equal(rows, np.hstack([raw.reshape(len(raw), -1) for raw in want.values()]))
    assert CSim(project.folder).testbench() == f"{len(rows)} events, 0 mismatches"
    rows[3, -1] += 1
    kept = (folder / "tb_output.dat").read_text()
    write_file(folder / "tb_output.dat", "\n".join(" ".join(map(str, row)) for row in rows) + "\n")
    with pytest.raises(VerificationError, match="1 mismatches"):
        CSim(project.folder).testbench()
    write_file(folder / "tb_output.dat", kept)


def test_labels_are_checked_before_anything_is_built(
    project: Compiled, p4: np.ndarray, tmp_path: Path
) -> None:
    steps: list[str] = []
    for labels, message in ((np.arange(60) % 2, "no event of class 2"), (np.arange(60) % 4, "label 3")):
        np.savez(tmp_path / "e.npz", p4=p4, y=labels)
        with pytest.raises(CompileError, match=message):
            project.verify(tmp_path / "e.npz", lambda text, _: steps.append(text))
    np.savez(tmp_path / "e.npz", p4=p4, y=np.arange(60) % 3)
    with pytest.raises(CompileError, match="expected one of the outputs score, mass"):
        project.verify(tmp_path / "e.npz", lambda text, _: steps.append(text), "logit")
    assert not steps


def test_a_stage_that_raises_keeps_what_was_found(
    project: Compiled, p4: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A difference in the second output is a mismatch; a bench that cannot run leaves evidence of the rest."""
    np.savez(tmp_path / "e.npz", p4=p4, y=np.arange(60) % 3)

    def broken(*_: object) -> None:
        raise VerificationError("bench", "died")

    true, results = CSim.run, Layout.of(project.graph.results)

    def lying(self: CSim, words: np.ndarray) -> np.ndarray:
        found = results.unpack(true(self, words))
        return results.pack(found | {"mass": found["mass"] ^ 1})

    monkeypatch.setattr("eqhls.verify.proof.cocotb_stage", broken)
    monkeypatch.setattr(CSim, "run", lying)
    with pytest.raises(VerificationError, match="bench: died"):
        project.verify(tmp_path / "e.npz")
    kept = json.loads((project.folder / "report" / "evidence.json").read_text())
    stages = {s["name"]: s for s in kept["stages"]}
    assert list(stages) == list(STAGES[: STAGES.index("cocotb") + 1]) and not kept["ok"]
    assert stages["rtl"]["ok"] and stages["rtl"]["detail"] == "60 events, 0 mismatches in 2 outputs"
    assert not stages["hls"]["ok"] and stages["hls"]["numbers"]["mismatches"] == 60
    assert stages["cocotb"]["detail"] == "did not finish: bench: died" and "auc" in kept["missing"]
