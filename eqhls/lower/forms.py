"""What each product of a traced network is made of: an array, rows on carry chains, or a DSP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from eqhls.lower.multipliers import Factor, rows
from eqhls.lower.netlist import Form, Product

PRODUCT = 7
"""alkaid's opcode of a b."""


@dataclass(frozen=True, slots=True)
class Made:
    """The form of a product, its delay in ns if alkaid's is not that of this form, and whether the second
    factor is recoded."""

    form: Form
    ns: float
    turned: bool = False

    def cell(self, plain: Product) -> Product:
        """Return the product in this form. What a DSP computes takes no LUT."""
        a, b = (plain.b, plain.a) if self.turned else (plain.a, plain.b)
        return replace(plain, a=a, b=b, form=self.form, lut=0.0 if self.form is Form.DSP else plain.lut)


def made(comb: Any, stage_ns: float, dsp: int) -> Mapping[int, Made]:
    """Return the products that are not arrays by their place among the operations. The `dsp` widest get a
    DSP, and a stage for it: its registers are those before and behind the stage."""
    factors = {
        k: tuple(_factor(comb.ops[i].qint) for i in op.addr)
        for k, op in enumerate(comb.ops)
        if op.opcode == PRODUCT
    }
    widest = sorted(factors, key=lambda k: (-factors[k][0].width * factors[k][1].width, k))
    out = {k: Made(Form.DSP, stage_ns) for k in widest[:dsp]}
    for k, (a, b) in factors.items():
        form = None if k in out else rows(a, b, stage_ns)
        if form is not None:
            out[k] = Made(Form.ROWS, form.ns, (form.recoded, form.word) != (a, b))
    return out


def _factor(qint: Any) -> Factor:
    signed, integer, frac = (int(v) for v in qint.kif)
    return Factor(max(signed + integer + frac, 1), bool(signed))
