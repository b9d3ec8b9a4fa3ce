"""QKeras's quantizers, read from what it writes, against what it computes (`tests/doors/make_qkeras.py`)."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Formats
from eqhls.frontends.open import load_any, source_files
from eqhls.frontends.qkeras.activations import activated
from eqhls.frontends.qkeras.files import written_by_keras2
from eqhls.frontends.qkeras.metadata import names_of_layers
from eqhls.frontends.qkeras.numbers import quantized_weights
from eqhls.frontends.qkeras.specs import spec_of, trained
from eqhls.frontends.scalars.site import Site, Value
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder
from eqhls.ir.text import print_graph
from eqhls.ir.types import Axis, Type
from eqhls.ops.input import Input
from eqhls.options import Options
from eqhls.quantize.assign import assign

FILES = Path(__file__).parents[1] / "doors" / "files"
with np.load(FILES / "qkeras_quantizers.npz") as _file:
    FOUND = {k: _file[k] for k in _file.files}
NOISE = 1e-6
"""Google's QKeras returns x + (q - x) in float32; the least LSB below is 1/512."""


def cases(kind: str) -> list[str]:
    return [k.removeprefix(f"{kind} ") for k in FOUND if k.startswith(f"{kind} ")]


@pytest.mark.parametrize("text", cases("weights"))
def test_weights(text: str) -> None:
    weights = FOUND["weights"]
    spec = spec_of(text)
    np.testing.assert_allclose(quantized_weights(spec, weights), FOUND[f"weights {text}"], rtol=0, atol=NOISE)
    bias = quantized_weights(spec, weights[1:, 1])
    np.testing.assert_allclose(bias, FOUND[f"bias {text}"], rtol=0, atol=NOISE)


@pytest.mark.parametrize("text", cases("numbers"))
def test_activations(text: str) -> None:
    """On every number of a format: the exact body is QKeras's function."""
    form, made = Fixed(10, 4), Builder("activation")
    x = Value(made.add("x", Input(Type(S, (Axis("c", 1),), formats=Formats((form,))))), (1,))
    y = activated(Site(made, "y"), x, spec_of(text))
    graph = assign(made.graph(y.name), {"x": FOUND["numbers"][..., None]}, Options())
    raw = np.rint(FOUND["numbers"] / form.lsb).astype(np.int64)[..., None]
    (found,) = graph.evaluate({"x": raw}).values()
    got = found[..., 0] * graph.results[0].type.formats.lsb
    np.testing.assert_allclose(got, FOUND[f"numbers {text}"], rtol=0, atol=NOISE)


def test_the_tests_can_fail() -> None:
    """Ties to even and a bound of one LSB less are seen."""
    weights = FOUND["weights"]
    up = np.clip(np.floor(weights * 8 + 0.5), -8, 7) / 8
    assert np.abs(up - FOUND["weights quantized_bits(4,0)"]).max() > NOISE
    assert np.abs(np.clip(weights, -1, 1) - FOUND["weights quantized_bits(4,0)"]).max() > NOISE


def test_a_kernel_without_a_scale_gets_one() -> None:
    spec = trained(spec_of("quantized_bits(4,0)"))
    assert spec == spec_of("quantized_bits(4,0,1,alpha='auto_po2')") or spec.given["alpha"] == "auto_po2"
    assert spec.given["symmetric"] and trained(spec_of("quantized_po2(4)")) == spec_of("quantized_po2(4)")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("quantized_bits(4,0,alpha='auto')", "train with alpha='auto_po2'"),
        ("bernoulli(alpha=1)", "drawn anew"),
        ("quantized_tanh(4)", "not supported"),
        ("quantized_po2(7)", "not a multiple of 2\\*\\*-16"),
        ("quantized_bits(4,", "expected a call"),
        ("quantized_bits(4,0,alfa=1)", "'alfa'"),
        ({"class_name": "quantized_bits", "config": {"qnoise_factor": 0.5}}, "qnoise_factor=1.0"),
        ({"class_name": "my_bits", "config": {"bits": 3}}, "found my_bits"),
    ],
)
def test_what_is_no_fixed_point_number_is_refused(value: object, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        quantized_weights(spec_of(value), FOUND["weights"])


def test_three_kinds_of_files_hold_one_network() -> None:
    """HDF5, archive and SavedModel of one model are read to the same graph, weights included."""
    one, two, three = (load_any(FILES / f"qkeras_branches{kind}") for kind in (".h5", ".keras", "_saved"))
    (text, arrays), *others = (print_graph(g) for g in (one, two, three))
    for other, weights in others:
        assert other == text and weights.keys() == arrays.keys()
        assert all((weights[k] == arrays[k]).all() for k in arrays)
    assert set(source_files(FILES / "qkeras_jets_saved")) == {
        "keras_metadata.pb",
        "saved_model.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
    }


def test_a_port_takes_the_format_that_its_values_are_rounded_to() -> None:
    (port,) = load_any(FILES / "qkeras_jets.h5").inputs
    assert port.type.formats == (Fixed(10, 4),)
    (port,) = load_any(FILES / "qkeras_normed.h5").inputs
    assert not port.type.formats


@pytest.mark.parametrize("name", ["qkeras_jets.h5", "qkeras_jets.keras", "qkeras_jets_saved"])
def test_damaged_files_are_named(name: str, tmp_path: Path) -> None:
    copy = tmp_path / name
    if (FILES / name).is_dir():
        shutil.copytree(FILES / name, copy)
        half = copy / "keras_metadata.pb"
    else:
        half = Path(shutil.copy(FILES / name, copy))
    content = half.read_bytes()
    for part in (content[: len(content) // 2], content[:-20], b""):
        half.write_bytes(part)
        with pytest.raises(CompileError, match="qkeras_jets"):
            load_any(copy)


def test_a_saved_model_without_variables_is_named(tmp_path: Path) -> None:
    copy = shutil.copytree(FILES / "qkeras_jets_saved", tmp_path / "model")
    shutil.rmtree(copy / "variables")
    with pytest.raises(CompileError, match="model"):
        load_any(copy)
    (copy / "keras_metadata.pb").unlink()
    with pytest.raises(CompileError, match="save it as .keras or .h5"):
        load_any(copy)


def test_weights_without_a_model_are_named(tmp_path: Path) -> None:
    copy = Path(shutil.copy(FILES / "qkeras_jets.h5", tmp_path / "jets.h5"))
    with h5py.File(copy, "r+") as file:
        del file["model_weights/fc2/fc2/kernel:0"]
    with pytest.raises(CompileError, match="expected kernel"):
        load_any(copy)


def test_metadata_of_another_kind() -> None:
    for content in (b"\x00", b"\x0b\x01", b"\xff" * 12, b"\x0a\x05abcde"):
        with pytest.raises((ValueError, KeyError)):
            names_of_layers(content)


def test_only_files_of_keras_2_are_taken(tmp_path: Path) -> None:
    assert written_by_keras2(FILES / "qkeras_jets.h5") and written_by_keras2(FILES / "qkeras_jets_saved")
    other = tmp_path / "model.keras"
    other.write_bytes(b"nothing")
    assert not written_by_keras2(other) and not written_by_keras2(tmp_path)
