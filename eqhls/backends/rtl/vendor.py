"""The same top around a core that Vitis or Vivado made, so that the one bench can run it too."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from eqhls.backends.rtl.shell import Face, shell, valid_pipe
from eqhls.errors import CompileError
from eqhls.text import Project


def vendor_rtl(ports: dict[str, Any], latency_cycles: int, core: str, sources: Mapping[str, str]) -> Project:
    """Return an rtl/ folder whose top has the ports of ours and holds a vendor core.

    `ports` is the port map of the project, `core` the vendor's top module (ports ap_clk, ap_rst,
    in_data, out_data, or in_data_V, out_data_V; ap_ctrl_none, the II of the port map), `sources` its Verilog
    files by name and `latency_cycles` the latency of its csynth report. Raises CompileError if no file holds
    the module, and for a port map of an older eqhls.
    """
    if not any(f"module {core}" in text for text in sources.values()):
        raise CompileError(
            core, f"is not a module of {', '.join(sorted(sources)) or 'any file'}", "name the top module"
        )
    if "model_hash" not in ports:
        raise CompileError(ports["name"], "has no hash of the model in its port map", "compile again")
    name = ports["name"]
    files = {f"rtl/vendor/{file}": text for file, text in sources.items()}
    cell, text = valid_pipe(name)
    files[cell] = text
    # Vivado HLS puts _V behind the names of arguments of ap_uint, Vitis HLS does not.
    end = "_V" if any(re.search(r"\bin_data_V\b", text) for text in sources.values()) else ""
    data = f".in_data{end}(in_data), .out_data{end}(out_data)"
    inner = f"{core} u_core (.ap_clk(clk), .ap_rst(rst), {data});"
    words = ports["input_bits"], ports["output_bits"]
    face = Face(name, *words, latency_cycles, ports["ii"], ports["model_hash"])
    files[f"rtl/{name}.v"] = shell(face, inner)
    order = [cell, *sorted(f"rtl/vendor/{f}" for f in sources), f"rtl/{name}.v"]
    files["rtl/sources.f"] = "\n".join(order) + "\n"
    files[f"rtl/{name}.portmap.json"] = (
        json.dumps(ports | {"latency_cycles": latency_cycles}, indent=1) + "\n"
    )
    return files
