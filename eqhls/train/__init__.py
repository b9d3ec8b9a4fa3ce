"""Training: float first, then quantized, of the networks of eqhls and of your own (docs/train.md).

    from eqhls import train

    run = train.fit(build, train.read(build, ["jets.root"]), train.Settings())
    run.save("my_net")

Nothing of Keras is imported before `fit`, `read` or `family` is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eqhls.kerasbackend import KERAS, choose_backend
from eqhls.lazy import lazy
from eqhls.progress import Report, silent
from eqhls.train.checkpoint import Epoch
from eqhls.train.data import Data, Sample
from eqhls.train.kinds import Family
from eqhls.train.result import Merit, Run
from eqhls.train.settings import Phase, Settings

__all__ = [
    "Data",
    "Epoch",
    "Family",
    "Merit",
    "Phase",
    "Run",
    "Sample",
    "Settings",
    "choose_backend",
    "family",
    "fit",
    "read",
    "silent",
]

_fit = lazy("eqhls.train.fitting", *KERAS)
_loop = lazy("eqhls.train.loop", *KERAS)
_families = lazy("eqhls.train.families", *KERAS)


def fit(
    network: Any,
    data: Data,
    settings: Settings | None = None,
    *,
    report: Report = silent,
    checkpoint: Path | str | None = None,
    loss: Any = None,
    callbacks: Sequence[Any] = (),
    score: str = "",
) -> Run:
    """Train a network on labelled events and measure what came out.

    `network` is a functional or sequential Keras model, whose outputs are logits, or a function that builds
    it for `quantized` False and True; the latter begins from the weights of the former, and `settings` has
    phases for each. One score tells two classes apart and is trained with the binary cross-entropy, K scores
    tell K classes and are trained with that of their softmax, if no other `loss` of Keras is given. `score`
    names the output, or several with commas between them, as in `eqhls verify`.

    `report` is told of each epoch and of the share of the epochs that is done; `callbacks` are those of
    Keras. If the training is stopped, the same call with the same `checkpoint` goes on behind the last whole
    epoch; the file is removed at the end. Seeds of Python, NumPy and Keras are set.

    Raises CompileError for a model that eqhls does not read, for events that do not fit its ports, for labels
    that do not fit its scores, for the checkpoint of another training, and if the loss is not a number.
    """
    path = Path(checkpoint) if checkpoint is not None else None
    extras = _loop.Extras(loss, callbacks, report, path)
    return _fit.fit(network, data, settings or Settings(), extras, score)


def read(
    network: Any,
    files: Sequence[Path | str],
    *,
    validation: Sequence[Path | str] = (),
    test: Sequence[Path | str] = (),
    share: float = 0.2,
    seed: int = 1,
) -> Data:
    """Read labelled events for a network (what `fit` takes) from files of every kind that `eqhls predict`
    reads (docs/inputs.md). Without files of validation events, `share` of each class is taken out for them,
    drawn by `seed`; 0 takes none. Raises CompileError for files that do not hold labelled events for the
    network."""
    return Data.read(_fit.graph_of(network), files, validation, test, share, seed)


def family(name: str, **fields: Any) -> Family:
    """Return a network that ships with eqhls (`lgn`, `pelican`, `nano`, .., the names in models/) with other
    fields of its configuration, such as constituents=10, classes=5. Its `builder(name)` is what `fit` takes,
    its `settings` train it. Raises CompileError for unknown names and fields."""
    return _families.family(name).sized(fields)
