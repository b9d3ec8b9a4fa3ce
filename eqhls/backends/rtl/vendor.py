"""The same top around a core that Vitis or Vivado made, so that the one bench can run it too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from eqhls.backends.rtl.shell import shell, valid_pipe
from eqhls.errors import CompileError
from eqhls.text import Project


def vendor_rtl(ports: dict[str, Any], latency_cycles: int, core: str, sources: Mapping[str, str]) -> Project:
    """Return an rtl/ folder whose top has the ports of ours and holds a vendor core.

    `ports` is the port map of the project, `core` the vendor's top module (ports ap_clk, ap_rst,
    in_data, out_data; ap_ctrl_none, the II of the port map), `sources` its Verilog files by name and
    `latency_cycles` the latency of its csynth report. Raises CompileError where a file does not hold the
    module.
    """
    if not any(f"module {core}" in text for text in sources.values()):
        raise CompileError(
            core, f"is not a module of {', '.join(sorted(sources)) or 'any file'}", "name the top module"
        )
    name = ports["name"]
    files = {f"rtl/vendor/{file}": text for file, text in sources.items()}
    cell, text = valid_pipe(name)
    files[cell] = text
    inner = f"{core} u_core (.ap_clk(clk), .ap_rst(rst), .in_data(in_data), .out_data(out_data));"
    bits = ports["input_bits"], ports["output_bits"]
    files[f"rtl/{name}.v"] = shell(name, bits, latency_cycles, ports["ii"], inner)
    order = [cell, *sorted(f"rtl/vendor/{f}" for f in sources), f"rtl/{name}.v"]
    files["rtl/sources.f"] = "\n".join(order) + "\n"
    files[f"rtl/{name}.portmap.json"] = (
        json.dumps(ports | {"latency_cycles": latency_cycles}, indent=1) + "\n"
    )
    return files
