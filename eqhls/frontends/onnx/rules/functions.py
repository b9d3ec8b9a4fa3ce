"""Activations and normalizations."""

from __future__ import annotations

from typing import Any

import numpy as np

from eqhls.frontends.onnx.algebra import combined, each, product, rectified, scaled, shifted
from eqhls.frontends.onnx.built import built
from eqhls.frontends.onnx.rules.arithmetic import table
from eqhls.frontends.onnx.rules.entry import Entry, axis_of, per_event
from eqhls.frontends.onnx.site import Site
from eqhls.frontends.onnx.views import View
from eqhls.frontends.scalars.build.functions import exponential_linear
from eqhls.frontends.scalars.build.norm import layer_norm as layer_normalized
from eqhls.frontends.scalars.build.softmax import log_softmax
from eqhls.frontends.scalars.build.softmax import softmax as normalized
from eqhls.ir.op import Op, Tensor
from eqhls.ops.add import Add
from eqhls.ops.table import Activation, Table

Given = dict[str, Any]


def bent(slope: float) -> Op:
    """Return x for x > 0, else slope x."""
    return Table(knots=Tensor([-1.0, 0.0, 1.0]), values=Tensor([[-slope, 0.0, 1.0]]))


def leaky(site: Site, given: Given) -> View:
    usual = abs(given["alpha"] - 0.01) < 1e-8
    return each(
        site, Table(activation=Activation.LEAKY_RELU) if usual else bent(given["alpha"]), site.scalar()
    )


def sloped(site: Site, given: Given) -> View:
    """PRelu: one table for one slope, else x s + max(x, 0) (1 - s)."""
    view, slope = site.scalar(), site.constant(1)
    if slope.size == 1:
        return each(site, bent(float(slope.ravel()[0])), view)
    slopes = np.broadcast_to(per_event(site, slope, view), view.index.shape)
    below = scaled(site.at("below"), view, slopes)
    above = scaled(site.at("above"), rectified(site.at("relu"), view), 1.0 - slopes)
    return combined(site, Add(), below, above)


def elu(site: Site, given: Given) -> View:
    alpha, view = given["alpha"], site.scalar()
    if alpha == 1:
        return each(site, Table(activation=Activation.ELU), view)
    return built(site, view, lambda s, x: exponential_linear(s, x, alpha))


def selu(site: Site, given: Given) -> View:
    if abs(given["alpha"] - 1.67326) > 1e-4 or abs(given["gamma"] - 1.0507) > 1e-4:
        raise site.refuse(f"has alpha = {given['alpha']}, gamma = {given['gamma']}", "use Elu and Mul")
    return each(site, Table(activation=Activation.SELU), site.scalar())


def ramp(site: Site, view: View, alpha: float, beta: float) -> View:
    """max(0, min(1, alpha x + beta))."""
    if alpha <= 0:
        raise site.refuse(f"has the slope {alpha}", "expected a positive one")
    start, end = -beta / alpha, (1 - beta) / alpha
    knots = Tensor([start - 1, start, end, end + 1])
    return each(site, Table(knots=knots, values=Tensor([[0.0, 0.0, 1.0, 1.0]])), view)


def hard_sigmoid(site: Site, given: Given) -> View:
    return ramp(site, site.scalar(), given["alpha"], given["beta"])


def hard_swish(site: Site, given: Given) -> View:
    view = site.scalar()
    return product(site, view, ramp(site.at("gate"), view, 1 / 6, 0.5))


def swish(site: Site, given: Given) -> View:
    view, alpha = site.scalar(), given["alpha"]
    if alpha == 1:
        return each(site, Table(activation=Activation.SILU), view)
    gate = Table(values=Tensor([[0.0, alpha]]), activation=Activation.SIGMOID)
    return product(site, view, each(site.at("gate"), gate, view))


def gelu(site: Site, given: Given) -> View:
    rough = given["approximate"] == b"tanh"
    if not rough and given["approximate"] != b"none":
        raise site.refuse(f"has approximate = {given['approximate']!r}", "expected none or tanh")
    return each(site, Table(activation=Activation.GELU_TANH if rough else Activation.GELU), site.scalar())


def softmax(site: Site, given: Given) -> View:
    """Softmax and LogSoftmax along one axis."""
    view = site.scalar()
    axis = axis_of(site, given["axis"], view.rank)
    if axis == view.event:
        raise site.refuse("works along the axis of the events", "every event is computed by itself")
    if site.state.opset < 13 and axis != view.rank - 1:
        found = f"is of opset {site.state.opset}, where it works along axis {axis} and all behind it"
        raise site.refuse(found, "convert it to opset 13 with onnx.version_converter")
    build = log_softmax if site.node.op_type == "LogSoftmax" else normalized
    return built(site, view, lambda s, x: build(s, x, (axis,)))


def layer_norm(site: Site, given: Given) -> View:
    view = site.scalar()
    dims = range(axis_of(site, given["axis"], view.rank), view.rank)
    if given["epsilon"] < 0 or view.event in dims:
        raise site.refuse(
            f"has epsilon = {given['epsilon']} and axis {given['axis']}", "normalize each event"
        )
    scale = per_event(site, site.constant(1), view)
    shift = per_event(site, site.constant(2), view) if site.given(2) else None
    return built(site, view, lambda s, x: layer_normalized(s, x, dims, given["epsilon"], scale, shift))


def batch_norm(site: Site, given: Given) -> View:
    view = site.scalar()
    if view.rank < 2 or len(site.node.output) > 1:
        raise site.refuse("normalizes no channels, or trains", "export it for inference: model.eval()")
    scale, shift, mean, variance = (site.constant(k).astype(np.float64) for k in range(1, 5))
    scale = scale / np.sqrt(variance + given["epsilon"])
    wide = (-1, *(1 for _ in range(view.rank - 2)))
    rows = (
        per_event(site, scale.reshape(wide), view),
        per_event(site, (shift - mean * scale).reshape(wide), view),
    )
    return scaled(site, view, rows[0], np.broadcast_to(rows[1], view.index.shape))


def thresholded(site: Site, given: Given) -> View:
    """ThresholdedRelu: x where x > alpha, else 0."""
    view, alpha = site.scalar(), given["alpha"]
    above = shifted(site.at("above"), view, np.full(view.index.shape, alpha), (1,))
    return product(site, view, each(site.at("step"), Table(activation=Activation.STEP), above))


def dropout(site: Site, given: Given) -> View:
    if len(site.node.output) > 1 and site.node.output[1]:
        raise site.refuse("gives out its mask", "export it for inference: model.eval()")
    mode = site.known(2)
    if site.given(2) and (mode is None or mode.any()):
        raise site.refuse("is in training mode", "export it for inference: model.eval()")
    return site.scalar()


RULES: dict[str, Entry] = {
    "Relu": Entry(table(Activation.RELU), "`Table`"),
    "LeakyRelu": Entry(leaky, "`Table`", honours=("alpha",)),
    "PRelu": Entry(sloped, "`Table`, or `Relu` and `ChannelMix`", "constant slopes"),
    "Sigmoid": Entry(table(Activation.SIGMOID), "`Table`"),
    "Tanh": Entry(table(Activation.TANH), "`Table`"),
    "HardSigmoid": Entry(hard_sigmoid, "`Table`", honours=("alpha", "beta")),
    "HardSwish": Entry(hard_swish, "`Table` and `CgProduct`"),
    "Swish": Entry(swish, "`Table`", honours=("alpha",)),
    "Softplus": Entry(table(Activation.SOFTPLUS), "`Table`"),
    "Softsign": Entry(table(Activation.SOFTSIGN), "`Table`"),
    "Elu": Entry(elu, "`Table`", honours=("alpha",)),
    "Selu": Entry(selu, "`Table`", "the usual alpha and gamma", ("alpha", "gamma")),
    "Gelu": Entry(gelu, "`Table`", honours=("approximate",)),
    "Mish": Entry(table(Activation.MISH), "`Table`"),
    "ThresholdedRelu": Entry(thresholded, "`Table` and `CgProduct`", honours=("alpha",)),
    **dict.fromkeys(
        ("Softmax", "LogSoftmax"),
        Entry(
            softmax,
            "`ParticleMax`, `Table`, `ParticleSum` and `CgProduct`",
            "not along the events",
            ("axis",),
        ),
    ),
    "LayerNormalization": Entry(
        layer_norm,
        "`ParticleSum`, `Log2`, `Table`, `CgProduct` and `ChannelMix`",
        "constant scale and shift",
        ("axis", "epsilon"),
    ),
    "BatchNormalization": Entry(
        batch_norm, "`ChannelMix`", "for inference, with constant statistics", ("epsilon", "momentum")
    ),
    "Dropout": Entry(dropout, "nothing", "for inference", ("ratio", "seed")),
}
