"""Evidence: what each stage of the proof found. A stage that did not run is a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Moved:
    """What one group of transformations did to one engine: how many transformed events there were, in how
    many an output differs, and how many differ if the transformation is spoiled on purpose. `reason` says
    why no spoiled event can differ, if none can."""

    transform: str
    transformed: int
    mismatches: int
    control_changed: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One check: its name, whether it held, one line of detail, and the numbers behind it; a stage of the
    symmetry has the numbers of each group of transformations beside."""

    name: str
    ok: bool
    detail: str
    numbers: tuple[tuple[str, float], ...] = ()
    moved: tuple[Moved, ...] = ()

    def number(self, key: str) -> float:
        """Return a number by name. Raises KeyError if the stage has none of that name."""
        return dict(self.numbers)[key]


STAGES = (
    "files",
    "given network",
    "rewrites",
    "inputs",
    "integer",
    "emulator",
    "hls",
    "rtl",
    "cocotb",
    "symmetry float",
    "symmetry integer",
    "symmetry hls",
    "symmetry rtl",
    "symmetry controls",
    "boosts",
)
"""Every stage that `eqhls verify` must run."""
LABELLED = ("auc", "working points")
"""The stages that are added if labels are given."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The stages that ran, in order, and when each was finished; those that were `taken` over from an earlier
    run among them; and hashes of what they are about (eqhls.verify.resume)."""

    stages: tuple[Stage, ...]
    labelled: bool = False
    wanted: tuple[str, ...] = STAGES
    finished: Mapping[str, str] = field(default_factory=dict[str, str])
    taken: tuple[str, ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def missing(self) -> tuple[str, ...]:
        """Stages that were promised and did not run."""
        wanted = (*self.wanted, *LABELLED) if self.labelled else self.wanted
        ran = {s.name for s in self.stages}
        return tuple(name for name in wanted if name not in ran)

    @property
    def ok(self) -> bool:
        return not self.missing and all(s.ok for s in self.stages)

    @property
    def next(self) -> str:
        """The first stage that did not run or did not pass, at which another run may begin; else nothing."""
        failed = [s.name for s in self.stages if not s.ok]
        return (*failed, *self.missing, "")[0]

    def stage(self, name: str) -> Stage | None:
        return next((s for s in self.stages if s.name == name), None)

    def as_json(self) -> dict[str, Any]:
        """Return plain data for eqhls.json and report.json."""
        return {
            "ok": self.ok,
            "missing": list(self.missing),
            "taken_over": [{"stage": name, "finished": self.finished[name]} for name in self.taken],
            "stages": [asdict(s) | {"numbers": dict(s.numbers)} for s in self.stages],
            "finished": dict(self.finished),
            "content": dict(self.content),
        }
