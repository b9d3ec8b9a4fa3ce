from __future__ import annotations
from enum import Enum
import numpy as np
class Rep(Enum):
    S = 1
    V = 4
    F = 6
    T = 9
    @property
    def dim(self): return self.value
def dot(basis, a, b): return np.einsum("...m,mn,...n->...", a, basis.g, b)
