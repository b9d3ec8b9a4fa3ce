"""Words of the trigger as data: which bits of a word hold which field, in which format and unit.

A layout is one version of one word, by name. Its fields lie where its `low` bits say, a field may cross from
one 64-bit word into the next, and bits that no field has are zero. The modes of a format say how the
trigger rounds and saturates a real value into the field; `pack` and `unpack` move raw integers only.

Left out is what releases do not agree on: l1ct::Jet packs the squared mass in front of z0 and unpacks it
behind, so `l1ct_jet` ends after phi.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.errors import CompileError
from eqhls.events.prepare import whole
from eqhls.fixed import Fixed

Words = NDArray[np.uint64]
WORD = 64
"""Bits of a word on a link."""


@dataclass(frozen=True, slots=True)
class Field:
    """Bits `low` to `high` of a word: a number in `format`, in units of `unit`, of which the format's 1 is
    `scale`."""

    name: str
    low: int
    format: Fixed
    unit: str = ""
    scale: float = 1.0

    @property
    def high(self) -> int:
        return self.low + self.format.width - 1

    @property
    def lsb(self) -> float:
        """What one LSB is, in the unit."""
        return self.format.lsb * self.scale

    def __str__(self) -> str:
        return f"{self.name} {self.high}:{self.low}"


@dataclass(frozen=True, slots=True)
class Layout:
    """A word of `width` bits by its fields, the lowest first."""

    name: str
    what: str
    width: int
    fields: tuple[Field, ...]

    @property
    def words(self) -> int:
        """How many words of 64 bits hold it."""
        return -(-self.width // WORD)

    def field(self, name: str) -> Field:
        """Return a field by name. Raises CompileError if the layout has no field of that name."""
        for field in self.fields:
            if field.name == name:
                return field
        known = ", ".join(f.name for f in self.fields)
        raise CompileError(f"layout {self.name}", f"found no field {name!r}", f"its fields are {known}")


def _flag(name: str, low: int) -> Field:
    return Field(name, low, Fixed.parse("ufix<1,1>"))


_CT, _GT = pi / 720, pi / 4096
_PUPPI = (
    Field("pt", 0, Fixed.parse("ufix<14,12,TRN,SAT>"), "GeV"),
    Field("eta", 14, Fixed.parse("fix<12,12>"), "rad", _CT),
    Field("phi", 26, Fixed.parse("fix<11,11>"), "rad", _CT),
)
_ID = Field("id", 37, Fixed.parse("ufix<3,3>"))
_GT_JET = (
    _flag("valid", 0),
    Field("pt", 1, Fixed.parse("ufix<16,11,RND_CONV,SAT>"), "GeV"),
    Field("phi", 17, Fixed.parse("fix<13,13,RND_CONV>"), "rad", _GT),
    Field("eta", 30, Fixed.parse("fix<14,14,RND_CONV,SAT>"), "rad", _GT),
    Field("z0", 44, Fixed.parse("fix<10,9,RND_CONV,SAT>"), "mm"),
)
_SCORE = Fixed.parse("ufix<8,1,RND,SAT>")

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            Layout("l1ct", "PuppiObj", 61, (*_PUPPI, _ID, Field("data", 40, Fixed.parse("ufix<21,21>")))),
            Layout(
                "l1ct_charged",
                "PuppiObj of a charged particle",
                61,
                (
                    *_PUPPI,
                    _ID,
                    Field("z0", 40, Fixed.parse("fix<10,10>"), "cm", 0.05),
                    Field("root_dxy", 50, Fixed.parse("ufix<8,8>"), "sqrt(cm)", 2.0**-6),
                    Field("quality", 58, Fixed.parse("ufix<3,3>")),
                ),
            ),
            Layout(
                "l1ct_neutral",
                "PuppiObj of a neutral particle",
                61,
                (
                    *_PUPPI,
                    _ID,
                    Field("weight", 40, Fixed.parse("ufix<9,1,RND_CONV>")),
                    Field("em_id", 49, Fixed.parse("ufix<6,6>")),
                ),
            ),
            Layout("l1ct_jet", "Jet up to phi", 37, _PUPPI),
            Layout(
                "l1gt_jet",
                "Jet",
                128,
                (*_GT_JET, *(Field(f"score{k}", 54 + 8 * k, _SCORE) for k in range(9))),
            ),
            Layout(
                "l1gt_wide_jet",
                "WideJet",
                128,
                (
                    *_GT_JET,
                    Field("prong_score", 54, Fixed.parse("ufix<10,1,RND,SAT>")),
                    Field("mass2", 64, Fixed.parse("ufix<17,15,RND_CONV,SAT>"), "GeV^2"),
                ),
            ),
            Layout(
                "l1gt_sum",
                "Sum",
                64,
                (
                    _flag("valid", 0),
                    Field("vector_pt", 1, Fixed.parse("ufix<16,11,RND_CONV,SAT>"), "GeV"),
                    Field("vector_phi", 17, Fixed.parse("fix<13,13,RND_CONV>"), "rad", _GT),
                    Field("scalar_pt", 30, Fixed.parse("ufix<16,11,RND_CONV,SAT>"), "GeV"),
                ),
            ),
        )
    }
)
"""Every layout by name. `l1ct` is the default of PUPPI words; which of the two readings of `data` a word has,
`charged` says."""
DEFAULT = "l1ct"


def layout(name: Any) -> Layout:
    """Return a layout by name. Raises CompileError for a name that is not in the list."""
    only = np.asarray(name).reshape(-1)
    text = only[0].decode() if only.dtype.kind == "S" and len(only) == 1 else ", ".join(map(str, only))
    if text not in LAYOUTS:
        raise CompileError("layout", f"found {text!r}", f"known layouts are {', '.join(LAYOUTS)}")
    return LAYOUTS[text]


def charged(id: Ints) -> NDArray[np.bool_]:
    """Whether the `id` of PUPPI words says that a particle is charged: bit 1 or bit 2 is set."""
    return (np.asarray(id) & 0b110) != 0


def pack(layout: Layout, values: Mapping[str, Any]) -> Words:
    """Return words from raw integers by field, which broadcast; fields that are left out are zero.

    The result has the shape of the values, with the words of one object as last axis if there are several,
    the low one first. Raises CompileError for an unknown field, for anything but integers, and for an integer
    that does not fit its field.
    """
    fields = {name: layout.field(name) for name in values}
    arrays = [_fitting(fields[name], values[name]) for name in values]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    out = np.zeros((*shape, layout.words), dtype=np.uint64)
    for field, raw in zip(fields.values(), arrays, strict=True):
        bits = raw.astype(np.int64).view(np.uint64) & _ones(field.format.width)
        word, at = divmod(field.low, WORD)
        out[..., word] |= bits << np.uint64(at)
        if at + field.format.width > WORD:
            out[..., word + 1] |= bits >> np.uint64(WORD - at)
    return out if layout.words > 1 else out[..., 0]


def _fitting(field: Field, values: Any) -> NDArray[Any]:
    raw = np.asarray(values)
    if raw.dtype.kind not in "iub":
        raise CompileError(f"field {field.name}", f"found {raw.dtype}", "give raw integers")
    form = field.format
    if raw.size and ((raw < form.lo) | (raw > form.hi)).any():
        raise CompileError(f"field {field.name}", f"found integers that do not fit {form}", "clip them")
    return raw


def unpack(layout: Layout, words: Words) -> dict[str, Ints]:
    """Return the raw integers of every field from words as `pack` returns them. Raises CompileError for
    anything but 64-bit words, for a wrong number of words, and for bits above the layout."""
    given = checked_words(layout.name, words)
    if layout.words == 1:
        given = given[..., None]
    elif not given.ndim or given.shape[-1] != layout.words:
        raise CompileError(
            layout.name, f"has shape {given.shape}", f"expected {layout.words} words of {WORD} bits last"
        )
    rest = layout.width % WORD
    if rest and (given[..., -1] >> np.uint64(rest)).any():
        raise CompileError(
            layout.name, f"found bits above bit {layout.width - 1}", "the words have another layout: name it"
        )
    return {f.name: _raw(f, given) for f in layout.fields}


def checked_words(name: str, words: Any) -> Words:
    """Return words of 64 bits. Raises CompileError for anything else; signed integers may not be negative."""
    given = whole(name, words)
    signed = given.dtype.kind == "i" and not (given.size and given.min() < 0)
    if not (signed or given.dtype.kind == "u"):
        found = "negative integers" if given.dtype.kind == "i" else str(given.dtype)
        raise CompileError(name, f"holds {found}, expected words", "give an array of uint64")
    return given.astype(np.uint64)


def _raw(field: Field, words: Words) -> Ints:
    """Return the integers of a field from words (..., words)."""
    width = field.format.width
    word, at = divmod(field.low, WORD)
    bits = words[..., word] >> np.uint64(at)
    if at + width > WORD:
        bits = bits | words[..., word + 1] << np.uint64(WORD - at)
    raw = (bits & _ones(width)).astype(np.int64)
    return raw - (raw >> (width - 1) << width) if field.format.signed else raw


def _ones(bits: int) -> np.uint64:
    return np.uint64((1 << bits) - 1)
