"""Programs and benches that read words through the packages of types which a project ships."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tools_needed import need

from eqhls.lower.layout import Layout
from eqhls.verify.toolchain import require, toolchain


@dataclass(frozen=True, slots=True)
class Case:
    """Words of one kind, `inputs` or `outputs`, and the tensors that the port map has of them."""

    kind: str
    layout: Layout
    tensors: Sequence[dict[str, Any]]
    words: list[int]

    @property
    def elements(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Every element with its tensor."""
        return [(t, e) for t in self.tensors for e in t["elements"]]

    @property
    def rows(self) -> list[list[int]]:
        """The raw integers of every element of every word, by the layout, and the word behind them."""
        size = -(-self.layout.bits // 32)
        parts = [[w >> 32 * k & 0xFFFFFFFF for k in range(size)] for w in self.words]
        columns = self.layout.columns(self.layout.unpack(np.array(parts, dtype=np.uint32)))
        return [[*row, w] for row, w in zip(np.stack(columns, axis=1).tolist(), self.words, strict=True)]


def drawn(layout: Layout, events: int = 12) -> list[int]:
    """Random words, words with a single bit, all bits 0 and 1."""
    rng = np.random.default_rng(layout.bits)
    many = [int.from_bytes(rng.bytes(-(-layout.bits // 8)), "little") for _ in range(events)]
    single = [1 << int(k) for k in rng.integers(0, layout.bits, 4)]
    return [w & ((1 << layout.bits) - 1) for w in (*many, *single, 0, -1)]


def called(command: Iterable[object], folder: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a command in a folder and return what it prints."""
    done = subprocess.run(
        [str(c) for c in command], cwd=folder, capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
    return done.stdout


def numbers(text: str) -> list[list[int]]:
    """Lines of decimals with a word in bits at the end."""
    lines = [line.split() for line in text.splitlines()]
    return [[*map(int, line[:-1]), int(line[-1], 2)] for line in lines]


def of_cpp(folder: Path, name: str, cases: Sequence[Case]) -> list[list[int]]:
    """Print all elements of the structs in LSBs, and the words that pack() makes again."""
    parts = [f'#include "{name}_ports.h"\n#include <cstdio>']
    for case in cases:
        digits = -(-case.layout.bits // 4)
        texts = ", ".join(f'"{w:0{digits}x}"' for w in case.words)
        reads = "\n".join(
            f'  std::printf("%.0f ", x.{e["element"]}.to_double() * {2.0 ** e["frac_bits"]!r});'
            for _, e in case.elements
        )
        parts.append(
            f"static const char* const {case.kind}[] = {{{texts}}};\n"
            f"static void show(const eqhls_{name}::{case.kind.capitalize()}& x) {{\n{reads}\n"
            f"  const ap_uint<{case.layout.bits}> word = x.pack();\n"
            f'  for (int k = {case.layout.bits - 1}; k >= 0; --k) std::printf("%d", int(word[k]));\n'
            '  std::printf("\\n");\n}'
        )
    parts.append(
        "template <class EVENT> void show_word(const char* text) {\n  typename EVENT::word_t word = 0;\n"
        "  for (const char* c = text; *c; ++c)\n"
        "    word = (word << 4) | typename EVENT::word_t(*c <= '9' ? *c - '0' : *c - 'a' + 10);\n"
        "  show(EVENT::unpack(word));\n}\nint main() {"
    )
    for case in cases:
        event = f"eqhls_{name}::{case.kind.capitalize()}"
        parts.append(f"  for (const char* text : {case.kind}) show_word<{event}>(text);")
    (folder / "bench.cpp").write_text("\n".join([*parts, "}"]) + "\n")
    return numbers(compiled(folder, "bench.cpp"))


def compiled(folder: Path, source: str) -> str:
    """Compile a source file against the headers of a project folder and run it."""
    includes = [f"-I{folder / 'firmware'}", f"-I{folder / 'firmware' / 'ap_types'}"]
    flags = ["-std=c++11", "-Wno-unknown-pragmas", *includes]
    called([require("g++"), *flags, source, "-o", "bench"], folder)
    return called([folder / "bench"], folder)


def sv_bench(folder: Path, name: str, cases: Sequence[Case], form: str) -> list[str]:
    """A module that prints the same of packed structs, every element in a form of $write, and copies member
    by member into other ones; return the files."""
    lines = ["module bench;", f"  import {name}_pkg::*;"]
    lines += [f"  {case.kind}_t x_{case.kind}, y_{case.kind};" for case in cases]
    lines.append("  initial begin")
    for case in cases:
        x, y, bits = f"x_{case.kind}", f"y_{case.kind}", case.layout.bits
        for word in case.words:
            lines.append(f"    {x} = {bits}'h{word:x}; {y} = {bits}'b0;")
            for _, e in case.elements:
                entry = f"{x}.{e['element']}"
                lines.append(f'    $write("{form} ", {entry}); {y}.{e["element"]} = {entry};')
            lines.append(f'    $display("%b", {y});')
    lines += ["    $finish;", "  end", "endmodule"]
    (folder / "bench.sv").write_text("\n".join(lines) + "\n")
    return [f"rtl/{name}_pkg.sv", "bench.sv"]


def of_icarus(folder: Path, name: str, cases: Sequence[Case]) -> list[list[int]]:
    """The same in Icarus, which takes for unsigned what is inside of arrays: elements as bits."""
    files = sv_bench(folder, name, cases, "%b")
    lines = [line.split() for line in iverilog(folder, files).splitlines()]
    signs = [[e["signed"] for _, e in c.elements] for c in cases for _ in c.words]
    return [[*map(signed, line, sign), int(line[-1], 2)] for line, sign in zip(lines, signs, strict=True)]


def signed(bits: str, sign: bool) -> int:
    """The number that bits stand for."""
    return int(bits, 2) - (sign and bits[0] == "1") * (1 << len(bits))


def iverilog(folder: Path, files: Iterable[object], top: str = "bench") -> str:
    """Build a bench with Icarus and run it."""
    called([need("iverilog"), "-g2012", "-s", top, "-o", "bench.vvp", *files], folder)
    return called([need("vvp"), "-n", "bench.vvp"], folder)


def of_verilator(folder: Path, name: str, cases: Sequence[Case]) -> list[list[int]]:
    return numbers(verilated(folder, sv_bench(folder, name, cases, "%0d")))


def verilated(folder: Path, files: Iterable[object], top: str = "bench") -> str:
    """Build a bench with Verilator and run it; its own report is left out."""
    tools = toolchain()
    flags = ["--binary", "-Wno-fatal", "-CFLAGS", "-O0 -std=c++20", "--Mdir", f"v_{top}", "--top-module", top]
    called([tools.verilator, *flags, *files], folder, tools.env)
    text = called([folder / f"v_{top}" / f"V{top}"], folder)
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("- "))


_NUMBERS = """
    function number(v : signed) return integer is
    begin
      return to_integer(resize(v, 32));
    end;
    function number(v : unsigned) return integer is
    begin
      return to_integer(v);
    end;
    function number(v : std_logic) return integer is
    begin
      if v = '1' then
        return 1;
      end if;
      return 0;
    end;
"""


def of_ghdl(folder: Path, name: str, cases: Sequence[Case]) -> list[list[int]]:
    """The same through the records of the VHDL package."""
    shows, calls = list[str](), list[str]()
    for case in cases:
        kind, bits = case.kind, case.layout.bits
        reads = "\n".join(
            f"      write(l, number({vhdl_name(t, e)})); write(l, ' ');" for t, e in case.elements
        )
        shows.append(
            f"    procedure show(x : work.{name}_pkg.{kind}_t) is\n      variable l : line;\n    begin\n{reads}\n"
            f"      write(l, to_bstring(work.{name}_pkg.to_word(x)));\n      writeline(output, l);\n    end;\n"
        )
        for word in case.words:
            literal = f'std_logic_vector\'("{word:0{bits}b}")'
            calls.append(f"    show(work.{name}_pkg.to_{kind}({literal}));")
    (folder / "bench.vhd").write_text(
        "library ieee;\nuse ieee.std_logic_1164.all;\nuse ieee.numeric_std.all;\nuse std.textio.all;\n"
        "entity bench is end entity;\narchitecture sim of bench is\nbegin\n  process"
        f"{_NUMBERS}{''.join(shows)}  begin\n"
        + "\n".join(calls)
        + "\n    wait;\n  end process;\nend architecture;\n"
    )
    return numbers(ghdl(folder, [f"rtl/{name}_pkg.vhd", "bench.vhd"]))


def vhdl_name(tensor: Mapping[str, Any], element: Mapping[str, Any]) -> str:
    """How VHDL writes an element of a record x."""
    index = ", ".join(map(str, element["index"][:-1]))
    several = len(tensor["components"]) > 1
    part = f".{tensor['components'][element['index'][-1]]['name']}" if several else ""
    return f"x.{tensor['identifier']}{f'({index})' if index else ''}{part}"


def ghdl(folder: Path, files: Iterable[object], top: str = "bench") -> str:
    """Analyse files of VHDL-2008 with GHDL and run a bench."""
    called([need("ghdl"), "-a", "--std=08", *files], folder)
    return called([need("ghdl"), "--elab-run", "--std=08", top], folder)
