"""Fixed-point formats as types of C++."""

from __future__ import annotations

from eqhls.fixed import Fixed


def covering(formats: tuple[Fixed, ...]) -> Fixed:
    """Return one format that holds every value of all of them."""
    frac = max(f.frac for f in formats)
    lo = min(f.lo << (frac - f.frac) for f in formats)
    hi = max(f.hi << (frac - f.frac) for f in formats)
    return Fixed.covering(lo, hi, frac)


def plain(form: Fixed) -> str:
    """Return the C++ type without modes: assignments to it are exact."""
    return f"ap_{'' if form.signed else 'u'}fixed<{form.width}, {form.integer}>"
