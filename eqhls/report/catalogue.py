"""The page of all blocks, written from the code."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields

from eqhls.ir.op import Op
from eqhls.ops import ALL

GROUPS = {
    "input": "Inputs",
    "geometry": "Lorentz geometry",
    "message": "Messages",
    "pair": "Pairs of particles",
    "scalar": "Scalars",
    "structure": "Structure",
}


def catalogue() -> str:
    """Return docs/blocks.md."""
    lines = [
        "# Blocks",
        "",
        "Written by `eqhls catalogue` from `eqhls/ops`; do not edit. A tensor has a representation "
        "(S scalar, V four-vector, F antisymmetric, T symmetric traceless), named axes "
        "(`i` receivers, `j` senders, `c` channels) and a fixed-point format.",
        "",
    ]
    for group, title in GROUPS.items():
        lines += [f"## {title}", ""]
        for op in ALL:
            if op.group == group:
                lines += _block(op)
    return "\n".join(lines)


def _block(op: type[Op]) -> list[str]:
    kind = op.kind()
    lines = [f"### {kind}", "", inspect.cleandoc(op.__doc__ or ""), ""]
    rows = [f"| `{f.name}` | `{f.type}` | {_default(f.default)} |" for f in fields(op)]
    if rows:
        lines += ["| field | type | default |", "|---|---|---|", *rows, ""]
    examples = op.examples()
    first = examples[0]
    types = ", ".join(map(str, first.types)) or "no input"
    lines += [
        f"Example: `{types}` gives `{first.op.infer(*first.types)}`. HLS: `eqhls/{kind}.h`. "
        f"{len(examples)} examples run under every law.",
        "",
    ]
    return lines


def _default(value: object) -> str:
    if value is MISSING:
        return "required"
    return f"`{value}`" if value != "" else "empty"
