"""Train a model of this folder again: float first, then with its quantizers, straight through.

    python models/lgn_top/train.py --data FOLDER

FOLDER holds toptag_{train,val,test}.npz: p4 (B, N, 4) in GeV, jet (B, 4), y, and, for networks that read the
multiplicity of a jet, n (B,), its constituents before it was cut to N. Writes model.keras, graph.eq,
graph.npz, events.npz (jets as integers with labels and expected outputs), jets_p4.npz (a few jets in GeV) and
metrics.json beside the script, and prints the AUCs. `eqhls train` does the same for any size and any files.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from eqhls import train
from eqhls.commands.shell import Steps
from eqhls.events.files import load_arrays

PARTS = ("train", "val", "test")
READ = ("p4", "jet", "y", "n")


def retrain(folder: Path) -> None:
    """Train the family that a folder is called after, and write it there."""
    train.choose_backend()
    family = train.family(folder.name)
    parser = argparse.ArgumentParser(description=f"train {folder.name}")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=family.settings.seed)
    parser.add_argument("--epochs", type=int, nargs=2, default=[p.epochs for p in family.settings.phases])
    parser.add_argument("--output", type=Path, default=folder)
    arguments = parser.parse_args()
    settings = replace(family.settings, seed=arguments.seed).varied(epochs=tuple(arguments.epochs))
    write(folder.name, read(arguments.data), settings, arguments.output)


def read(folder: Path) -> train.Data:
    """Return the jets of a folder."""
    parts = [load_arrays(folder / f"toptag_{part}.npz") for part in PARTS]
    return train.Data(*({k: arrays[k] for k in READ if k in arrays} for arrays in parts))


def write(name: str, data: train.Data, settings: train.Settings, output: Path) -> None:
    """Train the family of a name, write its folder and print the AUCs."""
    with Steps() as progress:
        run = train.fit(train.family(name).builder(name), data, settings, report=progress)
    run.save(output)
    print(*run.lines(), sep="\n")
