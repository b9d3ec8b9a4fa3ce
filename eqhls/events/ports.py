"""How arrays fill the ports of a network: four-momenta by what they are, everything else by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.prepare import InputForm, Prepared, finite, prepare, to_raw
from eqhls.groups.lorentz.reps import V
from eqhls.groups.permutation import PARTICLES
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph, Node
from eqhls.ir.op import Floats
from eqhls.ops.input import Frame, frame_of

FLAGS = ("valid", "mask")
"""Names of flags for particles; a port over the particles of one unsigned bit holds flags, too."""
REFERENCES = ("spurions", "beams")
"""What networks call the constant vectors that break the symmetry; either name is understood."""


@dataclass(frozen=True, slots=True)
class Filled:
    """One port: raw integers, the same unrounded, and how many values saturated in each event."""

    raw: Ints
    exact: Floats
    over: Ints


def given_port(node: Node, array: Any, padded: str = "") -> Filled:
    """Return a port filled by an array of its name; the axis `padded` is cut and padded as p4 is.

    Integers are the raw words of a port that has a format. Floats are real values, whatever they are, and so
    are booleans, and integers if no format says what their words mean.
    """
    given = np.asarray(array) if np.asarray(array).dtype.kind in "iu" else finite(node.name, array)
    shape = node.type.shape
    if node.type.dim == 1 and given.ndim == len(shape):
        given = given[..., None]
    if not given.ndim or not len(given):
        raise CompileError(node.name, "holds no events", "give one or more")
    if padded and node.type.axes and node.type.axes[0].name == padded and given.ndim > 1:
        given = given[:, : shape[0]]
        lack = shape[0] - given.shape[1]
        given = np.pad(given, ((0, 0), (0, lack), *((0, 0),) * (given.ndim - 2)))
    if given.shape[1:] != shape:
        raise CompileError(
            node.name,
            f"has shape {np.shape(array)}, expected (events, {', '.join(map(str, shape))}) for {node.type}",
            "give the array this shape",
        )
    nothing = np.zeros(len(given), dtype=np.int64)
    if given.dtype.kind == "f":
        raw, over = to_raw(given, node.type.formats) if node.type.formats else (nothing, nothing)
        return Filled(raw, given, over)
    if not node.type.formats:
        return Filled(nothing, given.astype(np.float64), nothing)
    raw = _checked(node, given)
    return Filled(raw, raw * node.type.formats.lsb, nothing)


def _checked(node: Node, given: NDArray[Any]) -> Ints:
    """Return integers of any kind as int64 within the formats of a port; uint64 is compared as it is."""
    for c in range(node.type.dim):
        form = node.type.format_of(c)
        column = given[..., c].reshape(len(given), -1)
        bad = np.flatnonzero(((column < form.lo) | (column > form.hi)).any(axis=1))
        if len(bad):
            raise CompileError(
                node.name,
                f"event {bad[0]} does not fit {form}",
                "raw integers are not saturated: clip them, or give floats in real units",
            )
    return given.astype(np.int64)


def roles(graph: Graph, but: Collection[str] = ()) -> dict[str, Node]:
    """Return the inputs by what they carry: p (constituents), jet, valid; without the names `but`.

    Raises CompileError if the graph has other inputs: they are given by name.
    """
    found: dict[str, Node] = {}
    along = particle_axis(graph)
    for node in graph.inputs:
        if node.name in but:
            continue
        role = ""
        if node.type.rep is V:
            role = "p" if node.type.has(along) else "jet" if node.type.elements == 4 else ""
        elif node.type.rep is S and [a.name for a in node.type.axes] == [along]:
            role = "valid" if node.name in FLAGS or (node.type.formats and is_flag(node)) else ""
        if not role or role in found:
            raise CompileError(
                graph.name,
                f"has the input %{node.name}: {node.type}, which cannot be filled from p4 and jet",
                f"give an array {node.name!r} as well, integers as raw words or floats in real units",
            )
        found[role] = node
    if "p" not in found:
        raise CompileError(
            graph.name,
            "has no four-vectors over an axis of particles for p4 to fill",
            "give an array for each input by its name instead of p4",
        )
    return found


def particle_axis(graph: Graph) -> str:
    """Return the name of the axis of the particles: the one that the types say is permuted, else that of the
    vectors of which there are several, else that of the flags, else that of the vectors. It is empty if the
    ports have no such axis."""
    sets = [a for n in graph.inputs for a in n.type.axes if a.action == PARTICLES]
    vectors = [a for n in graph.inputs for a in n.type.axes if n.type.rep is not S]
    several = [a for a in vectors if a.size > 1]
    flags = [n.type.axes[0] for n in graph.inputs if n.name in FLAGS or (n.type.formats and is_flag(n))]
    among = [a for a in several if a in flags]
    return next((a.name for a in (*sets, *among, *several, *flags, *vectors)), "")


def is_flag(node: Node) -> bool:
    """Whether a port holds one bit for each entry of an axis: a feature of wider words is not a flag."""
    type, form = node.type, node.type.formats[0]
    return type.rep is S and len(type.axes) == 1 and (form.lo, form.hi) == (0, 1)


def prepared(graph: Graph, p4: Any, jet: Any, but: Collection[str] = ()) -> Prepared:
    """Prepare momenta for the input formats of this graph; inputs `but` are given by name."""
    found = roles(graph, but)
    form = _form(graph, [found[k] for k in ("p", "jet") if k in found])
    jets = found["jet"].type.formats if "jet" in found else found["p"].type.formats
    return prepare(p4, jet, form, found["p"].type.size(particle_axis(graph)), found["p"].type.formats, jets)


FORMS = {
    None: InputForm.LAB_CARTESIAN,
    Frame.JET: InputForm.JET_LIGHT_CONE,
    Frame.SEED: InputForm.SEED_LIGHT_CONE,
}


def _form(graph: Graph, vectors: Sequence[Node]) -> InputForm:
    """Return the form of the vectors, which their ports declare. Raises CompileError for several."""
    frames = {frame_of(n.op): n for n in vectors}
    if len(frames) > 1:
        said = " and ".join(
            f"%{n.name} in {f'the frame of the {f.value}' if f else 'the laboratory'}"
            for f, n in frames.items()
        )
        raise CompileError(graph.name, f"reads {said}", "give all ports of four-vectors one frame and basis")
    return FORMS[next(iter(frames))]


def from_momenta(arrays: Mapping[str, Any], graph: Graph, named: Collection[str]) -> dict[str, Filled]:
    """Return the ports that p4 and jet fill; `named` are given otherwise."""
    along = particle_axis(graph)
    twice = [n.name for n in graph.inputs if n.name in named and n.type.rep is V and n.type.has(along)]
    if twice:
        raise CompileError("arrays", f"hold both p4 and {twice[0]}, which fill one port", "leave one out")
    found = roles(graph, named)
    made = prepared(graph, arrays["p4"], arrays.get("jet"), named)
    none = np.zeros(len(made.p), dtype=np.int64)
    flags, over = made.valid, none
    if "valid" in found and found["valid"].type.formats:
        flags, over = to_raw(made.valid.astype(np.float64), found["valid"].type.formats)
    parts = {
        "p": Filled(made.p, made.p_exact, made.saturated),
        "jet": Filled(made.jet, made.jet_exact, made.jet_saturated),
        "valid": Filled(flags, made.valid.astype(np.float64), over),
    }
    shaped: dict[str, Filled] = {}
    for role, node in found.items():
        part, shape = parts[role], (len(none), *node.type.shape)
        shaped[node.name] = Filled(part.raw.reshape(shape), part.exact.reshape(shape), part.over)
    return shaped


def fitted(node: Node, values: Floats) -> Ints:
    """Return real values as raw integers of a port: nearest value, saturated."""
    return to_raw(values, node.type.formats)[0]
