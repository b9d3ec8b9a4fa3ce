"""Layers without weights: ports, axes, sums."""

from __future__ import annotations

from typing import Any

import keras

from eqhls.errors import CompileError
from eqhls.frontends.layers.base import EqLayer, K, constant, register, remember_type, spread
from eqhls.ir.op import Op, Tensor, typed
from eqhls.ir.types import Type
from eqhls.ops.add import Add
from eqhls.ops.concat import Concat
from eqhls.ops.input import Frame, Input
from eqhls.ops.mask import Mask
from eqhls.ops.particle_sum import ParticleSum
from eqhls.ops.rename import Rename
from eqhls.ops.select import Select
from eqhls.ops.shift import Shift
from eqhls.ops.spurion import Spurion


@register
class TypedInput(EqLayer):
    """Names the type of a keras.Input, as in TypedInput("V.lc[j:16]:ufix<10,11>|...")(x), and the frame of
    four-vectors on the light cone, jet (if it is left out) or seed."""

    follows_types = False

    def __init__(self, type: str, frame: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind, self.frame = Type.parse(type), frame
        if frame not in ("", *(f.value for f in Frame)):
            raise CompileError(self.name, f"found the frame {frame!r}", "expected jet or seed")
        if frame:
            self.op().infer()
        self.types = (self.kind,)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        out = super().__call__(*args, **kwargs)
        if isinstance(out, keras.KerasTensor):
            remember_type(out, self.kind)
        return out

    def op(self) -> Op:
        return Input(self.kind, Frame(self.frame) if self.frame else None)

    def result_type(self) -> Type:
        return self.kind

    def call(self, x: Any) -> Any:
        return x

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"type": str(self.kind), "frame": self.frame}


@register
class SpurionLayer(EqLayer):
    """A constant tensor; the layer's input only ties it to the model and gives the number of events."""

    follows_types = False

    def __init__(self, type: str, values: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind, self.values = Type.parse(type), values

    def op(self) -> Op:
        return Spurion(self.kind, Tensor(self.values))

    def result_type(self) -> Type:
        return typed(self.op())

    def call(self, x: Any) -> Any:
        return K.broadcast_to(constant(self.values, x)[None], (K.shape(x)[0], *self.kind.shape))

    def compute_output_shape(self, *shapes: Any) -> tuple[int | None, ...]:
        return (None, *self.kind.shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"type": str(self.kind), "values": self.values}


@register
class SelectLayer(EqLayer):
    """Take some entries of an axis."""

    def __init__(self, axis: str, indices: Any, to: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis, self.indices, self.to = axis, tuple(indices), to

    def op(self) -> Op:
        return Select(self.axis, self.indices, self.to)

    def call(self, x: Any) -> Any:
        taken = K.take(x, list(self.indices), axis=1 + self.types[0].index(self.axis))
        return K.reshape(taken, (-1, *self.result_type().shape))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axis": self.axis, "indices": list(self.indices), "to": self.to}


@register
class ShiftLayer(EqLayer):
    """The entry `step` places further along a ring."""

    def __init__(self, axis: str, step: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis, self.step = axis, step

    def op(self) -> Op:
        return Shift(self.axis, self.step)

    def call(self, x: Any) -> Any:
        return K.roll(x, -self.step, axis=1 + self.types[0].index(self.axis))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axis": self.axis, "step": self.step}


@register
class ConcatLayer(EqLayer):
    """Join along an axis."""

    def __init__(self, axis: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def op(self) -> Op:
        return Concat(self.axis)

    def call(self, *x: Any) -> Any:
        return K.concatenate(x, axis=1 + self.types[0].index(self.axis))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axis": self.axis}


@register
class RenameLayer(EqLayer):
    """Call an axis by another name."""

    def __init__(self, axis: str, to: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis, self.to = axis, to

    def op(self) -> Op:
        return Rename(self.axis, self.to)

    def call(self, x: Any) -> Any:
        return x

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axis": self.axis, "to": self.to}


@register
class AddLayer(EqLayer):
    """Sum or difference, axes matched by name."""

    def __init__(self, minus: Any = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.minus = tuple(minus)

    def op(self) -> Op:
        return Add(self.minus)

    def call(self, *x: Any) -> Any:
        axes = self.result_type().axes
        parts = [spread(v, t, axes) for v, t in zip(x, self.types, strict=True)]
        total = -parts[0] if 0 in self.minus else parts[0]
        for k, part in enumerate(parts[1:], 1):
            total = total - part if k in self.minus else total + part
        return total

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"minus": list(self.minus)}


@register
class MaskLayer(EqLayer):
    """Silence padded slots: MaskLayer()(x, flags)."""

    def op(self) -> Op:
        return Mask()

    def call(self, x: Any, flags: Any) -> Any:
        return x * spread(flags, self.types[1], self.types[0].axes)


@register
class ParticleSumLayer(EqLayer):
    """Sum over an axis."""

    def __init__(self, axis: str = "j", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def op(self) -> Op:
        return ParticleSum(self.axis)

    def call(self, x: Any) -> Any:
        return K.sum(x, axis=1 + self.types[0].index(self.axis))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axis": self.axis}
