"""Which bit is what, and what it means: the port map as data and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eqhls.lower.contract import Component, Contract, Signal
from eqhls.lower.dsps import dsp_facts
from eqhls.lower.layout import Field, Layout
from eqhls.lower.plan import Plan


def port_map(plan: Plan, contract: Contract) -> dict[str, Any]:
    """Return the map of both packed words, with latency, II, clock and the hash of the model."""
    return {
        "name": plan.name,
        "model_hash": contract.model_hash,
        "latency_cycles": plan.latency_cycles,
        "ii": plan.ii,
        "clock_mhz": plan.clock_mhz,
        "reset": "rst, synchronous, active high",
        "input_bits": plan.inputs.bits,
        "output_bits": plan.outputs.bits,
        "inputs": _tensors(plan.inputs, contract.inputs),
        "outputs": _tensors(plan.outputs, contract.outputs),
        **dsp_facts(plan.netlist),
    }


def _tensors(layout: Layout, signals: tuple[Signal, ...]) -> list[dict[str, Any]]:
    fields = layout.by_port()
    return [
        {
            "name": port.name,
            "identifier": signal.identifier,
            "shape": list(port.shape),
            "axes": [name for name, _ in signal.axes],
            "components": [_component(c) for c in signal.components],
            "meaning": signal.meaning,
            "frame": signal.frame,
            "order": signal.order,
            "holes": signal.holes,
            "overflow": signal.overflow,
            "elements": [_element(f, signal) for f in fields[port.name]],
        }
        for port, signal in zip(layout.ports, signals, strict=True)
    ]


def _component(component: Component) -> dict[str, Any]:
    return {
        "name": component.name,
        "unit": component.unit,
        "lsb_value": component.lsb,
        "min": component.form.lo * component.lsb,
        "max": component.form.hi * component.lsb,
        "integer": component.whole,
        "taken_as": str(component.taken),
    }


def _element(field: Field, signal: Signal) -> dict[str, Any]:
    return {
        "index": list(field.index),
        "element": signal.element(field.index),
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
    name = ports["name"]
    lines = [
        f"# {name}",
        "",
        f"Latency {ports['latency_cycles']} clocks from `in_valid` to `out_valid`, II = {ports['ii']}, "
        f"made for {ports['clock_mhz']:g} MHz. Reset: `{ports['reset']}`.",
        f"Hash of the model: `{ports['model_hash']}`, the constant output `model_hash` and the parameter "
        "`MODEL_HASH`.",
        "",
        *_dsp_lines(ports),
        "## What the ports mean",
        "",
        *_meanings(ports),
        "The same as types with pack and unpack: "
        f"`firmware/{name}_ports.h` (C++), `rtl/{name}_pkg.sv` (SystemVerilog), `rtl/{name}_pkg.vhd` (VHDL).",
        "",
        "## Which bit is what",
        "",
        "| word | element | bits | format | one unit is worth | range |",
        "|---|---|---|---|---|---|",
    ]
    for word, tensors in (("in_data", ports["inputs"]), ("out_data", ports["outputs"])):
        lines += [f"| {word} | {row}" for tensor in tensors for row in _rows(tensor)]
    return "\n".join(lines) + "\n"


def _rows(tensor: dict[str, Any]) -> Iterator[str]:
    for e in tensor["elements"]:
        bits = f"{e['lsb'] + e['width'] - 1}:{e['lsb']}"
        kind = f"{'signed' if e['signed'] else 'unsigned'} {e['width']}"
        component = tensor["components"][e["index"][-1] if len(tensor["components"]) > 1 else 0]
        worth = f"{component['lsb_value']:g} {component['unit']}".rstrip()
        span = f"{component['min']:.6g} to {component['max']:.6g}"
        yield f"{e['element']} | {bits} | {kind} | {worth} | {span} |"


def _meanings(ports: dict[str, Any]) -> Iterator[str]:
    """Yield a list for every port: what it is, then frame, order, empty slots and values out of range."""
    for word, tensors in (("in_data", ports["inputs"]), ("out_data", ports["outputs"])):
        for tensor in tensors:
            parts = [f"`{part}`" for c in tensor["components"] if (part := c["name"])]
            listed = f" ({', '.join(parts)})" if parts else ""
            unit = f", in {tensor['components'][0]['unit']}" if tensor["components"][0]["unit"] else ""
            yield f"- `{tensor['identifier']}` in `{word}`{listed}: {tensor['meaning']}{unit}"
            for key, title in _TITLES.items():
                if tensor[key]:
                    yield f"    - {title}: {tensor[key]}"
    yield ""


_TITLES = {"frame": "frame", "order": "order", "holes": "empty slot", "overflow": "out of range"}
