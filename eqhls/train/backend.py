"""The backend of Keras that trains fastest, chosen before Keras is imported."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

VARIABLE = "KERAS_BACKEND"
PREFERRED = {"jax": "jax", "tensorflow": "tensorflow", "torch": "torch"}
"""Backends of Keras with the packages that they need, the fastest first (docs/benchmarks.md)."""


def choose_backend() -> str:
    """Return the backend that Keras uses or will use: that of a Keras that is imported already, the one that
    KERAS_BACKEND names, otherwise the first of JAX, TensorFlow and torch that is installed, which is then
    written to KERAS_BACKEND. It is empty if there is none."""
    running = getattr(sys.modules.get("keras"), "backend", None)
    if running is not None:
        return str(running.backend())
    if not os.environ.get(VARIABLE):
        found = next((name for name, package in PREFERRED.items() if find_spec(package)), "")
        if not found:
            return ""
        os.environ[VARIABLE] = found
    return os.environ[VARIABLE]
