"""Which bit is what: the port map as data and as a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from eqhls.lower.netlist import Netlist, Port


def port_map(netlist: Netlist, clock_mhz: float) -> dict[str, Any]:
    """Return the map of both packed words, with latency, II and clock."""
    return {
        "name": netlist.name,
        "latency_cycles": netlist.latency_cycles,
        "ii": 1,
        "clock_mhz": round(clock_mhz, 3),
        "reset": "rst, synchronous, active high",
        "input_bits": sum(p.bits for p in netlist.inputs),
        "output_bits": sum(p.bits for p in netlist.outputs),
        "inputs": _tensors(netlist.inputs),
        "outputs": _tensors(netlist.outputs),
    }


def _tensors(ports: tuple[Port, ...]) -> list[dict[str, Any]]:
    tensors: list[dict[str, Any]] = []
    offset = 0
    for port in ports:
        elements: list[dict[str, Any]] = []
        for index, form in zip(np.ndindex(port.shape), port.formats, strict=True):
            elements.append(
                {
                    "index": list(index),
                    "lsb": offset,
                    "width": form.width,
                    "signed": form.signed,
                    "frac_bits": form.frac,
                }
            )
            offset += form.width
        tensors.append({"name": port.name, "shape": list(port.shape), "elements": elements})
    return tensors


def port_table(ports: dict[str, Any]) -> str:
    """Return the port map for people."""
    lines = [
        f"# {ports['name']}",
        "",
        f"Latency {ports['latency_cycles']} clocks from `in_valid` to `out_valid`, II = {ports['ii']}, "
        f"made for {ports['clock_mhz']:g} MHz. Reset: `{ports['reset']}`.",
        "",
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
