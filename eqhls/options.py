"""What a user may set; keys follow hls4ml's configuration."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from eqhls.errors import CompileError
from eqhls.fixed import Fixed

UNCERTAINTY = 0.1
"""The share of the clock period that a stage leaves to routing and clock uncertainty."""


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Formats(_Keys):
    """Formats of a block: of its weights and of its result; empty means derive them.

    A result may have one format for each component, joined by `|`.
    """

    weight: str = ""
    result: str = ""

    @field_validator("weight", "result")
    @classmethod
    def _readable(cls, text: str) -> str:
        if text not in ("", "auto"):
            for part in text.split("|"):
                Fixed.parse(part)
        return "" if text == "auto" else text


class Entry(_Keys):
    """Settings of the model, of a kind of block or of one block."""

    Precision: Formats = Formats()

    @field_validator("Precision", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"result": value} if isinstance(value, str) else value


class Sections(_Keys):
    """Precision by model, type and name; the name beats the type, the type the model."""

    Model: Entry = Entry()
    LayerType: dict[str, Entry] = Field(default_factory=dict)
    LayerName: dict[str, Entry] = Field(default_factory=dict)


class Options(_Keys):
    """How to compile. ClockPeriod in ns; StageDepth in ns is what a pipeline stage may take."""

    ProjectName: str = ""
    Backend: Literal["Vitis", "Vivado"] = "Vitis"
    Part: str = "xcvu13p-flga2577-2-e"
    ClockPeriod: float = Field(default=1e3 / 360, gt=0.5, lt=1000)
    ClockUncertainty: str = "12.5%"
    StageDepth: float | None = Field(default=None, gt=0.1)
    InputForm: Literal["jet-light-cone", "lab-cartesian"] = "jet-light-cone"
    HLSConfig: Sections = Sections()

    @field_validator("ProjectName")
    @classmethod
    def _identifier(cls, name: str) -> str:
        if name and not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ValueError("is not an identifier")
        return name

    @property
    def stage_ns(self) -> float:
        """Logic depth of one pipeline stage."""
        return self.StageDepth or self.ClockPeriod * (1 - UNCERTAINTY)

    @property
    def clock_mhz(self) -> float:
        return 1e3 / self.ClockPeriod

    def precision(self, name: str, kind: str) -> Formats:
        """Return the formats asked for one block; the most specific entry wins, field by field."""
        config = self.HLSConfig
        entries = [config.LayerName.get(name), config.LayerType.get(kind), config.Model]
        found = [e.Precision for e in entries if e is not None]
        return Formats(
            weight=next((p.weight for p in found if p.weight), ""),
            result=next((p.result for p in found if p.result), ""),
        )


def parse_clock(text: str) -> float:
    """Return a period in ns from `360MHz`, `2.777ns` or a plain number of ns."""
    found = re.fullmatch(r"\s*([\d.]+(?:e-?\d+)?)\s*(MHz|GHz|ns|ps)?\s*", text)
    try:
        if not found:
            raise ValueError(text)
        value = float(found[1])
        match found[2]:
            case "MHz":
                return 1e3 / value
            case "GHz":
                return 1 / value
            case "ps":
                return value / 1e3
            case _:
                return value
    except (ValueError, ZeroDivisionError):
        raise CompileError("clock", f"found {text!r}, expected e.g. 360MHz or 2.777ns") from None


def read_options(path: Path | None = None, **changes: Any) -> Options:
    """Return the options of a YAML file, then `changes`; raises CompileError for what it cannot use."""
    settings: dict[str, Any] = {}
    if path is not None:
        try:
            loaded = yaml.safe_load(path.read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise CompileError(str(path), f"cannot be read ({error})", "check the path") from None
        except yaml.YAMLError as error:
            raise CompileError(str(path), f"is not YAML ({error})", "correct the syntax") from None
        if not isinstance(loaded, dict | None):
            raise CompileError(str(path), f"holds a {type(loaded).__name__}, expected keys and values")
        settings.update(loaded or {})
    settings.update({k: v for k, v in changes.items() if v is not None})
    try:
        return Options.model_validate(settings)
    except CompileError as error:
        raise error.at(str(path or "options")) from None
    except ValidationError as error:
        raise CompileError(str(path or "options"), *_explain(error)) from None


def _explain(error: ValidationError) -> tuple[str, str]:
    first = error.errors()[0]
    place = [str(p) for p in first["loc"]]
    if first["type"] == "extra_forbidden":
        known = _keys_at(place[:-1])
        close = difflib.get_close_matches(place[-1], known, 1, 0.5)
        remedy = f"did you mean {close[0]!r}?" if close else f"known keys are {', '.join(known)}"
        return f"found the unknown key {'.'.join(place)!r}", remedy
    return f"{'.'.join(place)}: {first['msg']} (found {first['input']!r})", "correct the value"


def _keys_at(place: list[str]) -> list[str]:
    model: type[BaseModel] = Options
    if "Precision" in place:
        model = Formats
    elif any(p in ("Model", "LayerType", "LayerName") for p in place):
        model = Entry
    elif "HLSConfig" in place:
        model = Sections
    return sorted(model.model_fields)
