"""Try a wheel or a source archive in a fresh environment, as `make release` does: python release.py FOLDER FILE..

Each file is installed with its dependencies, and a shipped network is compiled, simulated and predicted, away from
the repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = "tag16_small"
SAME = f"""
import numpy as np
found, expected = np.load("scores.npz")["scores"], np.load("{NAME}/events.npz")["expected"]
assert np.array_equal(found.ravel() * 8, expected), "the score has three bits behind its point"
print(found.size, "scores are those that the network ships with")
"""


def tried(file: Path, folder: Path) -> None:
    """Raises CalledProcessError if a step fails."""
    print(f"[release] {file.name}", flush=True)
    venv.create(folder / "env", clear=True, with_pip=True)
    shutil.copytree(ROOT / "models" / NAME, folder / NAME)
    python, own = (
        folder / "env" / "bin" / "python",
        {k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )

    def run(*words: object) -> None:
        subprocess.run([str(python), *map(str, words)], cwd=folder, env=own, check=True)

    run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", file)
    run("-c", f"import eqhls; assert eqhls.__file__.startswith({str(folder)!r}), eqhls.__file__")
    run("-m", "eqhls", "compile", NAME, "-o", "project", "--quiet")
    run("-m", "eqhls", "simulate", "project")
    run("-m", "eqhls", "predict", "project", f"{NAME}/events.npz", "-o", "scores.npz", "--quiet")
    run("-c", SAME)


def main() -> None:
    place, *files = (Path(word).resolve() for word in sys.argv[1:])
    shutil.rmtree(place, ignore_errors=True)
    for file in files:
        folder = place / ("sdist" if file.suffix == ".gz" else "wheel")
        folder.mkdir(parents=True)
        tried(file, folder)


if __name__ == "__main__":
    main()
