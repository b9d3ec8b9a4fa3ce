"""The frame in which designs are routed keeps every bit, and what nextpnr says is read; nothing is routed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench.route import MODELS, NETWORKS, PEERS, TOP, Routed, frame, line, read_clock, read_log

from eqhls.errors import CompileError
from eqhls.verify.toolchain import toolchain

CORE = """`default_nettype none
module net_core (input wire clk, input wire [WIDE:0] in_data, output reg [NARROW:0] out_data);
  reg [WIDE:0] word;
  always @(posedge clk) begin
    word <= in_data;
    out_data <= OUT;
  end
endmodule
`resetall
"""
MIXED = "{word[0], word[1], word[2] ^ word[4], ~word[3], word[4]}"
EVENTS = [0b10110, 0b01101, 0b00001, 0b11011]
"""Both values of each bit."""


def core(wide: int, narrow: int, out: str) -> str:
    return CORE.replace("WIDE", str(wide - 1)).replace("NARROW", str(narrow - 1)).replace("OUT", out)


def mixed(word: int) -> int:
    """What the core above makes of five bits."""
    b = [word >> k & 1 for k in range(5)]
    return b[0] << 4 | b[1] << 3 | (b[2] ^ b[4]) << 2 | (1 - b[3]) << 1 | b[4]


def yosys(folder: Path, *passes: str) -> str:
    """Run passes, and return what they print."""
    program = "; ".join(
        ["from pyosys import libyosys as ys", "d = ys.Design()", *(f"ys.run_pass({p!r}, d)" for p in passes)]
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shifted_out(folder: Path, wrapped: str) -> list[int]:
    """Send all events through the pins of a frame, and return the results as they come out."""
    loads, words, wait = [], [], 4
    for event in [*EVENTS, 0]:
        loads += [1] * 5 + [0] * wait
        words += [event >> k & 1 for k in (4, 3, 2, 1, 0)] + [0] * wait
    clocks = len(loads)

    def rom(bits: list[int]) -> str:
        return f"{clocks}'b" + "".join(map(str, reversed(bits)))

    (folder / "net.v").write_text(core(5, 5, MIXED))
    (folder / "frame.v").write_text(wrapped)
    (folder / "bench.v").write_text(f"""module bench (input wire clk, output reg [{clocks - 1}:0] seen = 0);
  reg [7:0] count = 0;
  localparam [{clocks - 1}:0] loads = {rom(loads)}, words = {rom(words)};
  wire sout;
  {TOP} dut (.clk(clk), .load(loads[count]), .sin(words[count]), .sout(sout));
  always @(posedge clk) begin count <= count + 1; seen <= {{sout, seen[{clocks - 1}:1]}}; end
endmodule
""")
    reads = [f"read_verilog -sv {name}.v" for name in ("net", "frame", "bench")]
    simulate = f"sim -q -clock clk -n {clocks} -zinit -w bench"
    yosys(
        folder,
        *reads,
        "hierarchy -top bench",
        "proc",
        "flatten",
        "opt_clean",
        simulate,
        "write_json out.json",
    )
    names = json.loads((folder / "out.json").read_text())["modules"]["bench"]["netnames"]
    seen = [int(b) for b in reversed(names["seen"]["attributes"]["init"].zfill(clocks))]
    starts = [k * (5 + wait) for k in range(1, len(EVENTS) + 1)]
    return [int("".join(map(str, seen[s : s + 5])), 2) for s in starts]


def test_every_bit_goes_through_the_frame(tmp_path: Path) -> None:
    """Words in at one pin, results out at another; a frame that takes its result from a wrong bit is seen."""
    wrapped = frame({"name": "net", "input_bits": 5, "output_bits": 5})
    assert shifted_out(tmp_path, wrapped) == [mixed(e) for e in EVENTS]
    assert shifted_out(tmp_path, wrapped.replace("result[4]", "result[3]")) != [mixed(e) for e in EVENTS]


@pytest.mark.parametrize(
    ("wide", "narrow", "out"), [(5, 5, MIXED), (1, 1, "word"), (40, 1, "^word"), (1, 3, "{3{word}}")]
)
def test_no_register_of_the_frame_is_lost(wide: int, narrow: int, out: str, tmp_path: Path) -> None:
    """Verilator has no complaint, and Yosys keeps a flip-flop for every bit of frame and core; of three equal
    outputs it keeps one in the core, but all in the frame."""
    wrapped = frame({"name": "net", "input_bits": wide, "output_bits": narrow})
    (tmp_path / "net.v").write_text(core(wide, narrow, out))
    (tmp_path / "frame.v").write_text(wrapped)
    tools = toolchain()
    lint = [
        tools.verilator,
        "--lint-only",
        "-Wall",
        "-Wno-DECLFILENAME",
        "--top-module",
        TOP,
        "net.v",
        "frame.v",
    ]
    done = subprocess.run(
        lint, cwd=tmp_path, env=dict(tools.env), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    synth = f"synth_ecp5 -nodsp -noabc9 -top {TOP}"
    yosys(tmp_path, "read_verilog -sv net.v frame.v", synth, "tee -q -o stat.json stat -json")
    cells = json.loads((tmp_path / "stat.json").read_text())["design"]["num_cells_by_type"]
    assert cells["TRELLIS_FF"] == 2 * wide + narrow + (1 if narrow == 3 else narrow)


def test_the_networks_that_are_routed_are_there() -> None:
    for name in NETWORKS:
        peers = [folder / f"{name}.keras" for folder in PEERS]
        assert (MODELS / name / "graph.eq").is_file() or any(p.is_file() for p in peers), name
    assert "tag16_small" in NETWORKS


LOG = """Info: Device utilisation:
Info: \t          TRELLIS_IO:       4/    365     1%
Info: \t          TRELLIS_FF:   14351/  83640    17%
Info: \t        TRELLIS_COMB:   29305/  83640    35%
Info: \t        TRELLIS_RAMW:       0/  10455     0%
"""


def test_the_log_of_nextpnr() -> None:
    assert read_log(LOG) == (29305, 83640, 14351)
    with pytest.raises(CompileError, match="packed nothing: ERROR: no such chip"):
        read_log("ERROR: no such chip\n")


def test_the_report_of_nextpnr() -> None:
    assert (
        read_clock({"fmax": {"$glbnet$clk$TRELLIS_IO_IN": {"achieved": 125.62, "constraint": 200.0}}})
        == 125.62
    )
    for report in ({}, {"fmax": {"a": {"achieved": 1.0}, "b": {"achieved": 2.0}}}):
        with pytest.raises(CompileError, match="clocks, expected one"):
            read_clock(report)


def test_a_row_of_the_table() -> None:
    runs = [Routed(29305, 83640, 14351, mhz, 660.0) for mhz in (125.6, 130.0)]
    assert (
        line("net", 11240.2, runs)
        == "| net | 11,240 | 29,305 | 2.61 | 14,351 | 125.6, 130.0 | 127.8 | 11.0 |"
    )
    full = line("net", 31575.0, [Routed(83920, 83640, 44205, None, 60.0)])
    assert full == "| net | 31,575 | 83,920 | 2.66 | 44,205 | does not fit (83,640 cells) |  | 1.0 |"
