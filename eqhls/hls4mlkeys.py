"""Configurations of hls4ml: what they say, in eqhls's keys.

A key that means the same is taken, one that says what eqhls does anyway is dropped, and so is what hls4ml
writes into a template by itself, which is nobody's wish. Everything else is refused with the reason. The
table of all keys is in docs/hls4ml.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Place = tuple[str, ...]
Test = Callable[[Any], bool]


class Refused(ValueError):
    """A value that eqhls cannot do: where it stands, why, and what to do."""

    def __init__(self, place: Place, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.place, self.problem, self.remedy = place, problem, remedy


@dataclass(frozen=True, slots=True)
class Rule:
    """A key of hls4ml that eqhls has not: the values that say what it does anyway, in words and as a test;
    why there are no others, and what to do instead."""

    values: str
    agrees: Test
    reason: str
    remedy: str = "remove it"

    def check(self, place: Place, value: Any) -> None:
        if not self.agrees(value):
            raise Refused(place, f"found {value!r}, expected {self.values}: {self.reason}", self.remedy)


def one_of(*values: Any) -> Test:
    """Return a test for one of some values; words are compared without regard to case."""
    return lambda v: any(
        v.lower() == w.lower()
        if isinstance(v, str) and isinstance(w, str)
        else v is w or (v == w and type(v) is type(w))
        for w in values
    )


def anything(value: Any) -> bool:
    return True


def _large(value: Any) -> bool:
    return isinstance(value, int | float) and value >= 1e9


NOTED = Rule("anything", anything, "hls4ml notes it for itself")
TOP: dict[str, Rule] = {
    "IOType": Rule(
        "io_parallel",
        one_of("io_parallel"),
        "an event is one word on parallel wires, a new one in every clock",
    ),
    "InputData": Rule(
        "nothing",
        one_of(None),
        "eqhls makes test vectors for every network by itself",
        "remove it; eqhls verify DIR EVENTS takes events",
    ),
    "OutputPredictions": Rule("nothing", one_of(None), "eqhls verify computes what is expected by itself"),
    "Version": Rule("1.0.0", one_of("1.0.0", None), "eqhls.json says by checksums which project it is"),
    "ProjectDir": Rule("nothing", one_of(None), "the folder of the tools is NAME_prj"),
    "Board": Rule(
        "nothing", one_of(None), "eqhls builds a block for a part, not a design for a board", "give Part"
    ),
    "PytorchModel": Rule(
        "nothing",
        one_of(None),
        "a module of torch is code, which eqhls does not run",
        "export it to ONNX and give that file",
    ),
    "Stamp": NOTED,
    "InputShapes": NOTED,
    "OutputShapes": NOTED,
}
WRITER: dict[str, Rule] = {
    "Namespace": Rule(
        "nothing", one_of(None), "the namespace of a project is eqhls_NAME", "give ProjectName"
    ),
    "WriteWeightsTxt": Rule("true or false", one_of(True, False), "weights stand in headers"),
    "WriteTar": Rule(
        "false", one_of(False), "a project is a folder", "remove it, and pack the folder with tar"
    ),
    "TBOutputStream": Rule(
        "both", one_of("both"), "the testbench prints its counts and writes tb_data/csim_results.log"
    ),
    "WriteEmulationConstants": Rule("false", one_of(False), "firmware/bridge.cpp is the emulator"),
}
SECTION: dict[str, Rule] = {
    key: Rule("nothing", one_of(None), "the passes of eqhls keep every bit, and it runs all of them")
    for key in ("Optimizers", "SkipOptimizers", "Flows")
}
ENTRY: dict[str, Rule] = {
    "ReuseFactor": Rule(
        "1", one_of(1), "every product has logic of its own, an event enters in every clock (II = 1 only)"
    ),
    "Strategy": Rule(
        "Latency or distributed_arithmetic",
        one_of("latency", "distributed_arithmetic", "distributedarithmetic", "da"),
        "products with weights are adders and shifts, without memories (II = 1 only)",
    ),
    "PipelineStyle": Rule(
        "auto or pipeline", one_of("auto", "pipeline"), "the whole network is one pipeline"
    ),
    "PipelineInterval": Rule("1", one_of(1, None), "an event enters in every clock (II = 1 only)"),
    "TargetCycles": Rule("nothing", one_of(None), "ClockPeriod and StageDepth give the latency"),
    "BramFactor": Rule(
        "1000000000 or more", _large, "weights are constants of the logic, none lies in a block RAM"
    ),
    "Compression": Rule("false", one_of(0, False), "weights of 0 cost nothing in any case"),
    "ConvImplementation": Rule("LineBuffer", one_of("LineBuffer"), "all positions are computed at once"),
    "ParallelizationFactor": Rule("1", one_of(1), "all positions are computed at once"),
    "TableSize": Rule(
        "1024",
        one_of(1024),
        "a table has an entry for every value of its address",
        "give the value that it reads a Precision",
    ),
    "Trace": Rule("true or false", one_of(True, False), "eqhls trace shows every value in any case"),
    "TraceOutput": Rule("true or false", one_of(True, False), "eqhls trace shows every value in any case"),
    "BitExact": Rule(
        "true, false or nothing", one_of(True, False, None), "results are exact wherever no format is given"
    ),
}
"""Keys of the model and of layers."""

TABLES = ("auto", "fixed<18,8,TRN,WRAP,0>", "fixed<18,8,RND,SAT,0>", "fixed<18,8>")
"""What hls4ml writes for tables and sums when nobody asked for anything."""
EXACT = "sums are exact, nothing is rounded before the result"
ENTRIES = "an entry is rounded to the format of the result"
PRECISION: dict[str, Rule] = {
    "accum": Rule("auto", one_of(*TABLES), EXACT, "remove it, and give result a format if one is needed"),
    "maximum": Rule(
        "nothing",
        one_of(None),
        "exact results grow as they need",
        "remove it, and give result a format where one is needed",
    ),
    **{
        k: Rule("auto", one_of(*TABLES), ENTRIES, "give result instead")
        for k in ("table", "exp_table", "inv_table", "inv_inp")
    },
}
TYPES = {"Dense": "dense", "QDense": "dense", "Input": "input", "InputLayer": "input"}
"""Layers of hls4ml that are one op of eqhls under another name."""
RENAMED = {"XilinxPart": "Part", "OnnxModel": "KerasModel"}
SECTIONS = ("Model", "LayerType", "LayerName")


def is_section(settings: Mapping[str, Any]) -> bool:
    """Whether settings are the inner part alone, as hls4ml's config_from_keras_model returns it."""
    return bool(settings) and set(settings) <= {*SECTIONS, *SECTION}


def translated(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings in eqhls's keys. Raises Refused for what hls4ml does and eqhls does not; what neither
    knows stays as it is."""
    made = _renamed((), _without(TOP, (), settings), RENAMED)
    writer = made.pop("WriterConfig", None)
    if isinstance(writer, Mapping):
        for key in _without(WRITER, ("WriterConfig",), writer):
            raise Refused(("WriterConfig", key), "is unknown to eqhls", "remove it")
    backend = made.get("Backend")
    if isinstance(backend, str):
        made["Backend"] = {"vitis": "Vitis", "vivado": "Vivado"}.get(backend.lower(), backend)
    config = made.get("HLSConfig")
    if isinstance(config, Mapping):
        made["HLSConfig"] = _sections(config)
    return made


def _sections(config: Mapping[str, Any]) -> dict[str, Any]:
    place = ("HLSConfig",)
    made = _without(SECTION, place, config)
    for name in SECTIONS:
        entries = made.get(name)
        if name == "Model":
            made |= {name: _entry((*place, name), entries)} if name in made else {}
        elif isinstance(entries, Mapping):
            made[name] = {key: _entry((*place, name, key), entry) for key, entry in entries.items()}
    if isinstance(made.get("LayerType"), Mapping):
        made["LayerType"] = _renamed((*place, "LayerType"), made["LayerType"], TYPES)
    return made


def _entry(place: Place, entry: Any) -> Any:
    """Return what the configuration says of the model, of a type or of a layer."""
    if not isinstance(entry, Mapping):
        return entry
    made = _without(ENTRY, place, entry)
    formats = made.get("Precision")
    if isinstance(formats, Mapping):
        made["Precision"] = _formats((*place, "Precision"), formats)
    return made


def _formats(place: Place, formats: Mapping[str, Any]) -> dict[str, Any]:
    """Return the formats of results and weights; `default` is that of both, `bias` that of the weights."""
    made = _without(PRECISION, place, formats)
    default, bias = made.pop("default", None), made.pop("bias", "auto")
    if default is not None:
        made = {"weight": default, "result": default} | {k: v for k, v in made.items() if v != "auto"}
    if bias not in ("auto", made.get("weight", "auto")):
        raise Refused(
            (*place, "bias"),
            f"found {bias!r}, and {made.get('weight', 'auto')!r} for weights: both of an op have one format",
            "give weight and bias the same",
        )
    return made


def _without(rules: Mapping[str, Rule], place: Place, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is left of some keys when each rule has checked its own."""
    for key, value in given.items():
        if key in rules:
            rules[key].check((*place, key), value)
    return {key: value for key, value in given.items() if key not in rules}


def _renamed(place: Place, given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in given.items():
        name = names.get(key, key)
        if name in made and made[name] != value:
            raise Refused((*place, key), f"contradicts another key for {name}", "keep one of them")
        made[name] = value
    return made
