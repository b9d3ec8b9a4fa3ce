"""Words of the trigger: bits where they belong, nothing lost on the way, mistakes named."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from typing import Any

import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.events.layouts import LAYOUTS, charged, layout, pack, unpack

GOLDEN: dict[str, tuple[str, dict[str, int], tuple[int, ...]]] = {
    "charged": (
        "l1ct_charged",
        {"pt": 401, "eta": -57, "phi": 326, "id": 3, "z0": -5, "root_dxy": 17, "quality": 6},
        (0b110_00010001_1111111011_011_00101000110_111111000111_00000110010001,),
    ),
    "neutral": (
        "l1ct_neutral",
        {"pt": 16383, "eta": 2047, "phi": -720, "id": 1, "weight": 256, "em_id": 9},
        (0b001001_100000000_001_10100110000_011111111111_11111111111111,),
    ),
    "jet of the global trigger": (
        "l1gt_jet",
        {"valid": 1, "pt": 3208, "phi": -100, "eta": 1000, "z0": -3, "score0": 128, "score1": 181}
        | {f"score{k}": 0 for k in range(2, 8)}
        | {"score8": 255},
        (
            0b01_10000000_1111111101_00001111101000_1111110011100_0000110010001000_1,
            0b11111111_00000000_00000000_00000000_00000000_00000000_00000000_101101,
        ),
    ),
    "wide jet": (
        "l1gt_wide_jet",
        {"valid": 1, "pt": 1, "phi": 4095, "eta": -8192, "z0": 511, "prong_score": 515, "mass2": 26569},
        (0b1000000011_0111111111_10000000000000_0111111111111_0000000000000001_1, 0b00110011111001001),
    ),
    "sum": (
        "l1gt_sum",
        {"valid": 1, "vector_pt": 5, "vector_phi": -1, "scalar_pt": 40000},
        (0b1001110001000000_1111111111111_0000000000000101_1,),
    ),
}
"""Words written by hand: the fields of the highest bits first."""


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_words(case: str) -> None:
    name, values, words = GOLDEN[case]
    found = pack(LAYOUTS[name], values)
    assert found.reshape(-1).tolist() == list(words)
    assert {k: int(v) for k, v in unpack(LAYOUTS[name], found).items()} == values


def test_steps_are_those_of_the_trigger() -> None:
    """0.25 GeV and pi / 720 in the correlator, 1/32 GeV and pi / 4096 in the global trigger."""
    steps = {n: tuple(LAYOUTS[n].field(k).lsb for k in ("pt", "eta", "phi")) for n in ("l1ct", "l1gt_jet")}
    assert steps == {"l1ct": (0.25, pi / 720, pi / 720), "l1gt_jet": (1 / 32, pi / 4096, pi / 4096)}
    order = {n: [f.name for f in LAYOUTS[n].fields if f.name in ("pt", "eta", "phi")] for n in steps}
    assert order == {"l1ct": ["pt", "eta", "phi"], "l1gt_jet": ["pt", "phi", "eta"]}


@pytest.mark.parametrize("name", LAYOUTS)
def test_round_trip(name: str, rng: np.random.Generator) -> None:
    """Random integers and both ends of every field, through words and back; fields do not touch each other."""
    kind = LAYOUTS[name]
    taken = [b for f in kind.fields for b in range(f.low, f.high + 1)]
    assert taken == sorted(set(taken)) and taken[-1] < kind.width
    forms = {f.name: f.format for f in kind.fields}
    values = {k: rng.integers(f.lo, f.hi, (50, 3), endpoint=True) for k, f in forms.items()}
    for k, (field, form) in enumerate(forms.items()):
        values[field][k % 50] = form.lo, form.hi, 0
    words = pack(kind, values)
    assert words.dtype == np.uint64 and words.shape == (50, 3, 2)[: 3 if kind.words > 1 else 2]
    for field, raw in unpack(kind, words).items():
        np.testing.assert_array_equal(raw, values[field], field)
    np.testing.assert_array_equal(pack(kind, unpack(kind, words)), words)
    for field, form in forms.items():
        ends = unpack(kind, pack(kind, {field: [form.lo, form.hi]}))
        assert ends[field].tolist() == [form.lo, form.hi]
        assert not any(v.any() for k, v in ends.items() if k != field)


def test_kinds_of_particles() -> None:
    assert charged(np.arange(8)).tolist() == [False, False, True, True, True, True, True, True]


PUPPI = LAYOUTS["l1ct"]
REFUSED: dict[str, tuple[Any, str]] = {
    "layout": (lambda: layout("l1"), "layout: found 'l1'; known layouts are l1ct, l1ct_charged"),
    "field": (lambda: pack(PUPPI, {"mass": 1}), "layout l1ct: found no field 'mass'; its fields are pt, eta"),
    "range": (lambda: pack(PUPPI, {"eta": 2048}), r"field eta: found integers that do not fit fix<12,12>"),
    "floats": (lambda: pack(PUPPI, {"pt": 1.5}), "field pt: found float64; give raw integers"),
    "no words": (lambda: unpack(PUPPI, np.zeros(3)), "l1ct: holds float64, expected words; give an array of"),
    "negative": (lambda: unpack(PUPPI, np.array([-1])), "l1ct: holds negative integers, expected words"),
    "above": (lambda: unpack(PUPPI, np.array([1 << 61])), "l1ct: found bits above bit 60; the words have"),
    "one of two": (lambda: unpack(LAYOUTS["l1gt_jet"], np.zeros(3, "u8")), "expected 2 words of 64 bits"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    act, message = REFUSED[case]
    with pytest.raises(CompileError, match=message):
        act()


def test_fields_that_touch_are_seen() -> None:
    """The negative control: with eta one bit lower than it is, neither the golden word nor the way back is
    right."""
    name, values, words = GOLDEN["charged"]
    fields = tuple(replace(f, low=f.low - (f.name == "eta")) for f in LAYOUTS[name].fields)
    moved = replace(LAYOUTS[name], fields=fields)
    found = pack(moved, values | {"eta": 56, "pt": 16383})
    assert int(pack(moved, values)) != words[0] and int(unpack(moved, found)["eta"]) != 56
