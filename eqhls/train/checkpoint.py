"""What a training needs to resume where it stopped, in one file that is written whole after every epoch."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.text import npz, write_file

Values = Sequence[NDArray[Any]]
HEAD = "head"
PARTS = ("model", "optimizer", "best")


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch: its phase and number, both from 1, the mean loss of its steps, and the AUC on the validation
    events, nan if there are none."""

    phase: int
    epoch: int
    loss: float
    auc: float


@dataclass(frozen=True, slots=True)
class State:
    """A training between two epochs: what was seen, and the numbers of the model, of its optimizer and, if
    there is one, of its best epoch in this phase. `ended` says that the phase has run its course."""

    history: tuple[Epoch, ...] = ()
    ended: bool = False
    model: Values = field(default=(), repr=False)
    optimizer: Values = field(default=(), repr=False)
    best: Values = field(default=(), repr=False)

    @property
    def phase(self) -> int:
        """The place of the phase that goes on, from 0; with the first epoch of the next one it changes."""
        return self.history[-1].phase - 1 if self.history else 0

    def done(self, phase: int) -> int:
        """Return how many epochs of a phase are done."""
        return sum(e.phase == phase + 1 for e in self.history)

    def aucs(self, phase: int) -> list[float]:
        """Return the AUC after each epoch of a phase."""
        return [e.auc for e in self.history if e.phase == phase + 1]

    def ended_here(self) -> State:
        return replace(self, ended=True)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file that keeps the state of one training, which is told from others by its `identity`: settings,
    data and networks. Without a path nothing is kept."""

    path: Path | None
    identity: Mapping[str, Any]

    def save(self, state: State) -> None:
        """Write the state, whole or not at all. Raises CompileError if it cannot be written."""
        if self.path is None:
            return
        head = {
            "identity": self.identity,
            "history": [asdict(e) for e in state.history],
            "ended": state.ended,
        }
        arrays = {f"{part}.{k}": v for part in PARTS for k, v in enumerate(getattr(state, part))}
        write_file(self.path, npz({HEAD: np.array(json.dumps(head)), **arrays}))

    def load(self) -> State:
        """Return the state that was kept, or that of a training that has not begun. Raises CompileError for a
        file that is damaged, or is that of another training."""
        if self.path is None or not self.path.is_file():
            return State()
        try:
            with np.load(io.BytesIO(self.path.read_bytes()), allow_pickle=False) as file:
                head = json.loads(str(file[HEAD]))
                history = tuple(Epoch(**e) for e in head["history"])
                parts = {part: tuple(_values(file, part)) for part in PARTS}
                identity = head["identity"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise CompileError(
                str(self.path), f"is not the state of a training ({error})", "remove it to begin again"
            ) from None
        other = [k for k, v in json.loads(json.dumps(self.identity)).items() if identity.get(k) != v]
        if other:
            raise CompileError(
                str(self.path),
                f"is the state of a training with other {' and '.join(other)}",
                "repeat the options of that training to go on, or remove the file to begin again",
            )
        return State(history, bool(head["ended"]), **parts)

    def remove(self) -> None:
        """Remove the file of a training that is over."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _values(file: Any, part: str) -> Iterator[NDArray[Any]]:
    count = sum(name.startswith(f"{part}.") for name in file.files)
    return (file[f"{part}.{k}"] for k in range(count))
