"""A checkpoint goes all the way: file, formats, integers, C++ and Verilog, and the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pelican_reference import Network, jets, nano, nano_state, pelican, pelican_state
from typer.testing import CliRunner

from eqhls.cli import app
from eqhls.commands.shell import console
from eqhls.errors import CompileError
from eqhls.events.read import from_arrays
from eqhls.flow import load_any
from eqhls.ir.graph import Graph
from eqhls.lower.layout import Layout
from eqhls.options import Options
from eqhls.passes import run as run_passes
from eqhls.project import engines_project
from eqhls.quantize.assign import assign
from eqhls.text import write_project
from eqhls.verify.bulk import BulkSimulator
from eqhls.verify.csim import CSim
from eqhls.verify.sampling import random_events

SMALL = Network(nobj=2, blocks=1, width=(3, 1), mlp=(2,), stabilizer="so3", more={"massless": True})
NANO = Network(
    nobj=2, config="s", config_out="s", activation="relu", activate_agg_out=False, more={"add_beams": False}
)


def checkpoint(folder: Path, net: Network, rng: np.random.Generator) -> Path:
    """Write a random network as its tensors and its arguments."""
    folder.mkdir()
    np.savez(folder / "state_dict.npz", **(nano_state(net, rng) if net is NANO else pelican_state(net, rng)))
    arguments = net.nano_arguments if net is NANO else net.arguments
    (folder / "config.json").write_text(json.dumps({"args": arguments}))
    return folder


@pytest.fixture(scope="module", params=["nano", "pelican"])
def quantized(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    rng = np.random.default_rng(6)
    net = NANO if request.param == "nano" else SMALL
    graph = load_any(checkpoint(tmp_path_factory.mktemp("net") / "net", net, rng))
    p4 = jets(net, rng, 200, 30.0)
    return run_passes(assign(graph, from_arrays(graph, p4).floats, Options()))


def test_every_machine_computes_the_integers(quantized: Graph, tmp_path: Path) -> None:
    """HLS by g++ and RTL by Verilator, over the whole range of the ports."""
    feeds = random_events(quantized, np.random.default_rng(6), 200)
    want = quantized.evaluate(feeds)[quantized.outputs[0]]
    assert len(np.unique(want)) > 20
    write_project(engines_project(quantized, Options()), tmp_path / "p")
    for engine in (CSim(tmp_path / "p"), BulkSimulator(tmp_path / "p")):
        words = engine.run(Layout.of(quantized.inputs).pack(feeds))
        found = Layout.of(quantized.results).unpack(words)
        np.testing.assert_array_equal(found[quantized.outputs[0]], want)


@pytest.mark.parametrize("net, reference", [(NANO, nano), (SMALL, pelican)], ids=["nano", "pelican"])
def test_predict_reads_a_checkpoint(
    net: Network, reference: object, rng: np.random.Generator, tmp_path: Path
) -> None:
    folder = checkpoint(tmp_path / "net", net, rng)
    with np.load(folder / "state_dict.npz") as file:
        state = {k: file[k] for k in file.files}
    p4 = jets(net, rng, 20)
    np.savez(tmp_path / "e.npz", p4=p4)
    out = tmp_path / "o.npz"
    done = CliRunner().invoke(
        app, ["predict", str(folder), str(tmp_path / "e.npz"), "--engine", "float", "-o", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert callable(reference)
    with np.load(out) as found:
        np.testing.assert_allclose(
            found["scores"], [reference(state, net, p) for p in p4], rtol=1e-9, atol=1e-9
        )


def test_another_configuration_beats_that_beside_the_file(
    rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "width", 200)
    folder = checkpoint(tmp_path / "net", NANO, rng)
    (tmp_path / "wide.json").write_text('{"nobj": 5}')
    with pytest.raises(CompileError, match="nobj_avg|config"):
        (tmp_path / "odd.json").write_text('{"nobj": 5, "config": "x", "nobj_avg": 5}')
        load_any(folder, tmp_path / "odd.json")
    done = CliRunner().invoke(app, ["info", str(folder), "--config", str(tmp_path / "wide.json")])
    assert done.exit_code == 0 and "V.xyz[j:5]" in done.output
    wide = load_any(folder, tmp_path / "wide.json")
    assert all(n.name != "spurions" for n in wide), "what the file beside says of beams still holds"
    with pytest.raises(CompileError, match="applies only to a checkpoint"):
        load_any(Path(__file__).resolve().parents[2] / "models" / "lgn_top_small", tmp_path / "wide.json")
