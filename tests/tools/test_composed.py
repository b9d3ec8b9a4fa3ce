"""A network with hidden layers of one scalar, through the whole flow: compiled to tables, proved to the bit."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import eqhls
from eqhls.fixed import Fixed, Formats
from eqhls.flow import Compiled
from eqhls.frontends import radial
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.lower.layout import Layout
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.dense import Dense
from eqhls.ops.input import Input
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.relu import Relu
from eqhls.verify.csim import CSim

WORD = Fixed(14, 6, False)


def filters(rng: np.random.Generator) -> Graph:
    """Two filters of squared distances, each a hidden layer behind Gaussians, summed over points."""
    b = Builder("filters")
    r2 = b.add("r2", Input(Type(S, (Axis("j", 2),), formats=Formats((WORD,)))))
    basis = radial.gaussians(b, "rbf", radial.distance(b, "d", r2), np.linspace(0, 6, 5).tolist(), 0.5)
    hidden = b.add("hidden", ChannelMix(Tensor(rng.normal(size=(6, 5))), Tensor(rng.normal(size=6))), basis)
    f = b.add("f", ChannelMix(Tensor(rng.normal(size=(2, 6)))), b.add("bent", Relu(), hidden))
    return b.graph(b.add("y", Dense(Tensor([[0.5, -0.25]])), b.add("total", ParticleSum(), f)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    rng = np.random.default_rng(4)
    samples = {"r2": rng.uniform(0, 40, (300, 2, 1))}
    return eqhls.compile(filters(rng), samples=samples, output=tmp_path_factory.mktemp("f") / "p")


def test_hidden_layers_are_proved_as_tables(project: Compiled) -> None:
    """The given network has them, the compiled one does not, and every stage holds."""
    kinds = [[n.op.name() for n in g] for g in (project.given.network, project.graph)]
    assert "relu" in kinds[0] and "relu" not in kinds[1] and kinds[1].count("composed") == 1
    evidence = project.verify()
    assert evidence.ok
    numbers = {s.name: dict(s.numbers) for s in evidence.stages}
    assert numbers["given network"]["outside"] == 0 and numbers["given network"]["mistakes_caught"]
    assert numbers["hls"]["mismatches"] == numbers["rtl"]["mismatches"] == 0


def test_a_wrong_entry_is_noticed(project: Compiled, tmp_path: Path) -> None:
    """One entry of one table in the C++ that is built: events that read it differ, the others do not."""
    folder = tmp_path / "wrong"
    shutil.copytree(project.folder, folder)
    tables, graph = folder / "firmware" / "weights" / "tables.h", project.graph
    text = tables.read_text()
    (start, entry), *_ = re.findall(r"( f_entry_\[2\]\[\d+\] = \{\{)(-?\d+),", text)
    tables.write_text(text.replace(f"{start}{entry},", f"{start}{int(entry) + 8},"))
    address = graph.nodes[1]
    raw = np.random.default_rng(2).integers(WORD.lo, WORD.hi + 1, (400, 2, 1))
    raw[:200, 0] = 0
    feeds = {"r2": raw}
    got = Layout.of(graph.results).unpack(CSim(folder).run(Layout.of(graph.inputs).pack(feeds)))["y"]
    read = (graph.evaluate(feeds, (address.name,))[address.name] == 0).any(axis=(1, 2))
    np.testing.assert_array_equal((got != graph.evaluate(feeds)["y"]).any(axis=(1, 2)), read)
    assert read.sum() >= 200
