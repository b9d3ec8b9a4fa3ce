"""Models in memory: which reader takes an object, and the bytes that say which model it is.

An object is known by the modules of its classes, so that none of their packages is imported to look at one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.load import Settings, load_state, settings, state_of
from eqhls.ir.graph import Graph
from eqhls.kerasbackend import KERAS
from eqhls.lazy import lazy

keras = lazy("eqhls.frontends.keras", *KERAS)
onnx = lazy("eqhls.frontends.onnx.read", "ONNX", "pip install 'eqhls[onnx]'")
torch = lazy("eqhls.frontends.torch", "torch", "pip install torch onnxscript 'eqhls[onnx]'")

Config = Settings
Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of model in memory: what it is called, how it is known and read, and `record`, its bytes by
    name, the same in every process for the same model."""

    name: str
    recognizes: Callable[[object], bool]
    read: Callable[[Any, Config], Graph]
    record: Callable[[Any, Config], Files]
    takes_config: bool = False


def is_a(value: object, package: str, *names: str) -> bool:
    """Whether an object is of a class of one of these names that a package defines."""
    return any(c.__module__.split(".")[0] == package and c.__name__ in names for c in type(value).__mro__)


def read_memory(model: object, config: Config = None) -> Graph:
    """Return the graph of a Keras model, an ONNX ModelProto, a torch module, or a state dict with its
    `config`. Raises CompileError for any other object, and as the reader of the kind does."""
    kind = kind_of(model)
    if config is not None and not kind.takes_config:
        raise CompileError(
            "config", f"applies only to a state dict, and the model is a {kind.name}", "leave it out"
        )
    return kind.read(model, config)


def record_of(model: object, config: Config = None) -> Files:
    """Return the bytes of a model in memory by name, for the manifest."""
    kind = kind_of(model)
    return {f"{kind.name} in memory: {part}": data for part, data in kind.record(model, config).items()}


def config_record(config: Config) -> Files:
    """Return the bytes of arguments that were given beside a checkpoint."""
    return {} if config is None else {"config": _json(settings(config))}


def kind_of(model: object) -> Kind:
    """Return the kind of a model in memory. Raises CompileError if no reader takes it."""
    found = next((k for k in KINDS if k.recognizes(model)), None)
    if found is not None:
        return found
    if is_a(model, "tf_keras", "Model"):
        raise CompileError(
            "model", "is a model of Keras 2 (tf_keras)", "save it as an .h5 file and give the path"
        )
    cls = type(model)
    raise CompileError(
        "model",
        f"is a {cls.__module__}.{cls.__qualname__}",
        "give a path, a Graph, a Keras model, an ONNX ModelProto, a torch module, or a state dict "
        "(arrays or tensors by name)",
    )


def _keras_record(model: Any, config: Config) -> Files:
    """The configuration without that of the training, and all weights in the order of the model."""
    weights = [(w.path, np.asarray(w.numpy())) for w in model.weights]
    return {"config": _json(_without_training(model.get_config())), "weights": _numbers(weights)}


def _without_training(config: Any) -> Any:
    if isinstance(config, Mapping):
        kept = {k: v for k, v in config.items() if k not in ("compile_config", "shared_object_id")}
        return {str(k): _without_training(v) for k, v in kept.items()}
    return [_without_training(v) for v in config] if isinstance(config, list | tuple) else config


def _state_record(model: Any, config: Config) -> Files:
    state = state_of(model, config)
    return {"arguments": _json(state.arguments), "tensors": _numbers(sorted(state.arrays.items()))}


def _read_torch(model: Any, config: Config) -> Graph:
    """With a `config` the module is a published network, whose tensors say everything else."""
    return torch.read_torch(model) if config is None else load_state(model.state_dict(), config)


def _torch_record(model: Any, config: Config) -> Files:
    """The state, and the modules as they are nested: torch keeps no other configuration."""
    modules = {name: type(part).__qualname__ for name, part in model.named_modules()}
    return {"modules": _json(modules)} | _state_record(model.state_dict(), config)


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, default=_plain).encode()


def _plain(value: Any) -> Any:
    """Return what stands for a value that JSON does not have; never its address."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    settings = getattr(value, "get_config", None)
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    return [kind, settings()] if settings else kind


def _numbers(arrays: list[tuple[str, NDArray[Any]]]) -> bytes:
    """Return arrays as a line of JSON (names, types and shapes) and their numbers, lowest byte first."""
    ordered = [(name, a.astype(a.dtype.newbyteorder("<"))) for name, a in arrays]
    head = _json([[name, a.dtype.str, list(a.shape)] for name, a in ordered])
    return b"".join((head, b"\n", *(a.tobytes() for _, a in ordered)))


KINDS = (
    Kind("Keras model", lambda m: is_a(m, "keras", "Model"), lambda m, _: keras.read_keras(m), _keras_record),
    Kind(
        "ONNX model",
        lambda m: is_a(m, "onnx", "ModelProto"),
        lambda m, _: onnx.read_onnx(m),
        lambda m, _: {"bytes": m.SerializeToString(deterministic=True)},
    ),
    Kind("torch module", lambda m: is_a(m, "torch", "Module"), _read_torch, _torch_record, True),
    Kind("state dict", lambda m: isinstance(m, Mapping), load_state, _state_record, True),
)
