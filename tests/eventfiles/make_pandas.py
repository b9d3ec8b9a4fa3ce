"""Write toptag_pandas.h5 in the layout of the public top tagging data, by pandas and PyTables themselves, which
the project and its tests do not need: `python make_pandas.py` once, with pandas 3.1.1 and tables 3.11.1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
JETS, SLOTS = 6, 200

rng = np.random.default_rng(1)
p4 = np.zeros((JETS, SLOTS, 4), np.float32)
for jet in p4:
    number = int(rng.integers(3, 12))
    p = rng.normal(0, 40, (number, 3))
    p = p[np.argsort(-np.hypot(p[:, 0], p[:, 1]))]
    jet[:number, 1:], jet[:number, 0] = p, np.sqrt((p**2).sum(1))
columns = [f"{k}_{i}" for i in range(SLOTS) for k in ("E", "PX", "PY", "PZ")]
frame = pd.DataFrame(p4.reshape(JETS, -1), columns=columns)
truth = pd.DataFrame(
    np.float32(rng.normal(0, 300, (JETS, 4))), columns=["truthE", "truthPX", "truthPY", "truthPZ"]
)
marks = pd.DataFrame({"ttv": np.zeros(JETS, int), "is_signal_new": rng.integers(0, 2, JETS)})
whole = pd.concat([frame, truth, marks], axis=1)
for form in ("table", "fixed"):
    path = HERE / f"toptag_pandas_{form}.h5"
    whole.to_hdf(path, key="table", mode="w", format=form, complib="zlib", complevel=9)
back = pd.read_hdf(HERE / "toptag_pandas_table.h5", key="table")
np.savez_compressed(
    HERE / "toptag_pandas.npz", p4=back[columns].to_numpy().reshape(JETS, SLOTS, 4), y=back["is_signal_new"]
)
