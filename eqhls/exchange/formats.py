"""Formats as QONNX's Quant states them, and which one stands behind an op."""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding

QUANT_MODES: dict[Rounding, tuple[float, str]] = {
    Rounding.TRN: (0.0, "FLOOR"),
    Rounding.TRN_ZERO: (0.0, "DOWN"),
    Rounding.RND: (0.5, "FLOOR"),
    Rounding.RND_MIN_INF: (-0.5, "CEIL"),
    Rounding.RND_ZERO: (0.0, "HALF_DOWN"),
    Rounding.RND_INF: (0.0, "HALF_UP"),
    Rounding.RND_CONV: (0.0, "ROUND"),
}
"""An ap_fixed rounding as a shift by part of an LSB before QONNX's rounding."""

_BY_MODE = {mode: rounding for rounding, (shift, mode) in QUANT_MODES.items() if not shift}


@dataclass(frozen=True, slots=True)
class QuantNode:
    """The parameters of one Quant node."""

    scale: float
    bits: int
    signed: bool
    narrow: bool
    mode: str

    @classmethod
    def of(cls, form: Fixed) -> QuantNode:
        """Return the node of a format; QONNX reads one signed bit as -1 or +1, so that gets two."""
        narrow = form.signed and form.overflow is Overflow.SAT_SYM
        bits, mode = max(form.width, 1 + form.signed), QUANT_MODES[form.rounding][1]
        return cls(form.lsb, bits, form.signed, narrow, mode)

    def format(self) -> Fixed:
        """Return the format that the node stands for. Raises CompileError for what is not fixed point."""
        mantissa, exponent = frexp(self.scale)
        mode = {"HALF_EVEN": "ROUND"}.get(self.mode.upper(), self.mode.upper())
        if mantissa != 0.5:
            raise CompileError("Quant", f"has the scale {self.scale}", "expected a power of two")
        if mode not in _BY_MODE:
            raise CompileError("Quant", f"has the rounding {self.mode!r}", f"expected {', '.join(_BY_MODE)}")
        if (self.narrow and not self.signed) or (self.signed and self.bits == 1):
            raise CompileError("Quant", "is narrow and unsigned, or of one signed bit", "widen it")
        fit = Overflow.SAT_SYM if self.narrow else Overflow.SAT
        return Fixed(self.bits, self.bits + exponent - 1, self.signed, _BY_MODE[mode], fit)
