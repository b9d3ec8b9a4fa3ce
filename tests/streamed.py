"""Small networks behind wrappers for streams: what they are, and events for them over all bits of their ports."""

from __future__ import annotations

import numpy as np

from eqhls.engines import Ints
from eqhls.ir.text import parse_graph
from eqhls.lower.layout import Layout
from eqhls.lower.plan import Plan
from eqhls.ops import BY_NAME
from eqhls.options import Options

PAIR = """graph {name}
%p = input() {{type = V.xyz[j:4]:ufix<4,4>|fix<5,5>|fix<5,5>|fix<5,5>}} : V.xyz[j:4]:ufix<4,4>|fix<5,5>|fix<5,5>|fix<5,5>
%g = gram(%p) {{axis = j; to = q}} : S[q:10]:fix<11,11>
output %g, %p
"""
"""Four four-vectors, 76 bits in two link words, and their ten products with the vectors behind them."""

WORDS = """graph {name}
%pt = input() {{type = S[j:3]:ufix<14,12>}} : S[j:3]:ufix<14,12>
%eta = input() {{type = S+eta[j:3]:fix<12,12>}} : S+eta[j:3]:fix<12,12>
%phi = input() {{type = S+phi%{turn}[j:3]:fix<11,11>}} : S+phi%{turn}[j:3]:fix<11,11>
%jet_mass2 = input() {{type = S[]:ufix<40,40>}} : S[]:ufix<40,40>
%jet_eta = input() {{type = S+eta[]:fix<30,30>}} : S+eta[]:fix<30,30>
output %pt, %eta, %phi, %jet_mass2, %jet_eta
"""
"""Three candidates and two numbers of the jet, which come out as they are: every bit has its place."""


def plan_of(text: str, name: str, **values: object) -> Plan:
    """Return the plan of a network given as text, at the default clock."""
    graph = parse_graph(text.format(name=name, **values), {}, BY_NAME)
    return Plan.of(graph, Options())


def drawn(layout: Layout, events: int, seed: int) -> dict[str, Ints]:
    """Return raw integers (events, *shape) by port over the whole range of every element."""
    rng = np.random.default_rng(seed)
    return {
        p.name: np.stack(
            [rng.integers(f.lo, f.hi, events, dtype=np.int64, endpoint=True) for f in p.formats], axis=1
        ).reshape(events, *p.shape)
        for p in layout.ports
    }
