"""Ports: what a network reads from outside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar

from eqhls.fixed import Fixed, NumArray, Overflow
from eqhls.groups.charge import Charges
from eqhls.groups.lorentz.basis import LIGHT_CONE
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import S
from eqhls.ir.op import Along, Example, Floats, Logarithm, Op, Reading, component_faults
from eqhls.ir.types import Type
from eqhls.ir.work import Work
from eqhls.ops.common import LIGHT_CONE_FORMATS, example, nearest


class Frame(Enum):
    """Whose frame four-vectors on the light cone are given in: a boost along the beam and a turn about it put
    the jet, or the leading constituent (the seed), on the x axis."""

    JET = "jet"
    SEED = "seed"


@dataclass(frozen=True, slots=True)
class Input(Op):
    """Four-vectors, scalars or flags fed per event; the formats are those of the port.

    `frame` says whose frame four-vectors on the light cone are given in: by default that of the jet. In
    Cartesian components they are those of the laboratory. The arithmetic does not depend on it.
    """

    source: ClassVar[bool] = True
    group: ClassVar[str] = "input"
    weights: ClassVar[tuple[str, ...]] = ()
    moves_bits: ClassVar[bool] = False
    constant: ClassVar[str] = ""
    reads: ClassVar[Reading] = Reading.NOTHING
    has_format: ClassVar[bool] = True
    variadic: ClassVar[bool] = False
    type: Type
    frame: Frame | None = None

    def infer(self, *types: Type) -> Type:
        self.expect(types, 0)
        if self.frame and not (self.type.rep is V and self.type.basis == LIGHT_CONE):
            raise self.error(
                f"found the frame {self.frame.value} of {self.type}", "only four-vectors V.lc have a frame"
            )
        if not self.type.rep.own_formats and len(set(self.type.formats)) > 1:
            raise self.error(f"found {self.type}", f"give all components of {self.type.rep.name} one format")
        return self.type

    def along(self, types: tuple[Type, ...], axis: str) -> Along:
        raise AssertionError("an input has no inputs")

    def charges(self, types: tuple[Type, ...]) -> Charges:
        return self.type.charges

    def reference(self, types: tuple[Type, ...], *x: Floats) -> Floats:
        raise AssertionError("an input is fed, not computed")

    def body(self, types: tuple[Type, ...], *x: NumArray) -> NumArray:
        raise AssertionError("an input is fed, not computed")

    def work(self, types: tuple[Type, ...]) -> Work:
        return Work()

    def gain(self, types: tuple[Type, ...], factors: tuple[float, ...]) -> float | None:
        return 1.0

    def rounds_to(self) -> tuple[Fixed, ...]:
        return tuple(nearest(f, Overflow.SAT) for f in self.type.formats)

    def with_formats(self, formats: tuple[Fixed, ...]) -> Op:
        if len(formats) not in (1, self.type.rep.dim):
            raise self.error(
                f"found {len(formats)} formats for {self.type}, expected 1 or {self.type.rep.dim}",
                "give one format for all components, or one for each",
            )
        return replace(self, type=replace(self.type, formats=formats))

    def rectifies(self, types: tuple[Type, ...]) -> bool:
        return False

    def logarithm(self) -> Logarithm | None:
        return None

    def faults(self, types: tuple[Type, ...]) -> tuple[str, ...]:
        return component_faults(self.infer(*types))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (
            Example(cls(example(V, "j:3", LIGHT_CONE_FORMATS, LIGHT_CONE)), (), "light_cone"),
            Example(cls(example(S, "j:3", (Fixed(1, 1, False),))), (), "flags"),
            Example(cls(example(V, "j:2", LIGHT_CONE_FORMATS, LIGHT_CONE), Frame.SEED), (), "seed"),
        )


def frame_of(op: Op) -> Frame | None:
    """Return the frame that a port of four-vectors asks for; None if they are those of the laboratory."""
    if not isinstance(op, Input) or op.type.rep is not V or op.type.basis != LIGHT_CONE:
        return None
    return op.frame or Frame.JET
