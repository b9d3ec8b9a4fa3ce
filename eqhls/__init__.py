"""eqhls: trained Lorentz-equivariant networks to verified trigger firmware.

project = eqhls.compile("models/lgn_top")
scores = project.predict(p4, engine="rtl")
"""

from __future__ import annotations

from eqhls import train
from eqhls.compile import Compiled, open_project
from eqhls.compile import compile_model as compile
from eqhls.errors import CompileError, VerificationError
from eqhls.frontends.open import load_any
from eqhls.options import Options, read_options
from eqhls.version import VERSION as __version__

__all__ = [
    "CompileError",
    "Compiled",
    "Options",
    "VerificationError",
    "__version__",
    "compile",
    "load_any",
    "open_project",
    "read_options",
    "train",
]
