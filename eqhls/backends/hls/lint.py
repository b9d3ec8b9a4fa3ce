"""A linter for `#pragma HLS`: compilers report every one as unknown, valid or misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eqhls.text import Project

DIRECTIVES: dict[str, frozenset[str]] = {
    "INTERFACE": frozenset(
        {"port", "ap_none", "ap_vld", "ap_ctrl_none", "ap_ctrl_hs", "axis", "register", "mode"}
    ),
    "PIPELINE": frozenset({"II", "off", "rewind", "style"}),
    "INLINE": frozenset({"off", "recursive"}),
    "UNROLL": frozenset({"factor", "skip_exit_check", "off"}),
    "ARRAY_PARTITION": frozenset({"variable", "complete", "cyclic", "block", "dim", "factor", "type"}),
    "ARRAY_RESHAPE": frozenset({"variable", "complete", "cyclic", "block", "dim", "factor", "type"}),
    "DATAFLOW": frozenset({"disable_start_propagation"}),
    "LATENCY": frozenset({"min", "max"}),
    "BIND_OP": frozenset({"variable", "op", "impl", "latency"}),
    "AGGREGATE": frozenset({"variable", "compact"}),
    "DISAGGREGATE": frozenset({"variable"}),
    "ALLOCATION": frozenset({"operation", "function", "instances", "limit"}),
    "LOOP_TRIPCOUNT": frozenset({"min", "max", "avg"}),
}
NEEDS = {
    "ARRAY_PARTITION": "variable",
    "ARRAY_RESHAPE": "variable",
    "INTERFACE": "port",
    "AGGREGATE": "variable",
}
_PRAGMA = re.compile(r"^\s*#\s*pragma\s+HLS\s+(.*)$")
_FORBIDDEN = {
    "heap": re.compile(r"\b(new|delete|malloc|free)\b"),
    "exceptions": re.compile(r"\b(throw|try|catch)\b"),
    "RTTI": re.compile(r"\b(typeid|dynamic_cast)\b"),
    "std": re.compile(r"\bstd\s*::"),
    "floating point": re.compile(r"\b(float|double)\b"),
    "dynamic loop": re.compile(r"\b(while|do)\b\s*[({]"),
    "recursion limit": re.compile(r"\bgoto\b"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect: where and what."""

    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}"


def lint_pragmas(file: str, text: str) -> list[Finding]:
    """Check every pragma: the directive, its options, and that its variable is declared above it in
    the same function (or its port among the arguments)."""
    findings: list[Finding] = []
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        found = _PRAGMA.match(line)
        if found:
            above = "\n".join(lines[_function_start(lines, number - 1) : number - 1])
            findings += [Finding(file, number, p) for p in _problems(found[1], above)]
        elif re.match(r"^\s*#\s*pragma\s+(?!once|GCC)", line):
            findings.append(Finding(file, number, f"found {line.strip()!r}, expected #pragma HLS"))
    return findings


def _problems(pragma: str, above: str) -> Iterator[str]:
    words = pragma.split()
    if not words or words[0] not in DIRECTIVES:
        yield f"unknown directive {words[0] if words else ''!r}"
        return
    directive, options = words[0], dict(_pair(w) for w in words[1:])
    for key in options:
        if key not in DIRECTIVES[directive]:
            yield f"{directive} has no option {key!r}"
    needed = NEEDS.get(directive)
    if needed and needed not in options:
        yield f"{directive} needs {needed}="
    name = options.get("variable") or options.get("port") or "return"
    root = name.split(".")[0]
    if root != "return" and not re.search(rf"\b{re.escape(root)}\b", _code(above)):
        yield f"{directive} names {root!r}, which is not declared above it"
    if directive == "PIPELINE" and "II" in options and not options["II"].isdigit():
        yield f"PIPELINE II={options['II']!r} is not a number"


def _pair(word: str) -> tuple[str, str]:
    key, _, value = word.partition("=")
    return key, value


def _function_start(lines: list[str], index: int) -> int:
    """Return the line after the last one that closes a function or a struct at the margin."""
    for k in range(index - 1, -1, -1):
        if lines[k].startswith("}"):
            return k + 1
    return 0


def lint_synthesizable(file: str, text: str) -> list[Finding]:
    """Check that C++ keeps to what HLS takes: no heap, exceptions, RTTI, std, floating point or loops
    without static bounds."""
    findings: list[Finding] = []
    for number, line in enumerate(_code(text).splitlines(), 1):
        findings += [
            Finding(file, number, f"uses {what}: {line.strip()!r}")
            for what, pattern in _FORBIDDEN.items()
            if pattern.search(line)
        ]
    return findings


def _code(text: str) -> str:
    """Return the text without comments, line by line."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text)


def lint_project(project: Project) -> list[Finding]:
    """Check the firmware of an emitted project, vendor headers apart."""
    findings: list[Finding] = []
    for name, content in project.items():
        ours = name.startswith("firmware/") and "/ap_types/" not in name and not name.endswith("bridge.cpp")
        if ours and name.endswith((".h", ".cpp")):
            text = content if isinstance(content, str) else content.decode()
            findings += lint_pragmas(name, text) + lint_synthesizable(name, text)
    return findings
