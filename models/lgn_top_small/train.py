"""Network A: the seeded Lorentz group network with 1 level, jet-frame light-cone inputs."""

import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import Plan, train  # noqa: E402

from eqhls.frontends.layers.networks import SeededConfig, seeded_lgn  # noqa: E402

CONFIG = SeededConfig(levels=1)
PLAN = Plan(seed=2)

if __name__ == "__main__":
    train("lgn_top_small", partial(seeded_lgn, CONFIG, "lgn_top_small"), HERE, PLAN)
