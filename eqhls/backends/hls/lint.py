"""A linter for HLS C++: compilers report every `#pragma HLS` as unknown, valid or misspelt, and they take
newer C++ than the vendors' front-ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eqhls.backends.hls.lintscripts import Finding, lint_config, lint_tcl
from eqhls.backends.hls.tools import BLOCK_MODES, COMPACT, DIRECTIVES, LATER_CPP, MODES, TOOLS, Tool
from eqhls.text import Project

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
_LATER = {what: re.compile(pattern) for pattern, what in LATER_CPP.items()}


@dataclass(frozen=True, slots=True)
class Pragma:
    """A `#pragma HLS` in its function: its directive, its words with their values (empty without `=`), the
    code above it in the function, and what opens the block that it stands in."""

    line: int
    directive: str
    options: Mapping[str, str]
    above: str
    block: str

    @property
    def name(self) -> str:
        """The variable or port, without the members behind it."""
        return (self.options.get("variable") or self.options.get("port") or "").split(".")[0]

    @property
    def modes(self) -> frozenset[str]:
        """The interface modes that it names, as words or as mode=."""
        named = {k for k in self.options if k in MODES | BLOCK_MODES}
        return frozenset(named | ({self.options["mode"]} if "mode" in self.options else set()))


def lint_pragmas(file: str, text: str, tools: tuple[Tool, ...] = TOOLS) -> list[Finding]:
    """Check every pragma: the directive and its options in all the tools, that its variable is declared above
    it in the same function (or its port among the arguments), and that a function's pragmas go together."""
    findings: list[Finding] = []
    functions: dict[int, list[Pragma]] = {}
    lines = _code(text).splitlines()
    for number, line in enumerate(lines, 1):
        found = _PRAGMA.match(line)
        if found:
            start = _function_start(lines, number - 1)
            pragma = _read(found[1], number, lines[start : number - 1])
            functions.setdefault(start, []).append(pragma)
            findings += [Finding(file, number, p) for p in _problems(pragma, tools)]
        elif re.match(r"^\s*#\s*pragma\s+(?!once|GCC)", line):
            findings.append(Finding(file, number, f"found {line.strip()!r}, expected #pragma HLS"))
    for pragmas in functions.values():
        findings += [Finding(file, line, p) for line, p in _together(pragmas)]
    return findings


def _read(text: str, number: int, above: list[str]) -> Pragma:
    directive, *words = text.split() or [""]
    code = "\n".join(above)
    return Pragma(number, directive, dict(_pair(w) for w in words), code, _block(code))


def _problems(pragma: Pragma, tools: tuple[Tool, ...]) -> Iterator[str]:
    for tool in tools:
        yield from _unknown(pragma, tool)
    name = pragma.name
    if name not in ("", "return") and not re.search(rf"\b{re.escape(name)}\b", pragma.above):
        yield f"{pragma.directive} names {name!r}, which is not declared above it"
    if pragma.directive == "PIPELINE":
        interval = pragma.options.get("II", "1")
        if not interval.isdigit() or interval == "0":
            yield f"PIPELINE II={interval!r} is not a number of clocks"
        if re.match(r"(\}\s*)?(if|else|switch)\b", pragma.block):
            yield f"PIPELINE stands inside {pragma.block!r}, where Vitis does not take it"
    if pragma.directive == "AGGREGATE" and pragma.options.get("compact", "auto") not in COMPACT:
        yield f"AGGREGATE compacts to {pragma.options['compact']!r}, expected {', '.join(sorted(COMPACT))}"
    if pragma.directive == "INTERFACE":
        yield from _interface(pragma)


def _unknown(pragma: Pragma, tool: Tool) -> Iterator[str]:
    """Yield what one tool does not know of a pragma."""
    known = DIRECTIVES[tool].get(pragma.directive)
    if known is None:
        yield f"unknown directive {pragma.directive!r} in {tool} HLS"
        return
    for key, value in pragma.options.items():
        if key not in known.flags | known.keys:
            yield f"{pragma.directive} has no option {key!r} in {tool} HLS"
        elif bool(value) != (key in known.keys):
            yield f"{pragma.directive} takes {key!r} {'with' if key in known.keys else 'without'} a value"
    for key in sorted(known.needs - set(pragma.options)):
        yield f"{pragma.directive} needs {key}="


def _interface(pragma: Pragma) -> Iterator[str]:
    block = pragma.options.get("port") == "return"
    if len(pragma.modes) != 1:
        yield f"INTERFACE names {len(pragma.modes)} modes, expected one"
    for mode in sorted(pragma.modes - (BLOCK_MODES if block else MODES)):
        yield f"INTERFACE mode {mode!r} is not one of {'port=return' if block else 'an argument'}"


def _together(pragmas: list[Pragma]) -> Iterator[tuple[int, str]]:
    """Yield what pragmas of one function do to each other, with the lines."""
    whole = {p.name for p in pragmas if p.directive == "ARRAY_PARTITION" and _complete(p)}
    split = {p.name for p in pragmas if p.directive in ("ARRAY_PARTITION", "ARRAY_RESHAPE")}
    slow = [p for p in pragmas if p.directive == "PIPELINE" and p.options.get("II", "1") not in ("", "1")]
    inlined = any(p.directive == "INLINE" and "off" not in p.options for p in pragmas)
    for p in pragmas:
        if p.directive != "INTERFACE":
            continue
        array = re.search(rf"\b{re.escape(p.name)}\s*\[", p.above)
        if "ap_none" in p.modes and array and p.name not in whole:
            yield p.line, f"ap_none on the array {p.name!r}, which is not partitioned completely"
        if "m_axi" in p.modes and p.name in split:
            yield p.line, f"m_axi on {p.name!r}, which is partitioned or reshaped: no tool takes both"
        if "ap_ctrl_none" in p.modes and slow:
            interval = slow[0].options["II"]
            yield p.line, f"ap_ctrl_none with II={interval}: this can be co-simulated at II=1 only"
        if inlined:
            yield p.line, "INTERFACE in a function that is inlined, which is no top function"


def _complete(pragma: Pragma) -> bool:
    return "complete" in pragma.options or pragma.options.get("type") == "complete"


def _pair(word: str) -> tuple[str, str]:
    key, _, value = word.partition("=")
    return key, value


def _function_start(lines: list[str], index: int) -> int:
    """Return the line after the last one that closes a function or a struct at the margin."""
    for k in range(index - 1, -1, -1):
        if lines[k].startswith("}"):
            return k + 1
    return 0


def _block(above: str) -> str:
    """Return the text that opens the innermost block that is open at the end of some code."""
    open_at: list[str] = []
    # split, for a pattern that begins with what may run on to the end takes the square of it
    parts = re.split(r"([{};])", re.sub(r"\([^()]*\)", _without_semicolons, above))
    for text, mark in zip(parts[::2], parts[1::2], strict=False):
        if mark == "{":
            open_at.append(text.strip())
        elif mark == "}" and open_at:
            open_at.pop()
    return open_at[-1] if open_at else ""


def _without_semicolons(found: re.Match[str]) -> str:
    return found[0].replace(";", ",")


def lint_synthesizable(file: str, text: str) -> list[Finding]:
    """Check that C++ keeps to what HLS takes: no heap, exceptions, RTTI, std, floating point or loops
    without static bounds."""
    return [Finding(file, n, f"uses {what}") for n, what in _matches(text, _FORBIDDEN)]


def lint_standard(file: str, text: str) -> list[Finding]:
    """Check that C++ keeps to what the front-end of Vivado HLS takes."""
    return [Finding(file, n, f"uses {what}") for n, what in _matches(text, _LATER)]


def _matches(text: str, patterns: Mapping[str, re.Pattern[str]]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(_code(text).splitlines(), 1):
        for what, pattern in patterns.items():
            if pattern.search(line):
                yield number, f"{what}: {line.strip()!r}"


def _code(text: str) -> str:
    """Return the text without comments, line by line."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text)


def lint_project(project: Project) -> list[Finding]:
    """Check the C++ of an emitted project, vendor headers apart, and its scripts, for its Backend's tools: a
    project with hls_config.cfg is one of Vitis. Test vectors, which other writers make, may be missing."""
    tool: Tool = "Vitis" if "hls_config.cfg" in project else "Vivado"
    findings: list[Finding] = []
    for name, content in project.items():
        if "/ap_types/" in name or not isinstance(content, str):
            continue
        if name.startswith("firmware/") and name.endswith((".h", ".cpp")) and not name.endswith("bridge.cpp"):
            findings += lint_pragmas(name, content, (tool,)) + lint_synthesizable(name, content)
            findings += lint_standard(name, content)
        if name.endswith("_test.cpp"):
            findings += lint_standard(name, content)
        if name in ("build_prj.tcl", "project.tcl"):
            findings += lint_tcl(name, content, tool)
        if name == "hls_config.cfg":
            findings += lint_config(name, content, [*project, "tb_data/"])
    return findings
