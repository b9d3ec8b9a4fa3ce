"""How a network is trained: phases, rates, batches, seed, and when to stop."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from eqhls.errors import CompileError


@dataclass(frozen=True, slots=True)
class Phase:
    """One cycle of the learning rate: the number of epochs, the highest rate, and whether the network that is
    trained is the quantized one (rounded as in hardware, with straight-through gradients) or the one in
    floating point. Raises CompileError if an epoch or the rate is missing."""

    epochs: int
    rate: float
    quantized: bool = True

    def __post_init__(self) -> None:
        if self.epochs < 1 or not self.rate > 0:
            raise CompileError(
                "phase",
                f"found {self.epochs} epochs at the rate {self.rate:g}",
                "give one epoch or more and a rate above 0",
            )

    @property
    def name(self) -> str:
        return "quantized" if self.quantized else "float"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a network is trained, by AdamW.

    The rate of each phase rises to its highest value over the first 30 % of the steps and falls to zero as a
    cosine. `batch` is the number of events in a step, `seed` that of first weights and of the order of the
    events. A phase ends after `patience` epochs without a better AUC on the validation events (0: never
    early); then, and if `best` is set, it leaves the weights of its best epoch and not those of its last one.
    `decay` is the decay of weights, `clip` the largest norm of a gradient (0: any). `exact` says that the
    trained model must give the integers of its graph on all measured events, which is an error otherwise.
    Raises CompileError for settings that mean nothing.
    """

    phases: tuple[Phase, ...] = (Phase(20, 1e-1, quantized=False), Phase(15, 4e-2))
    batch: int = 256
    seed: int = 1
    patience: int = 0
    best: bool = False
    decay: float = 1e-4
    clip: float = 1.0
    exact: bool = False

    def __post_init__(self) -> None:
        if not self.phases:
            raise CompileError("phases", "found none", "give one Phase(epochs, rate) or more")
        least = {"batch": 1, "seed": 0, "patience": 0, "decay": 0.0, "clip": 0.0}
        for name, low in least.items():
            if not getattr(self, name) >= low:
                raise CompileError(name, f"found {getattr(self, name)}", f"give {low} or more")

    @property
    def watches(self) -> bool:
        """Whether the AUC on validation events decides which weights are kept."""
        return self.best or self.patience > 0

    @property
    def epochs(self) -> int:
        """The number of epochs of all phases."""
        return sum(phase.epochs for phase in self.phases)

    def varied(self, epochs: tuple[int, ...] = (), rates: tuple[float, ...] = ()) -> Settings:
        """Return the same settings with other epochs or highest rates, one for each phase. Raises
        CompileError if there are not as many as phases."""
        for name, given in (("epochs", epochs), ("rates", rates)):
            if given and len(given) != len(self.phases):
                raise CompileError(
                    name, f"found {len(given)}, expected {len(self.phases)}", "give one for each phase"
                )
        phases = tuple(
            Phase(epochs[k] if epochs else p.epochs, rates[k] if rates else p.rate, p.quantized)
            for k, p in enumerate(self.phases)
        )
        return replace(self, phases=phases)

    def record(self) -> dict[str, Any]:
        """Return the settings as JSON holds them."""
        return asdict(self)
