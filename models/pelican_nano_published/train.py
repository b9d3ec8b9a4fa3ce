"""PELICAN-nano as published: six maps, two hidden channels, 6 bits, constituents and beams alone."""

import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import Plan, train  # noqa: E402

from eqhls.events.prepare import InputForm  # noqa: E402
from eqhls.frontends.layers.pelican_full import NanoConfig, published_nano  # noqa: E402

PLAN = Plan(epochs=(20, 12), rates=(5e-3, 3e-3), form=InputForm.LAB_CARTESIAN)

if __name__ == "__main__":
    name = "pelican_nano_published"
    train(name, partial(published_nano, NanoConfig(), name), HERE, PLAN)
