"""Names of values: what is written from a layer's, and outputs that keep theirs."""

from __future__ import annotations

from collections.abc import Mapping

from eqhls.ir.graph import Builder
from eqhls.ops.add import Add


def identifier(name: str) -> str:
    """Return a name with everything but letters, digits and _ as _."""
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name)


def name_outputs(builder: Builder, wanted: Mapping[str, str]) -> None:
    """Give values, by the names that their outputs shall have, these names. What has a name that must stay,
    a port or another output, gets a second one by a sum of itself alone."""
    names: dict[str, str] = {}
    for output, value in wanted.items():
        if value == output:
            continue
        if value in names or value in wanted or builder.find(value).op.source:
            value = builder.add(builder.fresh(f"{output}.again"), Add(), value)
        names[value] = output
    inner = [n for n in names.values() if builder.has(n) and n not in names]
    builder.rename(names | {n: builder.fresh(f"{n}.inner") for n in inner})
