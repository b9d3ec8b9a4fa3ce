"""eqhls: trained equivariant networks to verified trigger firmware.

project = eqhls.compile("models/lgn_top")
scores = project.predict(p4, engine="rtl")

Every name is imported when it is first asked for, so that `import eqhls` is quick; `eqhls.layers` has the
trainable layers and needs Keras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eqhls.errors import CompileError, VerificationError
from eqhls.kerasbackend import REMEDY, settle_backend
from eqhls.lazy import submodule
from eqhls.version import VERSION as __version__

if TYPE_CHECKING:
    from eqhls import layers, train
    from eqhls.engines import Engine
    from eqhls.flow import Compiled, open_project
    from eqhls.flow import compile_model as compile
    from eqhls.frontends.open import load_any
    from eqhls.options import Options, read_options

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

LATER = {
    "Compiled": ("eqhls.flow", "Compiled"),
    "Engine": ("eqhls.engines", "Engine"),
    "Options": ("eqhls.options", "Options"),
    "compile": ("eqhls.flow", "compile_model"),
    "layers": ("eqhls.layers", ""),
    "load_any": ("eqhls.frontends.open", "load_any"),
    "open_project": ("eqhls.flow", "open_project"),
    "read_options": ("eqhls.options", "read_options"),
    "train": ("eqhls.train", ""),
}
"""Where each name is: a module, and what it is called there; the module itself if that is empty."""


def __getattr__(name: str) -> Any:
    """Raises CompileError if a package that the submodule needs is missing."""
    if name not in LATER:
        raise AttributeError(f"module 'eqhls' has no attribute {name!r}")
    module, inner = LATER[name]
    if module == "eqhls.layers":
        settle_backend()
        loaded = submodule(module, "Keras", REMEDY)
    else:
        loaded = submodule(module, "eqhls", "install eqhls again")
    found = getattr(loaded, inner) if inner else loaded
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *LATER})
