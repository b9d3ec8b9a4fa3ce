"""PELICAN-nano: one encoded channel, one tied block with two hidden channels, inputs and mixes coarse."""

import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import Plan, train  # noqa: E402

from eqhls.frontends.layers.networks import COARSER  # noqa: E402
from eqhls.frontends.layers.pelican import PelicanConfig, pelican  # noqa: E402

CONFIG = PelicanConfig(
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
PLAN = Plan(epochs=(20, 12), rates=(3e-2, 1e-2))

if __name__ == "__main__":
    train("pelican_nano", partial(pelican, CONFIG, "pelican_nano"), HERE, PLAN)
