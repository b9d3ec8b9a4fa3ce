"""The Lorentz group. `Rep` holds its representations by the names that they had in the first release."""

from __future__ import annotations

from typing import ClassVar

from eqhls.groups import rep
from eqhls.groups.lorentz import reps


class Rep:
    """S, V, F and T, for scripts that build graphs: `Type(Rep.V, ...)`."""

    S: ClassVar[rep.Rep] = rep.S
    V: ClassVar[rep.Rep] = reps.V
    F: ClassVar[rep.Rep] = reps.F
    T: ClassVar[rep.Rep] = reps.T
