"""Files that Google's QKeras wrote (Keras 2), by `make_qkeras.py`, read without it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from doors import Door, Made

FILES = Path(__file__).parent / "files"


def made(file: str, folder: Path, exact: bool = True) -> Made:
    """Return a kept file with its events and what QKeras computed from them."""
    stem = file.removesuffix("_saved").partition(".")[0]
    with np.load(FILES / f"{stem}.npz") as arrays:
        events = {k[3:]: arrays[k] for k in arrays if k.startswith("in_")}
        outputs = {k[4:]: arrays[k] for k in arrays if k.startswith("out_")}
    return Made(FILES / file, events, outputs, exact)


def changed(find: str, put: str, folder: Path, stem: str = "qkeras_jets") -> Made:
    """Return a kept HDF5 file with one text in its configuration replaced by another."""
    copy = folder / f"{stem}.h5"
    shutil.copy(FILES / copy.name, copy)
    with h5py.File(copy, "r+") as file:
        config = str(file.attrs["model_config"])
        assert find in config
        file.attrs["model_config"] = config.replace(find, put)
    return Made(copy, {}, {})


def damaged(name: str, folder: Path) -> Made:
    """Return a kept file that is cut in half."""
    content = (FILES / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    return Made(folder / name, {}, {})


def _refused(name: str, find: str, put: str, message: str) -> Door:
    make: Callable[[Path], Made] = partial(changed, find, put)
    return Door(name, make, message)


EXACT = ("jets.h5", "jets.keras", "jets_saved", "branches.h5", "branches.keras", "branches_saved")
DOORS = (
    *(Door(name.replace(".", "_"), partial(made, f"qkeras_{name}")) for name in EXACT),
    *(Door(f"{name}_h5", partial(made, f"qkeras_{name}.h5")) for name in ("steps", "image", "particles")),
    Door("normed_h5", partial(made, "qkeras_normed.h5", exact=False)),
    _refused("auto", '"alpha": "auto_po2"', '"alpha": "auto"', "train with alpha='auto_po2' or alpha=1"),
    _refused("bernoulli", "quantized_tanh(6)", "bernoulli()", "use one of"),
    _refused(
        "activation_auto", '"symmetric": 1, "alpha": 1.0', '"symmetric": 1, "alpha": "auto"', "give alpha=1"
    ),
    _refused("noise", '"qnoise_factor": 1.0', '"qnoise_factor": 0.5', "qnoise_factor=1.0"),
    _refused("unknown", '"QActivation"', '"QAdaptiveActivation"', "put QActivation"),
)
