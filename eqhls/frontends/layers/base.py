"""What every trainable layer knows: the op it is, and how its tensors transform."""

from __future__ import annotations

from inspect import signature
from typing import Any, ClassVar, TypeVar

import keras
import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.fixed import Fixed, Overflow, Rounding
from eqhls.ir.op import Op, typed
from eqhls.ir.types import Axis, Type

PACKAGE = "eqhls"
K: Any = keras.ops
"""Tensor operations of whatever backend Keras runs on; Keras types them loosely."""


class EqLayer(keras.layers.Layer):
    """A layer that is one op: `op()` returns it with its current weights.

    Wiring is type-checked by the op's own `infer`, so a layer that would break equivariance
    raises CompileError if the model is built. Tensors have shape (events, *axes, components).
    """

    follows_types: ClassVar[bool] = True
    """Whether every tensor that the layer is called with must have a type."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.types: tuple[Type, ...] = ()

    def op(self) -> Op:
        """Return the op with the trained weights."""
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = self._positional(args, kwargs)
        types = tuple(t for t in (getattr(a, "eqhls_type", None) for a in args) if t is not None)
        if self.follows_types and (types or not self.types):
            self._check_typed(args)
        if types:
            self.types = types
            self.prepare()
            self.result_type()
        out = super().__call__(*args, **kwargs)
        if types and isinstance(out, keras.KerasTensor):
            remember_type(out, self.result_type())
        return out

    def _positional(self, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the arguments of a call with named tensors in their places: types follow the order."""
        known = signature(self.call).parameters
        bound = signature(self.call).bind_partial(*args, **{k: v for k, v in kwargs.items() if k in known})
        return bound.args, bound.kwargs | {k: v for k, v in kwargs.items() if k not in known}

    def _check_typed(self, args: Any) -> None:
        if any(isinstance(a, list | tuple | dict) for a in args):
            raise CompileError(
                self.name, "is called with a list of tensors", "give them one by one: layer(a, b)"
            )
        if any(isinstance(a, keras.KerasTensor) and not hasattr(a, "eqhls_type") for a in args):
            raise CompileError(
                self.name,
                "is called with a tensor that has no type",
                "begin with TypedInput, and use eqhls's layers up to the last layer of eqhls",
            )

    def prepare(self) -> None:
        """Derive sizes from `self.types` before the weights are made."""

    def result_type(self) -> Type:
        """Return the type of the result. Raises CompileError naming this layer."""
        try:
            return typed(self.op(), *self.types)
        except CompileError as error:
            raise error.at(self.name) from None

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Wait for the wiring: weights are made from types, not from shapes."""

    def compute_output_shape(self, *shapes: Any) -> tuple[int | None, ...]:
        return (None, *self.result_type().shape)


def remember_type(tensor: Any, type: Type) -> None:
    """Let a symbolic tensor carry its eqhls type."""
    tensor.eqhls_type = type


L = TypeVar("L", bound=type[EqLayer])


def register(cls: L) -> L:
    """Make a layer loadable from .keras files."""
    return keras.saving.register_keras_serializable(PACKAGE)(cls)


T = TypeVar("T", bound=type[keras.layers.Layer])


def register_object(cls: T) -> T:
    """Make a part of a layer loadable from .keras files."""
    return keras.saving.register_keras_serializable(PACKAGE)(cls)


def spread(x: Any, have: Type, want: tuple[Axis, ...]) -> Any:
    """Order and insert axes so that `x` broadcasts over the axes `want` (events first)."""
    names = [a.name for a in want]
    order = sorted(range(len(have.axes)), key=lambda k: names.index(have.axes[k].name))
    last = len(have.axes) + 1
    x = K.transpose(x, (0, *(1 + k for k in order), last))
    sizes = [have.size(n) if have.has(n) else 1 for n in names]
    return K.reshape(x, (-1, *sizes, have.dim))


def straight_through(x: Any, rounded: Any) -> Any:
    """Return `rounded`, every bit of it, with the gradient of `x`."""
    return K.stop_gradient(rounded) + (x - K.stop_gradient(x))


def fake_quantize(x: Any, form: Fixed) -> Any:
    """Round to the nearest value of a format and saturate; gradients pass inside the range."""
    bounded = saturate(x, form)
    return straight_through(bounded, K.clip(K.round(bounded / form.lsb), form.lo, form.hi) * form.lsb)


_WHOLE = {
    Rounding.RND: lambda v: K.floor(v + 0.5),
    Rounding.RND_MIN_INF: lambda v: K.ceil(v - 0.5),
    Rounding.RND_INF: lambda v: K.sign(v) * K.floor(K.abs(v) + 0.5),
    Rounding.RND_ZERO: lambda v: K.sign(v) * K.ceil(K.abs(v) - 0.5),
    Rounding.RND_CONV: K.round,
    Rounding.TRN: K.floor,
}
TRAINED = tuple(_WHOLE)
"""The roundings that pass gradients straight through."""


def requantize(x: Any, form: Fixed) -> Any:
    """Round by the format's own mode, ties included, and saturate; straight through."""
    bounded = saturate(x, form)
    raw = K.clip(_WHOLE[form.rounding](x / form.lsb), form.lo, form.hi)
    return straight_through(bounded, raw * form.lsb)


def saturate(x: Any, form: Fixed | None) -> Any:
    """Bound to the range of a saturating format."""
    if form is None or form.overflow not in (Overflow.SAT, Overflow.SAT_SYM):
        return x
    return K.clip(x, form.lo * form.lsb, form.hi * form.lsb)


def stored(values: Any) -> NDArray[np.float64]:
    """Return the numbers of a variable or a tensor in float64, in which ops hold them."""
    return np.asarray(K.convert_to_numpy(values), dtype=np.float64)


def constant(values: Any, like: Any = None) -> Any:
    """Return a constant tensor of the float type of another, or of the default one."""
    kind = keras.config.floatx() if like is None else keras.backend.standardize_dtype(like.dtype)
    return K.convert_to_tensor(np.asarray(values, dtype=kind))
