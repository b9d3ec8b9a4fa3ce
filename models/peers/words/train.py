"""Train one peer on the integers that the front end makes of the trigger's words.

    KERAS_BACKEND=jax python models/peers/words/train.py --data FOLDER --name deepset_top_s

NAME is NETWORK_TASK_SIZE, with _seedN behind it for another seed than 1: Deep Set or JEDI-linear style, top
against QCD or five classes, and how strong HGQ2's cost (beta times EBOPs) is. FOLDER holds
toptag_{train,test}.npz or jets5_{train,test}.npz: p4 (B, N, 4) in GeV by falling pT, jet (B, 4), n
(constituents of the whole jet) and y. Writes NAME.keras and jets_TASK.npz, the words of the first test jets,
and prints the AUC of the Keras model on all of them.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import keras
from hgq.config import LayerConfigScope, QuantizerConfigScope
from hgq.layers import QDense

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from peers.train import BATCH, fitted, mixed_with_mean, particle_dense, pooled, settings  # noqa: E402
from peers.words.front import CONSTITUENTS, EVENT, PARTICLE  # noqa: E402
from peers.words.jets import features, read, ship  # noqa: E402

from eqhls import train as training  # noqa: E402
from eqhls.train.callbacks import scores_of  # noqa: E402
from eqhls.verify.metrics import tagger_auc  # noqa: E402

BETAS = {
    "top": {"l": 1e-7, "m": 4e-7, "s": 1.5e-6, "xs": 6e-6},
    "five": {"l": 1e-7, "m": 7e-7, "s": 3e-6, "xs": 1e-5},
}
OUTPUTS = {"top": 1, "five": 5}


@dataclass(frozen=True, slots=True)
class Name:
    """What the name of a peer says."""

    network: str
    task: str
    size: str
    seed: int

    @classmethod
    def of(cls, text: str) -> Name:
        found = re.fullmatch(r"(deepset|jedi)_(top|five)_(xs|s|m|l)(?:_seed(\d+))?", text)
        if not found:
            raise SystemExit(f"found {text}, expected for example deepset_top_s or jedi_five_m_seed2")
        return cls(found[1], found[2], found[3], int(found[4] or 1))


def network(name: Name) -> keras.Model:
    """Return the network, with the cost beta x EBOPs in its loss."""
    x = keras.Input((CONSTITUENTS, len(PARTICLE)), name="x")
    event = keras.Input((len(EVENT),), name="event")
    with (
        QuantizerConfigScope(place="all", default_q_type="kbi", overflow_mode="SAT_SYM"),
        QuantizerConfigScope(place="datalane", default_q_type="kif", overflow_mode="WRAP"),
        LayerConfigScope(enable_ebops=True, beta0=BETAS[name.task][name.size]),
    ):
        y = particle_dense(32, "phi1")(particle_dense(32, "phi0")(x))
        if name.network == "jedi":
            y = particle_dense(32, "phi2")(mixed_with_mean(y, 32, "mix"))
        y = keras.layers.Concatenate(name="with_event")([pooled(y, "pool", False), event])
        y = QDense(16, activation="relu", name="rho1")(QDense(32, activation="relu", name="rho0")(y))
        out = QDense(OUTPUTS[name.task], name="logit")(y)
    return keras.Model([x, event], out, name=name.network)


def main() -> None:
    parser = argparse.ArgumentParser(description="train a peer on the trigger's words")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--output", type=Path, default=HERE)
    arguments = parser.parse_args()
    name = Name.of(arguments.name)
    (train, y), (test, y_test) = (read(arguments.data, name.task, part) for part in ("train", "test"))
    keras.utils.set_random_seed(name.seed)
    model = network(name)
    batch = BATCH if OUTPUTS[name.task] == 1 else BATCH // 2
    sample = training.Sample(tuple(features(train)), y)
    fitted(model, sample, settings(arguments.epochs, batch, name.seed))
    model.save(arguments.output / f"{arguments.name}.keras")
    ship(arguments.data, name.task)
    logits = scores_of(model, features(test))
    print(f"{arguments.name}: AUC {tagger_auc(logits, y_test):.4f} ({len(y_test)} jets)")


if __name__ == "__main__":
    main()
