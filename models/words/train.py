"""The taggers of two classes from trigger words: train them again.

    python models/words/train.py --data FOLDER [--only NAME ..] [--seed K] [--output FOLDER]

Their configurations and settings are those of the families tag16, tag16_small and tag32
(eqhls/train/families.py). FOLDER and what is written into a folder of each: models/training.py. The networks
that ship were made by an earlier program (README.md), so that others take their place.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from eqhls import train

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from training import read, write  # noqa: E402

NAMES = ("tag16", "tag16_small", "tag32")


def main() -> None:
    parser = argparse.ArgumentParser(description="train taggers from trigger words to a score")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--output", type=Path, default=HERE.parent)
    arguments = parser.parse_args()
    train.choose_backend()
    data = read(arguments.data)
    for name in arguments.only:
        settings = train.family(name).settings
        if arguments.seed is not None:
            settings = replace(settings, seed=arguments.seed)
        write(name, data, settings, arguments.output / name)


if __name__ == "__main__":
    main()
