"""Network A on laboratory-frame Cartesian integers of 0.25 GeV, the other input form."""

import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import Plan, train  # noqa: E402

from eqhls.events.prepare import InputForm  # noqa: E402
from eqhls.frontends.layers.networks import LAB_INPUTS, SeededConfig, seeded_lgn  # noqa: E402

CONFIG = SeededConfig(levels=1, inputs=LAB_INPUTS)
PLAN = Plan(seed=2, form=InputForm.LAB_CARTESIAN)

if __name__ == "__main__":
    train("lgn_top_lab", partial(seeded_lgn, CONFIG, "lgn_top_lab"), HERE, PLAN)
