"""Kept files of torch and qonnx beyond what every door is tested for (`test_doors.py`): those of torch's old exporter, and
where kept numbers come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from doors import Door
from doors.make_qonnx import computed
from doors.qonnx_files import FOLDER
from doors.qonnx_files import NAMES as FIXED
from doors.torch_onnx import DOORS, NAMES, OLD

from eqhls.events.ports import given_port
from eqhls.frontends.open import load_any


@pytest.mark.parametrize("door", OLD, ids=[d.name for d in OLD])
def test_the_old_exporter_gives_the_same_network(door: Door, tmp_path: Path) -> None:
    made = door.make(tmp_path)
    network = load_any(made.file)
    floats = network.scores({n.name: given_port(n, made.events[n.name]).exact for n in network.inputs})
    assert set(floats) == set(made.outputs)
    for name, want in made.outputs.items():
        near = made.tolerance * np.abs(want).max()
        np.testing.assert_allclose(
            floats[name].reshape(len(want), -1), want.reshape(len(want), -1), rtol=0, atol=near
        )


def test_every_network_is_there_twice() -> None:
    assert len(NAMES) >= 30 and len(DOORS) + len(OLD) == 2 * len(NAMES)


@pytest.mark.parametrize("name", FIXED)
def test_kept_numbers_are_those_of_qonnx(name: str) -> None:
    """The doors are checked against kept numbers; here qonnx (onnxruntime for QuantizeLinear) computes some anew."""
    with np.load(FOLDER / f"{name}.npz") as kept:
        np.testing.assert_array_equal(computed(FOLDER / f"{name}.onnx", kept["x"][:8]), kept["y"][:8])
