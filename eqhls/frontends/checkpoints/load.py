"""The front door: a checkpoint, its configuration, and the family that knows its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints import cormorant, e3nn, lgn, lorentznet, nano, pelican, tfn
from eqhls.frontends.checkpoints.archive import (
    CONFIG_FILE,
    STATE_FILES,
    Checkpoint,
    read_arrays,
    read_checkpoint,
    read_config,
)
from eqhls.frontends.checkpoints.arguments import RULES, check_settings
from eqhls.frontends.checkpoints.fields import without_nulls
from eqhls.frontends.checkpoints.states import CHOICE, Taken
from eqhls.ir.graph import Graph

CHECKPOINT_FILE = "checkpoint.pt"
STATES = (CHECKPOINT_FILE, *STATE_FILES)
"""What the tensors of a folder may be called; the first that is there is read."""
TORCH = (".pt", ".pth", ".ckpt")


class Family(Protocol):
    """A module that reads the checkpoints of one family of networks."""

    __name__: str

    def recognizes(self, state: Mapping[str, NDArray[Any]]) -> bool: ...
    def graph_from(self, state: Mapping[str, NDArray[Any]], arguments: Mapping[str, Any]) -> Graph: ...


FAMILIES: tuple[Family, ...] = (pelican, nano, lgn, lorentznet, tfn, e3nn, cormorant)


def is_checkpoint(path: Path) -> bool:
    """Whether a path names a checkpoint: a torch file, or a folder with one or with its tensors."""
    return path.suffix in TORCH or any((path / n).is_file() for n in STATES)


def load_checkpoint(path: Path, config: Path | None = None) -> Graph:
    """Return the float network of a checkpoint.

    The arguments of the checkpoint, of the config.json beside it, and of `config`, a JSON file, are put
    together; each takes the place of those before. The setting `weights` of the JSON files names the set of
    weights to read, of a checkpoint with several. Raises CompileError for files that cannot be read,
    networks of no known family, options that cannot be compiled, and tensors that the network does not read.
    """
    beside = (path if path.is_dir() else path.parent) / CONFIG_FILE
    files = ([beside] if beside.is_file() else []) + ([config] if config else [])
    given: dict[str, Any] = {}
    for file in files:
        given |= read_config(file)
    chosen = given.pop(CHOICE, None)
    checkpoint = _read(path, chosen if chosen is None else str(chosen))
    arguments = without_nulls(checkpoint.arguments) | given
    for family in FAMILIES:
        if family.recognizes(checkpoint.arrays):
            try:
                return _whole(family, checkpoint.arrays, arguments)
            except CompileError as error:
                raise error.at(str(path)) from None
    known = ", ".join(f.__name__.rsplit(".", 1)[1] for f in FAMILIES)
    first = next(iter(checkpoint.arrays))
    raise CompileError(str(path), f"holds {first} and others, of no known network", f"known are {known}")


def _whole(family: Family, arrays: Mapping[str, NDArray[Any]], arguments: Mapping[str, Any]) -> Graph:
    """Return the network of a family that reads every tensor and follows every setting."""
    name = family.__name__.rsplit(".", 1)[1]
    check_settings(name, arguments, arrays)
    taken = Taken(arrays)
    graph = family.graph_from(taken, arguments)
    taken.check_all_read(RULES[name].family)
    return graph


def _read(path: Path, weights: str | None) -> Checkpoint:
    if not path.is_dir():
        return read_checkpoint(path, weights)
    file = next(path / n for n in STATES if (path / n).is_file())
    return read_checkpoint(file, weights) if file.name == CHECKPOINT_FILE else read_arrays(file, weights)
