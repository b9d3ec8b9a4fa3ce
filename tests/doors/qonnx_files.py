"""Fixed-point networks as files of QONNX, from Brevitas and by hand, and by QuantizeLinear (`make_brevitas.py`,
`make_qonnx.py`): each bit is that of qonnx's own executor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from doors import Door, Made

FOLDER = Path(__file__).parent / "files" / "qonnx"


def reader(name: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        with np.load(FOLDER / f"{name}.npz") as arrays:
            return Made(FOLDER / f"{name}.onnx", {"x": arrays["x"]}, {"y": arrays["y"]}, exact=True)

    return make


NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.npz")))
DOORS = [Door(name, reader(name)) for name in NAMES]
