"""Files of any kind as arrays by name, those that one network reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from eqhls.events.files import HDF5, PLAIN, load_arrays
from eqhls.events.hep.hdf5 import dataset_names
from eqhls.events.hep.load import load_columns
from eqhls.events.hep.stream import is_columns, split_tree
from eqhls.events.ports import particle_axis
from eqhls.events.wordports import word_ports
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.graph import Graph

Arrays = dict[str, NDArray[Any]]


def name_alone(graph: Graph) -> str:
    """Return the name of an array that comes alone: that of the only port of a network that has no
    four-vectors, else `p4`."""
    only = graph.inputs[0] if len(graph.inputs) == 1 else None
    return only.name if only and only.type.rep is S else "p4"


def arrays_for(path: Path, graph: Graph) -> tuple[Arrays, list[str]]:
    """Return the arrays of a file, or of FILE:TREE, by name, and lines on how it was read.

    An HDF5 file with an array for a port, or of `p4`, is read by name; others, and those of ROOT and Parquet,
    as jets by the names of their columns (eqhls.events.hep). Raises CompileError for files that are damaged
    or do not say what they hold.
    """
    file, tree = split_tree(path)
    start = _start(file)
    names = {n.name for n in graph.inputs}
    if not is_columns(start) or (start == HDF5 and {*names, *PLAIN} & dataset_names(file)):
        return load_arrays(path, name_alone(graph)), []
    words = word_ports(graph)
    momenta = words is not None or any(n.type.rep is V for n in graph.inputs)
    ports = [n.name for n in graph.inputs if n.type.rep is S and not (words and n.name in words)]
    return load_columns(file, tree, momenta, None if words else _slots(graph), ports)


def _slots(graph: Graph) -> int | None:
    """Return how many particles a network reads, if it has an axis of them."""
    along = particle_axis(graph)
    return next((n.type.size(along) for n in graph.inputs if along and n.type.has(along)), None)


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(HDF5))
    except OSError:
        return b""
