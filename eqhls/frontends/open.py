"""The front door: it finds the reader of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.archive import CONFIG_FILE
from eqhls.frontends.checkpoints.load import STATES, is_checkpoint, load_checkpoint
from eqhls.frontends.graphfile import TEXT, load_model
from eqhls.frontends.memory import Config, config_record, read_memory, record_of
from eqhls.frontends.qkeras.files import SAVED_MODEL, written_by_keras2
from eqhls.frontends.qkeras.read import read_qkeras
from eqhls.ir.graph import Graph
from eqhls.kerasbackend import KERAS
from eqhls.lazy import lazy

keras = lazy("eqhls.frontends.keras", *KERAS)
onnx = lazy("eqhls.frontends.onnx.read", "ONNX", "pip install 'eqhls[onnx]'")

READERS: dict[str, Callable[[Path], Any]] = {
    **dict.fromkeys((".keras", ".h5", ".hdf5"), lambda path: keras.read_keras(path)),
    ".onnx": lambda path: onnx.read_onnx(path),
}
"""Readers that need an optional package, by the suffix of the files that they take."""


def load_any(model: object, config: Config = None) -> Graph:
    """Read a model from a file or from memory.

    Files are graph files, checkpoints of published networks (`config` defaults to the config.json beside
    them), Keras and ONNX files, and files or SavedModels of QKeras. Models in memory are Keras models, ONNX
    ModelProtos, torch modules, and state dicts with their `config`. Raises CompileError for anything else."""
    if isinstance(model, Graph):
        return model
    if not isinstance(model, Path | str):
        return read_memory(model, config)
    path = Path(model)
    if is_checkpoint(path):
        return load_checkpoint(path, config)
    if config is not None:
        given = "config" if isinstance(config, Mapping) else str(config)
        raise CompileError(given, f"applies only to a checkpoint, and {path} is not one", "leave it out")
    if written_by_keras2(path):
        return read_qkeras(path)
    read = READERS.get(path.suffix)
    if read is None:
        return load_model(path)
    if not path.is_file():
        raise CompileError(str(path), "does not exist", "check the path")
    return read(path)


def source_files(model: object, config: Config = None) -> dict[str, bytes]:
    """Return the sources of a model by name, so that the proof can say which network it is about: the
    content of files, or the settings and numbers of a model in memory in a fixed order. A graph in memory
    has none."""
    if isinstance(model, Graph):
        return {}
    if not isinstance(model, Path | str):
        return record_of(model, config)
    path = Path(model)
    folder = path if path.is_dir() else path.parent
    if path.is_dir():
        names = (TEXT, Path(TEXT).with_suffix(".npz").name, *STATES, CONFIG_FILE, *SAVED_MODEL)
    elif path.suffix == Path(TEXT).suffix:
        names = (path.name, path.with_suffix(".npz").name)
    else:
        names = (path.name, *((CONFIG_FILE,) if is_checkpoint(path) else ()))
    found = {n: (folder / n).read_bytes() for n in names if (folder / n).is_file()}
    return found | config_record(config)
