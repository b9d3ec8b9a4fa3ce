"""Networks that torch exported to ONNX, by both of its exporters (`make_torch.py`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from doors import Door, Made

FOLDER = Path(__file__).parent / "files" / "torch"
INPUTS = ("x", "z")


def reader(file: Path, name: str) -> Callable[[Path], Made]:
    """Return what makes a door of a kept file: nothing is written, for the file is there."""

    def make(folder: Path) -> Made:
        with np.load(file.parent / f"{name}.npz") as arrays:
            found = {k: arrays[k] for k in arrays.files}
        events = {k: v for k, v in found.items() if k in INPUTS}
        return Made(file, events, {k: v for k, v in found.items() if k not in INPUTS})

    return make


EVERYDAY = (
    *("mlp", "batch_norm", "sigmoid", "silu", "softmax", "leaky_relu"),
    *("deep_set_sum", "deep_set_mean", "deep_set_max"),
)
"""Networks whose files of the old exporter are doors, too."""
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.npz")))


def door(name: str, kind: str) -> Door:
    file = FOLDER / f"{name}_{kind}.onnx"
    return Door(name if kind == "dynamo" else f"{name}_{kind}", reader(file, name))


DOORS = [*(door(n, "dynamo") for n in NAMES), *(door(n, "script") for n in EVERYDAY)]
OLD = [door(n, "script") for n in NAMES if n not in EVERYDAY]
"""The same networks by the old exporter, which give nearly the same graphs: `test_onnx_elsewhere.py` reads them."""
