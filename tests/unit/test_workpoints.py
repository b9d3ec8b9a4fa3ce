"""Working points: counts, intervals and the choice of thresholds, against formulas of their own."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.events.scores import from_raw
from eqhls.fixed import Fixed
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.types import Axis, Type
from eqhls.ops.input import Input
from eqhls.ops.relu import Relu
from eqhls.report.merit import ladder_lines, ladder_tables
from eqhls.report.tables import summary_lines
from eqhls.verify.evidence import LABELLED, STAGES, Evidence
from eqhls.verify.intervals import ONE_SIGMA, at_least, interval, upper_limit
from eqhls.verify.merit import merit_stages, percent
from eqhls.verify.metrics import accuracy, class_aucs, tagger_auc
from eqhls.verify.tagger import tagger_of
from eqhls.verify.workpoints import BACKGROUND, CSV, JSON, SIGNAL, WorkingPoints, working_points


def exact(passed: int, total: int, rate: float) -> float:
    """The chance of `passed` or more, in rational numbers."""
    p = Fraction(rate)
    return float(sum(math.comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(passed, total + 1)))


def summed(passed: int, total: int, rate: float) -> float:
    """The same by logarithms, for many events."""
    ways = (
        math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
        for k in range(passed, total + 1)
    )
    logs = (w + k * math.log(rate) + (total - k) * math.log1p(-rate) for k, w in enumerate(ways, passed))
    return math.fsum(map(math.exp, logs))


@pytest.mark.parametrize("total", [1, 7, 60])
def test_the_chance_behind_an_interval(total: int) -> None:
    for passed in {1, 2, total // 2, total} - {0} & set(range(1, total + 1)):
        for share in (0.01, 0.6, 0.999):
            rate = share * passed / total
            found = at_least(np.array([passed]), total, np.array([rate]))[0]
            assert found == pytest.approx(exact(passed, total, rate), rel=1e-9)


@pytest.mark.parametrize(("passed", "total"), [(3, 20_000), (400, 20_000), (19_990, 20_000)])
def test_the_chance_for_many_events(passed: int, total: int) -> None:
    rate = 0.98 * passed / total
    found = at_least(np.array([passed]), total, np.array([rate]))[0]
    assert found == pytest.approx(summed(passed, total, rate), rel=1e-8)


def test_the_ends_of_an_interval_have_their_chances() -> None:
    tail, counts = (1 - ONE_SIGMA) / 2, np.arange(41)
    low, high = interval(counts, 40)
    for k in counts[1:-1].tolist():
        assert exact(k, 40, low[k]) == pytest.approx(tail, rel=1e-9)
        assert 1 - exact(k + 1, 40, high[k]) == pytest.approx(tail, rel=1e-9)
    assert low[0] == 0 and high[40] == 1
    assert high[0] == pytest.approx(1 - tail ** (1 / 40)) and low[40] == pytest.approx(tail ** (1 / 40))


def test_nothing_passed_is_a_limit() -> None:
    """(1 - p)^n = 5 %: the rule of three."""
    limits = upper_limit(np.array([0, 2]), 1000)
    assert limits[0] == pytest.approx(1 - 0.05 ** (1 / 1000)) and limits[0] == pytest.approx(
        3 / 1000, rel=0.01
    )
    p = float(limits[1])
    assert sum(math.comb(1000, k) * p**k * (1 - p) ** (1000 - k) for k in range(3)) == pytest.approx(0.05)


def test_intervals_cover_and_others_do_not() -> None:
    """Of all samples of 40 events, at least the stated share covers the true rate, whatever it is; Wilson's
    interval, the control, covers less for small rates."""
    total, z = 40, 1.0
    counts = np.arange(total + 1)
    low, high = interval(counts, total)
    middle, width = (counts + z / 2) / (total + z), z * np.sqrt(counts * (total - counts) / total + z / 4)
    wilson = middle - width / (total + z), middle + width / (total + z)
    ways = np.array([math.comb(total, k) for k in range(total + 1)], dtype=np.float64)
    worst = {"exact": 1.0, "wilson": 1.0}
    for rate in np.linspace(0.002, 0.2, 200):
        chance = ways * rate**counts * (1 - rate) ** (total - counts)
        for name, (a, b) in {"exact": (low, high), "wilson": wilson}.items():
            worst[name] = min(worst[name], float(chance[(a <= rate) & (rate <= b)].sum()))
    assert worst["exact"] >= ONE_SIGMA > worst["wilson"] + 0.05


def test_counts_that_cannot_be() -> None:
    for passed, total in ((np.array([5]), 4), (np.array([-1]), 4), (np.array([0]), 0)):
        with pytest.raises(CompileError, match="found counts outside"):
            interval(passed, total)


RAW = np.array([[-3], [-3], [0], [2], [2], [-3], [2], [5], [5], [7]])
LABELS = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])


def rows(found: WorkingPoints) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(found.csv())))


def test_a_table_by_hand() -> None:
    """Thresholds -3, 0, 2, 5, 7: what passes is counted on fingers."""
    found = rows(working_points(RAW, [("logit", 0.25)], LABELS))
    assert [r["threshold"] for r in found] == ["-3", "0", "2", "5", "7"]
    assert [r["score"] for r in found] == ["-0.75", "0", "0.5", "1.25", "1.75"]
    assert [r["signal_passed"] for r in found] == ["5", "4", "4", "3", "1"]
    assert [r["background_passed"] for r in found] == ["5", "3", "2", "0", "0"]
    assert [r["background_efficiency"] for r in found] == ["1", "0.6", "0.4", "", ""]
    assert [r["rejection"] for r in found] == ["1", "1.66667", "2.5", "", ""]
    assert float(found[3]["background_upper"]) == pytest.approx(1 - 0.05 ** (1 / 5), rel=1e-5)
    assert float(found[3]["background_low"]) == 0
    assert [r["passed_y1"] for r in found] == [r["signal_passed"] for r in found]


def test_ladders_are_the_best_thresholds(rng: np.random.Generator) -> None:
    """By trying all integers: the lowest that leaves little background, the highest that keeps the signal."""
    labels = np.arange(3000) % 2
    raw = np.round(8 * rng.normal(labels, 1.0)).astype(np.int64)
    cuts = working_points(raw[:, None], [("s", 1.0)], labels).cuts[0]
    every = range(int(raw.min()), int(raw.max()) + 1)
    seen = {t for t in every if (raw == t).any()}
    for share in BACKGROUND:
        fine = [t for t in seen if (raw[labels == 0] >= t).mean() <= share]
        point = cuts.at_background(share)
        assert point is not None and point["threshold"] == min(fine)
    for share in SIGNAL:
        fine = [t for t in every if (raw[labels == 1] >= t).mean() >= share]
        assert cuts.at_signal(share)["threshold"] == max(fine)
        assert cuts.at_signal(share)["signal"]["efficiency"] >= share


def test_a_share_that_no_integer_reaches() -> None:
    """The largest integer is one of background events: nothing that occurs cuts them all."""
    raw = np.array([[0], [1], [3], [3]])
    found = working_points(raw, [("s", 1.0)], np.array([1, 0, 0, 1]))
    assert found.cuts[0].at_background(0.1) is None and found.cuts[0].at_background(0.5) is not None
    (table,) = ladder_tables(json.loads(found.json()))
    assert "not reached at any integer that occurs" in {row[1] for row in table.rows}


def test_two_logits_are_cut_on_their_difference() -> None:
    raw = np.array([[4, 1], [0, 3], [2, 2], [1, 3]])
    cuts = working_points(raw, [("a", 0.5), ("b", 0.25)], np.array([0, 1, 0, 1])).cuts
    assert len(cuts) == 1 and cuts[0].port == "b - a" and cuts[0].lsb == 0.25
    assert cuts[0].thresholds.tolist() == [-7, -2, 1, 3]
    assert cuts[0].auc == cuts[0].softmax == 1


def test_several_classes_are_cut_on_by_port(rng: np.random.Generator) -> None:
    """One class against the rest; a raw logit that drifts is told from the probability, and said to be none."""
    labels = np.arange(900) % 3
    logits = rng.normal(size=(900, 3)) + 2 * np.eye(3)[labels] + rng.normal(0, 6, (900, 1))
    raw = np.round(16 * logits).astype(np.int64)
    found = working_points(raw, [(c, 1 / 16) for c in "qgt"], labels)
    assert [(c.port, c.signal, c.background) for c in found.cuts] == [
        ("q", "y = 0", "y != 0"),
        ("g", "y = 1", "y != 1"),
        ("t", "y = 2", "y != 2"),
    ]
    assert all(c.softmax > c.auc + 0.2 for c in found.cuts)
    assert [c.softmax for c in found.cuts] == list(class_aucs(raw / 16, labels))
    kept = json.loads(found.json())
    assert "no discriminator" in " ".join(kept["warning"].split())
    assert kept["auc"] == pytest.approx(tagger_auc(raw / 16, labels))
    assert kept["accuracy"] == pytest.approx((raw.argmax(1) == labels).mean(), abs=0.01)
    row = rows(found)[10]
    passed = [int(((raw[:, 0] >= int(row["threshold"])) & (labels == k)).sum()) for k in range(3)]
    assert [int(row[f"passed_y{k}"]) for k in range(3)] == passed
    assert int(row["background_passed"]) == passed[1] + passed[2]
    tables = list(ladder_tables(kept))
    assert [t.caption.split(":")[0] for t in tables] == [f"Working points of {c}" for c in "qgt"]
    assert all("background <= 0.001" in {row[0] for row in t.rows} for t in tables)
    assert any("no discriminator" in line for line in ladder_lines(kept))


def test_equal_events_give_equal_bytes() -> None:
    first, second = (working_points(RAW.copy(), [("s", 0.5)], LABELS) for _ in range(2))
    assert (first.csv(), first.json()) == (second.csv(), second.json())


MISTAKES = {
    "a label between the classes": (RAW, np.where(LABELS, 0.5, 0.0), "holds the label 0.5"),
    "one class": (RAW, np.ones(10), "no event of class 0"),
    "a label that is not a number": (RAW, np.where(LABELS, np.nan, 0.0), "holds the label nan"),
    "real scores": (RAW / 4, LABELS, "found float64 .* expected integers"),
    "one score for two ports": (np.hstack([RAW, RAW]), LABELS, r"expected integers of shape \(events, 1\)"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(case: str) -> None:
    raw, labels, message = MISTAKES[case]
    with pytest.raises(CompileError, match=message):
        working_points(raw, [("logit", 0.25)], labels)


def test_accuracy_shares_ties() -> None:
    scores = np.array([[3.0, 1, 0], [2, 2, 0], [1, 1, 1], [0, 5, 5]])
    assert accuracy(scores, np.array([0, 1, 2, 0])) == pytest.approx((1 + 1 / 2 + 1 / 3 + 0) / 4)
    with pytest.raises(CompileError, match="one score per event"):
        accuracy(scores[:, :1], np.array([0, 1, 0, 1]))


def test_percent() -> None:
    rate = {"efficiency": 0.0123, "low": 0.0101, "high": 0.0155, "upper": 0.02}
    assert percent(rate) == "1.23 (+0.32 -0.22) %"
    assert percent(rate | {"efficiency": None}) == "< 2 %"


def outputs(count: int, vector: bool = False) -> Graph:
    """Three single scores of their own formats, or fewer, and a vector."""
    b = Builder("net")
    names = []
    for k in range(count):
        b.add(f"x{k}", Input(Type(S, formats=(Fixed(8, 4 + k),))))
        names.append(b.add(f"y{k}", Relu(), f"x{k}"))
    if vector:
        names.append(b.add("p", Input(Type(V, (Axis("j", 2),), formats=(Fixed(8, 8),)))))
    return b.graph(*names).formatted()


def test_which_outputs_are_the_scores() -> None:
    three, labels = outputs(3), np.arange(6) % 3
    assert tagger_of(three, "", labels).outputs == ("y0", "y1", "y2")
    assert tagger_of(three, "", labels % 2).outputs == ("y0",) == tagger_of(three, "", None).outputs
    chosen = tagger_of(three, "y2,y0,y1", labels)
    assert [name for name, _ in chosen.ports(three)] == ["y2", "y0", "y1"]
    found = dict(tagger_of(three, "", labels).ports(three))
    assert found == {f"y{k}": three.node(f"y{k}").type.formats[0].lsb for k in range(3)}
    assert len(set(found.values())) == 3


def test_the_stages_of_a_network_with_three_outputs(tmp_path: Path, rng: np.random.Generator) -> None:
    """Files, numbers and the lines that `verify` prints; outputs of unequal LSB are compared by what they are
    worth."""
    graph, labels = outputs(3), np.arange(300) % 3
    size = np.array([8, 16, 32]) / 8
    raw = {
        f"x{k}": np.round(size[2 - k] * rng.normal(6 + 4 * (labels == k), 3)).astype(np.int64)
        for k in range(3)
    }
    exact = from_raw(graph, graph.evaluate({k: v[:, None] for k, v in raw.items()}))
    tagger = tagger_of(graph, "", labels)
    stages = tuple(merit_stages(tmp_path, graph, tagger, exact, exact, labels))
    scores = tagger.scores(exact)
    assert [s.name for s in stages] == list(LABELLED) and all(s.ok for s in stages)
    assert [stages[0].number(f"class {k}") for k in range(3)] == list(class_aucs(scores, labels))
    assert stages[0].number("accuracy") == accuracy(scores, labels) > 0.5
    kept = json.loads((tmp_path / JSON).read_text())
    assert [p["port"] for p in kept["ports"]] == ["y0", "y1", "y2"]
    assert [p["auc_softmax"] for p in kept["ports"]] == list(class_aucs(scores, labels))
    assert (tmp_path / CSV).read_text().startswith("port,signal,threshold,score,signal_passed")
    manifest = defaultdict(lambda: 1, model_sha256={})
    said = "\n".join(summary_lines(manifest, Evidence(stages, labelled=True)))
    assert f"classes      accuracy {accuracy(scores, labels):.4f}, AUC of each by softmax 0: " in said
    assert (
        "cut          y0 >= " in said
        and "; y2 >= " in said
        and f"{CSV} has all " in said
        and "with softmax" in said
    )
    assert set(LABELLED) <= set(Evidence((), labelled=True).missing) and not set(LABELLED) & set(STAGES)


@pytest.mark.parametrize(
    ("graph", "wanted", "labels", "message"),
    [
        (outputs(3), "logit", None, "found 'logit', expected one of the outputs y0, y1, y2"),
        (outputs(3), "y0,y0", None, "found 'y0,y0'"),
        (outputs(3), "y0,y1", np.arange(6) % 3, "holds the label 2, expected 0 and 1"),
        (outputs(3), "", np.arange(8) % 4, "holds the label 3, expected 0 to 2"),
        (outputs(2), "", np.arange(6) % 3, "holds the label 2, expected 0 and 1"),
        (outputs(1, vector=True), "p", np.arange(6) % 2, "is not a score"),
    ],
)
def test_outputs_that_are_no_scores(
    graph: Graph, wanted: str, labels: np.ndarray | None, message: str
) -> None:
    with pytest.raises(CompileError, match=message):
        tagger_of(graph, wanted, labels)
