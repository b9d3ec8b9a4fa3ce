"""Network D: the seeded Lorentz group network with 2 levels, jet-frame light-cone inputs.

Its configuration and settings are those of the family `lgn_top` (eqhls/train/families.py).
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import retrain  # noqa: E402

if __name__ == "__main__":
    retrain(HERE)
