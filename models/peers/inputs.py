"""What the peers read of a jet: logarithmic momentum shares, relative directions, the jet's mass."""

from __future__ import annotations

import numpy as np

CONSTITUENTS = 16


def on_grid(x: np.ndarray, frac: int, low: float, high: float) -> np.ndarray:
    """Round to steps of 2**-frac and bound."""
    return np.clip(np.round(x * 2.0**frac) * 2.0**-frac, low, high)


def inputs(p4: np.ndarray, jet: np.ndarray) -> dict[str, np.ndarray]:
    """Return x (events, 16, 3) and m (events, 1) of constituents and jets in GeV, E px py pz."""
    p4 = p4[:, :CONSTITUENTS].astype(np.float64)
    jet = jet.astype(np.float64)

    def pt_eta_phi(v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        pt = np.hypot(v[..., 1], v[..., 2])
        return pt, np.arcsinh(v[..., 3] / np.maximum(pt, 1e-9)), np.arctan2(v[..., 2], v[..., 1])

    pt, eta, phi = pt_eta_phi(p4)
    jet_pt, jet_eta, jet_phi = (v[:, None] for v in pt_eta_phi(jet))
    share = on_grid(np.log2(np.maximum(pt, 1e-9) / jet_pt) + 4, 5, -4.0, 4 - 2.0**-5)
    d_eta = on_grid(4 * (eta - jet_eta), 6, -4.0, 4 - 2.0**-6)
    d_phi = on_grid(4 * ((phi - jet_phi + np.pi) % (2 * np.pi) - np.pi), 6, -4.0, 4 - 2.0**-6)
    x = np.stack([share, d_eta, d_phi], axis=-1) * (pt > 0)[..., None]
    mass = np.sqrt(np.maximum(jet[:, 0] ** 2 - (jet[:, 1:] ** 2).sum(1), 1.0))
    m = on_grid(2 * np.log2(mass) - 13, 6, -8.0, 8 - 2.0**-6)[:, None]
    return {"x": x.astype("float32"), "m": m.astype("float32")}
