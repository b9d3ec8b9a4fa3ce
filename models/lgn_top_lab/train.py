"""Network A on laboratory-frame Cartesian integers of 0.25 GeV, the other input form."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import train  # noqa: E402

from eqhls.frontends.layers.networks import LAB_INPUTS, SeededConfig  # noqa: E402
from eqhls.frontends.prepare import InputForm  # noqa: E402

if __name__ == "__main__":
    train("lgn_top_lab", SeededConfig(levels=1, inputs=LAB_INPUTS), HERE, InputForm.LAB_CARTESIAN)
