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
    Activation.GELU: (0.0, 1e4),
    Activation.GELU_TANH: (0.0, 1e4),
    Activation.SOFTPLUS: (0.0, 1e4),
    Activation.MISH: (0.0, 1e4),
    Activation.LOG: (np.log(1e4), np.log(1e4)),
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


def test_smooth_functions_near_zero(rng: np.random.Generator) -> None:
    """By integrals of a bell and of a logistic function, which no code of ours takes."""
    x = rng.normal(size=40) * 3
    steps = np.linspace(0, 1, 4001)
    bell = np.trapezoid(np.exp(-0.5 * (x[:, None] * steps) ** 2) * x[:, None], steps, axis=1) / np.sqrt(
        2 * np.pi
    )
    np.testing.assert_allclose(Activation.GELU(x), x * (0.5 + bell), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(Activation.GELU_TANH(x), Activation.GELU(x), rtol=0, atol=2e-3)
    logistic = Activation.SIGMOID(x[:, None] * steps) * x[:, None]
    softplus = np.log(2.0) + np.trapezoid(logistic, steps, axis=1)
    np.testing.assert_allclose(Activation.SOFTPLUS(x), softplus, rtol=0, atol=1e-6)
    square = (1 + np.exp(softplus) - 1) ** 2
    np.testing.assert_allclose(Activation.MISH(x), x * (square - 1) / (square + 1), rtol=0, atol=1e-5)
    assert Activation.LOG(np.zeros(1)) == 0
