"""What Keras is given beside a network: a schedule, the order of the events, and callbacks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from eqhls.train.data import Sample
from eqhls.verify.metrics import tagger_auc

RISE, START, LEAST = 0.3, 0.04, 1e-5
LARGEST = 4096
"""Events of one call of `scores_of`: all calls have one size, for which Keras compiles once."""


@keras.saving.register_keras_serializable("eqhls")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up to `peak` over the first 30 % of the steps, then down to zero as a cosine."""

    def __init__(self, peak: float, steps: int) -> None:
        self.peak, self.steps = peak, steps

    def __call__(self, step: Any) -> Any:
        ops: Any = keras.ops
        t = ops.cast(step, "float32") / self.steps
        up = 0.5 - 0.5 * ops.cos(math.pi * ops.minimum(t / RISE, 1.0))
        down = 0.5 + 0.5 * ops.cos(math.pi * ops.clip((t - RISE) / (1 - RISE), 0.0, 1.0))
        return self.peak * (START + (1 - START) * up) * down + LEAST

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps}


class Batches(keras.utils.PyDataset):
    """Whole batches of a sample, in an order that is drawn for every epoch; the events that are left over
    wait for an epoch in which they are drawn earlier.

    The order of epoch E of a phase does not depend on what happened before in the process: it is draw `skip`
    + E of a generator of its own. Keras under JAX draws the same ones for the same seed, one more at the
    start of each phase.
    """

    def __init__(self, sample: Sample, batch: int, seed: int, skip: int) -> None:
        super().__init__()
        self.batch = min(batch, len(sample))
        self._sample, self._skip, self._drawn = sample, skip, 0
        self._random = np.random.RandomState(seed)  # the generator of Keras
        self._order = np.arange(len(sample))

    def __len__(self) -> int:
        return len(self._sample) // self.batch

    def __getitem__(self, index: int) -> tuple[tuple[NDArray[Any], ...], NDArray[Any]]:
        rows = self._order[index * self.batch : (index + 1) * self.batch]
        return tuple(x[rows] for x in self._sample.x), self._sample.y[rows]

    def shuffle(self, epoch: int) -> None:
        """Draw the order of an epoch; epochs may be left out, and never come back."""
        while self._drawn <= self._skip + epoch:
            self._order = self._random.permutation(len(self._sample))
            self._drawn += 1


class Watch(keras.callbacks.Callback):
    """Shuffles before each epoch, and behind it measures the AUC on validation events and calls `seen` with
    the number of the epoch, its loss and that AUC (nan without events); the phase ends if that is true."""

    def __init__(
        self, batches: Batches, validation: Sample | None, seen: Callable[[int, float, float], bool]
    ) -> None:
        super().__init__()
        self._batches, self._validation, self._seen = batches, validation, seen

    @property
    def network(self) -> Any:
        """The model that is trained, which Keras sets."""
        return self.model

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches.shuffle(epoch)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        held, model = self._validation, self.network
        found = float("nan") if held is None else tagger_auc(scores_of(model, held.x), held.y)
        if self._seen(epoch, float((logs or {})["loss"]), found):
            model.stop_training = True


def trainer(model: Any, outputs: Sequence[int]) -> Any:
    """Return a model of the same layers from the inputs of a functional or sequential model to the scores
    (events, K) of some of its outputs, in their order. Compiling it leaves the model as it is."""
    chosen = [model.outputs[k] for k in outputs]
    if len(chosen) > 1 or math.prod(chosen[0].shape[1:]) > 1:
        flat = [keras.layers.Reshape((math.prod(t.shape[1:]),))(t) for t in chosen]
        chosen = [keras.layers.Concatenate()(flat)] if len(flat) > 1 else flat
    return keras.Model(model.inputs, chosen[0], name=model.name)


def loss_of(scores: int) -> Any:
    """Return the cross-entropy of one logit, or of the softmax of several."""
    if scores == 1:
        return keras.losses.BinaryCrossentropy(from_logits=True)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def optimizer_of(peak: float, steps: int, decay: float, clip: float) -> Any:
    """Return AdamW over one cycle."""
    cycle: Any = OneCycle(peak, steps)
    return keras.optimizers.AdamW(cycle, weight_decay=decay, global_clipnorm=clip if clip else None)


def scores_of(model: Any, x: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the scores (events, K) of inputs in the order of the model's."""
    events = len(x[0])
    size = min(events, LARGEST)
    rows = np.arange(-(-events // size) * size) % events
    found = model.predict([v[rows] for v in x], batch_size=size, verbose=0)
    parts = found if isinstance(found, list | tuple) else [found]
    return np.concatenate([np.asarray(p).reshape(len(rows), -1) for p in parts], axis=1)[:events]
