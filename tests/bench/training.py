"""Seconds of training by backend of Keras: compilation, and an epoch.

    cd tests && python -m bench.training --data FOLDER

FOLDER holds toptag_train.npz. Each row is a process of its own. What the first epoch of a phase takes beyond the
others is counted as compilation (XLA's, and Keras's tracing). Seconds are those of the clock, and beside them
those of the processor, which other jobs on the machine change less.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from eqhls import train
from eqhls.events.files import load_arrays
from eqhls.lazy import lazy

MODELS = Path(__file__).resolve().parents[2] / "models"
peers = lazy("peers.train")
loop = lazy("eqhls.train.loop")
NETWORKS = ("lgn_top_small", "deepset_m")
BACKENDS = ("jax", "tensorflow")
EPOCHS = 4
HEAD = "| network | phase | backend | compilation s | CPU s | s per epoch | CPU s |\n|---|---|---|---|---|---|---|"


class Stopwatch:
    """Notes the clock and the processor time at every epoch."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, float]] = []
        self(" ", 0.0)

    def __call__(self, text: str, share: float) -> None:
        self.marks.append((time.monotonic(), time.process_time()))

    def row(self, first: int) -> str:
        """Return what compilation and an epoch of a phase took, of the epochs behind a mark."""
        steps = np.diff(np.array(self.marks[first : first + EPOCHS + 1]), axis=0)
        each = np.median(steps[1:], axis=0)
        start = steps[0] - each
        return f"{start[0]:.1f} | {start[1]:.1f} | {each[0]:.2f} | {each[1]:.2f}"


def seeded(data: Path, events: int) -> list[str]:
    """Return the rows of both phases of the seeded network, without validation events."""
    arrays = {k: v[:events] for k, v in load_arrays(data).items() if k in ("p4", "jet", "y")}
    family = train.family("lgn_top_small")
    watch = Stopwatch()
    settings = family.settings.varied(epochs=(EPOCHS, EPOCHS))
    # what is done before the first epoch and behind the last one is not part of a phase
    train.fit(family.builder("lgn"), train.Data(arrays), settings, report=watch)
    return [f"float | {{}} | {watch.row(0)}", f"quantized | {{}} | {watch.row(EPOCHS)}"]


def deep_set(data: Path, events: int) -> list[str]:
    """Return the row of a Deep Set by HGQ2 with the jet's mass."""
    arrays = load_arrays(data)
    values = peers.inputs(arrays["p4"][:events], arrays["jet"][:events])
    model = peers.network("deepset", True, peers.BETAS["m"])
    sample = train.Sample(peers.fed(model, values), arrays["y"][:events].astype(np.int64))
    watch = Stopwatch()
    extras = loop.Extras(callbacks=[peers.FreeEBOPs()], report=watch)
    loop.optimise([model], sample, None, peers.settings(EPOCHS), extras)
    return [f"HGQ2 | {{}} | {watch.row(0)}"]


MAKERS = {"lgn_top_small": seeded, "deepset_m": deep_set}


def main() -> None:
    parser = argparse.ArgumentParser(description="seconds of training by backend")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--events", type=int, default=20480)
    parser.add_argument("--one", choices=NETWORKS, help="only this network, in this process")
    arguments = parser.parse_args()
    if arguments.one:
        sys.path.insert(0, str(MODELS))
        for row in MAKERS[arguments.one](arguments.data / "toptag_train.npz", arguments.events):
            print(f"| {arguments.one} | {row.format(os.environ[train.backend.VARIABLE])} |")
        return
    print(HEAD, flush=True)
    for name in NETWORKS:
        for backend in BACKENDS:
            command = [sys.executable, "-m", "bench.training", "--one", name, "--data", str(arguments.data)]
            environment = os.environ | {train.backend.VARIABLE: backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
            done = subprocess.run(
                [*command, "--events", str(arguments.events)], env=environment, capture_output=True, text=True, check=False
            )  # fmt: skip
            print(done.stdout.rstrip() if done.returncode == 0 else done.stderr[-2000:], flush=True)


if __name__ == "__main__":
    main()
