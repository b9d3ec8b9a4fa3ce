"""What alkaid's tracer of Keras lacks or does otherwise: shapes keep the axis of the events, which
convolutions and concatenations behind them expect, and entries are taken by constant indices.

Importing this module registers the classes below in place of alkaid's for the same layers.
"""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import numpy as np
from alkaid.converter.builtin.keras.layers._base import ReplayOperationBase
from keras.src.ops.numpy import Take


class Reshaped(ReplayOperationBase):
    """Flatten and Reshape of the elements of one event."""

    handles: ClassVar[Any] = (keras.layers.Flatten, keras.layers.Reshape)

    def call(self, inputs: Any) -> Any:
        if isinstance(self.op, keras.layers.Reshape):
            return inputs.reshape(1, *self.op.target_shape)
        first = self.op.data_format == "channels_first" and np.ndim(inputs) > 2
        ordered: Any = np.moveaxis(inputs, 1, -1) if first else inputs
        return ordered.reshape(1, -1)


class Taken(ReplayOperationBase):
    """`keras.ops.take` with indices that are known."""

    handles: ClassVar[Any] = (Take,)

    def call(self, x: Any, indices: Any) -> Any:
        return np.take(x, np.asarray(keras.ops.convert_to_numpy(indices)), axis=self.op.axis)
