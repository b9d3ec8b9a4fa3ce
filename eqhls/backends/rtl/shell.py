"""The module that users instantiate: valid in and out and a fixed latency, around any core."""

from __future__ import annotations

from dataclasses import dataclass

from eqhls.text import Emitter, asset

_PIPE = "eq_valid_pipe"


def valid_pipe(name: str) -> tuple[str, str]:
    """Return the file and the Verilog of the cell that delays `valid`, named after the project: designs may
    hold projects of several versions of eqhls."""
    own = f"{name}_valid_pipe"
    return f"rtl/{own}.sv", asset("rtl", f"{_PIPE}.sv").read_text().replace(_PIPE, own)


@dataclass(frozen=True, slots=True)
class Face:
    """What a top shows to the outside: its name, the widths of the input and output words, its latency and
    initiation interval in clocks, and the eight hexadecimal digits of the model's hash."""

    name: str
    input_bits: int
    output_bits: int
    latency_cycles: int
    ii: int
    model_hash: str


def shell(face: Face, core: str) -> str:
    """Return the Verilog of a top around `core`, the instantiation of what computes `out_data` from
    `in_data`, the latency after it."""
    out, name = Emitter(), face.name
    out(f"// Latency {face.latency_cycles} clocks, II = {face.ii}. Ports: {name}.portmap.json")
    out("`default_nettype none")
    out(f"module {name} #(")
    with out.block():
        out(f"parameter [31:0] MODEL_HASH = 32'h{face.model_hash}")
    out(") (")
    with out.block():
        out("input  wire clk,")
        out("input  wire rst,        // synchronous, active high; drops events in flight")
        out("input  wire in_valid,")
        out(f"input  wire [{face.input_bits - 1}:0] in_data,")
        out("output wire out_valid,")
        out(f"output wire [{face.output_bits - 1}:0] out_data,")
        out("output reg  [31:0] model_hash  // constant: which network this is")
    out(");")
    with out.block():
        out(core)
        out(f"{name}_valid_pipe #(.Latency({face.latency_cycles})) u_valid (")
        out("  .clk(clk), .rst(rst), .in_valid(in_valid), .out_valid(out_valid)")
        out(");")
        out("always @(posedge clk) model_hash <= MODEL_HASH;")
    out("endmodule")
    out("`resetall")
    return out.text()
