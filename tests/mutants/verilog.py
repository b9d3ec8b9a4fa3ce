"""Faults in generated Verilog, and one source that holds them all: input `mutant` says which is alive.

A fault is another driver for one net (or another line). In the common source its net is `NET__mK` beside the
right one, `NET__o`, and a multiplexer over `mutant` picks, so that one build of Verilator serves them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

ID_BITS = 16


@dataclass(frozen=True)
class Mutant:
    """One fault: its kind, the file and line it is in, what stands there and what comes instead.

    `net` is the net that `after` drives anew, as declarations with `{net}` for its name; without a net,
    `after` takes the place of the statement `before` in that line.
    """

    kind: str
    file: str
    line: int
    before: str
    after: str
    net: str = ""

    def __str__(self) -> str:
        after = self.after.format(net=self.net) if self.net else self.after
        return f"{self.kind}, {self.file}:{self.line + 1}: {self.before.strip()}  =>  {after.strip()}"


@dataclass(frozen=True)
class Driver:
    """What drives a net: the line, the declaration in front of the name, the expression, a register or not."""

    net: str
    line: int
    span: str
    expression: str
    register: bool

    @property
    def width(self) -> int:
        return int(self.span[1:].split(":")[0]) + 1

    def declared(self, expression: str) -> str:
        """Return declarations that drive `{net}` with another expression; nothing else may contain braces."""
        shown = expression.replace("{", "{{").replace("}", "}}")
        if self.register:
            return f"reg {self.span} {{net}}; always @(posedge clk) {{net}} <= {shown};"
        return f"wire {self.span} {{net}} = {shown};"


WIRE = re.compile(r"\s*(?:\(\*.*\*\) )?wire (?:signed )?(\[\d+:0\]) (\w+) = (.*);$")
REG = re.compile(r"\s*(?:output )?reg +(\[\d+:0\]) (\w+)[;]?$")
LATCH = re.compile(r"\s*(?:always @\(posedge clk\) )?(\w+) <= (.*);$")
ROW = re.compile(r"\s*(\d+'h[0-9a-f]+): data = (\d+)'h([0-9a-f]+);$")


def drivers(lines: Sequence[str]) -> list[Driver]:
    """Return what drives the nets of a core, in order."""
    spans: dict[str, str] = {}
    found: list[Driver] = []
    for k, line in enumerate(lines):
        if wire := WIRE.match(line):
            span, net, expression = wire.groups()
            spans[net] = span
            found.append(Driver(net, k, span, expression, False))
        elif reg := REG.match(line):
            spans[reg[2]] = reg[1]
        elif (latch := LATCH.match(line)) and latch[1] in spans:
            found.append(Driver(latch[1], k, spans[latch[1]], latch[2], True))
    return found


def combined(text: str, mutants: Mapping[int, Mutant], chosen: int | None = None) -> str:
    """Return one source with the given faults, by number: selected by a port `mutant` of every module, or,
    with `chosen`, that one fault alone and no port."""
    if chosen is not None:
        mutants = {chosen: mutants[chosen]} if chosen in mutants else {}
    lines = text.split("\n")
    inline: dict[int, list[tuple[int, Mutant]]] = {}
    for number, m in mutants.items():
        if not m.net:
            inline.setdefault(m.line, []).append((number, m))
    for k, faults in inline.items():
        shown = faults[0][1].before
        pick = "".join(f"if (mutant == {number}) {m.after} else " for number, m in faults) + shown
        lines[k] = lines[k].replace(shown, faults[0][1].after if chosen is not None else pick)
    for net in dict.fromkeys(m.net for m in mutants.values() if m.net):
        _split(lines, net, {n: m for n, m in mutants.items() if m.net == net}, chosen is not None)
    return "\n".join(lines) if chosen is not None else with_port("\n".join(lines))


def _split(lines: list[str], net: str, mutants: Mapping[int, Mutant], alone: bool) -> None:
    """Rename the driver of a net, add the faulty ones, and pick."""
    at = {d.net: d for d in drivers(lines)}[net]
    declared = re.compile(rf"\b{net}\b(?= =|;)|\b{net}\b(?= <=)")
    if net == "out_data":
        head = _declaration(lines, net)
        lines[head] = lines[head].replace("reg ", "wire")
        lines[at.line] = (
            f"reg {at.span} {net}__o; " + declared.sub(f"{net}__o", lines[at.line], count=1).strip()
        )
    else:
        first = _declaration(lines, net) if at.register else at.line
        for k in {first, at.line}:
            lines[k] = declared.sub(f"{net}__o", lines[k], count=1)
        at = replace(at, line=first)
    added = [m.after.format(net=f"{net}__m{number}") for number, m in mutants.items()]
    names = [f"{net}__m{number}" for number in mutants]
    pick = "".join(f"mutant == {n} ? {name} : " for n, name in zip(mutants, names, strict=True)) + f"{net}__o"
    choice = names[0] if alone else pick
    target = f"assign {net}" if net == "out_data" else f"wire {at.span} {net}"
    lines[at.line] += " " + " ".join(added) + f" {target} = {choice};"


def _declaration(lines: Sequence[str], net: str) -> int:
    """Return the line that declares a register."""
    return next(k for k, line in enumerate(lines) if (m := REG.match(line)) and m[2] == net)


def with_port(text: str) -> str:
    """Give every module of a source the port `mutant`, and every instance of them."""
    text = re.sub(r"(module \w+ (?:#\([^)]*\) )?\(\n)", rf"\1  input  wire [{ID_BITS - 1}:0] mutant,\n", text)
    return re.sub(r"(\b\w+(?:_core|_table_\w+) u_\w+ \()", r"\1.mutant(mutant), ", text)


def protocol(top: str, pipe: str, mutants: Mapping[int, Mutant]) -> str:
    """Return a top around all faults of the valid chain: each is a chain of its own, `mutant` picks.

    A fault in the pipe's file is a copy of the module; one in the top is another instance.
    """
    found = re.search(r"(\w+_valid_pipe) #\(", top)
    assert found
    start, module = found.start(), found[1]
    instance = top[start : top.index(");\n", top.index("u_valid")) + 3]
    copies, added = [pipe.replace("`resetall", "")], [instance.replace("(out_valid)", "(out_valid__o)")]
    for number, m in mutants.items():
        changed = pipe if not m.file.endswith(PIPE) else apply_lines(pipe, m)
        copies.append(
            changed.replace(f"module {module}", f"module {module}__m{number}").replace("`resetall", "")
        )
        own = instance if m.file.endswith(PIPE) else instance.replace(m.before, m.after)
        own = own.replace(f"{module} #(", f"{module}__m{number} #(").replace("u_valid", f"u_valid__m{number}")
        added.append(own.replace("(out_valid)", f"(out_valid__m{number})"))
    nets = ", ".join(["out_valid__o", *(f"out_valid__m{n}" for n in mutants)])
    pick = "".join(f"mutant == {n} ? out_valid__m{n} : " for n in mutants) + "out_valid__o"
    body = f"wire {nets};\n  " + "  ".join(added) + f"  assign out_valid = {pick};\n"
    return "".join(copies) + with_port(top.replace(instance, body))


PIPE = "_valid_pipe.sv"
"""How the file of the valid chain ends; the name of the project stands before it."""


def apply_lines(text: str, m: Mutant) -> str:
    """Return a source with `after` instead of `before` in the line of the fault."""
    lines = text.split("\n")
    assert m.before in lines[m.line], m
    lines[m.line] = lines[m.line].replace(m.before, m.after)
    return "\n".join(lines)


def numbered(mutants: Iterable[Mutant], first: int) -> dict[int, Mutant]:
    return {first + k: m for k, m in enumerate(mutants)}
