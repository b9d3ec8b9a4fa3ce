"""What a user may set; keys follow hls4ml's configuration."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from eqhls.errors import CompileError
from eqhls.fixed import Fixed
from eqhls.hls4mlkeys import Refused, is_section, translated
from eqhls.names import project_name
from eqhls.parts import part_fault
from eqhls.yamlfile import Lines, read_yaml

STAGE_PRICE = 0.01
"""The default share of the LUTs that one stage fewer may cost."""

SLOWEST = 100.0
"""Clock periods in ns from which a number is taken for a frequency in MHz that lost its unit."""

TopForm = Literal["word", "typed", "cms"]
"""The interface of an HLS top: one packed word, arrays with a valid bit, or arrays under ap_ctrl_hs as the
algorithms of the CMS correlator have them."""

WIDEST_TOKEN = 64
"""Bits of a control token: one word of a link."""

GONE = {"InputForm": "the network decides which inputs it takes (rtl/README.md of the project): remove it"}
"""Keys that earlier versions accepted without effect, and what to do about them."""


class _Refused(ValueError):
    """A CompileError on its way through pydantic, which adds the place."""

    def __init__(self, error: CompileError) -> None:
        super().__init__(str(error))
        self.problem, self.remedy = error.problem, error.remedy


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Formats(_Keys):
    """The formats of the weights and of the result of an op. Empty text asks for nothing; `auto` asks for a
    derived format even if a wider entry gives one.

    A result may have one format for each component, joined by `|`.
    """

    weight: str = ""
    result: str = ""

    @field_validator("weight", "result")
    @classmethod
    def _readable(cls, text: str) -> str:
        if text not in ("", "auto"):
            try:
                for part in text.split("|"):
                    Fixed.parse(part)
            except CompileError as error:
                raise _Refused(error) from None
        return text

    def beside(self, others: Sequence[Formats]) -> Formats:
        """Return the same without an `auto` that no other formats give a meaning."""
        weight, result = any(o.weight for o in others), any(o.result for o in others)
        return Formats(
            weight="" if self.weight == "auto" and not weight else self.weight,
            result="" if self.result == "auto" and not result else self.result,
        )


class Entry(_Keys):
    """Settings of the model, of a kind of op or of one op."""

    Precision: Formats = Formats()

    @field_validator("Precision", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"result": value} if isinstance(value, str) else value


class Sections(_Keys):
    """Precision by model, type and name: names override types, and types override the model."""

    Model: Entry = Entry()
    LayerType: dict[str, Entry] = Field(default_factory=dict)
    LayerName: dict[str, Entry] = Field(default_factory=dict)

    def said(self) -> Sections:
        """Return the same without the entries that ask for nothing, such as those of a template."""
        model = Entry(Precision=self.Model.Precision.beside(()))
        types = _said(self.LayerType, (model,))
        return Sections(
            Model=model, LayerType=types, LayerName=_said(self.LayerName, (model, *types.values()))
        )


def _said(entries: Mapping[str, Entry], wider: Sequence[Entry]) -> dict[str, Entry]:
    others = [e.Precision for e in wider]
    made = {name: Entry(Precision=e.Precision.beside(others)) for name, e in entries.items()}
    return {name: entry for name, entry in made.items() if entry != Entry()}


def _period(value: Any) -> Any:
    try:
        return parse_clock(value) if isinstance(value, str) else value
    except CompileError as error:
        raise _Refused(error) from None


Nanoseconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Options(_Keys):
    """How to compile. ClockPeriod is in ns. StageDepth, in ns, is the logic that fits into a pipeline stage,
    and StagePrice the share of the LUTs that one stage fewer may cost. DSP is the number of products, the
    widest first, that get a DSP in the RTL. HLSTop says which of the three HLS tops the scripts name, and
    TokenBits is the width of the control token beside an event in the typed tops. OutputDir and KerasModel
    are the default folder and model of the command line; they are not properties of a project."""

    ProjectName: str = ""
    Backend: Literal["Vitis", "Vivado"] = "Vitis"
    Part: str = "xcvu13p-flga2577-2-e"
    ClockPeriod: Annotated[Nanoseconds, Field(gt=0.5, lt=SLOWEST), BeforeValidator(_period)] = 1e3 / 360
    ClockUncertainty: str = "10%"
    StageDepth: Annotated[Nanoseconds, Field(gt=0.1, lt=SLOWEST)] | None = None
    DSP: Annotated[int, Field(strict=True, ge=0)] = 0
    StagePrice: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)] = STAGE_PRICE
    HLSTop: TopForm = "word"
    TokenBits: Annotated[int, Field(strict=True, ge=0, le=WIDEST_TOKEN)] = 0
    HLSConfig: Sections = Sections()
    OutputDir: Annotated[str, Field(exclude=True)] = ""
    KerasModel: Annotated[str, Field(exclude=True)] = ""

    @field_validator("HLSConfig")
    @classmethod
    def _wishes(cls, config: Sections) -> Sections:
        return config.said()

    @field_validator("OutputDir", "KerasModel", mode="before")
    @classmethod
    def _or_nothing(cls, path: Any) -> Any:
        return "" if path is None else path

    @field_validator("ProjectName")
    @classmethod
    def _identifier(cls, name: str) -> str:
        return project_name(name) if name else name

    @field_validator("Part")
    @classmethod
    def _known_part(cls, part: str) -> str:
        problem = part_fault(part)
        if problem:
            raise CompileError("Part", *problem)
        return part

    @model_validator(mode="after")
    def _uncertain(self) -> Options:
        if not 0 <= self.uncertainty < 0.5:
            raise CompileError(
                "ClockUncertainty",
                f"found {self.ClockUncertainty!r}, half of the period of {self.ClockPeriod:g} ns or more",
                "give less, e.g. 10%",
            )
        return self

    @property
    def uncertainty(self) -> float:
        """The share of the period that every stage, of HLS and of RTL, leaves to routing and to jitter."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(%|ns|ps)", self.ClockUncertainty, re.ASCII)
        if not found:
            raise CompileError(
                "ClockUncertainty",
                f"found {self.ClockUncertainty!r}, expected a share or a time",
                "write e.g. 10% or 0.3ns",
            )
        scale = {"%": 0.01, "ns": 1 / self.ClockPeriod, "ps": 1e-3 / self.ClockPeriod}
        return float(found[1]) * scale[found[2]]

    @property
    def stage_ns(self) -> float:
        """Logic depth of one pipeline stage."""
        return self.StageDepth or self.ClockPeriod * (1 - self.uncertainty)

    @property
    def clock_mhz(self) -> float:
        return 1e3 / self.ClockPeriod

    def asked(self, name: str, kind: str) -> Formats:
        """Return the formats asked for one op by its name or, field by field, by its type."""
        config = self.HLSConfig
        entries = [config.LayerName.get(name), config.LayerType.get(kind)]
        found = [e.Precision for e in entries if e is not None]
        return Formats(
            weight=next((p.weight for p in found if p.weight), ""),
            result=next((p.result for p in found if p.result), ""),
        )


def parse_clock(text: str) -> float:
    """Return a period in ns from `360MHz` or `2.777ns`. Raises CompileError if there is no unit."""
    found = re.fullmatch(r"(\d+(?:\.\d*)?(?:e-?\d+)?) ?(MHz|GHz|ns|ps)", text.strip(), re.ASCII | re.I)
    if not found or not 0 < float(found[1]) < float("inf"):
        raise CompileError(
            "clock", f"found {text!r}, expected e.g. 360MHz or 2.777ns", "give a number with its unit"
        )
    value = float(found[1])
    return {"mhz": 1e3 / value, "ghz": 1 / value, "ns": value, "ps": value / 1e3}[found[2].lower()]


def read_options(source: Path | str | Mapping[str, Any] | None = None, **changes: Any) -> Options:
    """Return the options of a YAML file or of a dictionary, in keys of eqhls or of hls4ml, then `changes`.

    The inner part alone, with the keys Model, LayerType and LayerName, will do, too. Raises
    CompileError for what eqhls cannot use, naming the line of a file.
    """
    path = None if source is None or isinstance(source, Mapping) else Path(source)
    given, lines = read_yaml(path) if path is not None else ({}, Lines())
    if isinstance(source, Mapping):
        given = dict(source)
    inner = is_section(given)
    changed = {k: v for k, v in changes.items() if v is not None}
    settings = {**({"HLSConfig": given} if inner else given), **changed}
    for key, remedy in GONE.items():
        if key in settings:
            raise CompileError(_at(path, lines, (key,)), f"{key} has no effect", remedy)
    try:
        return Options.model_validate(translated(settings))
    except Refused as refused:
        place = refused.place[inner:]
        raise CompileError(
            _at(path, lines, place), f"{'.'.join(place)}: {refused.problem}", refused.remedy
        ) from None
    except CompileError as error:
        raise error.at(_at(None if error.where in changed else path, lines, (error.where,))) from None
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        inside = path if place and place[0] not in changed else None
        raise CompileError(_at(inside, lines, place[inner:]), *_explain(error)) from None


def options_of(kept: Any, where: str) -> Options:
    """Return the options that a manifest keeps. Raises CompileError if this version cannot use them."""
    try:
        return Options.model_validate(kept)
    except CompileError as error:
        problem = str(error)
    except ValidationError as error:
        problem = _explain(error)[0]
    raise CompileError(where, f"holds options of another version of eqhls ({problem})", "compile again")


def _at(path: Path | None, lines: Lines, place: tuple[int | str, ...]) -> str:
    """Return the file and the line of the key at a place, or of the nearest one around it."""
    if path is None:
        return "options"
    line = lines.of(tuple(str(p) for p in place))
    return f"{path}:{line}" if line else str(path)


def _explain(error: ValidationError) -> tuple[str, str]:
    first = error.errors()[0]
    place = [str(p) for p in first["loc"]]
    if first["type"] == "extra_forbidden":
        known = _keys_at(place[:-1])
        close = difflib.get_close_matches(place[-1], known, 1, 0.5)
        remedy = f"did you mean {close[0]!r}?" if close else f"known keys are {', '.join(known)}"
        return f"found the unknown key {'.'.join(place)!r}", remedy
    refused = first.get("ctx", {}).get("error")
    if isinstance(refused, _Refused):
        return f"{'.'.join(place)}: {refused.problem}", refused.remedy
    remedy = "correct the value"
    if place == ["ClockPeriod"]:
        remedy = "a plain number is in ns: write e.g. 2.777, or 360MHz for a frequency"
    return f"{'.'.join(place)}: {first['msg']} (found {first['input']!r})", remedy


def _keys_at(place: list[str]) -> list[str]:
    model: type[BaseModel] = Options
    if "Precision" in place:
        model = Formats
    elif any(p in ("Model", "LayerType", "LayerName") for p in place):
        model = Entry
    elif "HLSConfig" in place:
        model = Sections
    return sorted(model.model_fields)
