"""Network D: the seeded Lorentz group network with 2 levels, jet-frame light-cone inputs."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import train  # noqa: E402

from eqhls.frontends.layers.networks import SeededConfig  # noqa: E402

if __name__ == "__main__":
    train("lgn_top", SeededConfig(levels=2), HERE)
