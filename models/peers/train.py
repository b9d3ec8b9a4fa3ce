"""Train the peers that the benchmarks compare with: networks without symmetry, by HGQ2.

    python models/peers/train.py --data FOLDER

Deep Set and a JEDI-linear style network, with and without the jet's mass, each at a few strengths of
HGQ2's cost (beta times EBOPs). Inputs are log2(pT/pT_jet), d_eta, d_phi, centred and scaled to +-4, on
grids of 8, 9, 9 bits, and log2 of the jet's mass on 10 bits (inputs.py). Writes NAME.keras for each and
jets.npz with the first test jets.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from hgq.config import LayerConfigScope, QuantizerConfigScope
from hgq.layers import QAdd, QDense, QSum
from hgq.utils.sugar import FreeEBOPs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from peers.inputs import CONSTITUENTS, inputs  # noqa: E402

from eqhls import train as training  # noqa: E402
from eqhls.commands.shell import Steps  # noqa: E402
from eqhls.text import npz, write_file  # noqa: E402
from eqhls.train.callbacks import scores_of  # noqa: E402
from eqhls.train.loop import Extras, optimise  # noqa: E402
from eqhls.train.result import SHIPPED  # noqa: E402
from eqhls.verify.metrics import auc, rejection  # noqa: E402

BATCH, RATE, SEED = 512, 5e-3, 1
BETAS = {"l": 1e-7, "m": 4e-7, "s": 1.5e-6}
SHARED = {"homogeneous_axis": (0, 1)}
"""One format for all particles, without which a net on sets is no function of sets."""


def particle_dense(width: int, name: str, relu: bool = True) -> Any:
    """Return a dense layer on every particle, its formats shared by them."""
    with QuantizerConfigScope(place="datalane", default_q_type="kif", overflow_mode="WRAP", **SHARED):
        return QDense(width, activation="relu" if relu else None, name=name)


def pooled(x: Any, name: str, keepdims: bool) -> Any:
    """Return the mean over particles."""
    with QuantizerConfigScope(place="datalane", default_q_type="kif", overflow_mode="WRAP", **SHARED):
        return QSum(axes=1, scale=1 / CONSTITUENTS, keepdims=keepdims, name=name)(x)


def mixed_with_mean(x: Any, width: int, name: str) -> Any:
    """Return relu(A x_i + B mean): interaction of all pairs at linear cost (arXiv:2508.15468)."""
    own = particle_dense(width, f"{name}_own", relu=False)(x)
    others = particle_dense(width, f"{name}_mean", relu=False)(pooled(x, f"{name}_pool", True))
    with QuantizerConfigScope(place="datalane", default_q_type="kif", overflow_mode="WRAP", **SHARED):
        return keras.layers.ReLU(name=f"{name}_relu")(QAdd(name=f"{name}_add")([own, others]))


def network(kind: str, mass: bool, beta: float) -> keras.Model:
    """Return `deepset` or `jedi`, with the cost beta x EBOPs in its loss."""
    x = keras.Input((CONSTITUENTS, 3), name="x")
    m = keras.Input((1,), name="m")
    with (
        QuantizerConfigScope(place="all", default_q_type="kbi", overflow_mode="SAT_SYM"),
        QuantizerConfigScope(place="datalane", default_q_type="kif", overflow_mode="WRAP"),
        LayerConfigScope(enable_ebops=True, beta0=beta),
    ):
        y = particle_dense(32, "phi1")(particle_dense(32, "phi0")(x))
        if kind == "jedi":
            y = particle_dense(32, "phi2")(mixed_with_mean(y, 32, "mix"))
        y = pooled(y, "pool", False)
        if mass:
            y = keras.layers.Concatenate(name="with_mass")([y, m])
        y = QDense(16, activation="relu", name="rho1")(QDense(32, activation="relu", name="rho0")(y))
        out = QDense(1, name="logit")(y)
    return keras.Model([x, m] if mass else x, out, name=f"{kind}{'_mass' if mass else ''}")


def read(folder: Path, part: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    with np.load(folder / f"toptag_{part}.npz") as file:
        return inputs(file["p4"], file["jet"]), file["y"].astype(np.int64)


def fed(model: keras.Model, values: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    """Return what the network takes, in its order."""
    return tuple(values[t.name] for t in model.inputs)


def main() -> None:
    parser = argparse.ArgumentParser(description="train the peers")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--output", type=Path, default=HERE)
    parser.add_argument("--only", nargs="*", default=[], help="names, all where left out")
    arguments = parser.parse_args()
    (train, y), (test, y_test) = (read(arguments.data, part) for part in ("train", "test"))
    first = {k: v[:SHIPPED] for k, v in test.items()}
    write_file(arguments.output / "jets.npz", npz(first | {"y": y_test[:SHIPPED].astype(np.uint8)}))
    for kind in ("deepset", "jedi"):
        for mass in (True, False):
            for size, beta in BETAS.items():
                name = f"{kind}{'_mass' if mass else ''}_{size}"
                if not arguments.only or name in arguments.only:
                    keras.utils.set_random_seed(SEED)
                    model = network(kind, mass, beta)
                    fitted(model, training.Sample(fed(model, train), y), settings(arguments.epochs))
                    scores = scores_of(model, fed(model, test)).ravel()
                    print(f"{name}: AUC {auc(scores, y_test):.4f} 1/eB {rejection(scores, y_test):.0f}")
                    model.save(arguments.output / f"{name}.keras")


def settings(epochs: int, batch: int = BATCH, seed: int = SEED) -> training.Settings:
    """Return how a peer is trained: Adam over one cycle."""
    return training.Settings((training.Phase(epochs, RATE),), batch=batch, seed=seed, decay=0.0, clip=0.0)


def fitted(model: keras.Model, sample: training.Sample, how: training.Settings) -> None:
    """Train a network with the cost of its bits in the loss."""
    with Steps() as report:
        optimise([model], sample, None, how, Extras(callbacks=[FreeEBOPs()], report=report))


if __name__ == "__main__":
    main()
