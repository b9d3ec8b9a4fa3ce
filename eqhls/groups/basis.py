"""The bases of four-vectors by the names that they had in the first release."""

from __future__ import annotations

from typing import ClassVar

from eqhls.groups.lorentz import basis


class Basis:
    """Components of four-vectors, for scripts that build graphs: `Type(Rep.V, axes, Basis.LIGHT_CONE)`."""

    CARTESIAN: ClassVar[basis.VectorBasis] = basis.CARTESIAN
    LIGHT_CONE: ClassVar[basis.VectorBasis] = basis.LIGHT_CONE
