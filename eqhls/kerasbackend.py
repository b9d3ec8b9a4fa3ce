"""The backend of Keras, settled before Keras is imported: one that is installed."""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from eqhls.errors import CompileError

VARIABLE = "KERAS_BACKEND"
PREFERRED = ("jax", "tensorflow", "torch")
"""Backends of Keras by the names of their packages, the fastest first (docs/benchmarks.md)."""
REMEDY = "pip install 'eqhls[keras,jax]' or 'eqhls[keras,tensorflow]'"


def choose_backend() -> str:
    """Return the backend that Keras uses or will use: that of a Keras that is imported already, the one that
    KERAS_BACKEND names, otherwise the first of JAX, TensorFlow and torch that is installed, which is then
    written to KERAS_BACKEND. It is empty if there is none."""
    running = getattr(sys.modules.get("keras"), "backend", None)
    if running is not None:
        return str(running.backend())
    if not os.environ.get(VARIABLE):
        found = _installed()
        if not found:
            return ""
        os.environ[VARIABLE] = found[0]
    return os.environ[VARIABLE]


def settle_backend() -> None:
    """Write a backend that is installed to KERAS_BACKEND if Keras, left alone, would take one that is not.

    Raises CompileError if KERAS_BACKEND names a backend that is not installed, or if there is none.
    """
    if "keras" in sys.modules or find_spec("keras") is None:
        return
    found, named = _installed(), os.environ.get(VARIABLE)
    own = named or _of_file()
    if own not in PREFERRED or own in found:
        return
    if not found:
        raise CompileError("Keras", f"has no backend: found none of {', '.join(PREFERRED)}", REMEDY)
    if named:
        raise CompileError(
            VARIABLE,
            f"names {named}, which is not installed",
            f"install it, or set {VARIABLE} to {' or '.join(found)}",
        )
    os.environ[VARIABLE] = found[0]


def _installed() -> tuple[str, ...]:
    return tuple(name for name in PREFERRED if find_spec(name) is not None)


def _of_file() -> str:
    """Return the backend of Keras's own settings, which is TensorFlow if they name none."""
    path = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    try:
        return str(json.loads(path.read_text()).get("backend", "tensorflow"))
    except (OSError, ValueError, AttributeError):
        return "tensorflow"


KERAS = ("Keras", REMEDY, settle_backend)
"""What `lazy` has to know of a module that imports Keras."""
