"""The loop: phase after phase, epoch after epoch, from where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.progress import Report, silent
from eqhls.train.callbacks import Batches, Watch, loss_of, optimizer_of, trainer
from eqhls.train.checkpoint import Checkpoint, Epoch, State
from eqhls.train.data import Sample
from eqhls.train.settings import Phase, Settings


@dataclass(frozen=True, slots=True)
class Extras:
    """What a training may be given beside settings: a loss of Keras other than the cross-entropy of logits,
    callbacks of Keras, a function that is told of every epoch, and the file that keeps the state."""

    loss: Any = None
    callbacks: Sequence[Any] = ()
    report: Report = silent
    checkpoint: Path | None = None


def optimise(
    models: Sequence[Any],
    train: Sample,
    validation: Sample | None,
    settings: Settings,
    extras: Extras | None = None,
    outputs: Sequence[int] = (),
) -> tuple[Epoch, ...]:
    """Train the models, one for each phase of the settings, each from the weights of the one before, and
    return what was seen. One model may stand for several phases. Scores are those of some `outputs` by their
    places, of all if none is named.

    The last model holds what was trained. With a checkpoint, a training that was stopped goes on behind its
    last whole epoch; the file goes when all is done. Raises CompileError for models that do not fit each
    other, for a checkpoint of another training, and for a loss that is no longer a number.
    """
    extras = extras or Extras()
    _check(models, train, validation, settings)
    identity = {
        "settings": settings.record(),
        "events": [s.fingerprint() for s in (train, validation) if s is not None],
        "networks": [[list(v.shape) for v in m.variables] for m in models],
    }
    kept = Checkpoint(extras.checkpoint, identity)
    state = kept.load()
    run = _Run(train, validation, settings, extras, kept, state)
    for k in range(state.phase, len(models)):
        if k and models[k] is not models[k - 1] and not run.state.done(k):
            hand_over(models[k - 1], models[k])
        phase = trainer(models[k], outputs or range(len(models[k].outputs)))
        run.phase(k, phase)
    kept.remove()
    return run.state.history


def _check(models: Sequence[Any], train: Sample, validation: Sample | None, settings: Settings) -> None:
    if len(models) != len(settings.phases):
        raise CompileError(
            "models",
            f"found {len(models)} of them for {len(settings.phases)} phases",
            "give one for each phase",
        )
    if settings.watches and validation is None:
        raise CompileError(
            "validation", "is missing, and decides which weights are kept", "give validation events"
        )
    for part, sample in (("train", train), ("validation", validation)):
        if sample is not None and any(len(x) != len(sample) for x in sample.x):
            raise CompileError(
                part,
                f"has {[len(x) for x in sample.x]} inputs for {len(sample)} labels",
                "give every array one row per label",
            )


def hand_over(first: Any, second: Any) -> None:
    """Give a model the weights of another one: all in their order if they have the same shapes, otherwise
    those of the same names. Raises CompileError for a trained weight that has no place."""
    if [w.shape for w in first.weights] == [w.shape for w in second.weights]:
        second.set_weights(first.get_weights())
        return
    places = {w.path: w for w in second.weights}
    for weight in first.weights:
        place = places.get(weight.path)
        if place is not None and place.shape == weight.shape:
            place.assign(weight.numpy())
        elif any(weight is w for w in first.trainable_weights):
            raise CompileError(
                first.name,
                f"has the weight {weight.path} {tuple(weight.shape)}, which that of the next phase lacks",
                "name all layers, and build both networks with the same ones",
            )


@dataclass(slots=True)
class _Run:
    """A training while it goes on."""

    train: Sample
    validation: Sample | None
    settings: Settings
    extras: Extras
    kept: Checkpoint
    state: State
    model: Any = field(default=None, init=False)

    def phase(self, k: int, model: Any) -> None:
        """Run what is left of a phase."""
        phase, done = self.settings.phases[k], self.state.done(k)
        scores = int(np.prod(model.output.shape[1:]))
        batches = self._batches(k, scores)
        self.model = model
        optimizer = optimizer_of(
            phase.rate, phase.epochs * len(batches), self.settings.decay, self.settings.clip
        )
        model.compile(optimizer=optimizer, loss=self.extras.loss or loss_of(scores), jit_compile="auto")
        optimizer.build(model.trainable_variables)
        if done:
            assign(model.variables, self.state.model)
            assign(optimizer.variables, self.state.optimizer)
        else:
            self.state = replace(self.state, ended=False, best=())
        if not self.state.ended:
            watch = Watch(batches, self.validation, partial(self._seen, k, phase))
            model.fit(
                batches,
                epochs=phase.epochs,
                initial_epoch=done,
                shuffle=False,
                verbose=0,
                callbacks=[watch, *self.extras.callbacks],
            )
        if self.settings.watches:
            assign(model.variables, self.state.best)

    def _batches(self, k: int, scores: int) -> Batches:
        """Return the batches of a phase, whose order goes on behind those of the phases before."""
        labels = self.train.y.astype("float32" if scores == 1 else "int64")
        skip = sum(self.state.done(p) for p in range(k)) + k + 1
        return Batches(replace(self.train, y=labels), self.settings.batch, self.settings.seed, skip)

    def _seen(self, k: int, phase: Phase, epoch: int, loss: float, auc: float) -> bool:
        """Keep what an epoch has made, and return whether the phase ends behind it."""
        if not np.isfinite(loss):
            raise CompileError(
                f"epoch {epoch + 1} of the {phase.name} phase",
                f"has the loss {loss}",
                "lower the highest rate",
            )
        before = self.state.aucs(k)
        model = values(self.model.variables)
        history = (*self.state.history, Epoch(k + 1, epoch + 1, loss, auc))
        best = model if self.settings.watches and auc > max(before, default=-1.0) else self.state.best
        aucs = [*before, auc]
        tired = self.settings.patience and len(aucs) - 1 - int(np.argmax(aucs)) >= self.settings.patience
        ended = bool(tired) or epoch + 1 == phase.epochs
        self.state = State(history, ended, model, values(self.model.optimizer.variables), best)
        self.kept.save(self.state)
        share = (sum(p.epochs for p in self.settings.phases[:k]) + epoch + 1) / self.settings.epochs
        found = "" if np.isnan(auc) else f", validation AUC {auc:.4f}"
        self.extras.report(f"{phase.name} {epoch + 1}/{phase.epochs}: loss {loss:.4f}{found}", share)
        return ended


def values(variables: Sequence[Any]) -> tuple[NDArray[Any], ...]:
    """Return the numbers of variables of Keras."""
    return tuple(np.array(v.numpy()) for v in variables)


def assign(variables: Sequence[Any], numbers: Sequence[NDArray[Any]]) -> None:
    """Give variables of Keras their numbers."""
    for variable, number in zip(variables, numbers, strict=True):
        variable.assign(number)
