"""Tensors that a program holds in memory, brought into the form of those that are read from files."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.states import FileTensor


def held(value: Any) -> Any:
    """Return nested dictionaries and lists of arrays of NumPy or tensors of torch as they would come out of a
    file. Every array is a copy, so that training may go on."""
    if isinstance(value, Mapping):
        return {key: held(inner) for key, inner in value.items()}
    if isinstance(value, Namespace | SimpleNamespace):
        return held(vars(value))
    if isinstance(value, list | tuple):
        return [held(inner) for inner in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return FileTensor(np.array(value))
    return FileTensor(_numbers(value)) if hasattr(value, "detach") else value


def _numbers(tensor: Any) -> NDArray[Any]:
    """Return the numbers of a tensor of torch; those in bfloat16, which NumPy does not have, in float32."""
    plain = tensor.detach().cpu()
    try:
        return np.array((plain.float() if str(plain.dtype) == "torch.bfloat16" else plain).numpy())
    except (TypeError, RuntimeError, NotImplementedError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise CompileError(
            "tensor",
            f"of type {plain.dtype} has no numbers ({first})",
            "save plain tensors in floating point",
        ) from None
