"""Keras networks through tf2onnx (`make_tf2onnx.py`)."""

from __future__ import annotations

from pathlib import Path

from doors import Door
from doors.torch_onnx import reader

FOLDER = Path(__file__).parent / "files" / "tf2onnx"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.npz")))
DOORS = [Door(name, reader(FOLDER / f"{name}.onnx", name)) for name in NAMES]
