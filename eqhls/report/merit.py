"""The section of a report about labelled events: AUC, ROC, histograms, working points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from eqhls.report.classes import class_figures
from eqhls.report.drawing import Box, Curve, Figure, Scale, across, plot, stairs, upward
from eqhls.report.sources import Facts, Sources
from eqhls.report.table import Entry, Section, Table
from eqhls.verify.merit import percent
from eqhls.verify.workpoints import CSV

COLUMNS = ("wanted", "score at least, as an integer", "as a number", "signal", "background", "rejection")
SIDES = {"float": "float", "fixed": "fixed point"}
KINDS = {
    ("fixed", "signal"): "c1",
    ("float", "signal"): "c1 dashed",
    ("fixed", "background"): "c2",
    ("float", "background"): "c2 dashed",
}


def accuracy_section(found: Sources) -> Section:
    """Return the AUC of float and fixed point, ROC and histogram of every score, and the working points."""
    stage, title = found.stage("auc"), "Accuracy and working points"
    if stage is None:
        line = (
            f"No labelled events have been given: eqhls verify {found.folder} EVENTS.npz, with labels y in "
            "the file, measures the AUC and draws ROC and score histograms here."
        )
        return Section("accuracy", title, (line,))
    numbers = stage["numbers"]
    rows: list[tuple[Entry, ...]] = [
        ("AUC of the network as it was given, in float", f"{numbers['float']:.4f}"),
        ("AUC of the firmware, in fixed point", f"{numbers['fixed']:.4f}"),
    ]
    if "accuracy" in numbers:
        rows.append(("share of events in their own class, in fixed point", f"{numbers['accuracy']:.4f}"))
    rows += [
        (f"AUC of {name} against all others, in fixed point", f"{value:.4f}")
        for name, value in numbers.items()
        if name.startswith("class ")
    ]
    figures = tuple(_all_figures(found.manifest["name"], found.curves, found.ladders)) if found.curves else ()
    lines = (
        [stage["detail"]]
        if figures
        else [stage["detail"], f"No curves are kept: verify {found.folder} again."]
    )
    ladders = ladder_tables(found.ladders) if found.ladders else ()
    said = ladder_lines(found.ladders) if found.ladders else ()
    merit = Table("Area under the ROC curve", ("", "value"), tuple(rows))
    return Section("accuracy", title, (*lines, *said), figures, (merit, *ladders))


def _all_figures(name: str, curves: Facts, ladders: Facts | None) -> Iterator[Figure]:
    """Yield the pictures of all classes together, then those of each score that is cut on."""
    yield from class_figures(name, curves)
    ports = {(p["port"], p["signal"]): p for p in ladders["ports"]} if ladders else {}
    for score in curves["scores"]:
        yield _roc(name, score, ports.get((score["port"], score["signal"])))
        yield _histogram(name, score)


def _roc(name: str, score: Facts, ladder: Facts | None) -> Figure:
    """Draw the ROC of one score, with the working points of its ladder."""
    sides = {side: score["sides"][side] for side in SIDES}
    floor = min(b for s in sides.values() for _, b in s["roc"] if b > 0)
    roc = [
        Curve(
            SIDES[side], "c1" if side == "fixed" else "c2 dashed", [(s, b) for s, b in found["roc"] if b > 0]
        )
        for side, found in sides.items()
    ]
    x = across("signal efficiency", 0.0, 1.0)
    y = upward("background efficiency", min(floor, 0.5), 1.0, log=True)
    area = f", AUC {ladder['auc']:.4f}" if ladder else ""
    drawn = plot(
        f"{name}: ROC of {score['port']}, {score['signal']} against {score['background']}{area}",
        "Background efficiency against signal efficiency, in float and in fixed point.",
        x,
        y,
        roc,
    )
    points = tuple(_points(x, y, ladder)) if ladder else ()
    legend = (*drawn.legend, *((("point", "working points"),) if points else ()))
    return replace(drawn, boxes=points, legend=legend)


def _points(x: Scale, y: Scale, ladder: Facts) -> Iterator[Box]:
    """Yield a square at each working point of a ladder that passes some background."""
    for step in ladder["ladder"]:
        point = step["point"]
        if point and all(point[kind]["passed"] for kind in ("signal", "background")):
            signal, background = (point[kind]["efficiency"] for kind in ("signal", "background"))
            shares = f"{signal:.1%} of the signal, {background:.2%} of the background"
            hint = f"score at least {point['threshold']}: {shares}"
            yield Box(x(signal) - 4, y(background) - 4, 8, 8, "point", hint)


def _histogram(name: str, score: Facts) -> Figure:
    """Draw the scores of signal and background."""
    sides = {side: score["sides"][side] for side in SIDES}
    of = f"{score['port']}: {score['signal']} against {score['background']}"
    edges = score["edges"]
    counted = {
        (side, kind): [c / max(sum(found[kind]), 1) for c in found[kind]]
        for side, found in sides.items()
        for kind in ("signal", "background")
    }
    return plot(
        f"{name}: scores of {of}",
        "Histograms of the score for signal and background, in float and in fixed point.",
        across("score", edges[0], edges[-1]),
        upward("share of events per bin", 0.0, max(max(c) for c in counted.values()) * 1.05),
        [
            Curve(f"{score[kind]}, {SIDES[side]}", KINDS[side, kind], stairs(edges, shares))
            for (side, kind), shares in counted.items()
        ],
    )


def ladder_lines(ladders: Facts) -> Iterator[str]:
    """Yield what the working points mean, and what to beware of."""
    yield (
        f"An event passes if the integer of the score is at least the one given. {ladders['events']:,} "
        "events. Errors are intervals of Clopper and Pearson; a < marks an upper limit of 95 %. "
        f"All thresholds are in {CSV}."
    )
    if ladders["warning"]:
        yield ladders["warning"]


def ladder_tables(ladders: Facts) -> Iterator[Table]:
    """Yield a table of working points for every score."""
    for port in ladders["ports"]:
        several = len(ladders["ports"]) > 1
        both = f"AUC {port['auc']:.4f}" + (f", by softmax {port['auc_softmax']:.4f}" if several else "")
        caption = f"Working points of {port['port']}: {port['signal']} against {port['background']}, {both}"
        yield Table(caption, COLUMNS, tuple(map(_step, port["ladder"])))


def _step(step: Facts) -> tuple[Entry, ...]:
    point = step["point"]
    if point is None:
        return (step["wanted"], "not reached at any integer that occurs", *[""] * (len(COLUMNS) - 2))
    limit = point["background"]["upper"]
    rejection = f"{point['rejection']:.4g}" if point["rejection"] else f"> {1 / limit:.2g}"
    rates = (percent(point[kind]) for kind in ("signal", "background"))
    return (step["wanted"], str(point["threshold"]), f"{point['score']:g}", *rates, rejection)
