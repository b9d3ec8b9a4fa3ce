"""PELICAN with one tied block, jet-frame light-cone inputs."""

import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import Plan, train  # noqa: E402

from eqhls.frontends.layers.networks import COARSE  # noqa: E402
from eqhls.frontends.layers.pelican import PelicanConfig, pelican  # noqa: E402

CONFIG = PelicanConfig(
    inputs=COARSE, encoders=3, blocks=(3,), readouts=4, weights="fix<5,2,RND,SAT>", address="fix<7,4,RND,SAT>"
)
PLAN = Plan(epochs=(20, 10), rates=(3e-2, 1e-2))

if __name__ == "__main__":
    train("pelican_top", partial(pelican, CONFIG, "pelican_top"), HERE, PLAN)
