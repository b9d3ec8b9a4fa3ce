"""The networks that ship with eqhls, in any size, and how each is trained."""

from __future__ import annotations

from eqhls.errors import CompileError
from eqhls.frontends.layers.networks import COARSE, COARSER, LAB_INPUTS, SeededConfig, seeded_lgn
from eqhls.frontends.layers.pelican import PelicanConfig, pelican
from eqhls.frontends.layers.pelican_full import FullConfig, NanoConfig, full_pelican, published_nano
from eqhls.frontends.layers.words import WordsConfig, words_tagger
from eqhls.train.kinds import Family, cycles
from eqhls.train.settings import Phase, Settings

NANO = PelicanConfig(
    inputs=COARSER,
    encoders=1,
    blocks=(2,),
    readouts=1,
    log_step=5,
    encoded="fix<5,3,RND,SAT>",
    weights="fix<5,2,RND,SAT>",
    address="fix<6,4,RND,SAT>",
    hidden="fix<4,2,RND,SAT>",
    keep=2,
)
"""PELICAN-nano: one encoded channel, one tied block with two hidden channels, inputs and mixes coarse."""
PELICAN = PelicanConfig(
    inputs=COARSE, encoders=3, blocks=(3,), readouts=4, weights="fix<5,2,RND,SAT>", address="fix<7,4,RND,SAT>"
)
"""PELICAN with one tied block, jet-frame light-cone inputs."""
CUT = "fix<7,5,TRN,SAT>"
"""Hidden sums cut to this save a clock."""
WORDS = Settings((Phase(16, 5e-2, quantized=False), Phase(16, 2e-2)), decay=3e-2, exact=True)
"""How taggers of the trigger's words are trained."""


def _tagger(config: WordsConfig) -> Family:
    return Family(words_tagger, config, WORDS, "words")


FAMILIES: dict[str, Family] = {
    "lgn_top": Family(seeded_lgn, SeededConfig(levels=2)),
    "lgn_top_small": Family(seeded_lgn, SeededConfig(), Settings(seed=2)),
    "lgn_top_lab": Family(seeded_lgn, SeededConfig(inputs=LAB_INPUTS), Settings(seed=2)),
    "pelican_top": Family(pelican, PELICAN, cycles((20, 10), (3e-2, 1e-2))),
    "pelican_nano": Family(pelican, NANO, cycles((20, 12), (3e-2, 1e-2))),
    "pelican_nano_published": Family(published_nano, NanoConfig(), cycles((20, 12), (5e-3, 3e-3))),
    "pelican_full": Family(full_pelican, FullConfig(), cycles((20, 10), (3e-2, 1e-2))),
    "tag16": _tagger(WordsConfig(16, hidden=4, singles=2, whole=CUT)),
    "tag16_small": _tagger(WordsConfig(12, sums=2)),
    "tag32": _tagger(WordsConfig(32, hidden=4, singles=2, whole=CUT)),
}
SHORT = {"lgn": "lgn_top_small", "pelican": "pelican_top", "nano": "pelican_nano"}
"""Shorter names of families."""


def family(name: str) -> Family:
    """Return the family of a name. Raises CompileError for a name of none."""
    found = FAMILIES.get(SHORT.get(name, name))
    if found is None:
        known = ", ".join((*SHORT, *FAMILIES))
        raise CompileError("family", f"found {name!r}, expected one of {known}", "or give a .keras file")
    return found
