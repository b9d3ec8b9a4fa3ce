"""Model files as their users have them: each door makes one, and says what its own framework computes from it.

A module of this package lists its doors in `DOORS`; `tests/tools/test_doors.py` takes all of them through
compile, predict and verify.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Made:
    """A model file with `events`, float inputs (B, *shape) by port, and `outputs`, what the framework computes
    from them, (B, ...) by output. `exact`: the framework is fixed point, so every bit is the framework's;
    otherwise the float engine agrees with it within `tolerance` of the largest result."""

    file: Path
    events: Mapping[str, Floats]
    outputs: Mapping[str, Floats]
    exact: bool = False
    tolerance: float = 1e-5
    config: Path | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """One kind of model file: `make` writes it into a folder. `refused`, if given, is a part of the message
    that refuses the file and names the cure. What is `slow` is left to `make test-all`. `holds` says what the
    file holds, if its name does not. A `negative` example was written in order to be refused: it is damaged,
    lacks a part, or asks for what no hardware of fixed size can do; others that are refused are networks
    that somebody may have."""

    name: str
    make: Callable[[Path], Made]
    refused: str = ""
    slow: bool = False
    holds: str = ""
    negative: bool = False
