"""What the catalogue says of an op beside its formula, from the facts that the op states about itself."""

from __future__ import annotations

import numpy as np

from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Along, Example, Op
from eqhls.ops.input import Input
from eqhls.verify.symmetry import Symmetry, exact_elements

ALONG = {
    Along.MAP: "entry by entry",
    Along.SPREAD: "entry by entry",
    Along.REDUCE: "all entries become one, in any order",
    Along.SHIFT: "neighbours on a ring",
    Along.ALIKE: "all entries, treated alike",
    Along.EVENT: "may tell entries apart",
}
"""What an op does along an axis, in words. Permutations commute with it but for SHIFT and EVENT."""


def network(example: Example) -> Graph:
    """Return the network of one op that an example is, without formats of its result."""
    b = Builder("example")
    if example.op.source:
        b.add("x0", example.op)
        return b.graph("x0")
    names = [b.add(f"x{k}", Input(type)) for k, type in enumerate(example.types)]
    b.add("result", example.op, *names)
    return b.graph("result")


def facts(op: type[Op]) -> list[tuple[str, str]]:
    """Return pairs of what is said and what holds for it; those of one example are those of the first."""
    examples = op.examples()
    return [
        ("Formats", _formats(examples[0])),
        ("Format of the result", _result(op)),
        ("Bits of the inputs that count", op.reads.value),
        ("Largest rounding in the examples", _rounding(examples)),
        ("Along axes", _along(examples[0])),
        ("Exact group", _groups(op, examples)),
        ("Work", _work(examples[0])),
    ]


def _formats(example: Example) -> str:
    """Return the types of the first example with formats, those of the result as intervals give them."""
    types = ", ".join(f"`{t}`" for t in example.types) or "No input"
    return f"{types} gives `{network(example).formatted().results[0].type}`"


def _result(op: type[Op]) -> str:
    if op.has_format:
        return "a field of the op; quantization sets it if it is missing"
    return "what inputs and fields make of it, with every bit"


def _rounding(examples: tuple[Example, ...]) -> str:
    worst = max(float(np.max(e.op.rounding(e.types), initial=0.0)) for e in examples)
    return f"{worst:.3g}" if worst else "none: the result is exact"


def _along(example: Example) -> str:
    axes = {axis.name: None for type in example.types for axis in type.axes}
    return (
        "; ".join(f"`{name}`: {ALONG[example.op.along(example.types, name)]}" for name in axes) or "no input"
    )


def _groups(op: type[Op], examples: tuple[Example, ...]) -> str:
    """Return the exact groups of the examples that have vectors or tensors: scalars are invariant."""
    if not op.source and not examples[0].types:
        return (
            "that of what leaves the constant alone; all of it if the constant is transformed with the event"
        )
    covariant = [e for e in examples if any(t.rep is not S for t in (*e.types, network(e).results[0].type))]
    if not covariant:
        return "every one, because all it takes and gives are scalars"
    return "; ".join(sorted({_group(exact_elements(network(e))) for e in covariant}))


def _group(found: Symmetry) -> str:
    if found.group is None:
        return f"none: {found.reason}"
    return f"proper elements of {found.group.name}" if found.proper_only else found.group.name


def _work(example: Example) -> str:
    done = example.op.work(example.types)
    counts = (
        (done.products, "products"),
        (done.constants, "products with constants"),
        (done.lookups, "look-ups"),
    )
    return ", ".join(f"{n} {what}" for n, what in counts if n) or "no product and no look-up"
