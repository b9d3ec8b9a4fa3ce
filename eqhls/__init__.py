"""eqhls: trained Lorentz-equivariant networks to verified trigger firmware.

project = eqhls.compile("models/lgn_top")
scores = project.predict(p4, engine="rtl")

`eqhls.layers` has the trainable layers; it needs Keras, which is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eqhls import train
from eqhls.compile import Compiled, open_project
from eqhls.compile import compile_model as compile
from eqhls.engines import Engine
from eqhls.errors import CompileError, VerificationError
from eqhls.frontends.open import load_any
from eqhls.lazy import submodule
from eqhls.options import Options, read_options
from eqhls.version import VERSION as __version__

if TYPE_CHECKING:
    from eqhls import layers

__all__ = [
    "CompileError",
    "Compiled",
    "Engine",
    "Options",
    "VerificationError",
    "__version__",
    "compile",
    "layers",
    "load_any",
    "open_project",
    "read_options",
    "train",
]

LATER = {"layers": ("Keras", "pip install 'eqhls[keras]'")}
"""Submodules that are imported when they are first asked for: what each needs, and how to get it."""


def __getattr__(name: str) -> Any:
    """Raises CompileError if a package that the submodule needs is missing."""
    if name not in LATER:
        raise AttributeError(f"module 'eqhls' has no attribute {name!r}")
    return submodule(f"eqhls.{name}", *LATER[name])


def __dir__() -> list[str]:
    return sorted({*globals(), *LATER})
