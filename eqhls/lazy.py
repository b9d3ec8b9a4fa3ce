"""Modules that are heavy or optional, imported when they are first used.

`import eqhls` must be quick and must change nothing in the program that does it. Every module that breaks
this is named in a call of `lazy` at the top of the file that uses it; nothing else imports late.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from eqhls.errors import CompileError


class Lazy:
    """Stands for a module until one of its names is asked for."""

    def __init__(self, module: str, where: str, remedy: str, before: Callable[[], None]) -> None:
        self._module, self._where, self._remedy, self._before = module, where, remedy, before

    def __getattr__(self, name: str) -> Any:
        """Raises CompileError if it is an optional package, or needs one, that is missing."""
        if name.startswith("__"):
            raise AttributeError(name)
        self._before()
        if not self._remedy:
            return getattr(importlib.import_module(self._module), name)
        return getattr(submodule(self._module, self._where, self._remedy), name)


def _ready() -> None:
    """Nothing has to be done before most imports."""


def lazy(module: str, where: str = "", remedy: str = "", before: Callable[[], None] = _ready) -> Any:
    """Return a stand-in for a module of the given full name. If it is optional, `where` and `remedy` tell
    users what to install. `before` is called before it is imported, and quickly does nothing afterwards."""
    return Lazy(module, where, remedy, before)


def submodule(module: str, where: str, remedy: str) -> Any:
    """Import a module now. Raises CompileError if an optional package that it needs is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise CompileError(where, f"is needed ({error})", remedy) from None
