"""ONNX: round trips, the numbers of other runtimes, QONNX's own tools, hostile files."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import networks
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from eqhls import ops
from eqhls.backends.onnx.functions import lower
from eqhls.backends.onnx.write import expanded, export_onnx, onnx_model
from eqhls.complete import with_functions
from eqhls.errors import CompileError
from eqhls.exchange.domain import DOMAIN, QUANT_DOMAIN
from eqhls.exchange.formats import QUANT_MODES
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.flow import load_any
from eqhls.frontends.graphfile import load_model
from eqhls.frontends.onnx.read import read_onnx
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Example, Op
from eqhls.ir.types import Axis, Type
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.common import example
from eqhls.ops.input import Input
from eqhls.ops.requantize import Requantize
from eqhls.verify.sampling import uniform

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

ROOT = Path(__file__).resolve().parents[2]
MODELS = sorted(p.parent.name for p in (ROOT / "models").glob("*/graph.eq"))
FLOAT32 = 1e-6
"""The bound of the issue, relative to the largest value."""


def run(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> np.ndarray:
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    kinds = {i.name: np.float64 if "double" in i.type else np.float32 for i in session.get_inputs()}
    return session.run(None, {k: v.astype(kinds[k]) for k, v in feeds.items()})[0]


def one_op(case: Example) -> Graph:
    b = Builder("one")
    names = [b.add(f"x{k}", Input(t)) for k, t in enumerate(case.types)]
    return b.graph(b.add("y", case.op, *names)).formatted()


def feeds_of(graph: Graph, raw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n.name: raw[n.name] * n.type.formats.lsb for n in graph.inputs}


def sampled(graph: Graph, rng: np.random.Generator, events: int = 20) -> dict[str, np.ndarray]:
    return {n.name: uniform(n.type, rng, events) for n in graph.inputs}


def exact_result(graph: Graph, raw: dict[str, np.ndarray]) -> np.ndarray:
    name = graph.outputs[0]
    if not raw:
        return graph.reference({})[name]
    return graph.evaluate(raw)[name] * graph.node(name).type.formats.lsb


def shipped(name: str, events: int) -> tuple[Graph, dict[str, np.ndarray]]:
    """A network of models/ and some of its events; two networks of words share one file."""
    graph = load_model(ROOT / "models" / name)
    with np.load(ROOT / "models" / name.removesuffix("_ports") / "events.npz") as file:
        raw = {n.name: file[n.name][:events].reshape(-1, *n.type.shape) for n in graph.inputs}
        return graph, {k: v.astype(np.int64) for k, v in raw.items()}


def test_every_op_has_a_function() -> None:
    assert [b for b in ops.ALL if lower.dispatch(b) is lower.dispatch(Op)] == []


@pytest.mark.parametrize("case", ops.examples(), ids=str)
def test_block(case: Example, rng: np.random.Generator) -> None:
    """The file is read back equal, and gives the float numbers to 1e-6 and the integers to the bit."""
    graph = one_op(case)
    raw = sampled(graph, rng)
    feeds = feeds_of(graph, raw)
    for exact in (False, True):
        model = onnx_model(graph, exact)
        onnx.checker.check_model(model, full_check=True)
        assert read_onnx(onnx.ModelProto.FromString(model.SerializeToString())) == graph
        got = run(model, feeds)
        if exact:
            np.testing.assert_array_equal(got, exact_result(graph, raw).astype(np.float32))
        else:
            want = graph.reference(feeds)["y"]
            assert np.abs(got - want).max() <= FLOAT32 * max(1e-30, np.abs(want).max())


@pytest.mark.parametrize("name", MODELS)
def test_shipped_model(name: str, tmp_path: Path) -> None:
    """Through a file; the firmware's integers on float32 ports, bit for bit, and the float scores."""
    graph, raw = shipped(name, 100)
    export_onnx(graph, tmp_path / "net.onnx")
    assert load_any(tmp_path / "net.onnx") == graph
    model = onnx.load(tmp_path / "net.onnx")
    assert {n.domain for n in model.graph.node} == {"", DOMAIN, QUANT_DOMAIN}
    feeds = feeds_of(graph, raw)
    np.testing.assert_array_equal(run(model, feeds), exact_result(graph, raw))
    want = graph.reference(feeds)[graph.outputs[0]]
    got = run(onnx_model(graph, exact=False), feeds)
    np.testing.assert_allclose(got, want, rtol=0, atol=FLOAT32 * np.abs(want).max())
    wide = run(onnx_model(graph, exact=False, double=True), feeds)
    np.testing.assert_allclose(wide, want, rtol=0, atol=1e-12 * np.abs(want).max())


def test_a_wrong_table_is_seen(rng: np.random.Generator) -> None:
    """The negative control: one constant changed in the function of an op gives other numbers."""
    graph, raw = shipped("lgn_top_small", 50)
    model = onnx_model(graph)
    table = next(f for f in model.functions if f.name.startswith("Log2"))
    constant = next(n for n in table.node if n.op_type == "Constant" and n.attribute[0].t.dims[:] == [])
    constant.attribute[0].t.CopyFrom(numpy_helper.from_array(np.array(0.75)))
    assert (run(model, feeds_of(graph, raw)) != exact_result(graph, raw)).any()


def test_equal_graphs_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        export_onnx(load_model(ROOT / "models" / "pelican_nano"), tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


@pytest.mark.parametrize("exact", [False, True])
def test_the_reference_evaluator_agrees(exact: bool, rng: np.random.Generator) -> None:
    """onnx's own evaluator, which knows functions by name only."""
    graph = networks.seeded(rng, 3)
    raw = sampled(graph, rng)
    model, feeds = onnx_model(graph, exact, double=True), feeds_of(graph, raw)
    got = ReferenceEvaluator(model).run(None, feeds)[0]
    want = exact_result(graph, raw) if exact else graph.reference(feeds)[graph.outputs[0]]
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * np.abs(want).max())


@pytest.mark.filterwarnings("ignore:Output shapes disagree")  # onnx's inference of Expand by a Shape
def test_qonnx_runs_its_own_quant(rng: np.random.Generator) -> None:
    """qonnx reads the Quant nodes; of the expanded file it executes every node, with the same integers."""
    graph = networks.seeded(rng, 3)
    raw = sampled(graph, rng, 4)
    model = onnx_model(graph)
    seen = ModelWrapper(onnx.ModelProto.FromString(model.SerializeToString())).get_nodes_by_op_type("Quant")
    assert len(seen) == sum(n.op_type == "Quant" for n in model.graph.node) > 10
    plain = expanded(model)
    assert not any(n.domain == DOMAIN for n in plain.graph.node)
    for port in (*plain.graph.input, *plain.graph.output):
        port.type.tensor_type.shape.dim[0].dim_value = 4
    del plain.functions[:]
    feeds = {k: v.astype(np.float32) for k, v in feeds_of(graph, raw).items()}
    got = execute_onnx(ModelWrapper(plain).transform(InferShapes()), feeds)
    np.testing.assert_array_equal(got["logit"], exact_result(graph, raw))


@pytest.mark.parametrize("mode", [m for m in QUANT_MODES if m is not Rounding.RND_MIN_INF])
@pytest.mark.parametrize("fit", [Overflow.SAT, Overflow.SAT_SYM])
def test_a_quant_of_its_own_is_a_requantize(mode: Rounding, fit: Overflow) -> None:
    """Without its op, a Quant node is read as one, where QONNX has the rounding."""
    form = Fixed(6, 3, True, mode, fit)
    b = Builder("one")
    graph = b.graph(b.add("y", Requantize((form,)), b.add("x", Input(example(S, "c:3"))))).formatted()
    model = onnx_model(graph)
    rounding = next(n for n in model.graph.node if n.op_type == "Requantize")
    rounding.CopyFrom(helper.make_node("Identity", rounding.input, rounding.output))
    read = read_onnx(model).results[0].op
    assert isinstance(read, Requantize)
    shift, name = QUANT_MODES[mode]
    assert QUANT_MODES[read.formats[0].rounding][1] == name
    assert (read.formats[0] == form) == (not shift)


def plain_model(*nodes: onnx.NodeProto, **constants: Any) -> onnx.ModelProto:
    """An op of scalars x (events, 3, 1) and then plain operators up to y."""
    first = helper.make_node("Input", ["x"], ["s"], domain=DOMAIN, type="S[c:3]")
    values = [numpy_helper.from_array(np.asarray(v, dtype=np.float32), k) for k, v in constants.items()]
    flat = numpy_helper.from_array(np.array([0, -1], dtype=np.int64), "flat")
    graph = helper.make_graph(
        [first, *nodes],
        "tail",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["e", 3, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [*values, flat],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def test_plain_tail(rng: np.random.Generator) -> None:
    node = helper.make_node
    weight, other, bias = rng.normal(size=(3, 4)), rng.normal(size=(2, 4)), rng.normal(size=2)
    model = plain_model(
        node("Reshape", ["s", "flat"], ["f"]),
        node("MatMul", ["f", "w"], ["m"], "m"),
        node("Add", ["m", "one"], ["a"], "a"),
        node("Tanh", ["a"], ["t"], "t"),
        node("Gemm", ["t", "v", "b"], ["g"], "g", transB=1),
        node("Sigmoid", ["g"], ["h"], "h"),
        node("Sub", ["g", "h"], ["y"], "y"),
        w=weight,
        one=[1.0],
        v=other,
        b=bias,
    )
    graph = read_onnx(with_functions(model))
    x = rng.normal(size=(5, 3, 1))
    want = run(with_functions(model), {"x": x})
    got = graph.reference({"x": x})["y"].reshape(5, 2)
    np.testing.assert_allclose(got, want, atol=1e-5)
    assert [n.op.name() for n in graph if n.op.name() == "dense"] == ["dense", "dense"]


def test_mix_of_the_last_axis(rng: np.random.Generator) -> None:
    type = Type(S, (Axis("i", 2), Axis("c", 3)))
    squeeze = numpy_helper.from_array(np.array([3], dtype=np.int64), "axes")
    weight = numpy_helper.from_array(rng.normal(size=(3, 2)), "w")
    model = plain_model(
        helper.make_node("Squeeze", ["s", "axes"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])
    )
    model.graph.node[0].attribute[0].s = str(type).encode()
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, ["e", 2, 3, 1]))
    model.graph.initializer.extend([squeeze, weight])
    op = read_onnx(model).results[0].op
    assert isinstance(op, ChannelMix) and op.axis == "c"


def test_export_needs_formats_for_integers(tmp_path: Path) -> None:
    graph = load_model(ROOT / "models" / "lgn_top_small")
    bare = replace(graph, nodes=tuple(replace(n, type=replace(n.type, formats=())) for n in graph.nodes))
    with pytest.raises(CompileError, match="without a format"):
        export_onnx(bare, tmp_path / "x.onnx", exact=True)
    assert not (tmp_path / "x.onnx").exists()


def test_command_line(tmp_path: Path) -> None:
    """Export, predict from the file, and neither torch nor TensorFlow in the process that reads."""
    model, out = ROOT / "models" / "lgn_top_small", tmp_path / "net.onnx"
    code = (
        "import sys, eqhls.cli as c\n"
        f"for a in (['export', {str(model)!r}, '-o', {str(out)!r}],\n"
        f"          ['predict', {str(out)!r}, {str(model / 'jets_p4.npz')!r}, '--engine', 'float',"
        f" '-o', {str(tmp_path / 'o.npz')!r}]):\n"
        "    sys.argv = ['eqhls', *a]\n"
        "    try: c.main()\n"
        "    except SystemExit as end: assert not end.code\n"
        "assert not {'torch', 'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    graph = load_model(model)
    assert load_any(out) == graph
    with np.load(tmp_path / "o.npz") as file:
        assert file["scores"].shape[1] == 1


def test_core_does_not_import_onnx() -> None:
    code = "import sys, eqhls.cli, eqhls.flow, eqhls.commands.export; assert not [m for m in sys.modules if m.split('.')[0] == 'onnx']"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(
    not all(importlib.util.find_spec(m) for m in ("torch", "onnxscript")),
    reason="torch or onnxscript is not installed: pip install torch==2.13.0 onnxscript",
)
def test_torch_example(tmp_path: Path, rng: np.random.Generator) -> None:
    """The documented example: torch, onnxruntime and the graph give the same score."""
    spec = importlib.util.spec_from_file_location("from_torch", ROOT / "docs/examples/from_torch.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tagger = module.Tagger()
    module.export(tagger, tmp_path / "net.onnx")
    graph = load_any(tmp_path / "net.onnx")
    assert [n.op.name() for n in graph] == ["input", "gram", "dense", "table", "dense"]
    x = rng.normal(size=(7, 6, 4)).astype(np.float32)
    want = tagger(module.torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(run(onnx.load(tmp_path / "net.onnx"), {"p": x}), want, atol=1e-5)
    np.testing.assert_allclose(graph.reference({"p": x})[graph.outputs[0]].reshape(7, 1), want, atol=1e-5)
