"""The front door: a checkpoint, its configuration, and the family that knows its tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints import cormorant, e3nn, lgn, lorentznet, nano, pelican, tfn
from eqhls.frontends.checkpoints.archive import (
    CONFIG_FILE,
    STATE_FILES,
    Checkpoint,
    checkpoint_of,
    read_arrays,
    read_checkpoint,
    read_config,
)
from eqhls.frontends.checkpoints.arguments import RULES, check_settings
from eqhls.frontends.checkpoints.fields import flattened, without_nulls
from eqhls.frontends.checkpoints.held import held
from eqhls.frontends.checkpoints.states import CHOICE, Taken
from eqhls.ir.graph import Graph

CHECKPOINT_FILE = "checkpoint.pt"
STATES = (CHECKPOINT_FILE, *STATE_FILES)
"""What the tensors of a folder may be called; the first that is there is read."""
TORCH = (".pt", ".pth", ".ckpt")
IN_MEMORY = "state dict"
"""What messages call a checkpoint that is not a file."""
Settings = Path | str | Mapping[str, Any] | None
"""The arguments of a network: a JSON file, or what it would hold."""


class Family(Protocol):
    """A module that reads the checkpoints of one family of networks."""

    __name__: str

    def recognizes(self, state: Mapping[str, NDArray[Any]]) -> bool: ...
    def graph_from(self, state: Mapping[str, NDArray[Any]], arguments: Mapping[str, Any]) -> Graph: ...


FAMILIES: tuple[Family, ...] = (pelican, nano, lgn, lorentznet, tfn, e3nn, cormorant)


def is_checkpoint(path: Path) -> bool:
    """Whether a path names a checkpoint: a torch file, or a folder with one or with its tensors."""
    return path.suffix in TORCH or any((path / n).is_file() for n in STATES)


def load_checkpoint(path: Path, config: Settings = None) -> Graph:
    """Return the float network of a checkpoint.

    The arguments of the checkpoint, of the config.json beside it, and of `config`, a JSON file or what it
    would hold, are put together; each takes the place of those before. The setting `weights` names the set of
    weights to read, of a checkpoint with several. Raises CompileError for files that cannot be read,
    networks of no known family, options that cannot be compiled, and tensors that the network does not read.
    """
    beside = (path if path.is_dir() else path.parent) / CONFIG_FILE
    given = (read_config(beside) if beside.is_file() else {}) | settings(config)
    return _network(str(path), _chosen(given, lambda weights: _read(path, weights)))


def load_state(state: Mapping[str, Any], config: Settings = None) -> Graph:
    """Return the float network of a state dict in memory, or of whatever mapping a training code would give
    to torch.save, with arrays of NumPy or tensors of torch. Raises CompileError as `load_checkpoint`."""
    return _network(IN_MEMORY, state_of(state, config))


def state_of(state: Mapping[str, Any], config: Settings = None) -> Checkpoint:
    """Return the tensors and all arguments of a state dict in memory."""
    try:
        return _chosen(settings(config), lambda weights: checkpoint_of(held(state), weights))
    except CompileError as error:
        raise error.at(IN_MEMORY) from None


def settings(config: Settings) -> dict[str, Any]:
    """Return the arguments of a JSON file, or of what it would hold."""
    if config is None:
        return {}
    return flattened(config) if isinstance(config, Mapping) else read_config(Path(config))


def _chosen(given: dict[str, Any], read: Callable[[str | None], Checkpoint]) -> Checkpoint:
    """Return a checkpoint with the set of weights that the settings choose, and with their arguments."""
    chosen = given.pop(CHOICE, None)
    found = read(chosen if chosen is None else str(chosen))
    return Checkpoint(found.arrays, without_nulls(found.arguments) | given)


def _network(where: str, checkpoint: Checkpoint) -> Graph:
    for family in FAMILIES:
        if family.recognizes(checkpoint.arrays):
            try:
                return _whole(family, checkpoint.arrays, checkpoint.arguments)
            except CompileError as error:
                raise error.at(where) from None
    known = ", ".join(f.__name__.rsplit(".", 1)[1] for f in FAMILIES)
    first = next(iter(checkpoint.arrays))
    raise CompileError(
        where, f"holds {first} and others, which match no supported network", f"supported are {known}"
    )


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
