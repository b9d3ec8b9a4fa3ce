"""What a search for formats can turn: which values and weights may lose bits, and from which widths on.

Four-vector inputs turn together, so that their LSBs keep their ratios and the lattice of the exact
symmetry stays. Covariant results get a knob only if the network rounds them anyway: a search never
makes an exact network inexact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from eqhls.events.wordports import word_ports
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Op, Reading, Tensor
from eqhls.ops.common import integers
from eqhls.options import Entry, Formats, Options, Sections
from eqhls.quantize.addresses import code_carriers
from eqhls.quantize.assign import ADDRESS_BITS, LIMIT, TABLE_BITS
from eqhls.quantize.weights import per_map, weights_of

MIN_WIDTH = 2
VECTORS = "vector inputs"


@dataclass(frozen=True, slots=True)
class Knob:
    """The formats of one value or of its weights: one for all, or one for each component or map of pairs."""

    name: str
    weights: bool
    formats: tuple[Fixed, ...]

    @property
    def text(self) -> str:
        return "|".join(map(str, self.formats))


Knobs = dict[str, tuple[Knob, ...]]


@dataclass(frozen=True, slots=True)
class Move:
    """One bit less of all knobs of a group: the lowest one, or the highest one."""

    group: str
    top: bool

    def __str__(self) -> str:
        return f"{self.group}: one {'integer' if self.top else 'fraction'} bit less"


def starting_knobs(graph: Graph, base: Graph, generous: int) -> Knobs:
    """Return the groups of values whose formats can shrink, with the widths to begin from.

    `graph` is the network, `base` the same quantized, with no options or with knobs found before; functions,
    rounded covariants, and ports and weights which have no format of their own, begin with `generous` more
    fraction bits than there. Ports that read words of the trigger stay as those are, and so do values that
    add under a symmetry, which no rounding follows.
    """
    groups: dict[str, list[Knob]] = {}
    codes, words = code_carriers(graph, base), word_ports(graph)
    given = codes | set(words.nodes if words else ())
    for node in (n for n in graph if n.name not in given and not n.type.charges):
        for group, knob in (
            *_source_knobs(node, base, generous),
            *_weight_knobs(node, base, generous),
            *_result_knobs(node, graph, base, generous),
        ):
            groups.setdefault(group, []).append(knob)
    return {g: tuple(k) for g, k in groups.items()}


def moves(knobs: Knobs) -> list[Move]:
    """Inputs and weights lose fraction bits only: their range is given."""
    fixed = {g for g, ks in knobs.items() if any(k.weights or len(k.formats) > 1 for k in ks)} | {VECTORS}
    return [Move(g, False) for g in knobs] + [Move(g, True) for g in knobs if g not in fixed]


def shrunk(knobs: Knobs, move: Move) -> Knobs | None:
    """Return the knobs after a move, or None if a format would be too narrow; of several maps of pairs
    those that can still shrink do."""
    group = tuple(_less(k, move.top) for k in knobs[move.group])
    return None if None in group else knobs | {move.group: tuple(k for k in group if k is not None)}


def _less(knob: Knob, top: bool) -> Knob | None:
    narrow = [f.width <= MIN_WIDTH for f in knob.formats]
    if all(narrow) or (any(narrow) and not knob.weights):
        return None
    formats = (
        form if stays else replace(form, width=form.width - 1, integer=form.integer - top)
        for form, stays in zip(knob.formats, narrow, strict=True)
    )
    return replace(knob, formats=tuple(formats))


def options_of(knobs: Knobs) -> Options:
    """Return the options that ask for these formats, by name."""
    entries: dict[str, Entry] = {}
    for knob in (k for group in knobs.values() for k in group):
        now = entries.get(knob.name, Entry()).Precision
        field = "weight" if knob.weights else "result"
        entries[knob.name] = Entry(Precision=Formats(**(now.model_dump() | {field: knob.text})))
    return Options(HLSConfig=Sections(LayerName=entries))


def _source_knobs(node: Node, base: Graph, generous: int) -> Iterator[tuple[str, Knob]]:
    """Ports, and functions unless a few given levels are all that they take: what has a format by itself."""
    made = base.node(node.name)
    type, op = made.type, made.op
    if op.source:
        if max(f.width for f in type.formats) > MIN_WIDTH:
            group = VECTORS if type.rep is V else node.name
            bits = 0 if node.type.formats else generous
            yield group, Knob(node.name, False, tuple(_widened(f, bits) for f in type.formats))
    elif op.has_format and op.reads is not Reading.FORMAT:
        (out,) = op.rounds_to()
        if np.max(op.rounding(base.types_into(made))) <= 0.5 * out.lsb:
            yield node.name, Knob(node.name, False, (_fitting(out, generous),))


def _weight_knobs(node: Node, base: Graph, generous: int) -> Iterator[tuple[str, Knob]]:
    """Matrices, shifts and pair maps: one format for all, or one for each map."""
    op = base.node(node.name).op
    given, rounded = weights_of(node.op), weights_of(op)
    if rounded:
        bits = 0 if given == rounded else generous
        formats = tuple(_widened(_covering(parts), bits) for parts in per_map(rounded))
        yield f"{node.name} weights", Knob(node.name, True, formats)


def _result_knobs(node: Node, graph: Graph, base: Graph, generous: int) -> Iterator[tuple[str, Knob]]:
    """Values: addresses of tables, wide invariants, and covariants that are rounded already."""
    if node.op.has_format:
        return
    readers = [r for r in graph if node.name in r.inputs]
    tables = [r.name for r in readers if r.op.reads is Reading.ADDRESS]
    narrowed = _narrowed(graph, base, node.name)
    type = base.node(node.name).type
    if type.rep is not S:
        if narrowed:
            yield node.name, Knob(node.name, False, tuple(_widened(f, generous) for f in narrowed))
        return
    address = _invented(graph, base.node(base.node(tables[0]).inputs[0])) if tables else ()
    formats = address or narrowed or type.formats
    wide = max(formats, key=lambda f: f.width)
    if tables:
        yield node.name, Knob(node.name, False, (_capped(wide, ADDRESS_BITS),))
    elif node.op.rectifies(graph.types_into(node)) and narrowed:
        yield node.name, Knob(node.name, False, (_fitting(wide, generous),))
    elif wide.width > TABLE_BITS and _worth_rounding(node, [r.op for r in readers]):
        yield node.name, Knob(node.name, False, (_capped(wide, LIMIT),))


def _narrowed(graph: Graph, base: Graph, name: str) -> tuple[Fixed, ...]:
    """Return the formats that quantization rounded a value to, if it did: an output is the rounded value, any
    other one is followed by it."""
    nodes = (base.node(name), *(n for n in base if n.inputs == (name,)))
    return next((f for n in nodes if (f := _invented(graph, n))), ())


def _invented(graph: Graph, node: Node) -> tuple[Fixed, ...]:
    """Return the formats of a requantization that is not the network's own; nothing for other ops."""
    own = {n.name for n in graph if n.op.reads is Reading.FORMAT}
    return node.op.rounds_to() if node.op.reads is Reading.FORMAT and node.name not in own else ()


def _worth_rounding(node: Node, readers: list[Op]) -> bool:
    """What logarithms and given formats alone read is narrowed there; what nothing reads is the result."""
    given = (Reading.LOGARITHM, Reading.CURVE, Reading.FORMAT, Reading.INNER)
    arithmetic = [r for r in readers if r.reads not in given]
    return bool(arithmetic) and not node.op.moves_bits


def _covering(weights: list[Tensor]) -> Fixed:
    frac = max(integers(t)[1] for t in weights)
    top = max(int(abs(t.array * 2.0**frac).max(initial=1)) for t in weights)
    return Fixed.covering(-max(top, 1), max(top, 1), frac)


def _capped(form: Fixed, most: int) -> Fixed:
    return _fitting(replace(form, width=min(form.width, most)), 0)


def _fitting(form: Fixed, more: int) -> Fixed:
    """Round to nearest and saturate, with more fraction bits."""
    return replace(_widened(form, more), rounding=Rounding.RND, overflow=Overflow.SAT)


def _widened(form: Fixed, bits: int) -> Fixed:
    return replace(form, width=form.width + bits)
