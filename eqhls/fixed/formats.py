"""The formats of a tensor: one for all its components, or one each."""

from __future__ import annotations

from typing import Any, SupportsIndex, overload

import numpy as np
from numpy.typing import NDArray

from eqhls.fixed.format import Fixed


class Formats(tuple[Fixed, ...]):
    """A tuple of formats that is asked by component: `formats[c]` is the format of component c, even if one
    format stands for all. It compares, hashes, prints and iterates as the tuple that it is.

    The arrays `lo`, `hi` and `lsb` have one entry for each format that is written down, so that they
    broadcast over a last axis of components.
    """

    __slots__ = ()

    @overload
    def __getitem__(self, key: SupportsIndex) -> Fixed: ...
    @overload
    def __getitem__(self, key: slice) -> Formats: ...
    def __getitem__(self, key: SupportsIndex | slice) -> Fixed | Formats:
        """Return the format of a component, or some of the formats as they are written down."""
        if isinstance(key, slice):
            return Formats(super().__getitem__(key))
        return super().__getitem__(0 if len(self) == 1 else key)

    def each(self, components: int) -> tuple[Fixed, ...]:
        """Return a format for each of so many components."""
        return tuple(self[c] for c in range(components))

    @property
    def lo(self) -> NDArray[Any]:
        """The smallest raw integers."""
        return np.array([f.lo for f in self])

    @property
    def hi(self) -> NDArray[Any]:
        """The largest raw integers."""
        return np.array([f.hi for f in self])

    @property
    def lsb(self) -> NDArray[np.float64]:
        """The values of the least significant bits."""
        return np.array([f.lsb for f in self], dtype=np.float64)


NO_FORMATS = Formats()
"""Those of a value that is not quantized."""
