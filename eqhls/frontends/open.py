"""The front door: which reader takes a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.archive import CONFIG_FILE
from eqhls.frontends.checkpoints.load import STATES, is_checkpoint, load_checkpoint
from eqhls.frontends.graphfile import TEXT, load_model
from eqhls.frontends.qkeras.files import SAVED_MODEL, written_by_keras2
from eqhls.frontends.qkeras.read import read_qkeras
from eqhls.ir.graph import Graph
from eqhls.lazy import lazy

keras = lazy("eqhls.frontends.keras", "Keras", "pip install 'eqhls[keras]'")
onnx = lazy("eqhls.frontends.onnx.read", "ONNX", "pip install 'eqhls[onnx]'")

READERS: dict[str, Callable[[Path], Any]] = {
    **dict.fromkeys((".keras", ".h5", ".hdf5"), lambda path: keras.read_keras(path)),
    ".onnx": lambda path: onnx.read_onnx(path),
}
"""Readers that need an optional package, by the suffix of the files that they take."""


def load_any(model: Path | str | Graph, config: Path | None = None) -> Graph:
    """Read a graph file, a checkpoint of a published network (with its `config`, the one beside it if left
    out), a Keras or ONNX file, or a file or SavedModel of QKeras. Raises CompileError for
    a file that no reader takes."""
    if isinstance(model, Graph):
        return model
    model = Path(model)
    if is_checkpoint(model):
        return load_checkpoint(model, config)
    if config is not None:
        raise CompileError(str(config), f"goes with a checkpoint, and {model} is not one", "leave it out")
    if written_by_keras2(model):
        return read_qkeras(model)
    read = READERS.get(model.suffix)
    if read is None:
        return load_model(model)
    if not model.is_file():
        raise CompileError(str(model), "does not exist", "check the path")
    return read(model)


def source_files(model: Path | str | Graph) -> dict[str, bytes]:
    """Return the files that a model is read from, by name: the proof says whose network it is. A graph in
    memory has none."""
    if isinstance(model, Graph):
        return {}
    path = Path(model)
    folder = path if path.is_dir() else path.parent
    if path.is_dir():
        names = (TEXT, Path(TEXT).with_suffix(".npz").name, *STATES, CONFIG_FILE, *SAVED_MODEL)
    elif path.suffix == Path(TEXT).suffix:
        names = (path.name, path.with_suffix(".npz").name)
    else:
        names = (path.name, *((CONFIG_FILE,) if is_checkpoint(path) else ()))
    return {n: (folder / n).read_bytes() for n in names if (folder / n).is_file()}
