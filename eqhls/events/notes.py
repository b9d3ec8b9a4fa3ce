"""Notes on what looks wrong with the arrays of a file for the network that reads them, one per line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.events.oddities import LOST, SATURATED, falling, odd_jet, odd_momenta, odd_order
from eqhls.events.ports import REFERENCES, Filled, particle_axis
from eqhls.events.prepare import finite
from eqhls.groups.lorentz.reps import V
from eqhls.ir.graph import Graph, Node
from eqhls.ops.input import Frame, frame_of

KEPT = ("expected", "n", "entry")
"""Arrays that the models of this repository ship beside their events, and that `eqhls events` writes."""


def unread(arrays: Mapping[str, Any], graph: Graph, read: Collection[str] = ()) -> list[str]:
    """Return a line on arrays that nothing reads; some more are `read`."""
    constants = {n.name for n in graph if not n.inputs}
    known = sorted({n.name for n in graph.inputs} | {"p4", "jet", "y", *read})
    others = [k for k in sorted(arrays) if k not in {*known, *constants, *REFERENCES, *KEPT}]
    if (
        "p4" not in arrays
        and "jet" in arrays
        and "jet" not in read
        and "jet" not in {n.name for n in graph.inputs}
    ):
        others.append("jet")
    close = {k: get_close_matches(k, known, 1) for k in others}
    hints = [f"{k} (did you mean {close[k][0]}?)" if close[k] else k for k in others]
    return [f"arrays that nothing reads: {', '.join(hints)}"] if hints else []


def whole_floats(node: Node, array: Any) -> list[str]:
    """Return a line on a float array that looks like raw integers."""
    values = np.asarray(array)
    if values.dtype.kind != "f" or not node.type.formats or (node.type.formats.lsb >= 1).all():
        return []
    if (values != np.rint(values)).any() or np.abs(values).max() <= 1:
        return []
    return [
        f"{node.name} holds whole numbers as floats: read as real values; raw words need an integer array"
    ]


def saturation_notes(graph: Graph, over: Ints, momenta: bool) -> list[str]:
    values = len(over) * sum(n.type.elements for n in graph.inputs)
    if not graph.quantized or over.sum() <= SATURATED * values:
        return []
    return [
        f"{over.sum():,} of {values:,} input values saturate at the ports, in {int((over > 0).sum()):,} of "
        f"{len(over):,} events" + ("; are the momenta in GeV?" if momenta else "")
    ]


def momenta_notes(arrays: Mapping[str, Any], graph: Graph, filled: Mapping[str, Filled]) -> list[str]:
    """Return lines on four-momenta that look wrong."""
    p4 = finite("p4", arrays["p4"])
    along = particle_axis(graph)
    node = next(n for n in graph.inputs if n.type.rep is V and n.type.has(along))
    frame, slots = frame_of(node.op), node.type.size(along)
    lsb = float(node.type.formats.lsb.max()) if node.type.formats else 0.0
    lines = odd_momenta("p4", p4, lsb)
    if "jet" in arrays:
        jet = finite("jet", arrays["jet"])
        lines += odd_momenta("jet", jet[:, None], lsb) or odd_jet(p4, jet)
    elif frame is Frame.JET or any(n is not node and n.type.rep is V for n in graph.inputs):
        lines.append(
            f"jet is missing: the sum of the {p4.shape[1]} given constituents takes its place; give the jet "
            "(E, px, py, pz) that the network was trained with"
        )
    if not any("looks like" in line for line in lines):

        def matters(rows: Ints) -> bool:
            order = falling(p4[rows], slots)
            return frame is Frame.SEED or order_matters(graph, filled, along, order, rows)

        lines += odd_order(p4, slots, matters)
    nonzero = (filled[node.name].exact != 0).any(axis=-1)
    gone = nonzero & (filled[node.name].raw == 0).all(axis=-1)
    if node.type.formats and gone.sum() > LOST * max(nonzero.sum(), 1):
        lines.append(
            f"p4: {int(gone.sum()):,} of {int(nonzero.sum()):,} constituents round to zero at the ports, "
            f"whose LSB is {lsb:g} GeV; are the momenta in GeV?"
        )
    return lines


def order_matters(graph: Graph, filled: Mapping[str, Filled], along: str, order: Ints, rows: Ints) -> bool:
    """Whether the outputs of some events change if the entries of an axis are put in another order
    (rows, slots): by a bit of a quantized network, by more than rounding of one of floats."""
    before: dict[str, NDArray[Any]] = {
        k: (v.raw if graph.quantized else v.exact)[rows] for k, v in filled.items()
    }
    after = dict(before)
    for node in graph.inputs:
        if node.type.has(along):
            axis, values = node.type.index(along) + 1, before[node.name]
            shape = (len(rows), *(values.shape[k] if k == axis else 1 for k in range(1, values.ndim)))
            after[node.name] = np.take_along_axis(values, order.reshape(shape), axis=axis)
    run: Callable[[Any], dict[str, NDArray[Any]]] = graph.evaluate if graph.quantized else graph.scores
    first, second = run(before), run(after)
    slack = 0.0 if graph.quantized else 1e-6
    return any((np.abs(first[k] - second[k]) > slack * np.abs(first[k]).max()).any() for k in first)
