"""All trainable layers and networks: `eqhls.layers.GramLayer`, or `from eqhls.layers import GramLayer`.

`import eqhls` does not import Keras; this module does, when it is first asked for.
"""

from __future__ import annotations

from eqhls.frontends.layers.base import EqLayer
from eqhls.frontends.layers.codes import Exp2Layer, LogAddLayer, MagnitudeLayer, SignSelectLayer, WrapLayer
from eqhls.frontends.layers.geometry import (
    CgProductLayer,
    CgSquareLayer,
    ChannelMixLayer,
    GramLayer,
    InvariantsLayer,
    PairSumLayer,
    ToBasisLayer,
)
from eqhls.frontends.layers.networks import Inputs, SeededConfig, network, pair_lgn, ports, seeded_lgn
from eqhls.frontends.layers.pairs import (
    Eq1to2Layer,
    Eq2to0Layer,
    Eq2to1Layer,
    Eq2to2Layer,
    Eq2to2SymmetricLayer,
    Mixes,
)
from eqhls.frontends.layers.pelican import PelicanConfig, pelican
from eqhls.frontends.layers.pelican_full import FullConfig, NanoConfig, full_pelican, published_nano
from eqhls.frontends.layers.scalar import DenseLayer, Log2Layer, RequantizeLayer, TableLayer
from eqhls.frontends.layers.structure import (
    AddLayer,
    ConcatLayer,
    MaskLayer,
    ParticleSumLayer,
    RenameLayer,
    SelectLayer,
    ShiftLayer,
    SpurionLayer,
    TypedInput,
)
from eqhls.frontends.layers.tables import CodeTableLayer, CountLayer, CurveLayer
from eqhls.frontends.layers.weights import WeightQuantizer
from eqhls.frontends.layers.words import WordsConfig, words_tagger

__all__ = [
    "AddLayer",
    "CgProductLayer",
    "CgSquareLayer",
    "ChannelMixLayer",
    "CodeTableLayer",
    "ConcatLayer",
    "CountLayer",
    "CurveLayer",
    "DenseLayer",
    "Eq1to2Layer",
    "Eq2to0Layer",
    "Eq2to1Layer",
    "Eq2to2Layer",
    "Eq2to2SymmetricLayer",
    "EqLayer",
    "Exp2Layer",
    "FullConfig",
    "GramLayer",
    "Inputs",
    "InvariantsLayer",
    "Log2Layer",
    "LogAddLayer",
    "MagnitudeLayer",
    "MaskLayer",
    "Mixes",
    "NanoConfig",
    "PairSumLayer",
    "ParticleSumLayer",
    "PelicanConfig",
    "RenameLayer",
    "RequantizeLayer",
    "SeededConfig",
    "SelectLayer",
    "ShiftLayer",
    "SignSelectLayer",
    "SpurionLayer",
    "TableLayer",
    "ToBasisLayer",
    "TypedInput",
    "WeightQuantizer",
    "WordsConfig",
    "WrapLayer",
    "full_pelican",
    "network",
    "pair_lgn",
    "pelican",
    "ports",
    "published_nano",
    "seeded_lgn",
    "words_tagger",
]
