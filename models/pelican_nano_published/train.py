"""PELICAN-nano as published: six maps, two hidden channels, 6 bits, constituents and beams alone.

Its configuration and settings are those of the family `pelican_nano_published` (eqhls/train/families.py).
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import retrain  # noqa: E402

if __name__ == "__main__":
    retrain(HERE)
