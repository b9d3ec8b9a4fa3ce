from __future__ import annotations
from enum import Enum
import numpy as np
class Basis(Enum):
    CARTESIAN = "xyz"
    LIGHT_CONE = "lc"
    @property
    def labels(self): return ("E","x","y","z") if self is Basis.CARTESIAN else ("+","-","y","z")
    @property
    def mat(self):
        return np.eye(4) if self is Basis.CARTESIAN else np.array([[1,1,0,0],[1,-1,0,0],[0,0,1,0],[0,0,0,1.]])
    @property
    def g(self):
        return np.diag([1.,-1,-1,-1]) if self is Basis.CARTESIAN else np.array([[0,.5,0,0],[.5,0,0,0],[0,0,-1,0],[0,0,0,-1.]])
