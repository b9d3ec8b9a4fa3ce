"""The functions of tables, far out too: no warning, which is an error here, and the known limits."""

from __future__ import annotations

import numpy as np
import pytest

from eqhls.ops.table import Activation

LIMITS = {
    Activation.RELU: (0.0, 1e4),
    Activation.LEAKY_RELU: (-1e2, 1e4),
    Activation.SIGMOID: (0.0, 1.0),
    Activation.TANH: (-1.0, 1.0),
    Activation.ELU: (-1.0, 1e4),
    Activation.SELU: (-1.7580993408473766, 1.0507009873554805e4),
    Activation.SILU: (0.0, 1e4),
    Activation.SOFTSIGN: (-1.0, 1.0),
    Activation.LOG_SIGMOID: (-1e4, 0.0),
    Activation.ATAN: (-np.pi / 2, np.pi / 2),
}


@pytest.mark.parametrize("kind", LIMITS)
def test_far_out(kind: Activation) -> None:
    np.testing.assert_allclose(kind(np.array([-1e4, 1e4])), LIMITS[kind], rtol=2e-4, atol=1e-12)


def test_logistic_functions_near_zero(rng: np.random.Generator) -> None:
    """By the tangent of half the argument, which no code of ours uses."""
    x = rng.normal(size=200) * 4
    half = (1 + np.tanh(x / 2)) / 2
    np.testing.assert_allclose(Activation.SIGMOID(x), half, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(Activation.SILU(x), x * half, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(Activation.LOG_SIGMOID(x), np.log(half), rtol=1e-10, atol=1e-14)
