"""What a report is made of: the files of a project, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eqhls.errors import CompileError
from eqhls.frontends.graphfile import load_model
from eqhls.ir.graph import Graph
from eqhls.text import MANIFEST, TIMES, VALUES
from eqhls.verify.curves import CURVES
from eqhls.verify.workpoints import JSON as LADDERS

Facts = Mapping[str, Any]
"""An object of a JSON file."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a project that a report shows; None for those that no command has written yet.

    `ports` is the port map, `ladders` the working points, `curves` ROC and histograms, `seconds` the time of
    each step of the compilation. `trace` are the values in the last trace or, if there was none, in the
    events of the proof.
    """

    folder: Path
    manifest: Facts
    graph: Graph
    ports: Facts | None
    evidence: Facts | None
    ladders: Facts | None
    curves: Facts | None
    trace: Facts | None
    yosys: Facts | None
    seconds: Facts | None

    @classmethod
    def of(cls, folder: Path) -> Sources:
        """Read a project. Raises CompileError if its manifest is missing, or a file is damaged."""
        manifest = _read(folder / MANIFEST, "compile again")
        if manifest is None:
            raise CompileError(
                str(folder), f"is not a project folder (no {MANIFEST})", "run eqhls compile first"
            )
        report = folder / "report"
        return cls(
            folder,
            manifest,
            load_model(folder / "model"),
            _read(folder / "rtl" / f"{manifest['name']}.portmap.json", "compile again"),
            _read(report / "evidence.json", "verify again"),
            _read(folder / LADDERS, "verify again"),
            _read(folder / CURVES, "verify again"),
            _read(report / "trace.json", "trace again") or _read(folder / VALUES, "verify again"),
            _read(report / "yosys.json", "run eqhls synth again"),
            _read(folder / TIMES, "compile again"),
        )

    def as_json(self) -> dict[str, Any]:
        """Return what report/report.json holds."""
        return {
            "manifest": self.manifest,
            "evidence": self.evidence,
            "yosys_estimate": self.yosys,
            "seconds_per_step": self.seconds,
            "working_points": self.ladders,
            "curves": self.curves,
            "trace": self.trace,
        }

    def stage(self, name: str) -> Facts | None:
        """Return a stage of the evidence, if it ran."""
        stages = self.evidence["stages"] if self.evidence else ()
        return next((s for s in stages if s["name"] == name), None)

    @property
    def verified(self) -> bool:
        """Whether every stage of the proof ran and passed."""
        return bool(self.evidence) and self.evidence["ok"] is True


def _read(path: Path, remedy: str) -> Facts | None:
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CompileError(str(path), f"cannot be read ({error})", remedy) from None
    if not isinstance(found, dict):
        raise CompileError(str(path), "does not hold a JSON object", remedy)
    return found
