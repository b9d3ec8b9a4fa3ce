from __future__ import annotations
from dataclasses import dataclass
from functools import cache
import numpy as np
from eqhls.groups.lorentz import Rep
from eqhls.groups.basis import Basis
@dataclass(frozen=True)
class Path:
    left: Rep; right: Rep; out: Rep; dual: bool = False
    parity_odd = False
    def __str__(self): return f"{self.left.name}*{self.right.name}->{self.out.name}" + ("~" if self.dual else "")
@dataclass(frozen=True)
class Term:
    out: int; left: int; right: int; numerator: int
@dataclass(frozen=True)
class CGTable:
    terms: tuple; shift: int
def parse_path(t):
    l, o = t.split("->"); a, b = l.split("*")
    return Path(Rep[a], Rep[b], Rep[o.rstrip("~")], o.endswith("~"))
PATHS = (parse_path("V*V->S"),)
def contract(path, basis, a, b): return np.einsum("...m,mn,...n->...", a, basis.g, b)[..., None]
@cache
def table(path, basis):
    if str(path)!="V*V->S": return CGTable((), 0)
    g = basis.g
    return CGTable(tuple(Term(0,m,n,int(2*g[m,n])) for m in range(4) for n in range(4) if g[m,n]), 1)
@cache
def square_terms(path, basis):
    t = table(path, basis); acc = {}
    for x in t.terms:
        k=(x.out,min(x.left,x.right),max(x.left,x.right)); acc[k]=acc.get(k,0)+x.numerator
    return CGTable(tuple(Term(*k,v) for k,v in acc.items() if v), t.shift)
