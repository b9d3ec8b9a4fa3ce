"""What the command line prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from eqhls.columns import table
from eqhls.ir.graph import Graph
from eqhls.lower.plan import UNFOLDED
from eqhls.passes.work import total_work, work
from eqhls.verify.evidence import Evidence

LARGEST = ("VU13P", 1_728_000)
"""The largest FPGA of the trigger boards, and its LUT."""


def summary_lines(manifest: Mapping[str, Any], evidence: Evidence | None = None) -> list[str]:
    """Return the facts of a project, and of its proof if there is one, one per line."""
    lines = _evidence_lines(evidence) if evidence else []
    stages = manifest["latency_cycles"] - 1
    return [
        *lines,
        f"latency      {manifest['latency_cycles']} clocks ({stages} stages + input register) = "
        f"{manifest['latency_ns']:g} ns at {manifest['clock_mhz']:g} MHz, II = {manifest['ii']}",
        f"stage depth  {manifest['stage_depth_ns']:g} ns of logic in the deepest stage (alkaid's estimate)",
        f"LUT          {manifest['lut_estimate']:,} (alkaid's estimate) and {manifest['srl_luts']:,} in "
        f"shift registers, {manifest['dsp']} DSP, {manifest['register_bits']:,} pipeline register bits",
        f"symmetry     {manifest['symmetry']}",
        *(f"model        {name}, SHA-256 {digest}" for name, digest in manifest["model_sha256"].items()),
    ]


def _evidence_lines(evidence: Evidence) -> list[str]:
    lines: list[str] = []
    given = evidence.stage("given network")
    if given and given.ok:
        cut = dict(given.numbers).get("cut", 0)
        lines.append(
            f"network      {given.number('events'):.0f} events as the given network says, "
            + ("bit for bit" if not given.number("limit") else "inside the bound of the roundings")
            + (f"; in {cut:.0f} of them a range of the configuration cuts numbers off" if cut else "")
        )
    found = evidence.stage("auc")
    if found:
        lines.append(f"AUC          float {found.number('float'):.4f}, fixed {found.number('fixed'):.4f}")
        numbers = dict(found.numbers)
        if "accuracy" in numbers:
            each = ", ".join(
                f"{k.removeprefix('class ')}: {v:.4f}" for k, v in numbers.items() if k.startswith("class ")
            )
            lines.append(f"classes      accuracy {numbers['accuracy']:.4f}, AUC of each by softmax {each}")
    cuts = evidence.stage("working points")
    if cuts:
        lines.append(f"cut          {cuts.detail}")
    engines = [s for name in ("emulator", "hls", "rtl") if (s := evidence.stage(name))]
    if engines:
        wrong = sum(s.number("mismatches") for s in engines)
        lines.append(
            f"bits         {engines[0].number('events'):.0f} events, {wrong:.0f} mismatches for "
            "integer = emulator = HLS = RTL"
        )
    groups = [s for s in evidence.stages if s.name.startswith("symmetry") and s.name != "symmetry controls"]
    if groups:
        tried = sum(s.number("transformed") for s in groups)
        wrong = sum(s.number("mismatches") for s in groups)
        lines.append(f"transforms   {tried:.0f} transformed events, {wrong:.0f} mismatches")
    return [*lines, *_taken_lines(evidence)]


def _taken_lines(evidence: Evidence) -> list[str]:
    """Return which stages this verdict takes over from an earlier run, and when that finished them."""
    if not evidence.taken:
        return []
    times = sorted(evidence.finished[name] for name in evidence.taken)
    return [
        f"taken over   {', '.join(evidence.taken)}: not run again, finished from {times[0]} to {times[-1]} "
        "on the same content"
    ]


def evidence_table(manifest: Mapping[str, Any], evidence: Evidence) -> Table:
    """Return the stages of the proof as a table."""
    table = Table(title=f"evidence for {manifest['name']}", title_justify="left")
    for column in ("stage", "verdict", "detail"):
        table.add_column(column, overflow="fold")
    for stage in evidence.stages:
        table.add_row(stage.name, "ok" if stage.ok else "FAILED", stage.detail)
    for name in evidence.missing:
        table.add_row(name, "DID NOT RUN", "")
    return table


def model_table(graph: Graph) -> Table:
    """Return ops, types, sizes and work of a model."""
    nodes, costs = list(graph), work(graph)
    return table(
        f"{graph.name}: {len(nodes)} values",
        {
            "value": [n.name for n in nodes],
            "op": [n.op.name() for n in nodes],
            "reads": [", ".join(n.inputs) for n in nodes],
            "type": [str(n.type) for n in nodes],
        },
        {
            "products": (_count(costs[n.name].products) for n in nodes),
            "constants": (_count(costs[n.name].constants) for n in nodes),
            "look-ups": (_count(costs[n.name].lookups) for n in nodes),
        },
    )


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def model_facts(graph: Graph) -> dict[str, Any]:
    """Return what `model_table` and `cost_lines` show, as plain data."""
    costs, total = work(graph), total_work(graph)
    return {
        "name": graph.name,
        "values": [
            {
                "name": n.name,
                "op": n.op.name(),
                "reads": list(n.inputs),
                "type": str(n.type),
                "products": costs[n.name].products,
                "constants": costs[n.name].constants,
                "lookups": costs[n.name].lookups,
            }
            for n in graph
        ],
        "outputs": list(graph.outputs),
        "products": total.products,
        "constants": total.constants,
        "lookups": total.lookups,
        "luts": total.luts,
    }


def cost_lines(graph: Graph) -> list[str]:
    """Return what a model would cost, and a warning if no FPGA holds it."""
    cost = total_work(graph)
    lines = [
        f"work         {cost.products:,} products of variables, {cost.constants:,} with constants, "
        f"{cost.lookups:,} table look-ups per event",
        f"LUT          about {cost.luts:,} at II = {UNFOLDED} with 14 to 16 bits, "
        f"{cost.luts / LARGEST[1]:.0%} of a {LARGEST[0]}; narrow trained formats take half "
        "(eqhls compile gives the estimate)",
    ]
    if cost.luts > LARGEST[1]:
        lines.append(
            f"warning      more than a {LARGEST[0]} has ({LARGEST[1]:,} LUT): it will not fit; take fewer "
            "constituents, channels or levels, or a smaller maxdim"
        )
    return lines
