"""Network D: the seeded Lorentz group network with 2 levels, jet-frame light-cone inputs."""

import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import Plan, train  # noqa: E402

from eqhls.frontends.layers.networks import SeededConfig, seeded_lgn  # noqa: E402

CONFIG = SeededConfig(levels=2)
PLAN = Plan(seed=1)

if __name__ == "__main__":
    train("lgn_top", partial(seeded_lgn, CONFIG, "lgn_top"), HERE, PLAN)
