"""Config structs and tables of constants as C++ text: the one printer for all ops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Value = int | bool | str | NDArray[Any]
"""A constant, a C++ type, or a table (one or two dimensions)."""


def config_struct(name: str, values: Mapping[str, Value]) -> str:
    """Return the C++ text of a config struct."""
    lines = [f"struct {name}config {{"]
    for key, value in values.items():
        if isinstance(value, np.ndarray):
            arguments = "int k" if value.ndim == 1 else "int k, int n"
            place = "[k]" if value.ndim == 1 else "[k][n]"
            kind = "long long" if _integer(value) == "long long" else "int"
            lines.append(f"  static {kind} {key}({arguments}) {{ return {_table(name, key)}{place}; }}")
        elif isinstance(value, bool):
            lines.append(f"  static const bool {key} = {str(value).lower()};")
        elif isinstance(value, int):
            lines.append(f"  static const int {key} = {value};")
        else:
            lines.append(f"  typedef {value} {key};")
    return "\n".join([*lines, "};"]) + "\n"


def table_text(name: str, values: Mapping[str, Value]) -> str:
    """Return the constant tables of an op, empty if it has none."""
    lines: list[str] = []
    for key, value in values.items():
        if isinstance(value, np.ndarray):
            shape = "".join(f"[{n}]" for n in value.shape)
            lines.append(f"static const {_integer(value)} {_table(name, key)}{shape} = {_braces(value)};")
    return "\n".join(lines) + "\n" if lines else ""


def _table(name: str, key: str) -> str:
    """Return the C++ name of a table. No underscore stands inside the key, so that no two values and keys
    share one, and one at the end, which names of projects do not have."""
    return f"{name}{key.replace('_', '')}_"


def _integer(values: NDArray[Any]) -> str:
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    for name, bits in (("signed char", 8), ("short", 16), ("int", 32)):
        if -(1 << (bits - 1)) <= low and high < 1 << (bits - 1):
            return name
    return "long long"


def _braces(values: NDArray[Any]) -> str:
    if values.ndim == 1:
        return "{" + ", ".join(str(int(v)) for v in values) + "}"
    return "{" + ",\n  ".join(_braces(row) for row in values) + "}"
