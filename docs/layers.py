"""Write docs/layers.md: what is made of each layer and operation, by trying each.

Every layer of Keras is put into a model of its own and read; so is its namesake of HGQ2, with the quantizers
that HGQ2 trains and with those of the QKeras API. Operators of ONNX are named beside.
A cell says of which ops it was made, that it became a
`circuit`, or why it was refused and what to do instead. `python docs/layers.py` writes the page.
"""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import hgq.layers
    import keras
    from hgq.config import QuantizerConfigScope
    from qkeras.quantizers import quantized_bits

    from eqhls.frontends.keras import read_keras
    from eqhls.frontends.onnx.plain import RULES
    from eqhls.frontends.scalars.handlers import CALLS, HANDLERS
    from eqhls.frontends.scalars.operations import CURVES, MOVES, OPERATIONS

from eqhls.errors import CompileError
from eqhls.text import write_file

PAGE = Path(__file__).with_name("layers.md")
L, ops = keras.layers, keras.ops
VECTOR, ROWS, IMAGE = ((6,),), ((6, 4),), ((6, 6, 2),)
VOLUME = ((4, 4, 4, 2),)
Shapes = tuple[tuple[int, ...], ...]
MOVES_OF: dict[str, dict[str, Any]] = {"Cropping": {"cropping": 1}, "ZeroPadding": {}, "UpSampling": {}}
RECIPES: dict[str, tuple[dict[str, Any], Shapes]] = {
    "Dense": ({"units": 3}, VECTOR),
    "EinsumDense": ({"equation": "abc,cd->abd", "output_shape": (6, 3)}, ROWS),
    "Conv1D": ({"filters": 3, "kernel_size": 2}, ROWS),
    "Conv2D": ({"filters": 3, "kernel_size": 2}, IMAGE),
    "Conv3D": ({"filters": 2, "kernel_size": 2}, VOLUME),
    "Conv1DTranspose": ({"filters": 3, "kernel_size": 2}, ROWS),
    "Conv2DTranspose": ({"filters": 3, "kernel_size": 2}, IMAGE),
    "Conv3DTranspose": ({"filters": 2, "kernel_size": 2}, VOLUME),
    "DepthwiseConv1D": ({"kernel_size": 2}, ROWS),
    "DepthwiseConv2D": ({"kernel_size": 2}, IMAGE),
    "SeparableConv1D": ({"filters": 3, "kernel_size": 2}, ROWS),
    "SeparableConv2D": ({"filters": 3, "kernel_size": 2}, IMAGE),
    "Embedding": ({"input_dim": 4, "output_dim": 3}, VECTOR),
    "Activation": ({"activation": "tanh"}, VECTOR),
    "ActivityRegularization": ({}, VECTOR),
    "MultiHeadAttention": ({"num_heads": 2, "key_dim": 2}, (*ROWS, *ROWS)),
    "GroupQueryAttention": ({"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1}, (*ROWS, *ROWS)),
    "TimeDistributed": ({}, ROWS),
    "SpectralNormalization": ({}, VECTOR),
    "Bidirectional": ({}, ROWS),
    "Lambda": ({"function": lambda x: x * 2.0}, VECTOR),
    "Normalization": ({"mean": 0.5, "variance": 2.0}, VECTOR),
    "Rescaling": ({"scale": 0.5}, VECTOR),
    "Dot": ({"axes": 1}, (*VECTOR, *VECTOR)),
    "Flatten": ({}, ROWS),
    "Reshape": ({"target_shape": (4, 6)}, ROWS),
    "Permute": ({"dims": (2, 1)}, ROWS),
    "RepeatVector": ({"n": 3}, VECTOR),
    "Dropout": ({"rate": 0.5}, VECTOR),
    "AlphaDropout": ({"rate": 0.5}, VECTOR),
    "GaussianDropout": ({"rate": 0.5}, VECTOR),
    "GaussianNoise": ({"stddev": 0.5}, VECTOR),
    "GroupNormalization": ({"groups": 2}, ROWS),
    **{name: ({"units": 3}, ROWS) for name in ("LSTM", "GRU", "SimpleRNN")},
    **{f"ConvLSTM{n}D": ({"filters": 2, "kernel_size": 2}, ((3, *(4,) * n, 2),)) for n in (1, 2, 3)},
    **{f"SpatialDropout{n}D": ({"rate": 0.5}, ((4,) * n + (2,),)) for n in (1, 2, 3)},
    **{
        f"{before}{kind}Pooling{n}D": (given, ((4,) * n + (2,),))
        for before, given in (("", {"pool_size": 2}), ("Global", {}), ("Adaptive", {"output_size": 2}))
        for kind in ("Max", "Average")
        for n in (1, 2, 3)
    },
    **{f"{kind}{n}D": (given, ((4,) * n + (2,),)) for kind, given in MOVES_OF.items() for n in (1, 2, 3)},
    **{name: ({}, (*VECTOR, *VECTOR)) for name in ("Add", "Subtract", "Multiply", "Average")},
    **{name: ({}, (*VECTOR, *VECTOR)) for name in ("Maximum", "Minimum", "Concatenate")},
    **{name: ({}, (*ROWS, *ROWS)) for name in ("Attention", "AdditiveAttention")},
    **{name: ({}, VECTOR) for name in ("ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Identity")},
    **{f"{kind}Normalization": ({}, VECTOR) for kind in ("Batch", "Layer", "RMS", "Unit")},
    "Masking": ({}, ROWS),
}  # fmt: skip
"""The arguments and the shapes of the inputs with which each layer is tried."""
INNER = {
    "TimeDistributed": lambda: L.Dense(3),
    "SpectralNormalization": lambda: L.Dense(3),
    "Bidirectional": lambda: L.LSTM(2),
}
RECURRENT = {
    "LSTM": ("LSTM",),
    "GRU": ("GRU",),
    "SimpleRNN": ("RNN",),
    "Bidirectional": ("LSTM", "GRU", "RNN"),
}
OPERATORS: dict[str, tuple[str, ...]] = {
    **RECURRENT,
    "Dense": ("Gemm", "MatMul", "Add"),
    "EinsumDense": ("Einsum", "Add"),
    **{f"{kind}Conv{n}D": ("Conv",) for kind in ("", "Depthwise", "Separable") for n in (1, 2)},
    "Conv3D": ("Conv",),
    **{f"Conv{n}DTranspose": ("ConvTranspose",) for n in (1, 2, 3)},
    **{f"MaxPooling{n}D": ("MaxPool",) for n in (1, 2, 3)},
    **{f"AveragePooling{n}D": ("AveragePool",) for n in (1, 2, 3)},
    **{f"GlobalMaxPooling{n}D": ("ReduceMax", "GlobalMaxPool") for n in (1, 2, 3)},
    **{f"GlobalAveragePooling{n}D": ("ReduceMean", "GlobalAveragePool") for n in (1, 2, 3)},
    **{f"ZeroPadding{n}D": ("Pad",) for n in (1, 2, 3)},
    **{f"Cropping{n}D": ("Slice",) for n in (1, 2, 3)},
    **{f"UpSampling{n}D": ("Resize",) for n in (1, 2, 3)},
    "Embedding": ("Gather",),
    "MultiHeadAttention": ("MatMul", "Softmax", "Reshape", "Transpose"),
    "BatchNormalization": ("BatchNormalization",),
    "LayerNormalization": ("LayerNormalization",),
    "GroupNormalization": ("GroupNormalization", "InstanceNormalization"),
    "RMSNormalization": ("ReduceMean", "Sqrt", "Div"),
    "UnitNormalization": ("ReduceSum", "Sqrt", "Div"),
    "Normalization": ("Sub", "Div"),
    "Rescaling": ("Mul", "Add"),
    "ReLU": ("Relu", "Clip"),
    "LeakyReLU": ("LeakyRelu",),
    "PReLU": ("PRelu",),
    "ELU": ("Elu",),
    "Softmax": ("Softmax",),
    "Activation": ("Tanh", "Sigmoid", "Softplus", "Softsign", "Gelu", "HardSwish", "Mish", "Selu"),
    "Add": ("Add",),
    "Subtract": ("Sub",),
    "Multiply": ("Mul",),
    "Average": ("Mean",),
    "Maximum": ("Max",),
    "Minimum": ("Min",),
    "Dot": ("MatMul", "Einsum"),
    "Concatenate": ("Concat",),
    "Flatten": ("Flatten", "Reshape"),
    "Reshape": ("Reshape",),
    "Permute": ("Transpose",),
    "RepeatVector": ("Expand", "Tile"),
    "Dropout": ("Dropout",),
    "Identity": ("Identity",),
}  # fmt: skip
"""The operators by which exporters write a layer to ONNX."""
ONLY_HGQ: dict[str, tuple[dict[str, Any], Shapes]] = {
    "Quantizer": ({}, VECTOR),
    "QUnaryFunctionLUT": ({"activation": "tanh"}, VECTOR),
    "QSum": ({"axes": 1}, ROWS),
    "QMeanPow2": ({"axes": 1}, ((4, 3),)),
    "QAveragePow2": ({}, (*VECTOR, *VECTOR)),
    "QEinsum": ({"equation": "ab,ab->ab"}, (*VECTOR, *VECTOR)),
    "QBatchNormDense": ({"units": 3}, VECTOR),
    "QEinsumDenseBatchnorm": ({"equation": "abc,cd->abd", "output_shape": (6, 3), "bias_axes": "d"}, ROWS),
}  # fmt: skip
"""Layers of HGQ2 without a namesake in Keras."""


def model_of(make: Callable[[], Any], shapes: Shapes) -> Any:
    """Return a model of one layer alone, trained on nothing."""
    inputs = [keras.Input(s, name=f"x{k}") for k, s in enumerate(shapes)]
    layer = make()
    several = len(inputs) > 1 and not isinstance(layer, L.MultiHeadAttention | L.GroupQueryAttention)
    out = layer(inputs) if several else layer(*inputs)
    return keras.Model(inputs, out, name="tried")


def tried(build: Callable[[], Any]) -> str:
    """Return what a model became: its ops, `circuit`, or why it is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = build()
    except Exception as error:
        return f"not built: {first_line(error)}"
    try:
        graph = read_keras(model)
    except CompileError as error:
        if "not supported" in error.problem:
            return "refused" if "on scalars" in error.remedy else f"refused: {error.remedy}"
        return f"refused: {error.problem}" + (f"; {error.remedy}" if error.remedy else "")
    names = dict.fromkeys(n.op.name() for n in graph if not n.op.source)
    return ", ".join(f"`{n}`" for n in names) or "the value itself"


def first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__).strip()[:60]


def keras_layer(name: str) -> str:
    arguments, shapes = RECIPES[name]
    given = (INNER[name](),) if name in INNER else ()
    return tried(lambda: model_of(lambda: getattr(L, name)(*given, **arguments), shapes))


def namesake(name: str) -> str:
    """Return the layer of HGQ2 that is a layer of Keras with quantizers, if there is one."""
    return f"Q{name}" if hasattr(hgq.layers, f"Q{name}") else ""


def confs_of(cls: type) -> list[str]:
    """Return the arguments of a layer of HGQ2 that take a quantizer."""
    names = [
        n for c in cls.__mro__ if "__init__" in vars(c) for n in inspect.signature(c.__init__).parameters
    ]
    return [n for n in dict.fromkeys(names) if n in ("iq_conf", "iq_confs", "kq_conf", "bq_conf", "config")]


def quantized(name: str, recipe: tuple[dict[str, Any], Shapes], api: bool) -> str:
    """Try a layer of HGQ2 with trained widths, or with the quantizers of the QKeras API."""
    arguments, shapes = recipe
    cls = getattr(hgq.layers, name)

    def build() -> Any:
        with QuantizerConfigScope(place="datalane", overflow_mode="SAT_SYM"):
            given = dict(arguments)
            if api:
                given |= {c: quantized_bits(8, 3, alpha=1) for c in confs_of(cls)}
            return model_of(lambda: cls(**given), shapes)

    return tried(build)


def in_onnx(name: str) -> str:
    """Return the operators by which exporters write a layer, and whether each is read."""
    return ", ".join(f"`{n}`" if n in RULES else f"`{n}`: refused" for n in OPERATORS.get(name, ()))


def layer_rows() -> Iterator[tuple[str, str, str, str, str]]:
    for name in sorted(RECIPES):
        other = namesake(name)
        two = [f"`{other}`: {quantized(other, RECIPES[name], api)}" if other else "" for api in (False, True)]
        yield f"`{name}`", keras_layer(name), two[0], two[1], in_onnx(name)
    for name in sorted(ONLY_HGQ):
        two = [f"`{name}`: {quantized(name, ONLY_HGQ[name], api)}" for api in (False, True)]
        yield "", "", two[0], two[1], ""


def activation_rows() -> Iterator[tuple[str, str]]:
    for name in sorted(keras.src.activations.ALL_OBJECTS_DICT):
        act = keras.activations.get(name)
        yield f"`{name}`", tried(lambda act=act: model_of(lambda: L.Activation(act), VECTOR))


def other_layers() -> list[str]:
    """Return the layers of Keras that are not tried: those that prepare pictures, texts and sounds, wrap
    other frameworks, or are parts of others."""
    classes = {n for n, c in vars(L).items() if inspect.isclass(c) and c.__name__ == n}
    return sorted(classes - set(RECIPES) - {"Layer", "Wrapper", "InputLayer", "InputSpec"})


def operation_names() -> list[str]:
    return sorted(OPERATIONS)


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "or") for cell in line) + " |" for line in lines)


def page() -> str:
    """Return the page. Weights do not matter, but are seeded."""
    keras.utils.set_random_seed(1)
    np.random.seed(1)  # noqa: NPY002 (HGQ2 draws from it)
    unread = [n for n in other_layers() if getattr(L, n) not in HANDLERS and getattr(L, n) not in CALLS]
    return f"""# Layers, tried one by one

`make docs` writes this page: each layer is put into a model of its own, which is read. A cell
names the [ops](ops.md) that the layer becomes, or says why it is refused and what to do instead. Columns of
HGQ2 hold its layer of the same name: with widths that are trained, and with the quantizers of the QKeras API
(`quantized_bits`). Arguments are in [keras.md](keras.md).

What is a `table` without a format of its own gets one when the network is calibrated: 10 bits each for the
address and the entries, over twice the range seen. Give others in `HLSConfig` ([config.md](config.md)).

The last column holds the operators by which torch, tf2onnx and others write such a layer to ONNX;
[onnx-operators.md](onnx-operators.md) says what each becomes and under which conditions, and
[kept-models.md](kept-models.md) lists the files with which this is tried.

{table(("Keras 3", "becomes", "HGQ2", "HGQ2 by the QKeras API", "operators of ONNX"), layer_rows())}

Not read, and without a cure of their own: {", ".join(f"`{n}`" for n in unread)}.

## Activations

As `activation=` of a layer, or as `Activation`.

{table(("activation", "becomes"), activation_rows())}

## Operations

Of `keras.ops`, and as operators of tensors (`a + b`, `a[:, 1:]`), these are read:
{", ".join(f"`{n}`" for n in operation_names())}.

{", ".join(f"`{n}`" for n in MOVES)} are wires; the framework itself is asked where each element goes.
{", ".join(f"`{n}`" for n in sorted(CURVES))} are the activations of the same name.
"""


if __name__ == "__main__":
    write_file(PAGE, page())
