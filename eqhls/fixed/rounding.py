"""Rounding and saturation of a `Num`, bit for bit as an assignment to ap_fixed."""

from __future__ import annotations

from eqhls.errors import CompileError
from eqhls.fixed.format import Fixed, Overflow, Rounding
from eqhls.fixed.num import Num, const, select


def quantize(x: Num, to: Fixed) -> Num:
    """Round and fit `x` into the format `to`, exactly as an assignment to ap_fixed does."""
    rounded = _round(x, x.frac - to.frac, to.rounding).at(to.frac) if x.frac > to.frac else x.at(to.frac)
    return _fit(rounded, x, to)


def overflows(x: Num, to: Fixed) -> Num:
    """Return 1 where `quantize(x, to)` changes the value by more than rounding, else 0."""
    r = _round(x, x.frac - to.frac, to.rounding) if x.frac > to.frac else x.at(to.frac)
    return _outside(r, to)


def _round(x: Num, drop: int, mode: Rounding) -> Num:
    """Drop `drop` > 0 bits: add an offset that depends on the mode, then cut the wires."""
    half = 1 << (drop - 1)
    match mode:
        case Rounding.TRN:
            offset = const(0, x.frac)
        case Rounding.TRN_ZERO:
            offset = _flag(x.negative(), x.frac) * const((1 << drop) - 1, 0)
        case Rounding.RND:
            offset = const(half, x.frac)
        case Rounding.RND_MIN_INF:
            offset = const(half - 1, x.frac)
        case Rounding.RND_ZERO:
            offset = const(half - 1, x.frac) + _flag(x.negative(), x.frac)
        case Rounding.RND_INF:
            offset = const(half, x.frac) - _flag(x.negative(), x.frac)
        case Rounding.RND_CONV:
            offset = const(half - 1, x.frac) + _flag(x.floor_bits(drop).wrap(1, False), x.frac)
    return (x + offset).floor_bits(drop)


def _flag(bit: Num, frac: int) -> Num:
    """Read a 0/1 number as one unit in the last place at `frac`."""
    return bit.with_frac(frac)


def _fit(x: Num, source: Num, to: Fixed) -> Num:
    if to.lo <= x.lo and x.hi <= to.hi:
        return x
    match to.overflow:
        case Overflow.WRAP:
            return x.wrap(to.width, to.signed)
        case Overflow.SAT | Overflow.SAT_SYM:
            return x.clamp(to.lo, to.hi)
        case Overflow.SAT_ZERO:
            return select(_outside(x, to), const(0, x.frac), x, (max(x.lo, to.lo), min(x.hi, to.hi)))
        case Overflow.WRAP_SM:
            return _wrap_sign_magnitude(x, source, to)


def _wrap_sign_magnitude(rounded: Num, source: Num, to: Fixed) -> Num:
    """Wrap; where the value does not fit, the lowest deleted bit becomes the sign and all bits flip if
    it differs. As in the ap_fixed headers, that bit is taken before rounding."""
    if not to.signed:
        raise CompileError("format", f"found {to}", "WRAP_SM is for signed formats; use WRAP")
    kept = rounded.wrap(to.width, True)
    cut = source.floor_bits(source.frac - to.frac) if source.frac > to.frac else source.at(to.frac)
    deleted = cut.floor_bits(to.width).wrap(1, False).with_frac(0)
    differs = select(deleted, const(1, 0) - kept.negative(), kept.negative())
    flip = select(_outside(rounded, to), differs, const(0, 0), (0, 1))
    return select(flip, const(-1, rounded.frac) - kept, kept, (to.lo, to.hi))


def _outside(x: Num, to: Fixed) -> Num:
    """Return 1 where x lies outside the format."""
    below = (x - const(to.lo, x.frac)).negative()
    above = (const(to.hi, x.frac) - x).negative()
    return (below + above).nonzero()
