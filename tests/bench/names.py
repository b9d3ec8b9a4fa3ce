"""Which networks there are, by folder, and the fingerprint of each."""

from __future__ import annotations

import hashlib
import re
import runpy
from pathlib import Path

from eqhls.ir.text import print_graph

MODELS = Path(__file__).resolve().parents[2] / "models"
WORD_PEERS = MODELS / "peers" / "words"
OURS = ("lgn_top_small", "lgn_top", "lgn_top_lab", "pelican_nano", "pelican_top", "pelican_nano_published")
PEERS = tuple(
    f"{net}{mass}_{size}" for net in ("deepset", "jedi") for mass in ("_mass", "") for size in "lms"
)
FRONT_END = "front_end"
"""The name under which the front end of the peers is measured by itself."""
WORDS = re.compile(r"^%pt = input\(", re.MULTILINE)
"""What says in a graph that it reads the trigger's words."""


def ours_on_words() -> tuple[str, ...]:
    """Return our models that read words."""
    graphs = sorted(MODELS.glob("*/graph.eq"))
    return tuple(g.parent.name for g in graphs if WORDS.search(g.read_text()))


def peers_on_words() -> tuple[str, ...]:
    """Return the peers that were trained on words."""
    return tuple(sorted(p.stem for p in WORD_PEERS.glob("*.keras")))


def module_of(name: str) -> str:
    """Return the module that measures a network."""
    if name in OURS:
        return "bench.models"
    return "bench.peers" if name in PEERS else "bench.words"


def fingerprint(name: str) -> str:
    """Return a hash of what a network on words is made of: of a peer its file and its front end."""
    peer = WORD_PEERS / f"{name}.keras"
    if name == FRONT_END or peer.exists():
        text, _ = print_graph(runpy.run_path(str(WORD_PEERS / "front.py"))["front_end"]())
        parts = [peer.read_bytes() if peer.exists() else b"", text.encode()]
    else:
        parts = [f.read_bytes() for f in sorted((MODELS / name).glob("graph.*"))]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]
