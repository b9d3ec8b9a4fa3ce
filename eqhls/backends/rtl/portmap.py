"""Which bit is what: the port map as data and as a table."""

from __future__ import annotations

from typing import Any

from eqhls.lower.dsps import dsp_facts
from eqhls.lower.layout import Field, Layout
from eqhls.lower.plan import Plan


def port_map(plan: Plan) -> dict[str, Any]:
    """Return the map of both packed words, with latency, II and clock."""
    return {
        "name": plan.name,
        "latency_cycles": plan.latency_cycles,
        "ii": plan.ii,
        "clock_mhz": plan.clock_mhz,
        "reset": "rst, synchronous, active high",
        "input_bits": plan.inputs.bits,
        "output_bits": plan.outputs.bits,
        "inputs": _tensors(plan.inputs),
        "outputs": _tensors(plan.outputs),
        **dsp_facts(plan.netlist),
    }


def _tensors(layout: Layout) -> list[dict[str, Any]]:
    fields = layout.by_port()
    return [
        {"name": p.name, "shape": list(p.shape), "elements": [_element(f) for f in fields[p.name]]}
        for p in layout.ports
    ]


def _element(field: Field) -> dict[str, Any]:
    return {
        "index": list(field.index),
        "lsb": field.lsb,
        "width": field.form.width,
        "signed": field.form.signed,
        "frac_bits": field.form.frac,
    }


def _dsp_lines(ports: dict[str, Any]) -> list[str]:
    if not ports["dsp"]:
        return []
    return [
        f"{ports['dsp']} products carry `use_dsp`, each in a stage of its own, so that its DSP takes the "
        f"registers before and behind it: {', '.join(ports['dsp_products'])}. Without them the estimate is "
        f"{ports['lut_estimate_without_dsp']:,} LUT. Vitis HLS chooses for itself what it puts into DSPs.",
        "",
    ]


def port_table(ports: dict[str, Any]) -> str:
    """Return the port map for people."""
    lines = [
        f"# {ports['name']}",
        "",
        f"Latency {ports['latency_cycles']} clocks from `in_valid` to `out_valid`, II = {ports['ii']}, "
        f"made for {ports['clock_mhz']:g} MHz. Reset: `{ports['reset']}`.",
        "",
        *_dsp_lines(ports),
        "| word | element | bits | format | one unit is worth |",
        "|---|---|---|---|---|",
    ]
    for word, tensors in (("in_data", ports["inputs"]), ("out_data", ports["outputs"])):
        for tensor in tensors:
            for e in tensor["elements"]:
                bits = f"{e['lsb'] + e['width'] - 1}:{e['lsb']}"
                index = ", ".join(map(str, e["index"]))
                kind = f"{'signed' if e['signed'] else 'unsigned'} {e['width']}"
                lines.append(
                    f"| {word} | {tensor['name']}[{index}] | {bits} | {kind} | {2.0 ** -e['frac_bits']:g} |"
                )
    return "\n".join(lines) + "\n"
