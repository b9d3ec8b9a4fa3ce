"""The kinds of faults: from what drives a net to what would drive it wrongly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

import numpy as np

from mutants.verilog import PIPE, ROW, Driver, Mutant, drivers

Fault = Callable[[Driver, dict[str, int], np.random.Generator], list[str]]
"""Declarations that drive `{net}` wrongly, in place of a driver, given the widths of all nets."""

SELECT = re.compile(r"\b(\w+)\[(\d+)(?::(\d+))?\]")
LITERAL = re.compile(r"\b(\d+)'h([0-9a-f]+)")
NAME = re.compile(r"\b[a-z]+_\d+_s\d+\b(?!\[)")
SWAPS = {" + ": " - ", " - ": " + ", " & ": " | ", " | ": " & ", " ^ ": " & ", " * ": " + "}


def _edits(driver: Driver, found: Iterator[tuple[int, int, str]]) -> list[str]:
    """Return one declaration for every replaced part of the expression."""
    text = driver.expression
    return [driver.declared(text[:a] + new + text[b:]) for a, b, new in found]


def operators(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """Another operator; for a reduction the other one; an inversion is dropped."""
    found = [(m.start(), m.end(), SWAPS[m[0]]) for m in re.finditer(" [-+&|^*] ", d.expression)]
    if d.expression[0] in "|&~":
        found.append((0, 1, {"|": "&", "&": "|", "~": ""}[d.expression[0]]))
    return _edits(d, iter(found))


def slices(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """Every selection one bit lower, or higher where it starts at the bottom."""
    found: list[tuple[int, int, str]] = []
    for m in SELECT.finditer(d.expression):
        high, low = int(m[2]), int(m[3] or m[2])
        step = -1 if low else 1
        if high + step < widths.get(m[1], 0):
            span = f"{high + step}:{low + step}" if m[3] else f"{high + step}"
            found.append((m.start(), m.end(), f"{m[1]}[{span}]"))
    return _edits(d, iter(found))


def alignments(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """The whole result one bit too high or too low."""
    w = d.width
    if w < 2:
        return []
    return _reworked(d, f"{{{{{{net}}__w[{w - 2}:0], 1'b0}}}}", f"{{{{1'b0, {{net}}__w[{w - 1}:1]}}}}")


def cuts(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """The top bit, the lowest bit or the upper half lost."""
    w, half = d.width, (d.width + 1) // 2
    if w < 2:
        return _reworked(d, "1'b0", "1'b1")
    kept = f"{{{{1'b0, {{net}}__w[{w - 2}:0]}}}}", f"{{{{{{net}}__w[{w - 1}:1], 1'b0}}}}"
    upper = f"{{{{{{{{{w - half}{{{{{{net}}__w[{half - 1}]}}}}}}}}, {{net}}__w[{half - 1}:0]}}}}"
    return _reworked(d, *kept, upper)


def _reworked(d: Driver, *results: str) -> list[str]:
    """Return the right value as `{net}__w`, and wrong ones made of it."""
    right = d.declared(d.expression).replace("{net}", "{net}__w")
    return [f"{right} wire {d.span} {{net}} = {r};" for r in results]


def signs(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """Sign extension becomes zero extension and the other way; a minus is dropped."""
    found: list[tuple[int, int, str]] = []
    for m in re.finditer(r"\{(\d+)\{(\w+\[\d+\])\}\}", d.expression):
        found.append((m.start(), m.end(), f"{{{m[1]}{{1'b0}}}}"))
    for m in re.finditer(r"\$signed\(\{1'b0, (\w+)\}\)", d.expression):
        found.append((m.start(), m.end(), f"$signed({m[1]})"))
    for m in re.finditer(r"\$signed\((\w+)\)", d.expression):
        found.append((m.start(), m.end(), f"$signed({{1'b0, {m[1]}}})"))
    if d.expression.startswith("-"):
        found.append((0, 1, ""))
    return _edits(d, iter(found))


def multiplexers(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """The two inputs exchanged."""
    m = re.fullmatch(r"(\S+) \? (.+) : (.+)", d.expression)
    return [d.declared(f"{m[1]} ? {m[3]} : {m[2]}")] if m else []


def masks(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """A condition that is not asked: one operand of an `and`, one input of a multiplexer."""
    if m := re.fullmatch(r"(\S+) \? (.+) : (.+)", d.expression):
        return [d.declared(m[2]), d.declared(m[3])]
    parts = d.expression.split(" & ")
    return [d.declared(p) for p in parts] if len(parts) == 2 and "[" not in d.expression[:2] else []


def constants(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """A constant one larger."""
    found: list[tuple[int, int, str]] = []
    for m in LITERAL.finditer(d.expression):
        value = (int(m[2], 16) + 1) % (1 << int(m[1]))
        found.append((m.start(), m.end(), f"{m[1]}'h{value:x}"))
    return _edits(d, iter(found))


def operands(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """Another value of the same width and stage."""
    found: list[tuple[int, int, str]] = []
    for m in NAME.finditer(d.expression):
        kind, number, stage = m[0].split("_")
        others = [
            n
            for n in widths
            if n.endswith(f"_{stage}")
            and n.startswith(f"{kind}_")
            and n.split("_")[1] < number
            and widths[n] == widths.get(m[0])
        ]
        if others:
            found.append((m.start(), m.end(), str(rng.choice(others))))
    return _edits(d, iter(found))


def dropped(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """A register that is a wire."""
    shown = d.expression.replace("{", "{{").replace("}", "}}")
    return [f"wire {d.span} {{net}} = {shown};"] if d.register else []


def doubled(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """A register behind a register."""
    if not d.register:
        return []
    first = d.declared(d.expression).replace("{net}", "{net}__w")
    return [f"{first} reg {d.span} {{net}}; always @(posedge clk) {{net}} <= {{net}}__w;"]


def exchanged(d: Driver, widths: dict[str, int], rng: np.random.Generator) -> list[str]:
    """Two bits of the packed words exchanged, neighbours or any, or one of them lost."""
    if d.net not in ("word", "out_data"):
        return []
    right = f"{d.declared(d.expression).replace('{net}', '{net}__w')}"
    results: list[str] = []
    for distance in (1, int(rng.integers(2, max(d.width - 1, 3)))):
        a = int(rng.integers(max(d.width - distance, 1)))
        b = min(a + distance, d.width - 1)
        both = f"{d.width}'h{(1 << a) | (1 << b):x}"
        differ = f"{{net}}__w[{a}] ^ {{net}}__w[{b}]"
        results.append(f"{right} wire {d.span} {{net}} = {{net}}__w ^ ({differ} ? {both} : {d.width}'h0);")
    keep = ((1 << d.width) - 1) ^ (1 << int(rng.integers(d.width)))
    return [*results, f"{right} wire {d.span} {{net}} = {{net}}__w & {d.width}'h{keep:x};"]


KINDS: dict[str, tuple[Fault, int]] = {
    "operator exchanged": (operators, 14),
    "slice off by one": (slices, 14),
    "alignment off by one": (alignments, 10),
    "width cut": (cuts, 14),
    "sign": (signs, 10),
    "mux inputs exchanged": (multiplexers, 6),
    "mask deleted": (masks, 10),
    "constant changed": (constants, 8),
    "other operand": (operands, 8),
    "register dropped": (dropped, 14),
    "register doubled": (doubled, 8),
    "port bits exchanged": (exchanged, 10),
}
"""How many of each kind are drawn in a network, at most."""
ENTRIES = 14


def core_mutants(file: str, text: str, rng: np.random.Generator, share: float = 1.0) -> list[Mutant]:
    """Draw faults of every kind in a core, spread over its lines, and in its tables."""
    lines = text.split("\n")
    found = drivers(lines)
    widths = {d.net: d.width for d in found} | _declared(lines)
    mutants: list[Mutant] = []
    for kind, (fault, count) in KINDS.items():
        lists = [[(d, a) for a in fault(d, widths, rng)] for d in found]
        some = [lists[k] for k in rng.permutation(len(lists)) if lists[k]]
        turns = [x for layer in zip_longest(*some) for x in layer if x is not None]
        for d, after in turns[: max(round(count * share), 1)]:
            mutants.append(Mutant(kind, file, d.line, lines[d.line], after, d.net))
    return mutants + _entries(file, lines, rng, max(round(ENTRIES * share), 1))


def _declared(lines: Sequence[str]) -> dict[str, int]:
    spans = (re.match(r"\s*(?:wire|reg|input +wire) \[(\d+):0\] (\w+)", line) for line in lines)
    return {m[2]: int(m[1]) + 1 for m in spans if m}


def _entries(file: str, lines: Sequence[str], rng: np.random.Generator, count: int) -> list[Mutant]:
    rows = [(k, m) for k, line in enumerate(lines) if (m := ROW.match(line))]
    mutants: list[Mutant] = []
    for k in rng.permutation(len(rows))[:count]:
        line, m = rows[k]
        width, value = int(m[2]), int(m[3], 16)
        bit = 0 if len(mutants) % 2 == 0 else int(rng.integers(width))
        before, after = (f"{width}'h{v:x}" for v in (value, value ^ (1 << bit)))
        mutants.append(Mutant("table entry", file, line, f"data = {before};", f"data = {after};"))
    return mutants


PROTOCOL = (
    (
        "reset removed",
        PIPE,
        "rst ? {Latency{1'b0}} : {pipe[Latency-2:0], in_valid}",
        "{pipe[Latency-2:0], in_valid}",
    ),
    ("reset removed", PIPE, "rst ? {Latency{1'b0}} : ", "rst ? {pipe[Latency-2:0], 1'b0} : "),
    ("reset removed", PIPE, "rst ? {Latency{1'b0}} : ", "rst ? {{(Latency-1){1'b0}}, in_valid} : "),
    ("reset removed", PIPE, "rst ? {Latency{1'b0}} : ", "rst ? {1'b0, pipe[Latency-3:0], 1'b0} : "),
    ("reset inverted", PIPE, "rst ? {Latency", "!rst ? {Latency"),
    ("latency changed", PIPE, "pipe[Latency-1];", "pipe[Latency-2];"),
    ("valid", PIPE, "in_valid}", "1'b1}"),
    ("valid", PIPE, "in_valid}", "in_valid | pipe[0]}"),
    ("valid", PIPE, "in_valid}", "in_valid & ~pipe[0]}"),
    ("valid", PIPE, "pipe[Latency-1];", "pipe[Latency-1] | pipe[Latency-2];"),
    ("valid", PIPE, "pipe[Latency-1];", "pipe[Latency-1] & in_valid;"),
    ("valid", PIPE, "pipe[Latency-1];", "~pipe[Latency-1];"),
    ("reset removed", "", ".rst(rst)", ".rst(1'b0)"),
    ("reset inverted", "", ".rst(rst)", ".rst(~rst)"),
    ("valid", "", ".in_valid(in_valid)", ".in_valid(in_valid | rst)"),
    ("valid", "", ".in_valid(in_valid)", ".in_valid(in_valid & in_data[0])"),
)
"""Faults in the valid chain: kind, file (the top where empty), what stands there, what comes instead."""


def protocol_mutants(name: str, top: str, pipe: str) -> list[Mutant]:
    """Return the faults in the chain of `valid`; `latency` off by one either way."""
    latency = int(re.search(r"Latency\((\d+)\)", top)[1])  # type: ignore[index]
    table = list(PROTOCOL)
    for other in (latency - 1, latency + 1):
        table.append(("latency changed", "", f"Latency({latency})", f"Latency({other})"))
    mutants: list[Mutant] = []
    for kind, file, before, after in table:
        lines = (pipe if file else top).split("\n")
        line = max(k for k, text in enumerate(lines) if before in text and not text.lstrip().startswith("//"))
        mutants.append(Mutant(kind, f"{name}{file or '.v'}", line, before, after))
    return mutants
