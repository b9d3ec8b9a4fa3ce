"""Modules of torch in memory, through torch's own exporter to ONNX. torch is the user's."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np

from eqhls.errors import CompileError
from eqhls.ir.graph import Graph
from eqhls.lazy import lazy

onnx = lazy("onnx", "onnx", "pip install 'eqhls[onnx]'")
reader = lazy("eqhls.frontends.onnx.read", "ONNX", "pip install 'eqhls[onnx]'")
torch = lazy("torch", "torch", "pip install torch onnxscript")

EVENTS = 2
"""Events of an example: with one alone, torch would take their number for a fixed size."""
CURE = (
    "give eqhls.frontends.torch.read_torch the module and an example of its inputs, or set "
    "module.example_input_array to one"
)


def is_module(model: object) -> bool:
    """Whether an object is a module of torch; this imports nothing."""
    return any(
        (c.__module__, c.__name__) == ("torch.nn.modules.module", "Module") for c in type(model).__mro__
    )


def read_torch(module: Any, example_inputs: Any = None) -> Graph:
    """Return the graph of a module as it infers; the module itself stays as it is.

    `example_inputs`: an array or tensor (events, ..), several of them in the order of `forward`, or by the
    names of its arguments; left out, what Lightning calls `module.example_input_array`, or numbers for the
    first linear layer of a `Sequential`. Ports are called as the arguments. Raises CompileError if torch
    cannot export the module, and as `read_onnx` does.
    """
    where = type(module).__name__
    examples = _examples(where, module, example_inputs)
    mode = module.training
    try:
        module.eval()
        file = BytesIO()
        _export(module, examples, file)
    except CompileError:
        raise
    except Exception as error:  # what torch raises for a module that it cannot trace has no common class
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise CompileError(
            where, f"cannot be exported by torch.onnx.export ({first[:200]})", "export it to a file yourself"
        ) from None
    finally:
        module.train(mode)
    model = onnx.load_model_from_string(file.getvalue())
    model.graph.name = where
    return reader.read_onnx(model)


def _export(module: Any, examples: Mapping[str, Any], file: BytesIO) -> None:
    """Export with a free number of events, by the new exporter."""
    names = [*examples]
    free = tuple({0: torch.export.Dim("events")} for _ in names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            tuple(examples.values()),
            dynamo=True,
            input_names=names,
            dynamic_shapes=free,
            verbose=False,
        )
    file.write(program.model_proto.SerializeToString())


def _examples(where: str, module: Any, given: Any) -> dict[str, Any]:
    """Return example inputs by the names of the arguments of `forward`."""
    given = getattr(module, "example_input_array", None) if given is None else given
    given = _for_sequential(where, module) if given is None else given
    names = _arguments(module)
    if isinstance(given, Mapping):
        lost = [n for n in given if n not in names]
        if lost:
            raise CompileError(where, f"takes no input {lost[0]!r}", f"its forward takes {', '.join(names)}")
        return {n: _tensor(where, n, given[n]) for n in names if n in given}
    several = list(given) if isinstance(given, tuple | list) else [given]
    if len(several) > len(names):
        raise CompileError(where, f"takes {len(names)} inputs, and {len(several)} were given", CURE)
    return {n: _tensor(where, n, v) for n, v in zip(names, several, strict=False)}


def _arguments(module: Any) -> Sequence[str]:
    code = type(module).forward.__code__
    names = code.co_varnames[1 : code.co_argcount]
    return ["x"] if names == ("input",) else names


def _tensor(where: str, name: str, values: Any) -> Any:
    """Return two events or more of an input as a tensor."""
    array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float32)
    if array.ndim == 0 or not len(array):
        raise CompileError(
            where, f"has an example {name} of shape {array.shape}", "put events along its first axis"
        )
    return torch.from_numpy(np.resize(array[:EVENTS], (EVENTS, *array.shape[1:])).copy())


def _for_sequential(where: str, module: Any) -> Any:
    """Return zeros for the first layer of a Sequential that says how many numbers it reads."""
    parts = [p for p in module.modules() if not any(True for _ in p.children())]
    first = getattr(parts[0], "in_features", None) if parts else None
    if type(module).__name__ != "Sequential" or first is None:
        raise CompileError(where, "is a module whose inputs have no known shape", CURE)
    return np.zeros((EVENTS, first))
