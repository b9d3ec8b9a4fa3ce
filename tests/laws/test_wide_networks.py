"""Law 4 for deep and wide networks: whatever has words of at most 63 bits compiles, to the same integers.

Found with it: alkaid finds the last bit of a number in float32 and bounds wires by doubles; weights multiply
from layer to layer, so that two layers of fine weights pass the first, and five the second.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from wide_networks import Wide, events_of

import eqhls
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.lower.netlist import simulate
from eqhls.lower.schedule import lower
from eqhls.ops.add import Add
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.relu import Relu
from eqhls.ops.requantize import Requantize
from eqhls.options import Options
from eqhls.verify.proof import EXACT

EVENTS = 2000


def scalars(size: int, form: Fixed) -> Builder:
    b = Builder("deep")
    b.add("x", Input(Type(S, (Axis("c", size),), formats=(form,))))
    return b


def exact(graph: Graph, seed: int) -> bool:
    """Whether the netlist gives the integers of the model on many events; `lower` has tried others."""
    netlist, feeds = lower(graph, Options()), events_of(graph, seed, EVENTS)
    want = graph.evaluate(feeds)
    columns = [want[n.name][(slice(None), *i)] for n in graph.results for i in np.ndindex(n.type.shape)]
    return all(map(np.array_equal, simulate(netlist, netlist.inputs.columns(feeds)), columns))


def check(seeds: range) -> tuple[int, int]:
    """Check networks; return the bits of the widest word and how many layers were refused."""
    widest = refused = 0
    for seed in seeds:
        w = Wide(seed)
        graph = w.grow(int(w.rng.integers(2, 14)))
        assert exact(graph, seed), seed
        widest = max(widest, *(f.width for n in graph for f in n.type.formats))
        refused += len(w.refused)
        for name, error in w.refused:
            assert f"%{name}" in error.where and " bits" in error.problem and error.remedy, (seed, str(error))
    return widest, refused


def test_netlists() -> None:
    widest, refused = check(range(300))
    assert widest > 60 and refused > 20


@pytest.mark.slow
def test_more_netlists() -> None:
    check(range(300, 12_000))


def test_fine_weights_twice_in_a_row() -> None:
    """Weights of 20 and of 6 bits, whose products float32 does not hold."""
    b = scalars(2, Fixed(16, 17, False))
    fine = np.array([[332423, 214004], [-932898, 250883], [-267025, 237456]]) * 2.0**-18
    b.add("m", ChannelMix(Tensor(fine)), "x")
    b.add("d", Concat("c"), "m", "m")
    b.add("y", ChannelMix(Tensor(np.array([[58, -50, 50, -56, -38, 40]]) * 2.0**-9)), "d")
    assert exact(b.graph("y").formatted(), 0)


def chain(b: Builder, ops: list[Op]) -> str:
    name = "x"
    for k, op in enumerate(ops):
        name = b.add(f"y{k}", op, name)
    return name


@pytest.mark.parametrize("layers", [4, 5, 6])
def test_dense_layers_without_calibration(layers: int, rng: np.random.Generator) -> None:
    b = scalars(3, Fixed(6, 3))
    dense: list[Op] = [Dense(Tensor(rng.integers(-127, 128, (3, 3)) / 64)) for _ in range(layers)]
    graph = b.graph(chain(b, dense)).formatted()
    assert max(f.width for f in graph.results[0].type.formats) > 9 * layers - 6
    assert exact(graph, layers)


def test_too_deep_a_network_names_the_layer_the_width_and_the_cure() -> None:
    b = scalars(3, Fixed(6, 3))
    dense: list[Op] = [Dense(Tensor(np.full((3, 3), 127 / 64))) for _ in range(8)]
    graph = b.graph(chain(b, dense))
    with pytest.raises(CompileError, match=r"deep: %y\d: .* needs \d\d bits .*Precision.*--calibrate"):
        graph.formatted()


def test_counting_saturation_names_the_layer() -> None:
    """Whether a word overflows is found by a difference, which may need a bit more than the word."""
    b = scalars(1, Fixed(63, 63))
    b.add("y", Requantize((Fixed(62, 62),)), "x")
    graph = b.graph("y").formatted()
    with pytest.raises(CompileError, match="deep: %y: .* 64 bits"):
        graph.saturation({"x": np.zeros((1, 1, 1), dtype=np.int64)})


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("codes", [12, 40, 128, 5000])
def test_saturation_of_logarithms_of_any_length(codes: int, odd: bool) -> None:
    """A logarithm of 2500 octaves has no last value among words, and none among doubles."""
    b = scalars(1, Fixed(32, 20))
    b.add("y", Log2(0.25, 1, codes, odd=odd), "x")
    graph = b.graph("y").formatted()
    form = graph.inputs[0].type.format_of(0)
    last = round(0.25 * (2.0 ** ((codes - 1) / 2) - odd) / form.lsb) if codes < 1000 else 2 * form.hi
    around = last + np.arange(-3, 4) if last < form.hi else np.empty(0, dtype=np.int64)
    raw = np.concatenate([around, -around, [form.lo, -1, 0, 1, form.hi]])
    want = int(((np.abs(raw) if odd else raw) > last).sum())
    assert want > 0 or last >= form.hi
    assert graph.saturation({"x": raw.astype(np.int64).reshape(-1, 1, 1)}) == {"y": want}


def test_hundreds_of_layers() -> None:
    b = scalars(2, Fixed(8, 4))
    rounded = Requantize((Fixed(10, 5, True, Rounding.RND, Overflow.SAT),))
    weight = Tensor([[0.75, -0.5], [0.25, 1.25]])
    steps: list[Op] = [ChannelMix(weight), rounded, Add(), Relu()]
    assert exact(b.graph(chain(b, steps * 100)).formatted(), 1)


def test_hls_and_rtl_of_a_deep_network(tmp_path: Path, rng: np.random.Generator) -> None:
    """Every engine gives the same words: dense layers, fine weights, a difference that cancels, a logarithm."""
    b = scalars(2, Fixed(22, 8))
    b.add("fine", ChannelMix(Tensor(rng.integers(-(1 << 20), 1 << 20, (2, 2)) * 2.0**-19)), "x")
    b.add("sum", Add(), "fine", "x")
    b.add("x_again", Add((1,)), "sum", "fine")
    deep = b.add("deep", Dense(Tensor(rng.integers(-2047, 2048, (2, 2)) / 1024), Tensor([0.25, -1.5])), "sum")
    b.add("log", Log2(0.25, 2, 160, odd=True), deep)
    b.add("round", Requantize((Fixed(40, 30, True, Rounding.RND_CONV, Overflow.SAT_SYM),)), deep)
    graph = b.graph("deep", "log", "round", "x_again").formatted()
    assert graph.node("deep").type.formats[0].width > 52
    project = eqhls.compile(graph, output=tmp_path / "p")
    vectors = project.folder / "tb_data" / "vectors.npz"
    want = project.graph.evaluate(dict(np.load(vectors)))
    for engine in EXACT:
        found = project.prediction(vectors, engine)
        for name, raw in want.items():
            np.testing.assert_array_equal(found[name].raw, raw.reshape(len(raw), -1), err_msg=engine)
