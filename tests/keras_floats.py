"""The arguments of Keras's layers of floats on scalars, each with other values than the minimal model's."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

from keras_foreign import BOUNDED, COMMON, INITIAL, TRAINED, WATCHED, Changes
from keras_walk import Entry, denied, follows, inert, port, refused, shape

L = keras.layers
ROW, ROWS, GRID = "S[c:6]:fix<9,4>", "S[j:6,c:4]:fix<9,4>", "S[i:5,j:4,c:2]:fix<9,4>"
BLOCK = "S[h:3,i:3,j:3,c:2]:fix<9,4>"
SPACES = {1: ROWS, 2: GRID, 3: BLOCK}
DROPPED = inert("inference drops nothing", 0.0, 0.9)
SEED = inert("inference draws nothing", 7)
LAST = inert("the default", "channels_last")
FIRST = follows("channels_first") + LAST
INSIDE = denied("unexpected keyword|multiple values", 2)
CURVE = follows("relu", "tanh", "softplus") + inert("the identity", "linear")
CURVE += refused("probe: has the activation", "hard_shrink")


def trained(*parts: str) -> Changes:
    """Return the arguments that act on weights in training alone."""
    return {
        **{f"{p}_initializer": INITIAL for p in parts},
        **{f"{p}_regularizer": WATCHED for p in parts},
        **{f"{p}_constraint": BOUNDED for p in parts},
    }


def windows(rank: int) -> Changes:
    """Return what layers with a kernel have in common. TensorFlow convolves with channels last alone."""
    return {
        "kernel_size": follows(1, *([3] if rank < 3 else [(2, 2, 1)])),
        "strides": follows(2),
        "dilation_rate": follows(2),
        "padding": follows("same"),
        "use_bias": follows(False),
        "activation": CURVE,
        "data_format": LAST,
        "rank": INSIDE,
    }


def convolutions(rank: int) -> Changes:
    causal = {1: follows("same", "causal")}.get(rank, follows("same"))
    return (
        windows(rank)
        | {"filters": follows(2, 6), "groups": follows(2), "padding": causal}
        | {"lora_rank": follows(2), "lora_alpha": follows(7.0, lora_rank=2)}
        | trained("kernel", "bias")
    )


def pools(rank: int) -> Changes:
    return {
        "pool_size": follows(3, 1),
        "strides": follows(1, *([3] if rank < 3 else [])),
        "padding": follows("same", strides=2, pool_size=3) + follows("same", pool_size=2, strides=1),
        "data_format": LAST if rank > 1 else FIRST,
        "pool_mode": INSIDE,
        "pool_dimensions": INSIDE,
    }


def global_pools() -> Changes:
    return {"data_format": FIRST, "keepdims": shape(True), "pool_dimensions": INSIDE}


def attention(entry: Entry, arguments: dict[str, Any]) -> Any:
    """Queries of one value, keys and values of another."""
    raws, typed = zip(*(port(k, t) for k, t in enumerate(entry.ports)), strict=True)
    query, value = (L.Reshape(t.eqhls_type.shape[:-1])(t) for t in typed)
    return keras.Model(list(raws), L.MultiHeadAttention(**arguments)(query, value), name="net")


START: dict[tuple[str, int], dict[str, Any]] = {("Cropping", 2): {"cropping": ((1, 0), (0, 1))}}
KINDS = ("Cropping", "ZeroPadding", "UpSampling")
MOVED: dict[tuple[str, int], Changes] = {
    ("Cropping", 1): {"cropping": follows(2, (0, 1))},
    ("Cropping", 2): {"cropping": follows(1, ((0, 1), (1, 1))), "data_format": FIRST},
    ("Cropping", 3): {"cropping": follows(0, ((0, 1), (1, 1), (1, 0))), "data_format": LAST},
    ("ZeroPadding", 1): {"padding": follows(2, (0, 1)), "data_format": FIRST},
    ("ZeroPadding", 2): {"padding": follows(2, ((0, 1), (1, 1))), "data_format": FIRST},
    ("ZeroPadding", 3): {"padding": follows(2, ((0, 1), (1, 1), (1, 0))), "data_format": LAST},
    ("UpSampling", 1): {"size": follows(3)},
    ("UpSampling", 2): {
        "size": follows(3, (1, 2)),
        "data_format": FIRST,
        "interpolation": refused("probe: interpolates", "bilinear", "bicubic")
        + inert("the default", "nearest"),
    },
    ("UpSampling", 3): {"size": follows(1, (1, 2, 1)), "data_format": LAST},
}

ABSENT = ("activity_regularizer", "autocast", "trainable")
"""Arguments of every layer that dropout of whole channels does not take."""

FLOATS = [
    Entry(
        L.EinsumDense,
        (ROWS,),
        {"equation": "abc,cd->abd", "output_shape": (6, 3), "bias_axes": "d"},
        {
            "equation": follows("abc,bcd->abd") + shape("...c,cd->...d"),
            "output_shape": follows((6, 5)),
            "bias_axes": follows("bd", None),
            "activation": CURVE,
            "lora_rank": follows(2),
            "lora_alpha": follows(7.0, lora_rank=2),
            "quantization_config": inert("acts in quantize() alone", keras.quantizers.Int8QuantizationConfig()),
            "gptq_unpacked_column_size": inert("says how quantized files are packed", 4),
            "dtype": COMMON["dtype"] + refused("quantized by Keras .mode int8", "int8_from_float32"),
        }
        | trained("kernel", "bias"),
        "floats",
    ),
    *(
        Entry(getattr(L, f"Conv{n}D"), (SPACES[n],), {"filters": 4, "kernel_size": 2}, convolutions(n), "floats")
        for n in (1, 2, 3)
    ),
    *(
        Entry(
            getattr(L, f"DepthwiseConv{n}D"),
            (SPACES[n],),
            {"kernel_size": 2},
            windows(n)
            | {"depth_multiplier": follows(2), "kernel_size": follows(1, 3)}
            | ({"strides": follows(2), "dilation_rate": follows(2)})
            | trained("depthwise", "bias"),
            "floats",
        )
        for n in (1, 2)
    ),
    *(
        Entry(
            getattr(L, f"SeparableConv{n}D"),
            (SPACES[n],),
            {"filters": 3, "kernel_size": 2},
            windows(n)
            | {"filters": follows(2), "depth_multiplier": follows(2), "kernel_size": follows(1, 3)}
            | trained("depthwise", "pointwise", "bias"),
            "floats",
        )
        for n in (1, 2)
    ),
    Entry(
        L.TimeDistributed,
        (ROWS,),
        {"layer": L.Dense(3, activation="tanh")},
        {
            "layer": follows(L.Dense(2), L.Activation("relu"), L.LayerNormalization(epsilon=0.5))
            + follows(L.BatchNormalization(epsilon=0.5))
            + refused("probe: distributes a RepeatVector", L.RepeatVector(2))
        },
        "floats",
    ),
    Entry(L.LeakyReLU, (ROWS,), {}, {"negative_slope": follows(0.1, 0.0)}, "floats"),
    Entry(
        L.PReLU,
        (ROWS,),
        {"alpha_initializer": "ones"},
        {"shared_axes": follows([1], [1, 2])} | trained("alpha"),
        "floats",
    ),
    Entry(L.ELU, (ROWS,), {}, {"alpha": follows(0.5)}, "floats"),
    Entry(L.Softmax, (ROWS,), {}, {"axis": follows(1, (1, 2)) + inert("the last axis", 2)}, "floats"),
    Entry(
        L.LayerNormalization,
        (ROWS,),
        {},
        {
            "axis": follows(1, [1, 2]) + inert("the last axis", 2),
            "epsilon": follows(0.5),
            "center": follows(False),
            "scale": follows(False),
            "rms_scaling": refused("probe: has rms_scaling", True),
        }
        | trained("gamma", "beta"),
        "floats",
    ),
    Entry(
        L.RMSNormalization,
        (ROWS,),
        {},
        {"axis": follows([1, 2]) + inert("the last axis", 2), "epsilon": follows(0.5)},
        "floats",
    ),
    Entry(L.UnitNormalization, (ROWS,), {}, {"axis": follows(1, [1, 2]) + inert("the last axis", 2)}, "floats"),
    Entry(
        L.Normalization,
        (ROW,),
        {"mean": np.linspace(-1, 1, 6), "variance": np.linspace(0.5, 2, 6)},
        {
            "axis": inert("the last axis", 1) + inert("one number for all", None, mean=0.5, variance=2.0),
            "mean": follows(np.linspace(0, 1, 6)),
            "variance": follows(np.linspace(1, 3, 6)),
            "invert": follows(True),
        },
        "floats",
    ),
    Entry(
        L.Rescaling,
        (ROWS,),
        {"scale": 0.3},
        {"scale": follows(0.7, [0.5, 0.1, 0.3, 2.0]), "offset": follows(0.3, [0.5, 0.1, 0.3, 2.0])},
        "floats",
    ),
    *(Entry(getattr(L, f"GlobalAveragePooling{n}D"), (SPACES[n],), {}, global_pools(), "floats") for n in (2, 3)),
    *(Entry(getattr(L, f"GlobalMaxPooling{n}D"), (SPACES[n],), {}, global_pools(), "floats") for n in (1, 2, 3)),
    *(
        Entry(getattr(L, f"{kind}Pooling{n}D"), (SPACES[n],), {"pool_size": 2}, pools(n), "floats")
        for kind in ("Max", "Average")
        for n in (1, 2, 3)
    ),
    *(
        Entry(layer, (ROWS, "S[j:6,c:4]:fix<7,3>"), {}, {}, "floats")
        for layer in (L.Average, L.Multiply, L.Maximum, L.Minimum)
    ),
    Entry(
        L.Dot,
        (ROWS, "S[j:6,c:3]:fix<7,3>"),
        {"axes": 1},
        {"axes": inert("the same for both", (1, 1)), "normalize": follows(True)},
        "floats",
    ),
    Entry(L.Permute, (GRID,), {"dims": (2, 1, 3)}, {"dims": follows((3, 2, 1), (1, 3, 2))}, "floats"),
    Entry(L.RepeatVector, (ROW,), {"n": 2}, {"n": follows(3)}, "floats"),
    *(
        Entry(getattr(L, f"{kind}{n}D"), (SPACES[n],), START.get((kind, n), {}), MOVED[kind, n], "floats")
        for kind in KINDS
        for n in (1, 2, 3)
    ),
    *(
        Entry(
            getattr(L, f"SpatialDropout{n}D"),
            (SPACES[n],),
            {"rate": 0.5},
            {"rate": DROPPED, "seed": SEED, **dict.fromkeys(ABSENT, ())} | ({"data_format": inert("inference drops nothing", "channels_first")} if n > 1 else {}),
            "floats",
        )
        for n in (1, 2, 3)
    ),
    Entry(
        L.AlphaDropout,
        (ROWS,),
        {"rate": 0.5},
        {"rate": DROPPED, "seed": SEED, "noise_shape": inert("inference drops nothing", (1, 6, 1))},
    ),
    Entry(L.GaussianDropout, (ROWS,), {"rate": 0.5}, {"rate": DROPPED, "seed": SEED}),
    Entry(L.GaussianNoise, (ROWS,), {"stddev": 0.5}, {"stddev": inert("inference adds none", 0.1), "seed": SEED}),
    Entry(L.ActivityRegularization, (ROWS,), {}, {"l1": inert(TRAINED, 0.1), "l2": inert(TRAINED, 0.1)}),
    Entry(L.Identity, (ROWS,), {}, {}),
    Entry(
        L.MultiHeadAttention,
        (ROWS, "S[i:3,c:4]:fix<7,3>"),
        {"num_heads": 2, "key_dim": 3},
        {
            "num_heads": follows(1, 3),
            "key_dim": follows(2),
            "value_dim": follows(5),
            "output_shape": follows(5),
            "use_bias": follows(False),
            "dropout": inert("inference drops nothing", 0.5),
            "seed": SEED,
            "flash_attention": inert("how a GPU computes it", False),
            "attention_axes": inert("the axis of steps", 1),
            "use_gate": refused("probe: has several axes of steps, a gate", True),
            "sliding_window": refused("probe: has several axes of steps, a gate or a window", 2),
        }
        | trained("kernel", "bias"),
        "floats",
        attention,
    ),
]  # fmt: skip
