"""PELICAN-nano: one encoded channel, one tied block with two hidden channels."""

import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import Plan, train  # noqa: E402

from eqhls.frontends.layers.networks import COARSE  # noqa: E402
from eqhls.frontends.layers.pelican import PelicanConfig, pelican  # noqa: E402

CONFIG = PelicanConfig(inputs=COARSE, encoders=1, blocks=(2,), readouts=1)
PLAN = Plan(epochs=(14, 7), rates=(3e-2, 1e-2))

if __name__ == "__main__":
    train("pelican_nano", partial(pelican, CONFIG, "pelican_nano"), HERE, PLAN)
