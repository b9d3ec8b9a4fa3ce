"""What quantization does beyond formats: weights map by map, codes in front of logarithmic functions."""

from __future__ import annotations

import numpy as np
import pytest

from eqhls.groups.lorentz.reps import V
from eqhls.groups.registry import parse_path
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.cg_product import CgProduct
from eqhls.ops.common import integers
from eqhls.ops.eq2to2 import Eq2to2
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.spurion import Spurion
from eqhls.ops.table import Activation, Table
from eqhls.options import Options
from eqhls.quantize.addresses import code_carriers
from eqhls.quantize.assign import assign
from eqhls.quantize.weights import rounded_weights


def test_every_map_of_pairs_has_a_point_of_its_own(rng: np.random.Generator) -> None:
    """Divisors make some maps thousands of times smaller; one common format would lose them."""
    sizes = np.where(np.arange(15) < 5, 1.0, 1e-3)
    op = Eq2to2(Tensor(rng.normal(size=(3, 2, 15)) * sizes), Tensor([0.5, 0.25, 1.0]))
    rounded = rounded_weights(op, "")
    assert isinstance(rounded, Eq2to2) and rounded.bias == op.bias
    off = np.abs(rounded.weight.array - op.weight.array).max(axis=(0, 1))
    assert (off <= np.abs(op.weight.array).max(axis=(0, 1)) / 64).all()
    assert np.abs(integers(rounded.weight)[0]).max() < 2**24
    coarse = rounded_weights(op, "fix<8,4>")
    assert isinstance(coarse, Eq2to2) and not coarse.weight.array[..., 5:].any()


def test_tables_keep_their_knots() -> None:
    table = Table(Tensor([0.1, 0.7]), Tensor([[0.3, 1 / 3]]))
    assert rounded_weights(table, "") == table


def encoder(other_reader: bool) -> Graph:
    """Two functions of a product, through an axis of rows."""
    b = Builder("encoder")
    p = b.add("p", Input(Type(V, (Axis("c", 1),))))
    d = b.add("d", Gram(), p, p)
    one = b.add("one", Spurion(Type(S, (Axis("k", 2),)), Tensor(np.ones((2, 1)))))
    rows = b.add("rows", CgProduct(parse_path("S*S->S")), d, one)
    lines = Tensor([[0.0, 2.0], [0.5, 1.0]])
    powers = Tensor([[0.0], [0.1]])
    y = b.add("y", Table(values=lines, activation=Activation.SLOG, axis="k", parameters=powers), rows)
    return b.graph(b.add("sum", Add(), y, d) if other_reader else y)


@pytest.mark.parametrize("other_reader", [False, True])
def test_logarithmic_functions_are_addressed_by_codes(other_reader: bool, rng: np.random.Generator) -> None:
    """One code of the exact product, before the rows; others go on reading the product."""
    graph = encoder(other_reader)
    p = rng.normal(size=(500, 1, 4)) * 10 ** rng.uniform(-1, 3, (500, 1, 1))
    quantized = assign(graph, {"p": p}, Options())
    (code,) = (n for n in quantized if isinstance(n.op, Log2))
    assert code.inputs == ("d",) and quantized.node("rows").inputs[0] == "d.code"
    assert not other_reader or quantized.node("sum.inner").inputs == ("y", "d")
    form, out = quantized.node("p").type.formats[0], quantized.node("y").type.formats[0]
    assert out.width <= 10
    raw = np.clip(np.rint(p / form.lsb), form.lo, form.hi).astype(np.int64)
    got = quantized.evaluate({"p": raw}, ("y",))["y"] * out.lsb
    off = np.abs(got - graph.reference({"p": raw * form.lsb})["y"]).max()
    assert off < 0.1 * np.ptp(got), "eight steps an octave follow over five decades"


def test_a_copy_that_has_a_format_of_its_own_carries_no_code(rng: np.random.Generator) -> None:
    """A format is one of the value: on codes of its logarithm it would make nonsense of them."""
    b = Builder("copied")
    b.add("x", Input(Type(S, (Axis("j", 3),))))
    b.add("ones", Spurion(Type(S, (Axis("c", 2),)), Tensor(np.ones((2, 1)))))
    b.add("rows", CgProduct(parse_path("S*S->S")), "x", "ones")
    b.add("y", Table(activation=Activation.SLOG, parameters=Tensor([[0.2], [0.4]]), axis="c",
                     values=Tensor([[0.0, 1.0]] * 2)), "rows")  # fmt: skip
    graph = b.graph("y")
    samples = {"x": np.exp(rng.normal(4.0, 3.0, (200, 3, 1)))}
    asked = Options.model_validate(
        {"HLSConfig": {"LayerName": {"rows": {"Precision": "fix<16,18,RND,SAT>"}}}}
    )
    for options, carrier in ((Options(), "x"), (asked, "rows.q")):
        made = assign(graph, samples, options)
        (code,) = (n for n in made if isinstance(n.op, Log2))
        assert code.inputs == (carrier,)
        assert code_carriers(graph, made) == ({"rows"} if carrier == "x" else set())
