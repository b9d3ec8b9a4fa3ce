"""The sections of a report about the design: key figures, network, stages, ports, formats, provenance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eqhls.ir.graph import Node
from eqhls.passes.cost import gates_by_value
from eqhls.report.drawing import Figure, across, bars, upward
from eqhls.report.netpicture import anchor, box_anchor, network_figure
from eqhls.report.pipeline import Row, logic_by_op, logic_by_value, ops_figure, pipeline_figure
from eqhls.report.sources import Facts, Sources
from eqhls.report.table import Entry, Mark, Section, Table, pairs

REMARKS = {
    "meaning": "meaning",
    "frame": "frame",
    "order": "order",
    "holes": "empty slot",
    "overflow": "out of range",
}
RESOURCES = {"lut": "LUT", "ff": "flip-flops", "dsp": "DSP"}


def figures_of_merit(found: Sources) -> dict[str, str]:
    """Return the few figures that a reader looks for first."""
    m, auc = found.manifest, found.stage("auc")
    first = {
        "latency": f"{m['latency_ns']:g} ns",
        "clocks": f"{m['latency_cycles']} at {m['clock_mhz']:g} MHz",
        "a new event every": "clock" if m["ii"] == 1 else f"{m['ii']} clocks",
        "LUT, estimated": f"{m['lut_estimate']:,}",
        "DSP": f"{m['dsp']:,}",
    }
    if auc:
        first["AUC, fixed (float)"] = f"{auc['numbers']['fixed']:.4f} ({auc['numbers']['float']:.4f})"
    return first


def cost_section(found: Sources) -> Section:
    """Return resources and time, as a whole and of every stage of the pipeline."""
    m = found.manifest
    facts = {
        "Latency from the event to the result": f"{m['latency_cycles']} clocks = {m['latency_ns']:g} ns",
        "Clock": f"{m['clock_mhz']:g} MHz",
        "Clocks from one event to the next (II)": m["ii"],
        "Logic of the deepest stage (alkaid's estimate)": f"{m['stage_depth_ns']:g} ns",
        "LUT (alkaid's estimate)": f"{m['lut_estimate']:,}",
        "LUT in shift registers": f"{m['srl_luts']:,}",
        "DSP": f"{m['dsp']:,}",
        "Bits in pipeline registers": f"{m['register_bits']:,}",
        "Part": m["options"]["Part"],
    }
    for key, value in (found.yosys or {}).items():
        facts[f"{RESOURCES.get(key, key)} (counted by Yosys)"] = f"{value:,}"
    stages = m.get("stages", ())
    table = Table(
        "Stages of the pipeline (alkaid's estimate)",
        ("stage", "LUT", "logic in ns"),
        tuple((str(k), f"{s['lut']:,.0f}", f"{s['depth_ns']:.3f}") for k, s in enumerate(stages, 1)),
        folded=True,
    )
    lines = (
        ()
        if stages
        else ("The stages are not listed, as an older eqhls compiled this project: compile again.",)
    )
    tables = (pairs("Resources and time", facts), *((table,) if stages else ()), *_savings(m))
    return Section("cost", "Resources and pipeline", lines, tuple(_stage_figures(found)), tables)


def _stage_figures(found: Sources) -> Iterator[Figure]:
    m = found.manifest
    stages: list[Facts] = list(m.get("stages", ()))
    if not stages:
        return
    drawn = pipeline_figure(found)
    if drawn:
        yield drawn
    luts = [float(s["lut"]) for s in stages]
    most = max(range(len(luts)), key=luts.__getitem__)
    title = f"{m['name']}: stage {most + 1} has the most logic, {luts[most]:,.4g} of {sum(luts):,.0f} LUT"
    x = across("stage", 0.5, len(luts) + 0.5)
    y = upward("LUT, estimated", 0.0, max(*luts, 1e-3) * 1.05)
    yield bars(title, "A bar for each stage of the pipeline: LUTs.", x, y, luts, "LUT")
    kinds = logic_by_op(found.graph, logic_by_value(found))
    if kinds:
        yield ops_figure(found, kinds)


def _savings(manifest: Facts) -> Iterator[Table]:
    """Yield what the passes did; gates are counted without sharing, to compare graphs. Before quantization
    they are LUT at 14 to 16 bits. Passes that changed nothing are left out."""
    rows = [
        (step["name"].replace("_", " "), when, f"{_change(step['blocks'])}", _change(step["gates"]))
        for when, key in (("before", "algebra"), ("after", "passes"))
        for step in manifest[key]
        if step["blocks"][0] != step["blocks"][1] or step["gates"][0] != step["gates"][1]
    ]
    if rows:
        columns = ("pass", "quantization", "values", "gates, counted without sharing")
        yield Table("What the passes saved", columns, tuple(rows), 2, folded=True)


def _change(pair: tuple[int, int]) -> str:
    before, now = pair
    return f"{before:,} to {now:,}" + (f" ({1 - now / before:.1%} saved)" if before else "")


def network_section(found: Sources) -> Section:
    """Return every value of the compiled network, and which ops take most of the logic."""
    graph = found.graph
    cost = gates_by_value(graph)
    logic = logic_by_value(found)
    rows = tuple(
        (
            n.name,
            n.op.name(),
            ", ".join(n.inputs),
            str(n.type),
            f"{n.type.elements:,}",
            f"{cost[n.name]:,}" if cost[n.name] else "",
            f"{logic[n.name].total:,.0f}" if n.name in logic else "",
            _stages_of(logic[n.name]) if n.name in logic else "",
        )
        for n in graph
    )
    columns = ("value", "op", "reads", "type and format", "numbers", "gates", "LUT", "stages")
    names, boxes = (tuple(make(n.name) for n in graph) for make in (anchor, box_anchor))
    values = Table(f"{len(rows)} values, in the order of computation", columns, rows, 4, False, names, boxes)
    luts = {name: row.total for name, row in logic.items()}
    whole = luts or cost
    drawn = network_figure(graph, {n: v / (sum(whole.values()) or 1) for n, v in whole.items()})
    line = (
        "Gates are counted for every value alone, without sharing. LUTs are those of the netlist, which "
        "shares terms between ops: a LUT counts to the first value that needs it, and that of a value which "
        "optimisation dissolved to the next one that exists. Shares in the picture are those of the "
        + ("LUTs." if luts else "gates, as an older eqhls compiled this project.")
    )
    return Section("network", "Network", (line,), (drawn,), (_by_op(found, cost), values))


def _stages_of(row: Row) -> str:
    """Return the stages in which a value is computed, e.g. 3 to 5, or 4, 13 to 15."""
    runs: list[list[int]] = []
    for k in sorted(row.luts):
        if runs and runs[-1][-1] == k - 1:
            runs[-1].append(k)
        else:
            runs.append([k])
    return ", ".join(f"{r[0]} to {r[-1]}" if len(r) > 1 else str(r[0]) for r in runs)


def _by_op(found: Sources, cost: dict[str, int]) -> Table:
    """Return values, gates and logic by op, those that take most first."""
    kinds: dict[str, list[Node]] = {}
    for node in found.graph:
        kinds.setdefault(node.op.name(), []).append(node)
    gates = {kind: sum(cost[n.name] for n in nodes) for kind, nodes in kinds.items()}
    values = logic_by_value(found)
    logic = {row.name: row for row in logic_by_op(found.graph, values)}
    depth = {
        kind: max((len(values[n.name].luts) for n in nodes if n.name in values), default=0)
        for kind, nodes in kinds.items()
    }
    total = sum(row.total for row in logic.values()) or 1
    rows = tuple(
        (
            kind,
            str(len(kinds[kind])),
            f"{gates[kind]:,}",
            *(
                (f"{logic[kind].total:,.0f}", f"{logic[kind].total / total:.1%}")
                if kind in logic
                else ("", "")
            ),
            str(depth[kind]) if depth[kind] else "",
        )
        for kind in sorted(kinds, key=lambda k: (-logic[k].total if k in logic else 0, -gates[k]))
    )
    columns = ("op", "values", "gates", "LUT", "share", "stages of its deepest value")
    return Table("Logic and depth by op", columns, rows)


def ports_section(found: Sources) -> Section:
    """Return every component of every port with its bits, format, unit and range."""
    if found.ports is None:
        return Section("ports", "Ports", ("The port map is missing: compile again.",))
    columns = ("port", "component", "bits of the first entry", "entries", "unit", "taken as")
    tables = tuple(
        Table(
            f"{side.capitalize()}: one word of {found.ports[f'{side[:-1]}_bits']:,} bits",
            (*columns, "LSB", "smallest", "largest"),
            tuple(row for port in found.ports[side] for row in _port(port)),
            len(columns),
        )
        for side in ("inputs", "outputs")
    )
    said = dict[str, str]()
    for port in (*found.ports["inputs"], *found.ports["outputs"]):
        said |= {f"{port['name']}: {what}": port[key] for key, what in REMARKS.items() if port.get(key)}
    remarks = pairs("What the ports expect", said)
    return Section("ports", "Ports", (), (), (*tables, *((remarks,) if said else ())))


def _port(port: Facts) -> Iterator[tuple[Entry, ...]]:
    axes, sizes = port["axes"], port["shape"][:-1]
    entries = " x ".join(f"{n} ({a})" for a, n in zip(axes, sizes, strict=True)) or "1"
    for k, one in enumerate(port["components"]):
        first = next(e for e in port["elements"] if e["index"][-1] == k)
        low, high = first["lsb"], first["lsb"] + first["width"] - 1
        yield (
            port["name"],
            one["name"] or "the number itself",
            f"{high}:{low}",
            entries,
            one["unit"],
            one["taken_as"],
            *(f"{one[key]:g}" for key in ("lsb_value", "min", "max")),
        )


def provenance_section(found: Sources) -> Section:
    """Return what the project was made from, by what, and how."""
    m = found.manifest
    facts: dict[str, Any] = {
        "Hash of the network (output model_hash of the top)": m.get("model_hash", "not kept")
    }
    facts |= {f"SHA-256 of {name}": digest for name, digest in m.get("model_sha256", {}).items()}
    facts |= {f"Version of {name}": text for name, text in m["versions"].items()}
    files = found.stage("files")
    if files:
        facts["Files of the folder"] = Mark(files["detail"], files["ok"])
    options = {k: _option(v) for k, v in m["options"].items()}
    tables = [pairs("Model and tools", facts), pairs("Options", options, folded=True)]
    tables.append(pairs("SHA-256 of the files of the project", m["sha256"], folded=True))
    if found.seconds:
        rows = tuple((step, f"{seconds:.3f}") for step, seconds in found.seconds.items())
        total = ("all steps", f"{sum(found.seconds.values()):.3f}")
        tables.append(Table("Time of each step of the compilation", ("step", "seconds"), (*rows, total)))
    return Section("provenance", "Provenance and time", (), (), tuple(tables))


def _option(value: Any) -> str:
    return "default" if value in (None, "") else str(value)
