"""eqhls: trained Lorentz-equivariant networks to verified trigger firmware.

project = eqhls.compile("models/lgn_top")
scores = project.predict(p4, engine="rtl")
"""

from __future__ import annotations

from eqhls.compile import Compiled, load_any, open_project
from eqhls.compile import compile_model as compile
from eqhls.errors import CompileError, VerificationError
from eqhls.options import Options, read_options

__version__ = "0.1.0"

__all__ = [
    "CompileError",
    "Compiled",
    "Options",
    "VerificationError",
    "compile",
    "load_any",
    "open_project",
    "read_options",
]
