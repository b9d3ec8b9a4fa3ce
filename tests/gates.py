"""Verilog as gates in VHDL, so that GHDL, which reads no Verilog, simulates true cores inside VHDL: Yosys maps a
design to gates and registers and writes BLIF, and each line of that becomes a line of VHDL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pyosys import libyosys

PASSES = (
    "proc",
    "flatten",
    "opt",
    "memory",
    "techmap",
    "opt",
    "dfflegalize -cell $_DFF_P_ 01",
    "abc -g AND,OR,XOR,MUX",
    "opt_clean",
)


def blif_of(sources: Sequence[Path], top: str, into: Path) -> str:
    """Return a design as BLIF."""
    design = libyosys.Design()
    files = " ".join(str(s) for s in sources)
    for command in (
        f"read_verilog -sv {files}",
        f"hierarchy -check -top {top}",
        *PASSES,
        f"write_blif {into}",
    ):
        libyosys.run_pass(f"tee -q {command}", design)  # prints the name of each pass
    return into.read_text()


def vhdl_of(blif: str, top: str, ports: Mapping[str, tuple[str, int]], clock: str = "clk") -> str:
    """Return BLIF as a VHDL entity. `ports` are direction and width by name; width 0 is a std_logic. Every
    register must be clocked by the rising edge of `clock`."""
    lines = [line.split() for line in blif.replace("\\\n", " ").splitlines() if line and line[0] != "#"]
    nets: dict[str, int] = {}

    def net(name: str) -> str:
        return f"n({nets.setdefault(name, len(nets))})"

    body, registers, gate = list[str](), list[str](), ""
    cubes: dict[str, tuple[list[str], list[str]]] = {}
    for words in lines:
        if words[0] == ".names":
            *inputs, gate = words[1:]
            assert gate not in cubes, gate
            cubes[gate] = (inputs, [])
        elif words[0] == ".latch":
            assert words[3:5] == ["re", clock], words
            registers.append(f"      {net(words[2])} <= {net(words[1])};")
        elif words[0][0] != ".":
            assert words[-1] == "1", words
            cubes[gate][1].append(words[0] if cubes[gate][0] else "")
    for out, (inputs, rows) in cubes.items():
        body.append(f"  {net(out)} <= {_sum(rows, [net(i) for i in inputs])};")
    for name, (direction, width) in ports.items():
        for k in range(max(width, 1)):
            mine = f"{name}({k})" if width else name
            other = net(f"{name}[{k}]" if width > 1 else name)
            if direction == "in":
                body.append(f"  {other} <= {mine};")
            else:
                body.append(f"  {mine} <= {other};")
    kinds = (f"    {n} : {d} {_kind(w)}" for n, (d, w) in ports.items())
    return "\n".join(
        [
            "library ieee;",
            "use ieee.std_logic_1164.all;",
            f"entity {top} is",
            "  port (",
            ";\n".join(kinds),
            "  );",
            "end entity;",
            f"architecture gates of {top} is",
            f"  signal n : std_logic_vector({len(nets) - 1} downto 0);",
            "begin",
            *body,
            f"  process ({clock})",
            "  begin",
            f"    if rising_edge({clock}) then",
            *registers,
            "    end if;",
            "  end process;",
            "end architecture;",
            "",
        ]
    )


def _kind(width: int) -> str:
    return f"std_logic_vector({width - 1} downto 0)" if width else "std_logic"


def _sum(rows: Sequence[str], inputs: Sequence[str]) -> str:
    """Return the sum of products of a truth table."""
    if not rows:
        return "'0'"
    products = (
        " and ".join(
            i if bit == "1" else f"(not {i})" for bit, i in zip(row, inputs, strict=True) if bit != "-"
        )
        for row in rows
    )
    return " or ".join(f"({p})" if p else "'1'" for p in products)
