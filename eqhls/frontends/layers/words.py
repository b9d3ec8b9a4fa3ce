"""A tagger of jets as the trigger's words: pt, eta and phi of the hardest constituents, and words of the jet.

Every word has one code, a few bits of its angle to the first word, the seed, beside a few of its pt. It is
the address of all tables of words:

    S_a   = sum over words of s_a[code]        with scores s_a of a few bits
    h_k   = sum over features x of h_kx[x]     hidden sums
    logit = sum over features x of f_x[x] + sum over k of f_k[h_k]

The features are the sums S_a, the squared mass and the multiplicity of the jet, the pt of the first words and
their angles to the seed, and the angle of the jet's axis to the seed. Every bracket is a table, so that there
is no product anywhere. Only differences of angles enter functions, by which the types prove what turns about
the beam and boosts along it leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from eqhls.errors import CompileError
from eqhls.events.words import TRIGGER, TURN
from eqhls.fixed import Fixed
from eqhls.frontends.layers.codes import LogAddLayer, MagnitudeLayer, WrapLayer
from eqhls.frontends.layers.networks import heads, logits, network
from eqhls.frontends.layers.scalar import Log2Layer, RequantizeLayer
from eqhls.frontends.layers.structure import AddLayer, ParticleSumLayer, SelectLayer, TypedInput
from eqhls.frontends.layers.tables import CodeTableLayer, CountLayer, CurveLayer

CELL, REACH = 32, 1024
"""The largest power of two that divides a turn of phi: what lies below it never wraps. And the steps of eta
that are told apart, 4.5: no jet is that wide."""
NEAR = "fix<9,9>"
"""What is left of a difference: |d| < 1.12."""
FRAC, WINDOW, STRIDE = 2, 6, 4
"""Logarithms are in quarters of octaves, by windows of six bits that are four apart."""
PT_OCTAVES, ANGLE_OCTAVES, AXIS_OCTAVES = 10.0, 8.0, 8.5
"""A pt of 1 TeV, the 256 steps of NEAR, and those of two differences together."""
MASS_FLOOR, MASS_FRAC, MASS_CODES, MASS_WINDOW = 256.0, 3, 81, 7
"""Squared masses from 16 GeV on, in eighths of octaves."""
ANGLE_BORDERS = tuple(k / 2 + 1.25 for k in range(15))
PT_BORDERS = tuple(k / 2 + 0.25 for k in range(15))


@dataclass(frozen=True, slots=True)
class WordsConfig:
    """The size of a tagger of words: `words` of constituents, `sums` over them, `hidden` sums of features,
    `singles` words behind the seed with read-outs of their own, and whether the `axis` of the jet is a
    feature. A code counts which `angle_borders` and `pt_borders` the logarithms of angle and pt have reached,
    in octaves of a step of the angle and of 1 GeV. Formats: of scores, of entries of read-outs, of those of
    hidden sums, and of the hidden sums. `classes` is the number of classes that it tells apart: two by one
    score, three and more by a score each."""

    words: int = 16
    sums: int = 4
    hidden: int = 0
    singles: int = 0
    axis: bool = True
    classes: int = 2
    angle_borders: tuple[float, ...] = ANGLE_BORDERS
    pt_borders: tuple[float, ...] = PT_BORDERS
    score: str = "ufix<4,4>"
    read: str = "fix<8,5,RND,SAT>"
    part: str = "fix<7,4,RND,SAT>"
    whole: str = "fix<7,5,RND,SAT>"

    @property
    def pt_codes(self) -> int:
        """The codes of pt, rounded up to a power of two: angle bits stand above them."""
        return 1 << len(self.pt_borders).bit_length()


@dataclass(frozen=True, slots=True)
class Curve:
    """The addresses of a read-out and its knots, as CurveLayer takes them."""

    size: int
    lsb: float
    knots: tuple[float, ...]
    first: int = 0

    @classmethod
    def of(cls, size: int, lsb: float, knots: Any) -> Curve:
        """Return the curve from 0 on, with those knots that lie within."""
        last = (size - 1) * lsb
        return cls(size, lsb, (0.0, *(float(k) for k in knots if 0 < k < last), last))


def codes(octaves: float) -> int:
    """Return the number of codes of a logarithm of an angle or of pt."""
    return int(octaves * 2**FRAC) + 1


PT_CURVE = Curve.of(codes(PT_OCTAVES), 2.0**-FRAC, np.r_[0:4, 4:10.1:0.5])
ANGLE_CURVE = Curve.of(codes(AXIS_OCTAVES), 2.0**-FRAC, np.r_[0:9:0.5])
MASS_CURVE = Curve.of(MASS_CODES, 2.0**-MASS_FRAC, np.r_[0:4.5:0.5, 4.5:8:0.125, 8:10.5:0.5])
COUNT_CURVE = Curve.of(128, 1.0, np.arange(0, 128, 6))


def words_tagger(config: WordsConfig, name: str, quantized: bool) -> keras.Model:
    """Return the tagger. What is not trained computes with integers in either phase; if `quantized`, so
    does what is trained. Raises CompileError for sizes that make no network."""
    check(config)
    inputs = _ports(config)
    features, code = _jet_and_words(config, inputs)
    curves = {k: _curve_of(k) for k in features}
    form, rows = Fixed.parse(config.score), len(config.angle_borders) + 1
    spread = np.r_[0:0.25:0.025, 0.25:1.01:0.125] * form.hi * form.lsb * config.words
    sums: dict[str, Any] = {}
    for a in range(config.sums):
        table = CodeTableLayer(rows, config.pt_codes, config.score, quantized, name=f"score{a}")
        sums[f"sum{a}"] = ParticleSumLayer("j", name=f"sum{a}")(table(code))
        curves[f"sum{a}"] = Curve.of(form.hi * config.words + 1, form.lsb, spread)
    features = sums | features
    hidden = [_hidden(config, k, features, curves, quantized) for k in range(config.hidden)]
    parts: list[list[Any]] = []
    for tail in heads(config.classes):
        terms = _read_outs(f"f{{}}{tail}", config.read, features, curves, quantized)
        last = _last(Fixed.parse(config.whole))
        for k, x in enumerate(hidden):
            terms.append(_curve(last, config.read, quantized, f"f_h{k}{tail}")(x))
        parts.append(terms)
    return network(name, tuple(inputs.values()), logits(parts))


def check(config: WordsConfig) -> None:
    """Raise CompileError for sizes that make no network."""
    for field, low in {"words": 1, "sums": 0, "hidden": 0, "singles": 0, "classes": 2}.items():
        if getattr(config, field) < low:
            raise CompileError(
                "--set",
                f"{field}: found {getattr(config, field)}, expected {low} or more",
                "give a larger number",
            )
    if config.singles >= config.words:
        raise CompileError(
            "--set",
            f"singles: found {config.singles} words behind the first of {config.words}",
            "give fewer singles or more words",
        )
    for field in ("angle_borders", "pt_borders"):
        borders = getattr(config, field)
        if not borders or (np.diff(borders) <= 0).any():
            raise CompileError("--set", f"{field}: found {borders}", "give one border or more, rising")


def _ports(config: WordsConfig) -> dict[str, Any]:
    """Return the typed inputs by name, with the formats of the trigger."""
    charges = {"eta": "+eta", "phi": f"+phi%{TURN}", "jet_eta": "+eta", "jet_phi": f"+phi%{TURN}"}
    jet = ("jet_mass2", "multiplicity", *(("jet_eta", "jet_phi") if config.axis else ()))
    made: dict[str, Any] = {}
    for name in ("pt", "eta", "phi", *jet):
        words = "" if name in jet else f"j:{config.words}"
        raw = keras.Input((1,) if name in jet else (config.words, 1), name=f"{name}_raw")
        made[name] = TypedInput(f"S{charges.get(name, '')}[{words}]:{TRIGGER[name]}", name=name)(raw)
    return made


def _jet_and_words(config: WordsConfig, inputs: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return the features of the jet and of single words by name, and the code of every word."""
    seed = {k: SelectLayer("j", (0,), name=f"{k}_seed")(inputs[k]) for k in ("eta", "phi")}
    away = [_difference(f"d{k}", k, inputs[k], seed[k]) for k in ("eta", "phi")]
    angle = _log_angle("g", ("eta", "phi"), away)
    pt = Log2Layer(1.0, FRAC, codes(PT_OCTAVES), True, STRIDE, WINDOW, centred=True, name="t")(inputs["pt"])
    lsb, unit = 2.0**-FRAC, config.pt_codes
    code = AddLayer(name="code")(
        CountLayer(config.angle_borders, unit, lsb, name="g_code")(angle),
        CountLayer(config.pt_borders, 1, lsb, name="t_code")(pt),
    )
    mass = Log2Layer(MASS_FLOOR, MASS_FRAC, MASS_CODES, True, STRIDE, MASS_WINDOW, name="mass")
    found = {"mass": mass(inputs["jet_mass2"]), "multiplicity": inputs["multiplicity"]}
    found["seed_pt"] = SelectLayer("j", (0,), name="seed_pt")(pt)
    if config.axis:
        off = [_difference(f"daxis_{k}", k, inputs[f"jet_{k}"], seed[k]) for k in ("eta", "phi")]
        found["axis"] = _log_angle("axis", ("axis_eta", "axis_phi"), off)
    for k in range(1, config.singles + 1):
        for kind, source in (("pt", pt), ("angle", angle)):
            found[f"word{k}_{kind}"] = SelectLayer("j", (k,), name=f"word{k}_{kind}")(source)
    return found, code


def _difference(name: str, kind: str, x: Any, origin: Any) -> Any:
    """Return x - origin of eta or phi as a plain number of steps."""
    off = AddLayer((1,), name=f"{name}_off")(x, origin)
    return WrapLayer(TURN if kind == "phi" else REACH, CELL, NEAR, name=name)(off)


def _log_angle(name: str, kinds: tuple[str, str], away: list[Any]) -> Any:
    """Return log2 of the root of the sum of two squares, no less than 0."""
    logs: list[Any] = []
    for kind, d in zip(kinds, away, strict=True):
        size = MagnitudeLayer(name=f"d{kind}_size")(d)
        log = Log2Layer(
            1.0, FRAC, codes(ANGLE_OCTAVES), True, STRIDE, WINDOW, centred=True, lsb=1.0, name=f"l{kind}"
        )
        logs.append(log(size))
    return LogAddLayer(2, FRAC, name=name)(*logs)


def _curve_of(feature: str) -> Curve:
    """Return the read-out of a feature of the jet or of a single word."""
    named = {"mass": MASS_CURVE, "multiplicity": COUNT_CURVE, "axis": ANGLE_CURVE}
    return named.get(feature, ANGLE_CURVE if feature.endswith("_angle") else PT_CURVE)


def _last(whole: Fixed) -> Curve:
    """Return the read-out of a hidden sum."""
    knots = np.linspace(whole.lo * whole.lsb, whole.hi * whole.lsb, 17).tolist()
    return Curve(whole.hi - whole.lo + 1, whole.lsb, tuple(knots), whole.lo)


def _hidden(
    config: WordsConfig, k: int, features: Mapping[str, Any], curves: Mapping[str, Curve], quantized: bool
) -> Any:
    """Return a hidden sum, if `quantized` in its format: the read-out of one is flat beyond the range."""
    total = AddLayer(name=f"h{k}_sum")(*_read_outs(f"h{k}{{}}", config.part, features, curves, quantized))
    return RequantizeLayer([config.whole], name=f"h{k}")(total) if quantized else total


def _read_outs(
    label: str, out: str, features: Mapping[str, Any], curves: Mapping[str, Curve], quantized: bool
) -> list[Any]:
    """Return one function of each feature."""
    return [
        _curve(curves[feature], out, quantized, label.format(f"_{feature}"))(x)
        for feature, x in features.items()
    ]


def _curve(curve: Curve, out: str, quantized: bool, name: str) -> CurveLayer:
    return CurveLayer(curve.knots, curve.size, curve.lsb, out, curve.first, quantized=quantized, name=name)
