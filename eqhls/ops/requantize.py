"""Rounding and saturation, always explicit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eqhls.fixed import Fixed, Formats, NumArray, Overflow, Rounding, overflows, quantize
from eqhls.groups.charge import Charges
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, Logarithm, Op, Part, Reading, component_faults, neutral
from eqhls.ir.types import Type
from eqhls.ir.work import Work
from eqhls.ops.common import example, map_numbers


@dataclass(frozen=True, slots=True)
class Requantize(Op):
    """Assign to an ap_fixed format: one for all components, or one each.

    The float reference is the identity, so reference and body differ by the rounding alone. Scalars are
    rectified if their format has no sign and saturates, since that is a function of its own (quantized_relu).
    On covariant components choose an odd rounding and SAT_SYM, or flips of sign no longer commute.
    """

    group: ClassVar[str] = "scalar"
    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False
    constant: ClassVar[str] = ""
    reads: ClassVar[Reading] = Reading.FORMAT
    has_format: ClassVar[bool] = True
    variadic: ClassVar[bool] = False
    formats: tuple[Fixed, ...]

    def infer(self, *types: Type) -> Type:
        self.expect(types, 1)
        if len(self.formats) not in (1, types[0].dim):
            raise self.error(
                f"found {len(self.formats)} formats for {types[0]}, expected 1 or {types[0].dim}",
                "give one format for all components, or one for each",
            )
        return types[0].like(types[0].rep)

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        return Along.MAP

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return neutral(self, types)

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        return np.maximum(x[0], 0.0) if self.rectifies(types) else x[0]

    def rectifies(self, types: tuple[Type, ...]) -> bool:
        """Whether negative values become 0 at any width: a rectifier, to which rounding does not belong."""
        form = self.formats[0]
        return types[0].rep is S and form.overflow.saturates and not form.signed

    def bounded(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        if not all(f.overflow.saturates for f in self.formats):
            return self.reference(types, *x)
        forms = Formats(self.formats)
        return np.clip(x[0], forms.lo * forms.lsb, forms.hi * forms.lsb)

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        forms = Formats(self.formats)
        return map_numbers(x[0], lambda num, index: quantize(num, forms[index[-1]]))

    def rounding(self, types: tuple[Type, ...]) -> float | Floats:
        truncating = (Rounding.TRN, Rounding.TRN_ZERO)
        return np.array([f.lsb * (1.0 if f.rounding in truncating else 0.5) for f in self.formats])

    def saturated(self, types: tuple[Type, ...], *x: NumArray) -> NumArray | None:
        forms = Formats(self.formats)
        return map_numbers(x[0], lambda num, index: overflows(num, forms[index[-1]]))

    def rounds_components(self, types: tuple[Type, ...]) -> bool:
        return types[0].rep is not S

    def parts(self, types: tuple[Type, ...]) -> tuple[Part, ...] | None:
        if not all(f.rounding.odd and f.overflow is Overflow.SAT_SYM for f in self.formats):
            return None
        forms = Formats(self.formats).each(types[0].dim)
        return tuple(Part((f.width, f.signed, f.rounding), f.frac, f.signed) for f in forms)

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work()

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return None

    def rounds_to(self) -> tuple[Fixed, ...]:
        return self.formats

    def with_formats(self, formats: tuple[Fixed, ...]) -> Op:
        return Requantize(formats)

    def logarithm(self) -> Logarithm | None:
        return None

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return component_faults(self.infer(*types))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        wide = example(S, "c:3", (Fixed(10, 5),))
        odd = Fixed(8, 6, True, Rounding.RND_CONV, Overflow.SAT_SYM)
        rounded = tuple(Example(cls((Fixed(8, 6, True, r),)), (wide,), r.value.lower()) for r in Rounding)
        fitted = tuple(
            Example(cls((Fixed(6, 3, True, Rounding.RND, o),)), (wide,), o.value.lower()) for o in Overflow
        )
        return (
            *rounded,
            *fitted,
            Example(cls((Fixed(5, 3, False, Rounding.RND, Overflow.SAT),)), (wide,), "unsigned"),
            Example(cls((odd,)), (example(V, "i:2", (Fixed(11, 6),)),), "odd_vector"),
        )
