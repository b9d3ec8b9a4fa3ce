"""PELICAN-nano: one encoded channel, one tied block with two hidden channels, inputs and mixes coarse.

Its configuration and settings are those of the family `pelican_nano` (eqhls/train/families.py).
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import retrain  # noqa: E402

if __name__ == "__main__":
    retrain(HERE)
