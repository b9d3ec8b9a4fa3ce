"""Fixed-point formats: ap_fixed as a value (UG1399, quantization and overflow modes)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from eqhls.errors import CompileError

MAX_WIDTH = 63


class Rounding(Enum):
    """What ap_fixed does with the bits below the last one kept."""

    TRN = "TRN"
    TRN_ZERO = "TRN_ZERO"
    RND = "RND"
    RND_ZERO = "RND_ZERO"
    RND_MIN_INF = "RND_MIN_INF"
    RND_INF = "RND_INF"
    RND_CONV = "RND_CONV"

    @property
    def odd(self) -> bool:
        """Whether round(-x) = -round(x), so that the mode commutes with a flip of sign."""
        return self in (Rounding.TRN_ZERO, Rounding.RND_ZERO, Rounding.RND_INF, Rounding.RND_CONV)


class Overflow(Enum):
    """What ap_fixed does with a value out of range."""

    WRAP = "WRAP"
    SAT = "SAT"
    SAT_ZERO = "SAT_ZERO"
    SAT_SYM = "SAT_SYM"
    WRAP_SM = "WRAP_SM"

    @property
    def saturates(self) -> bool:
        """Whether a value out of range becomes the nearest end of the range."""
        return self in (Overflow.SAT, Overflow.SAT_SYM)


_TEXT = re.compile(r"(?:ap_)?(u?)fix(?:ed)?<(-?\d+),(-?\d+)(?:,(\w+))?(?:,(\w+))?(?:,0)?>")
_INTEGER = re.compile(r"(?:ap_)?(u?)int<(\d+)>")


@dataclass(frozen=True, slots=True)
class Fixed:
    """An ap_fixed format: `width` bits, `integer` of them (sign included) before the point."""

    width: int
    integer: int
    signed: bool = True
    rounding: Rounding = Rounding.TRN
    overflow: Overflow = Overflow.WRAP

    def __post_init__(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            raise CompileError(
                "format",
                f"found a width of {self.width} bits, expected 1 to {MAX_WIDTH}",
                "choose a narrower format or round earlier",
            )

    @property
    def frac(self) -> int:
        """Fraction bits; negative where the last bit is worth more than one."""
        return self.width - self.integer

    @property
    def lo(self) -> int:
        """Smallest raw integer (for SAT_SYM the symmetric one)."""
        if not self.signed:
            return 0
        return -(1 << (self.width - 1)) + (self.overflow is Overflow.SAT_SYM)

    @property
    def hi(self) -> int:
        """Largest raw integer."""
        return (1 << (self.width - self.signed)) - 1

    @property
    def lsb(self) -> float:
        """The value of one unit in the last place."""
        return 2.0**-self.frac

    @classmethod
    def covering(cls, lo: int, hi: int, frac: int) -> Fixed:
        """Return the narrowest format that holds every raw integer from `lo` to `hi`."""
        signed = lo < 0
        bits = max(max(hi, 0).bit_length(), (~lo).bit_length() if signed else 0)
        width = max(1, bits + signed)
        return cls(width, width - frac, signed)

    @classmethod
    def parse(cls, text: str) -> Fixed:
        """Read `fix<W,I[,rounding[,overflow]]>` or `ufix<...>`; `fixed` and `ap_fixed` are the same, as in
        hls4ml, and `int<W>` and `ap_int<W>` have no fraction bits.

        Raises CompileError for anything else.
        """
        plain = _INTEGER.sub(r"\1fix<\2,\2>", re.sub(r"\bAP_", "", text.replace(" ", "")))
        found = _TEXT.fullmatch(plain)
        try:
            if not found:
                raise ValueError(text)
            unsigned, width, integer, rounding, overflow = found.groups()
            return cls(
                int(width),
                int(integer),
                not unsigned,
                Rounding(rounding or "TRN"),
                Overflow(overflow or "WRAP"),
            )
        except ValueError:
            raise CompileError(
                "format",
                f"found {text!r}, expected e.g. fix<16,6> or ap_fixed<16,6,AP_RND,AP_SAT>",
                f"rounding is one of {', '.join(r.value for r in Rounding)}; "
                f"overflow one of {', '.join(o.value for o in Overflow)}",
            ) from None

    def __str__(self) -> str:
        modes = ""
        if self.rounding is not Rounding.TRN or self.overflow is not Overflow.WRAP:
            modes = f",{self.rounding.value}"
        if self.overflow is not Overflow.WRAP:
            modes += f",{self.overflow.value}"
        return f"{'fix' if self.signed else 'ufix'}<{self.width},{self.integer}{modes}>"

    @property
    def cpp(self) -> str:
        """The C++ type."""
        return (
            f"ap_{'' if self.signed else 'u'}fixed<{self.width}, {self.integer}, "
            f"AP_{self.rounding.value}, AP_{self.overflow.value}>"
        )
