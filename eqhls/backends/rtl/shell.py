"""The module that users instantiate: valid in and out and a fixed latency, around any core."""

from __future__ import annotations

from eqhls.text import Emitter, asset

_PIPE = "eq_valid_pipe"


def valid_pipe(name: str) -> tuple[str, str]:
    """Return the file and the Verilog of the cell that delays `valid`, named after the project: designs may
    hold projects of several versions of eqhls."""
    own = f"{name}_valid_pipe"
    return f"rtl/{own}.sv", asset("firmware", "rtl", f"{_PIPE}.sv").read_text().replace(_PIPE, own)


def shell(name: str, bits: tuple[int, int], latency_cycles: int, ii: int, core: str) -> str:
    """Return the Verilog of a top.

    `bits` are the widths of the input and output words; `core` is the instantiation of what computes
    `out_data` from `in_data`, `latency_cycles` after it, an event every `ii` clocks.
    """
    out = Emitter()
    out(f"// Latency {latency_cycles} clocks, II = {ii}. Ports: {name}.portmap.json")
    out("`default_nettype none")
    out(f"module {name} (")
    with out.block():
        out("input  wire clk,")
        out("input  wire rst,        // synchronous, active high; drops events in flight")
        out("input  wire in_valid,")
        out(f"input  wire [{bits[0] - 1}:0] in_data,")
        out("output wire out_valid,")
        out(f"output wire [{bits[1] - 1}:0] out_data")
    out(");")
    with out.block():
        out(core)
        out(f"{name}_valid_pipe #(.Latency({latency_cycles})) u_valid (")
        out("  .clk(clk), .rst(rst), .in_valid(in_valid), .out_valid(out_valid)")
        out(");")
    out("endmodule")
    out("`resetall")
    return out.text()
