"""Configurations of hls4ml: every key is taken, dropped or refused with the reason; templates ask for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networks
import numpy as np
import pytest

from eqhls import hls4mlkeys as keys
from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.input import Input
from eqhls.ops.requantize import Requantize
from eqhls.ops.table import Activation, Table
from eqhls.options import Options, read_options
from eqhls.quantize.assign import assign
from eqhls.report.template import template

TEMPLATE: dict[str, Any] = {
    "Model": {
        "Precision": {"default": "fixed<16,6>"},
        "ReuseFactor": 1,
        "Strategy": "Latency",
        "BramFactor": 1_000_000_000,
        "TraceOutput": False,
    },
    "LayerName": {
        "dense": {
            "Trace": True,
            "Precision": {"weight": "auto", "bias": "auto", "result": "auto", "accum": "auto"},
            "ReuseFactor": 1,
        },
        "dense_relu": {
            "Precision": {"result": "ufixed<8,4,RND,SAT,0>", "table": "fixed<18,8,TRN,WRAP,0>"},
            "TableSize": 1024,
        },
    },
}
"""What config_from_keras_model returns, with one wish in it."""


def test_the_inner_part_alone_is_taken_as_a_dictionary() -> None:
    options = read_options(TEMPLATE)
    config = options.HLSConfig
    assert config.Model.Precision.result == config.Model.Precision.weight == "fixed<16,6>"
    assert config.LayerName["dense"].Precision.result == "auto"
    assert config.LayerName["dense_relu"].Precision.result == "ufixed<8,4,RND,SAT,0>"
    assert options == read_options({"HLSConfig": TEMPLATE, "IOType": "io_parallel"})


def test_words_that_mean_the_same() -> None:
    given = {"XilinxPart": "xcvu9p-flga2104-2L-e", "Backend": "vivado", "ClockPeriod": 5, "OutputDir": "out"}
    options = read_options(given | {"HLSConfig": {"LayerType": {"Dense": {"Precision": "fixed<8,3>"}}}})
    assert (options.Part, options.Backend, options.OutputDir) == ("xcvu9p-flga2104-2L-e", "Vivado", "out")
    assert list(options.HLSConfig.LayerType) == ["dense"]
    assert "OutputDir" not in options.model_dump() and "KerasModel" not in options.model_dump()


@pytest.mark.parametrize(
    ("text", "form"),
    {
        "fixed<16,6>": "fix<16,6>",
        "ufixed<8, 3, RND, SAT>": "ufix<8,3,RND,SAT>",
        "ap_fixed<16,6,AP_RND,AP_SAT,0>": "fix<16,6,RND,SAT>",
        "ap_ufixed<18,8,TRN,WRAP,0>": "ufix<18,8>",
        "int<8>": "fix<8,8>",
        "ap_uint<1>": "ufix<1,1>",
    }.items(),
)
def test_spellings_of_formats(text: str, form: str) -> None:
    assert Fixed.parse(text) == Fixed.parse(form)


@pytest.mark.parametrize(
    "text", ["fixed<16,6,RND,SAT,1>", "float", "ac_fixed<8,3,true>", "fixed<16>", "int<8,3>"]
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(CompileError, match="expected e.g. fix<16,6>"):
        Fixed.parse(text)


WRONG: dict[str, Any] = {
    "IOType": "io_stream",
    "InputData": "x.npy",
    "OutputPredictions": "y.npy",
    "Version": "2.0",
    "ProjectDir": "here",
    "Board": "pynq-z2",
    "PytorchModel": "net.pt",
    "Namespace": "nnet2",
    "WriteWeightsTxt": 3,
    "WriteTar": True,
    "TBOutputStream": "file",
    "WriteEmulationConstants": True,
    "Optimizers": ["fuse"],
    "SkipOptimizers": ["fuse"],
    "Flows": ["vivado:ip"],
    "ReuseFactor": 4,
    "Strategy": "Resource",
    "PipelineStyle": "dataflow",
    "PipelineInterval": 2,
    "TargetCycles": 8,
    "BramFactor": 100,
    "Compression": True,
    "ConvImplementation": "Encoded",
    "ParallelizationFactor": 4,
    "TableSize": 4096,
    "Trace": "all",
    "TraceOutput": "all",
    "BitExact": "yes",
    "accum": "fixed<32,16>",
    "maximum": "fixed<24,8>",
    "table": "fixed<10,2>",
    "exp_table": "fixed<10,2>",
    "inv_table": "fixed<10,2>",
    "inv_inp": "fixed<10,2>",
}
"""A value of every key with a rule that is not what eqhls does."""
RULES = keys.TOP | keys.WRITER | keys.SECTION | keys.ENTRY | keys.PRECISION


def placed(key: str, value: Any) -> dict[str, Any]:
    """Return settings with a key at its place."""
    if key in keys.WRITER:
        return {"WriterConfig": {key: value}}
    if key in keys.SECTION:
        return {"HLSConfig": {key: value}}
    if key in keys.ENTRY:
        return {"HLSConfig": {"Model": {key: value}}}
    if key in keys.PRECISION:
        return {"HLSConfig": {"LayerName": {"h": {"Precision": {key: value}}}}}
    return {key: value}


def test_every_rule_is_tried() -> None:
    assert set(WRONG) | {"Stamp", "InputShapes", "OutputShapes"} == set(RULES)


@pytest.mark.parametrize("key", WRONG)
def test_a_value_that_eqhls_cannot_do_is_refused_with_the_reason(key: str, tmp_path: Path) -> None:
    with pytest.raises(CompileError) as caught:
        read_options(placed(key, WRONG[key]))
    assert RULES[key].reason in str(caught.value) and f"found {WRONG[key]!r}" in str(caught.value)
    assert caught.value.remedy


def test_a_refusal_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    for text in ("HLSConfig:\n  Model:\n    ReuseFactor: 4\n", "# hls_config\nModel:\n  ReuseFactor: 4\n"):
        path.write_text(text)
        with pytest.raises(
            CompileError, match=rf"{path}:3: .*Model.ReuseFactor: found 4, expected 1: .*II = 1 only"
        ):
            read_options(path)


def test_the_rest_of_the_refusals() -> None:
    for settings, words in (
        ({"Part": "xcvu9p-flga2104-2L-e", "XilinxPart": "xcvu13p-flga2577-2-e"}, "another key for Part"),
        ({"WriterConfig": {"Colour": 1}}, "WriterConfig.Colour: is unknown"),
        (
            {
                "HLSConfig": {
                    "LayerName": {"h": {"Precision": {"weight": "fixed<8,2>", "bias": "fixed<8,3>"}}}
                }
            },
            "have one format",
        ),
        ({"HLSConfig": {"LayerName": {"h": {"Precision": {"bias": "fixed<8,3>"}}}}}, "have one format"),
        ({"Backend": "Quartus"}, "'Vitis' or 'Vivado'"),
    ):
        with pytest.raises(CompileError, match=words):
            read_options(settings)


def small(weight: float = 0.3, function: bool = True) -> Graph:
    """Return a network that rounds one value itself, and reads a function of another."""
    b = Builder("demo")
    x = b.add("x", Input(Type(S, (Axis("c", 2),), formats=(Fixed.parse("fix<9,4>"),))))
    own = b.add("own", Requantize((Fixed.parse("fix<7,3,RND,SAT>"),)), x)
    mixed = b.add("mixed", ChannelMix(Tensor([[weight, 0.5], [1.0, weight]])), own)
    if not function:
        return b.graph(mixed)
    table = Table(
        Tensor([-1.0, 1.0]), Tensor([[-1.0, 1.0]]), Activation.NONE, "", Fixed.parse("fix<6,2,RND,SAT>")
    )
    return b.graph(b.add("f", table, mixed))


def asked(where: str, name: str, precision: Any) -> Options:
    entry = {"Precision": precision}
    return read_options({"HLSConfig": {where: entry if where == "Model" else {name: entry}}})


def test_a_rounding_of_the_network_itself_can_be_given_another_format() -> None:
    """By name and by type; a format for the whole model is not a wish for it."""
    graph = small(0.25)
    for where, name in (("LayerName", "own"), ("LayerType", "requantize")):
        made = assign(graph, {}, asked(where, name, "fix<5,3,RND,SAT>"))
        assert made.node("own").op == Requantize((Fixed.parse("fix<5,3,RND,SAT>"),))
    made = assign(graph, {}, asked("Model", "", "fixed<8,4,RND,SAT>"))
    assert made.node("own").op == graph.node("own").op and made.node("f").op == graph.node("f").op
    assert made.node("x").type == graph.node("x").type
    assert made.node("mixed.q").op == Requantize((Fixed.parse("fix<8,4,RND,SAT>"),))


def test_a_model_wide_format_that_holds_a_value_leaves_it() -> None:
    graph = small(0.25)
    exact = assign(graph, {}, Options()).node("mixed").type.formats[0]
    made = assign(graph, {}, asked("Model", "", f"fix<{exact.width + 3},{exact.integer + 1}>"))
    assert made == assign(graph, {}, Options())
    named = assign(graph, {}, asked("LayerName", "mixed", "fix<10,6>"))
    assert named.node("mixed.q").op == Requantize((Fixed.parse("fix<10,6>"),))


def test_auto_by_name_beats_a_format_for_all() -> None:
    graph = small(0.25)
    settings = {
        "Model": {"Precision": "fixed<8,4,RND,SAT>"},
        "LayerName": {"mixed": {"Precision": {"result": "auto"}}},
    }
    assert assign(graph, {}, read_options(settings)) == assign(graph, {}, Options())


def test_trained_weights_keep_their_format_under_one_for_all() -> None:
    default = read_options({"Model": {"Precision": {"default": "fixed<16,8>"}}})
    for weight, kept in ((0.25, True), (2.0**-12 * 3, True), (0.3, False)):
        quantized = assign(small(weight, False), {}, default)
        (made,) = (n.op for n in quantized if isinstance(n.op, ChannelMix))
        assert (float(made.weight.array[0, 0]) == weight) == kept
    assert float(made.weight.array[0, 0]) == np.rint(0.3 * 256) / 256


def test_an_address_that_is_too_wide_says_so() -> None:
    """The value has a format; its bits are too many."""
    with pytest.raises(CompileError) as caught:
        assign(small(0.25), {}, asked("LayerName", "mixed", "ap_fixed<16,6>"))
    message = str(caught.value)
    assert "%f: %mixed: is the address of a table and has 14 bits (S[c:2]:fix<14,4>)" in message
    assert "at most 10" in message and "no format" not in message


@pytest.mark.parametrize("granularity", ["model", "type", "name"])
def test_a_template_asks_for_nothing(granularity: Any, tmp_path: Path) -> None:
    graph = networks.seeded(np.random.default_rng(1), 4, 1)
    path = tmp_path / "c.yml"
    path.write_text(template(graph, granularity))
    assert read_options(path) == Options() and read_options(path).model_dump() == Options().model_dump()
    entries = [
        line for line in path.read_text().splitlines() if line.startswith("    ") and line.endswith(":")
    ]
    names = {line.strip(" :") for line in entries} - {"Precision"}
    assert (
        names
        == {"model": set[str](), "type": {n.op.name() for n in graph}, "name": {n.name for n in graph}}[
            granularity
        ]
    )


def test_every_line_of_a_template_can_be_changed(tmp_path: Path) -> None:
    """Each `auto` is where a format is taken, and comments become keys."""
    graph = small()
    text = template(graph).replace("# ProjectName", "ProjectName").replace("# OutputDir", "OutputDir")
    path = tmp_path / "c.yml"
    path.write_text(text.replace("# StageDepth", "StageDepth").replace(" auto ", " fix<9,3,RND,SAT> "))
    options = read_options(path)
    assert options.ProjectName == "demo" and options.OutputDir == "build/demo"
    assert options.StageDepth == pytest.approx(options.ClockPeriod * 0.9)
    assert set(options.HLSConfig.LayerName) == {n.name for n in graph}
    assert assign(graph, {}, options).node("own").op == Requantize((Fixed.parse("fix<9,3,RND,SAT>"),))
