"""The page of all ops, written from the code."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields
from typing import Any, get_args

from eqhls.exchange.domain import DOMAIN, RESULT, VERSION, attributes_of
from eqhls.ir.op import Op
from eqhls.lazy import lazy
from eqhls.ops import ALL
from eqhls.report.opfacts import facts

GROUPS = {
    "input": "Inputs",
    "geometry": "Lorentz geometry",
    "message": "Messages",
    "pair": "Pairs of particles",
    "scalar": "Scalars",
    "structure": "Structure",
}

WORDS = {
    "Tensor": "DOUBLE tensor",
    "Fixed": "format, `fix<8,4,RND,SAT>`",
    "Type": "type, `V.lc[j:16]`",
    "Graph": "network, its `.eq` text and arrays as JSON",
    "Path": "path, `V*V->F`",
    "str": "text",
    "int": "integer",
    "float": "number",
}
"""What a field's type is called on the page of ONNX operators."""

rules = lazy("eqhls.frontends.onnx.plain", "ONNX", "pip install 'eqhls[onnx]'")


def catalogue() -> str:
    """Return docs/ops.md."""
    lines = [
        "# Ops",
        "",
        "Written by `eqhls catalogue` from `eqhls/ops`; do not edit. How types are written is in "
        "[eq-format.md](eq-format.md), what the words mean in [glossary.md](glossary.md).",
        "",
        "The text of an op begins with its formula. *Formats*, *along axes* and *work* are those of its "
        "first example. The *exact group* is what `eqhls verify` claims and tests for a network of this op "
        "alone ([how exact groups arise](exact-groups.md)). LUTs against the bits of the inputs, for all "
        "ops: [what ops cost](op-costs.md).",
        "",
    ]
    for group, title in GROUPS.items():
        lines += [f"## {title}", ""]
        for op in ALL:
            if op.group == group:
                lines += _entry(op)
    return "\n".join(lines)


def _entry(op: type[Op]) -> list[str]:
    kind = op.name()
    lines = [f"### {kind}", "", inspect.cleandoc(op.__doc__ or ""), ""]
    rows = [f"| `{f.name}` | `{f.type}` | {_default(f.default)} |" for f in fields(op)]
    if rows:
        lines += ["| field | type | default |", "|---|---|---|", *rows, ""]
    lines += [*(f"- {name}: {what}" for name, what in facts(op)), ""]
    count = len(op.examples())
    lines += [f"HLS: `eqhls/{kind}.h`. {count} examples run under every law.", ""]
    return lines


def _default(value: object) -> str:
    if value is MISSING:
        return "required"
    return f"`{value}`" if value != "" else "empty"


def operators() -> str:
    """Return docs/onnx-operators.md."""
    lines = [
        f"# Operators of {DOMAIN}, version {VERSION}",
        "",
        "Written by `eqhls catalogue --onnx` from `eqhls/ops`; do not edit. What each computes is in "
        f"[ops.md](ops.md), how they travel in [onnx.md](onnx.md). Every operator may carry `{RESULT}` "
        "(STRING), the type of its result. An attribute whose field is None is left out.",
        "",
        "| operator | attribute | ONNX type | holds | default |",
        "|---|---|---|---|---|",
    ]
    for op in ALL:
        rows = [
            f"`{a.name}` | {a.kind} | {_holds(a.hint)} | {'required' if a.required else _default(a.default)}"
            for a in attributes_of(op)
        ]
        names = [f"`{op.__name__}`", *([""] * (len(rows) - 1))]
        lines += [f"| {name} | {row} |" for name, row in zip(names, rows or ["| | |"], strict=True)]
    return "\n".join([*lines, *_plain()]) + "\n"


def _plain() -> list[str]:
    """Return the table of plain operators that are read."""
    rows = sorted((name, entry.to, entry.says) for name, entry in rules.RULES.items())
    return [
        "",
        "# Plain operators that are read",
        "",
        f"On scalars, in opset {rules.OLDEST} and later, from `eqhls/frontends/onnx/rules`. An attribute is "
        "honoured, or has the value that it has when it is left out, or the file is refused. Operators of "
        "constants are computed, whichever they are.",
        "",
        "| operator | read as | conditions |",
        "|---|---|---|",
        *(f"| `{name}` | {to} | {says} |" for name, to, says in rows),
    ]


def _holds(hint: Any) -> str:
    parts = get_args(hint)
    if parts:
        return f"{_holds(parts[0])}, any number"
    return WORDS.get(hint.__name__) or str(hint.__name__).lower()
