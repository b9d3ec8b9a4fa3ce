"""The three kinds of files that Keras 2 writes: HDF5, a zip archive, a folder with TensorFlow's variables.

Each is opened as a `Saved`: the configuration of the model, and the weights of a layer if they are asked for.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from eqhls.errors import CompileError
from eqhls.frontends.qkeras.metadata import METADATA, names_of_layers
from eqhls.ir.op import Floats
from eqhls.lazy import lazy

h5py = lazy("h5py", "HDF5", "pip install 'eqhls[h5]'")
checkpoints = lazy(
    "tensorflow.python.training.py_checkpoint_reader", "TensorFlow", "pip install 'eqhls[tensorflow]'"
)
errors = lazy("tensorflow.python.framework.errors_impl", "TensorFlow", "pip install 'eqhls[tensorflow]'")
objects = lazy(
    "tensorflow.core.protobuf.trackable_object_graph_pb2", "TensorFlow", "pip install 'eqhls[tensorflow]'"
)

Names = tuple[str, ...]
"""A layer: its name behind those of the models around it."""
Weights = Mapping[str, Floats]
"""The weights of a layer by name: kernel, bias, gamma, .."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile)
OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"
STEM = "variables/variables"
SAVED_MODEL = (METADATA, "saved_model.pb", f"{STEM}.index", f"{STEM}.data-00000-of-00001")
"""The files of a SavedModel."""
QKERAS = re.compile(r'"class_name": "(Q[A-Z]\w+|quantized_\w+|(stochastic_)?(binary|ternary)|bernoulli)"')
"""Classes of QKeras in a configuration."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A model file: where it is, the configuration of the model, what finds the weights of a layer."""

    where: str
    config: Mapping[str, Any]
    find: Callable[[Names, Mapping[str, Any]], Weights]

    def weights(self, names: Names, layer: Mapping[str, Any]) -> Weights:
        """Return the weights of a layer, {} if it has none. Raises CompileError for damaged files."""
        try:
            return self.find(names, layer)
        except UNREADABLE as error:
            raise CompileError(
                f"{self.where}: {'.'.join(names)}",
                f"has weights that cannot be read ({error})",
                "the file is damaged",
            ) from None


def written_by_keras2(path: Path) -> bool:
    """Whether a file or folder is one that only Keras 2 reads: a SavedModel, an archive of Keras 2, or HDF5
    with layers of QKeras (Keras 3 reads plain ones of Keras 2).

    Raises CompileError for a SavedModel that says nothing of its layers, and if h5py is missing.
    """
    if path.is_dir():
        if (path / "saved_model.pb").is_file() and not (path / METADATA).is_file():
            raise CompileError(
                str(path),
                f"is a SavedModel without {METADATA}, so that its layers are not known",
                "save it as .keras or .h5",
            )
        return (path / METADATA).is_file()
    if path.suffix not in (".keras", ".h5", ".hdf5") or not path.is_file():
        return False
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                return str(json.loads(archive.read("metadata.json"))["keras_version"]).startswith("2.")
        with h5py.File(path, "r") as file:
            attributes = file.attrs
            old = str(attributes.get("keras_version", "")).startswith("2.")
            return old and QKERAS.search(str(attributes.get("model_config", ""))) is not None
    except UNREADABLE:
        return False


def open_saved(path: Path) -> Saved:
    """Open a file or folder of Keras 2. Raises CompileError if it is damaged or holds weights alone."""
    kind = _open_folder if path.is_dir() else _open_archive if path.suffix == ".keras" else _open_hdf5
    try:
        return kind(path)
    except UNREADABLE as error:
        raise CompileError(str(path), f"cannot be read ({error})", "the file is damaged") from None


def _open_hdf5(path: Path) -> Saved:
    with h5py.File(path, "r") as file:
        text = file.attrs.get("model_config")
        if text is None:
            raise CompileError(
                str(path), "holds weights without a model", "save the whole model: model.save('model.h5')"
            )
        arrays: dict[str, Floats] = {}

        def note(name: str, found: Any) -> None:
            if isinstance(found, h5py.Dataset):
                arrays[name] = np.asarray(found)

        file["model_weights"].visititems(note)

    def find(names: Names, layer: Mapping[str, Any]) -> Weights:
        inside = (n.removesuffix(":0").split("/") for n in arrays if n.split("/")[0] == names[0])
        own = [n for n in inside if len(names) == 1 or names[-1] == n[-2]]
        found = {n[-1]: arrays["/".join(n) + ":0"] for n in own}
        if len(found) != len(own):
            raise ValueError(f"several layers are named {names[-1]}")
        return found

    return Saved(str(path), json.loads(text), find)


def _open_archive(path: Path) -> Saved:
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        inner = archive.read("model.weights.h5")
    places = _containers(config)
    arrays: dict[str, Floats] = {}
    with h5py.File(BytesIO(inner), "r") as file:
        for names, place in places.items():
            group: Any = file.get(f"{place}/vars", {})
            arrays |= {f"{names}/{key}": np.asarray(group[key]) for key in group}

    def find(names: Names, layer: Mapping[str, Any]) -> Weights:
        order = _order(layer)
        found = [arrays[f"{names}/{k}"] for k in range(len(order)) if f"{names}/{k}" in arrays]
        return dict(zip(order, found, strict=True)) if found else {}

    return Saved(str(path), config, find)


def _containers(config: Mapping[str, Any], place: str = "", names: Names = ()) -> dict[Names, str]:
    """Return where the archive keeps each layer: under its class in small letters, counted."""
    found, seen = dict[Names, str](), dict[str, int]()
    for layer in config["config"]["layers"]:
        stem = _snake(layer["class_name"])
        count = seen[stem] = seen.get(stem, -1) + 1
        inner = f"{place}/layers/{stem}" + (f"_{count}" if count else "")
        whole = (*names, layer["config"]["name"])
        found[whole] = inner.lstrip("/")
        if "layers" in layer["config"]:
            found |= _containers(layer, inner, whole)
    return found


def _snake(name: str) -> str:
    """Return the name of a class as Keras 2 writes it in small letters."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def _order(layer: Mapping[str, Any]) -> list[str]:
    """Return the names of a layer's weights in the order in which Keras lists them."""
    config = layer["config"]
    if layer["class_name"].endswith("BatchNormalization"):
        given = {"gamma": config["scale"], "beta": config["center"]}
        return [*(n for n, there in given.items() if there), "moving_mean", "moving_variance"]
    kernel = "depthwise_kernel" if "Depthwise" in layer["class_name"] else "kernel"
    return [kernel, "bias"] if config.get("use_bias", True) else [kernel]


def _open_folder(path: Path) -> Saved:
    """Open a SavedModel: the configuration lies in its metadata, the variables in a checkpoint of TensorFlow,
    whose graph of objects says which variable is whose."""
    config, layers = names_of_layers((path / METADATA).read_bytes())
    graph = objects.TrackableObjectGraph()
    try:
        reader = checkpoints.NewCheckpointReader(str(path / STEM))
        graph.ParseFromString(reader.get_tensor(OBJECTS))
    except (errors.OpError, RuntimeError) as error:
        raise OSError(str(error)[:200]) from None
    keys: dict[Names, dict[str, str]] = {}
    for place, names in layers.items():
        node = _followed(graph, place)
        keys[names] = {} if node is None else dict(_variables(graph, node))

    def find(names: Names, layer: Mapping[str, Any]) -> Weights:
        return {k: np.asarray(reader.get_tensor(key)) for k, key in keys.get(names, {}).items()}

    return Saved(str(path), config, find)


def _followed(graph: Any, place: Names) -> Any:
    """Return the object that the names of a path lead to from the model, or None."""
    node = graph.nodes[0]
    for name in place:
        ids = [c.node_id for c in node.children if c.local_name == name]
        if not ids:
            return None
        node = graph.nodes[ids[0]]
    return node


def _variables(graph: Any, node: Any) -> list[tuple[str, str]]:
    return [
        (child.local_name, a.checkpoint_key)
        for child in node.children
        for a in graph.nodes[child.node_id].attributes
        if a.name == "VARIABLE_VALUE"
    ]
