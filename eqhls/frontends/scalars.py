"""Layers of Keras, HGQ2 and the QKeras API on scalars, read as blocks.

Invariants have no components, so any network may follow them. The layer's own quantizers become
Requantize; where widths differ by element, elements of one format are taken out, rounded
together and put back. What has no exact block is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log2, prod
from typing import Any

import hgq.layers
import keras
import numpy as np
from hgq.config import QuantizerConfig

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.frontends.layers.quantizers import WRAPPING, Forms, as_format, element_formats
from eqhls.groups.lorentz import Rep
from eqhls.ir.graph import Builder
from eqhls.ir.op import Tensor
from eqhls.ir.types import Axis, Type
from eqhls.ops.add import Add
from eqhls.ops.channel_mix import ChannelMix
from eqhls.ops.concat import Concat
from eqhls.ops.dense import Dense
from eqhls.ops.input import Input
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.select import Select
from eqhls.ops.table import Activation, Table


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the graph and the shape (events left out) that Keras gives it: axes of size 1 and
    the components of a scalar may be missing, and all axes may be one."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Where blocks are being added: the builder and the layer that they stand for."""

    builder: Builder
    name: str

    def add(self, op: Any, *inputs: str, part: str = "") -> str:
        return self.builder.add(f"{self.name}.{part}" if part else self.name, op, *inputs)

    def type(self, value: Value) -> Type:
        return self.builder.type(value.name)

    def at(self, part: str) -> Site:
        return Site(self.builder, f"{self.name}.{part}")

    def refuse(self, problem: str, remedy: str = "") -> CompileError:
        return CompileError(f"{self.builder.name}: {self.name}", problem, remedy)


def read_layer(builder: Builder, name: str, layer: Any, inputs: list[Value]) -> Value:
    """Append what a layer of `HANDLERS` computes at inference. Raises CompileError naming it where it
    cannot be exact."""
    site = Site(builder, name)
    for value in inputs:
        if site.type(value).rep is not Rep.S and not isinstance(layer, hgq.layers.Quantizer):
            raise site.refuse(
                f"is a {type(layer).__name__} on {site.type(value)}, expected scalars",
                "take invariants first (InvariantsLayer, GramLayer), or use the layer of eqhls",
            )
    try:
        return HANDLERS[type(layer)](site, layer, inputs)
    except CompileError as error:
        raise error if error.where.startswith(builder.name) else error.at(f"{builder.name}: {name}") from None


def _dense(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = _quantized(site, inputs[0], layer, "iq")
    kernel, bias = (_numbers(layer, part) for part in ("kernel", "bias"))
    mixed = _mixed(site, x, kernel.T, bias, part="sum")
    return _finished(site, layer, mixed)


def _mixed(site: Site, x: Value, weight: np.ndarray, bias: np.ndarray | None, part: str) -> Value:
    """Multiply along the last axis: a Dense block where it is the only one."""
    offset = None if bias is None else Tensor(bias)
    shape = (*x.shape[:-1], len(weight))
    if len(x.shape) == 1:
        return Value(site.add(Dense(Tensor(weight), offset), x.name, part=part), shape)
    axis = _axis(site, x, len(x.shape) - 1)
    return Value(site.add(ChannelMix(Tensor(weight), offset, axis=axis), x.name, part=part), shape)


def _finished(site: Site, layer: Any, x: Value) -> Value:
    return _quantized(site, _activated(site, layer, x), layer, "oq")


def _numbers(layer: Any, part: str) -> Any:
    """Return weights as they multiply: behind their quantizer where there is one."""
    value = getattr(layer, f"q{part}", None)
    value = getattr(layer, part) if value is None else value
    return None if value is None else np.asarray(keras.ops.convert_to_numpy(value), dtype=np.float64)


def _quantized(site: Site, x: Value, layer: Any, which: str) -> Value:
    if not getattr(layer, f"enable_{which}", False):
        return x
    return requantized(site.at(which), x, element_formats(getattr(layer, which), x.shape))


def _quantizer(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return requantized(site, inputs[0], element_formats(layer, inputs[0].shape))


def requantized(site: Site, x: Value, forms: Forms | None) -> Value:
    """Round every element to its format. Raises CompileError on covariant tensors where components
    would be rounded apart, or wrap."""
    if forms is None:
        return x
    kind = site.type(x)
    forms = forms.reshape(kind.shape)
    if kind.rep is not Rep.S:
        _check_covariant(site, kind, forms)
    return Value(_split(site, x.name, forms[..., 0]), x.shape)


def _check_covariant(site: Site, kind: Type, forms: Forms) -> None:
    if any(len(set(row)) > 1 for row in forms.reshape(-1, kind.rep.dim)):
        raise site.refuse(
            f"rounds the components of {kind} to formats of their own",
            "share them: QuantizerConfig(heterogeneous_axis=()) or RequantizeLayer",
        )
    if any(f is None or f.overflow in WRAPPING for f in forms.ravel()):
        raise site.refuse(
            f"wraps components of {kind}, which no Lorentz transformation survives", "use SAT_SYM"
        )


def _split(site: Site, x: str, forms: Forms) -> str:
    """Round groups of entries of one axis that share their formats, and put them back in order."""
    groups = {k: _groups(forms, k) for k in range(forms.ndim)}
    varying = [k for k, g in groups.items() if len(g) > 1]
    if not varying:
        return _rounded(site, x, forms)
    where = min(varying, key=lambda k: len(groups[k]))
    axis = site.builder.type(x).axes[where].name
    parts = list[str]()
    for k, chosen in enumerate(groups[where]):
        taken = site.add(Select(axis, chosen, axis), x, part=f"take{k}")
        parts.append(_split(site.at(f"part{k}"), taken, np.take(forms, chosen, axis=where)))
    joined = site.add(Concat(axis), *parts, part="join")
    order = np.argsort([i for chosen in groups[where] for i in chosen])
    return site.add(Select(axis, tuple(int(i) for i in order), axis), joined)


def _groups(forms: Forms, axis: int) -> list[tuple[int, ...]]:
    found: dict[tuple[Fixed | None, ...], list[int]] = {}
    for k, row in enumerate(np.moveaxis(forms, axis, 0)):
        found.setdefault(tuple(np.ravel(row)), []).append(k)
    return [tuple(g) for g in found.values()]


def _rounded(site: Site, x: str, forms: Forms) -> str:
    form = forms.flat[0]
    if form is not None:
        return site.add(Requantize((form,)), x)
    axes = site.builder.type(x).axes
    if not axes:
        raise site.refuse("has no bits left, so that its result is always zero", "train with more bits")
    last = axes[-1]
    return site.add(ChannelMix(Tensor(np.zeros((last.size, last.size))), axis=last.name), x)


def _activated(site: Site, layer: Any, x: Value) -> Value:
    act = getattr(layer, "activation", None)
    if act is None or act is keras.activations.linear:
        return x
    if act is keras.activations.relu:
        return _rectified(site.at("relu"), x)
    if isinstance(act, QuantizerConfig):
        return Value(site.add(Requantize((as_format(act),)), x.name, part="act"), x.shape)
    raise site.refuse(
        f"has the activation {getattr(act, '__name__', act)}, whose results have no format",
        "use relu, quantized_relu, or QUnaryFunctionLUT, which has one; end the network in the logit",
    )


def _rectified(site: Site, x: Value) -> Value:
    """max(x, 0): saturation at zero of an unsigned format wide enough for x, or a table before
    quantization."""
    if not all(n.type.formats for n in site.builder.graph(x.name).inputs):
        return Value(site.add(Table(activation=Activation.RELU), x.name), x.shape)
    try:
        form = site.builder.graph(x.name).formatted().node(x.name).type.formats[0]
    except CompileError:
        return Value(site.add(Table(activation=Activation.RELU), x.name), x.shape)
    wide = Fixed(max(form.width, 1), form.integer, False, Rounding.RND, Overflow.SAT)
    return Value(site.add(Requantize((wide,)), x.name), x.shape)


def _relu(site: Site, layer: Any, inputs: list[Value]) -> Value:
    if layer.max_value is not None or float(layer.negative_slope) or float(layer.threshold):
        raise site.refuse("is a ReLU with a bound, slope or threshold", "use quantized_relu for a bound")
    return _rectified(site, inputs[0])


def _activation(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return _activated(site, layer, inputs[0])


def _lut(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """A function between two quantizers; sigmoid and tanh as a table of its results."""
    x = _quantized(site, inputs[0], layer, "iq")
    curves = {keras.activations.sigmoid: Activation.SIGMOID, keras.activations.tanh: Activation.TANH}
    if layer.activation not in curves:
        return _finished(site, layer, x)
    forms = element_formats(layer.oq, x.shape) if layer.enable_oq else None
    found = set() if forms is None else set(forms.ravel())
    if len(found) != 1 or None in found or any(f.overflow in WRAPPING for f in found):
        raise site.refuse(
            "is a table whose results have several formats, none, or wrap",
            "give oq_conf one saturating format: heterogeneous_axis=(), overflow_mode='SAT'",
        )
    if layer.activation is keras.activations.sigmoid and max(f.frac for f in found) < 1:
        raise site.refuse("rounds sigmoid(0) = 1/2, a tie, to integers", "give a fraction bit or more")
    table = Table(activation=curves[layer.activation], out=found.pop())
    return Value(site.add(table, x.name), x.shape)


def _batch_norm(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = _quantized(site, inputs[0], layer, "iq")
    if layer.axis not in (-1, len(x.shape)):
        raise site.refuse(f"normalizes axis {layer.axis}, expected the last one")
    if hasattr(layer, "qscaler_and_qoffset"):
        scale, offset = (
            np.asarray(keras.ops.convert_to_numpy(v), dtype=np.float64) for v in layer.qscaler_and_qoffset
        )
    else:
        mean, variance = (_numbers(layer, k) for k in ("moving_mean", "moving_variance"))
        scale = (_numbers(layer, "gamma") if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
        offset = (_numbers(layer, "beta") if layer.center else 0.0) - mean * scale
    return _quantized(site, _mixed(site, x, np.diag(scale), offset, part="scaled"), layer, "oq")


def _sum(site: Site, layer: Any, inputs: list[Value]) -> Value:
    x = _quantized(site, inputs[0], layer, "iq")
    if layer.keepdims:
        raise site.refuse("keeps the summed axis", "set keepdims=False")
    positions = tuple(a - 1 if a > 0 else a + len(x.shape) for a in layer.axes)
    return _quantized(site, _pooled(site, x, positions, layer.scale), layer, "oq")


def _average(site: Site, layer: Any, inputs: list[Value]) -> Value:
    if layer.keepdims or layer.data_format != "channels_last":
        raise site.refuse("keeps the axis, or channels come first", "set keepdims=False, channels_last")
    return _pooled(site, inputs[0], (0,), 1.0 / inputs[0].shape[0])


def _pooled(site: Site, x: Value, positions: tuple[int, ...], scale: float) -> Value:
    if not log2(scale).is_integer():
        raise site.refuse(f"divides by {1 / scale:g}, expected a power of two", "use QSum(scale=2**-k)")
    names = [_axis(site, x, p) for p in positions]
    name = x.name
    if scale != 1.0:
        last = site.type(x).axes[-1]
        name = site.add(ChannelMix(Tensor(scale * np.eye(last.size)), axis=last.name), name, part="scaled")
    for axis in names:
        name = site.add(ParticleSum(axis), name, part=f"over_{axis}")
    return Value(name, tuple(s for k, s in enumerate(x.shape) if k not in positions))


def _axis(site: Site, x: Value, position: int) -> str:
    """Return the named axis that one of Keras's axes is."""
    kind = site.type(x)
    ours = [a for a in kind.axes if a.size > 1]
    theirs = [k for k, s in enumerate(x.shape) if s > 1]
    if [a.size for a in ours] != [x.shape[k] for k in theirs] or position not in theirs:
        raise site.refuse(
            f"works along axis {position + 1} of {(None, *x.shape)}, which is not an axis of {kind}",
            "Reshape to the sizes of the named axes first, or Flatten",
        )
    return ours[theirs.index(position)].name


def _sums(site: Site, layer: Any, inputs: list[Value]) -> Value:
    values = _each_quantized(site, inputs, layer)
    kinds = {site.type(v).axes for v in values}
    if len(kinds) != 1:
        raise site.refuse(
            f"adds {', '.join(str(site.type(v)) for v in values)}", "rename the axes alike (RenameLayer)"
        )
    minus = (1,) if isinstance(layer, keras.layers.Subtract) else ()
    total = site.add(Add(minus), *(v.name for v in values), part="sum")
    return _quantized(site, Value(total, values[0].shape), layer, "oq")


def _each_quantized(site: Site, inputs: list[Value], layer: Any) -> list[Value]:
    if not getattr(layer, "enable_iq", False):
        return inputs
    pairs = zip(inputs, layer.iq, strict=True)
    return [requantized(site.at(f"iq{k}"), x, element_formats(q, x.shape)) for k, (x, q) in enumerate(pairs)]


def _concatenate(site: Site, layer: Any, inputs: list[Value]) -> Value:
    rank = len(inputs[0].shape)
    where = layer.axis - 1 if layer.axis > 0 else layer.axis + rank
    size = sum(v.shape[where] for v in inputs)
    shape = tuple(size if k == where else s for k, s in enumerate(inputs[0].shape))
    if rank == 1:
        flat = [_flat(site.at(f"flat{k}"), v) for k, v in enumerate(inputs)]
        return Value(site.add(Concat("c"), *flat), shape)
    axes = {_axis(site, v, where) for v in inputs}
    if len(axes) != 1:
        raise site.refuse(f"joins along axes {sorted(axes)}", "rename them alike (RenameLayer)")
    return Value(site.add(Concat(axes.pop()), *(v.name for v in inputs)), shape)


def _flat(site: Site, x: Value) -> str:
    """Return the value with one axis c."""
    axes = site.type(x).axes
    if [a.name for a in axes] == ["c"]:
        return x.name
    if len(axes) == 1:
        return site.add(Rename(axes[0].name, "c"), x.name)
    return site.add(Dense(Tensor(np.eye(prod(x.shape)))), x.name)


def _viewed(site: Site, layer: Any, inputs: list[Value]) -> Value:
    """Another shape of the same elements: axes merged into one, or axes of size 1 dropped or added."""
    x = inputs[0]
    shape = tuple(layer.output.shape[1:])
    named = [a.size for a in site.type(x).axes if a.size > 1]
    if len(shape) > 1 and [s for s in shape if s > 1] != named:
        raise site.refuse(
            f"reshapes {site.type(x)} to {(None, *shape)}, which are not its axes", "Flatten it instead"
        )
    return Value(x.name, shape)


def _same(site: Site, layer: Any, inputs: list[Value]) -> Value:
    return inputs[0]


def plain_input(builder: Builder, name: str, shape: tuple[int, ...]) -> Value:
    """Return an untyped keras.Input as scalars [c] or [j, c], whose format calibration finds."""
    if len(shape) not in (1, 2):
        raise CompileError(
            f"{builder.name}: {name}",
            f"has shape {(None, *shape)}, expected (None, c) or (None, j, c)",
            "name its axes with TypedInput",
        )
    from_last = ("j", "c")[2 - len(shape) :]
    axes = tuple(Axis(n, s) for n, s in zip(from_last, shape, strict=True))
    return Value(builder.add(name, Input(Type(Rep.S, axes))), shape)


Handler = Callable[[Site, Any, list[Value]], Value]
HANDLERS: dict[type, Handler] = {
    keras.layers.Dense: _dense,
    hgq.layers.QDense: _dense,
    keras.layers.Activation: _activation,
    keras.layers.ReLU: _relu,
    hgq.layers.Quantizer: _quantizer,
    hgq.layers.QUnaryFunctionLUT: _lut,
    keras.layers.BatchNormalization: _batch_norm,
    hgq.layers.QBatchNormalization: _batch_norm,
    hgq.layers.QSum: _sum,
    hgq.layers.QMeanPow2: _sum,
    keras.layers.GlobalAveragePooling1D: _average,
    keras.layers.Add: _sums,
    keras.layers.Subtract: _sums,
    hgq.layers.QAdd: _sums,
    hgq.layers.QSubtract: _sums,
    keras.layers.Concatenate: _concatenate,
    keras.layers.Flatten: _viewed,
    keras.layers.Reshape: _viewed,
    keras.layers.Dropout: _same,
}
