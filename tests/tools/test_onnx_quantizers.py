"""The quantizers of QONNX, integer pairs among them, against qonnx's own functions."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from plain_onnx import FLAT, W, file, node, quantized, refused
from qonnx.custom_op.general.bipolar_quant import binary_quant
from qonnx.custom_op.general.intquant import int_quant
from qonnx.custom_op.general.trunc import trunc_v1, trunc_v2

from eqhls.errors import CompileError
from eqhls.exchange.domain import QUANT_DOMAIN
from eqhls.fixed import Fixed, Rounding
from eqhls.frontends.onnx.quantizers import QUANTIZERS
from eqhls.frontends.onnx.read import read_onnx
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder
from eqhls.ir.types import Type
from eqhls.ops.input import Input
from eqhls.ops.requantize import Requantize
from eqhls.options import Options
from eqhls.quantize.assign import assign


def pair(step: Any, zero: Any, other: Any = None, through: str = "q") -> onnx.ModelProto:
    """QuantizeLinear and DequantizeLinear of x, the second of another scale if one is given."""
    nodes = [
        node("QuantizeLinear", ["x0", "s", "z"], ["q"]),
        node("DequantizeLinear", [through, "t", "z"], ["y"]),
    ]
    return file(nodes, {"s": step, "t": step if other is None else other, "z": zero})


def test_pairs_of_integers_are_formats() -> None:
    for zero, form in (
        (np.int8(0), (8, 4, True)),
        (np.uint8(0), (8, 3, False)),
        (np.int16(0), (16, 12, True)),
    ):
        graph = read_onnx(pair(2.0 ** (form[1] - form[0]), zero))
        assert [n.op.name() for n in graph] == ["input", "requantize"]
        (found,) = graph.results[0].op.rounds_to()
        assert (found.width, found.integer, found.signed) == form and found.rounding is Rounding.RND_CONV
    refused(pair(0.3, np.int8(0)), "expected a power of two")
    refused(pair(0.25, np.int8(3)), "has a zero point")
    refused(pair([0.25, 0.5, 0.25], np.int8(0)), "a scale per channel; quantize symmetrically")
    refused(pair(0.25, np.int8(0), other=0.5), "other scales or zero points")
    refused(pair(0.25, np.int8(0), through="x0"), "reads integers that no QuantizeLinear makes")
    cast = [node("QuantizeLinear", ["x0", "s", "z"], ["q"]), node("Cast", ["q"], ["y"], to=TensorProto.FLOAT)]
    refused(file(cast, {"s": 0.25, "z": np.int8(0)}), "reads 'q', which no op computes")


def bipolar(scale: Any) -> onnx.ModelProto:
    return file([node("BipolarQuant", ["x0", "s"], ["y"], domain=QUANT_DOMAIN)], {"s": np.asarray(scale)})


def trunc(numbers: list[Any], types: dict[str, str] | None = None, **given: Any) -> onnx.ModelProto:
    """A Trunc of values by its numbers: four in version 1 of the domain, five in version 2."""
    constants = {f"k{k}": np.asarray(v, dtype=float) for k, v in enumerate(numbers)}
    given = {"rounding_mode": "FLOOR"} | given
    return file([node("Trunc", ["x0", *constants], ["y"], domain=QUANT_DOMAIN, **given)], constants, types)


WORDS = np.arange(-128, 128)
"""All values of the port of the quantizers below, in units of 1/16."""


def of_words(model: onnx.ModelProto) -> np.ndarray:
    """Return what a file computes of all words of its port, (256, 3)."""
    graph = assign(read_onnx(model), {}, Options())
    (result,) = graph.results
    raw = graph.evaluate({"x": np.repeat(WORDS, 3).reshape(-1, 3, 1)})[result.name]
    return (raw * result.type.formats.lsb)[..., 0]


PORT = {"x": "S[c:3]:fix<8,4>"}
X = np.repeat(WORDS / 16, 3).reshape(-1, 3).astype(np.float32)


@pytest.mark.parametrize("mode", ["ROUND", "FLOOR", "DOWN", "HALF_UP", "HALF_DOWN"])
def test_what_truncates_values_is_qonnxs(mode: str) -> None:
    """Of both versions, for signed and unsigned results, that fit and that saturate."""
    for bits, out in ((8, 5), (8, 8), (9, 4)):
        model = trunc([2.0**-4, 0, bits, out], PORT, rounding_mode=mode)
        want = trunc_v1(X, np.float32(2**-4), np.float32(0), np.float32(bits), np.float32(out), mode)
        np.testing.assert_array_equal(of_words(model), want)
    for step, out, signed, narrow in product((2.0**-4, 2.0**-2, 1.0), (3, 5), (0, 1), (0, 1)):
        model = trunc(
            [2.0**-4, 0, 8, step, out], PORT, rounding_mode=mode, signed=signed, narrow=narrow * signed
        )
        numbers = [np.float32(v) for v in (2**-4, 0, 8)]
        sizes = np.float32(step), np.float32(out)
        want = trunc_v2(X, *numbers, narrow * signed, signed, *sizes, mode)
        np.testing.assert_array_equal(of_words(model), want)


def test_signs_and_scales_of_channels_are_qonnxs() -> None:
    scale = np.array([0.5, 2.0, 0.25], np.float32)
    across = scale[:, None]  # values of eqhls have a last axis for components
    signs = file([node("BipolarQuant", ["x0", "s"], ["y"], domain=QUANT_DOMAIN)], {"s": across}, PORT)
    np.testing.assert_array_equal(of_words(signs), binary_quant(X, scale))
    for bits, signed, mode in product((2, 4, 6), (0, 1), ("ROUND", "FLOOR", "HALF_UP")):
        model = quantized(bits, across, signed=signed, rounding_mode=mode, types=PORT)
        want = int_quant(X, scale, np.float32(0), np.float32(bits), signed, 0, mode)
        np.testing.assert_array_equal(of_words(model), want)


MODES = ("ROUND", "round", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN")


@pytest.mark.parametrize("mode", [*MODES, "ROUND_TO_ZERO", "STOCHASTIC"])
@pytest.mark.parametrize(("signed", "narrow"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_quant_is_that_of_qonnx_or_refused(mode: str, signed: int, narrow: int) -> None:
    for bits, scale in product((1, 2, 5, 3.5), (0.25, 2.0, 0.3, -0.5)):
        model = quantized(bits, scale, signed=signed, narrow=narrow, rounding_mode=mode)
        try:
            graph = read_onnx(model)
        except CompileError:
            continue
        op = graph.results[0].op
        assert isinstance(op, Requantize) and isinstance(bits, int) and scale in (0.25, 2.0)
        form = op.formats[0]
        x = np.arange(-160, 161) / 64
        codes = np.rint(x / form.lsb * 64).astype(np.int64)  # arguments in 64ths of an LSB
        wide = Fixed(40, 40 - 6 - form.frac, True)
        raw = read_exact(op, wide, codes)
        want = int_quant(
            (codes / 64 * form.lsb).astype(np.float32),
            np.float32(scale),
            np.float32(0),
            np.array(bits),
            signed,
            narrow,
            mode,
        )
        np.testing.assert_array_equal(raw * form.lsb, want)


def read_exact(op: Requantize, wide: Fixed, codes: np.ndarray) -> np.ndarray:
    """Requantize integers of a wide format, exactly."""
    b = Builder("one")
    graph = b.graph(b.add("y", op, b.add("x", Input(Type(S, (), formats=(wide,)))))).formatted()
    return graph.evaluate({"x": codes[:, None]})["y"][:, 0]


def test_some_quants_are_accepted() -> None:
    """So that the test above does not pass by refusals: all modes but CEIL and UP, which have no format."""
    for mode in MODES:
        model = quantized(5, 0.25, rounding_mode=mode)
        if mode in ("CEIL", "UP"):
            refused(model, f"has the rounding '{mode}'")
        else:
            assert isinstance(read_onnx(model).results[0].op, Requantize)


@pytest.mark.parametrize("mode", MODES)
def test_quantized_weights_are_those_of_qonnx(mode: str) -> None:
    """Of constants, every scale, zero point and width is computed; the layer behind has the numbers."""
    cases = product((1, 2, 4, 3.5), (0.25, 0.3, [[0.5, 0.3]]), (0.0, 1.0), (0, 1), (0, 1))
    for bits, scale, zero, signed, narrow in cases:
        model = quantized(bits, scale, zero, source="w", signed=signed, narrow=narrow, rounding_mode=mode)
        graph = read_onnx(model)
        want = int_quant(
            (2 * W).astype(np.float32),
            np.asarray(scale, np.float32),
            np.float32(zero),
            np.array(bits, np.float32),
            signed,
            narrow,
            mode,
        )
        np.testing.assert_array_equal(graph.results[0].op.weight.array, want.T.astype(np.float32))


def test_bipolar_weights() -> None:
    bipolar = node("BipolarQuant", ["w", "s"], ["q"], domain=QUANT_DOMAIN)
    graph = read_onnx(file([FLAT, bipolar, node("MatMul", ["f", "q"], ["y"])], {"w": W, "s": 0.3}))
    np.testing.assert_array_equal(
        graph.results[0].op.weight.array, np.where(W.T >= 0, 1, -1) * np.float32(0.3)
    )


QUANTS: dict[str, tuple[onnx.ModelProto, str]] = {
    "part of a bit": (quantized(3.5, 0.25), "has 3.5 bits; expected a whole number"),
    "no bits": (quantized(0, 0.25), "width of 0 bits"),
    "endless bits": (quantized(np.inf, 0.25), "bits"),
    "too many bits": (quantized(64, 0.25), "width of 64 bits"),
    "a scale in between": (quantized(5, 0.3), "expected a power of two"),
    "a negative scale": (quantized(5, -0.5), "expected a power of two"),
    "no scale": (quantized(5, 0.0), "expected a power of two"),
    "one scale in between": (quantized(5, [0.5, 0.3, 0.5]), "has the scale 0.3"),
    "scales of rows and columns": (quantized(5, [[0.5, 0.25, 0.5], [1, 2, 1], [1, 1, 2]]), "has scales that vary along several axes"),
    "several widths": (quantized([5, 4, 5], [0.5, 0.25, 0.5]), "has several widths; give one for all channels"),
    "a zero point": (quantized(5, 0.5, 1.0), "zero point"),
    "no word about the sign": (quantized(5, 0.5, signed=None), "does not say whether it is signed"),
    "no word about the range": (quantized(5, 0.5, narrow=None), "does not say whether it is narrow"),
    "two signs": (quantized(5, 0.5, signed=2), "signed = 2; expected 0 or 1"),
    "an attribute more": (quantized(5, 0.5, channelwise=1), "the attribute 'channelwise'"),
    "bipolar values": (bipolar(0.3), "BipolarQuant: has the scale 0.3, which is no multiple"),
    "truncation with a zero point": (trunc([0.25, 1, 8, 5]), "Trunc: has a zero point; quantize symmetrically"),
    "truncation of thirds": (trunc([0.3, 0, 8, 5]), "Trunc: has the scale 0.30"),
    "truncation to thirds": (trunc([0.25, 0, 8, 0.3, 5]), "Trunc: has the scale 0.30"),
    "a sign of version 2": (trunc([0.25, 0, 8, 5], signed=1), "Trunc: has the attribute 'signed'; expected rounding_mode"),
    "truncation per channel": (trunc([[0.25, 0.5, 1.0], 0, 8, 5]), "Trunc: has 3 numbers as input 1"),
    "truncation that rounds up": (trunc([0.25, 0, 8, 5], rounding_mode="CEIL"), "has the rounding 'CEIL'"),
    "thresholds": (quantized(5, 0.5, operator="MultiThreshold"), "MultiThreshold: is not supported"),
    "small floats": (quantized(5, 0.5, operator="FloatQuant"), "FloatQuant: is not supported"),
    "plain operators of this domain": (quantized(5, 0.5, operator="Relu"), "Relu: is not supported; operators of QONNX"),
}  # fmt: skip


@pytest.mark.parametrize("case", QUANTS)
def test_quants_without_a_format_are_refused(case: str) -> None:
    refused(*QUANTS[case])


def test_a_scale_that_is_computed_is_refused() -> None:
    quant = node("Quant", ["x0", "f", "z", "b"], ["y"], domain=QUANT_DOMAIN, signed=1, narrow=0)
    refused(file([FLAT, quant], {"z": 0.0, "b": 4.0}), "reads 'f', expected a constant")


@pytest.mark.parametrize("domain", ["finn.custom_op.fpgadataflow", "finn", "com.microsoft", "ai.onnx.ml"])
def test_operators_of_other_domains_are_refused(domain: str) -> None:
    refused(file([node("Quant", ["x0"], ["y"], domain=domain)]), f"is of the domain '{domain}'")


def test_quantizers_are_those_that_are_tried() -> None:
    assert set(QUANTIZERS) == {"Quant", "IntQuant", "BipolarQuant", "Trunc"}
    assert isinstance(read_onnx(quantized(5, 0.25, operator="IntQuant")).results[0].op, Requantize)
