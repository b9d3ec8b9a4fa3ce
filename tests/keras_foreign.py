"""The arguments of Keras's and HGQ2's layers on scalars, each with other values than the minimal model's."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import hgq.layers
    import keras
    from hgq.config import QuantizerConfig
    from keras.src.activations import ALL_OBJECTS_DICT
    from qkeras.quantizers import quantized_bits, quantized_relu

from keras_walk import HIDDEN, Change, Entry, as_floats, denied, follows, inert, refused, shape

Changes = dict[str, tuple[Change, ...]]
VECTOR, ROWS = ("S[c:3]:fix<9,4>",), ("S[j:4,c:3]:fix<9,4>",)
TWO = ("S[j:4,c:3]:fix<9,4>", "S[j:4,c:3]:fix<7,3>")

LOW = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")
TRAINED = "acts on the loss alone"
STARTS = "the weights are those that were trained"
COMMON: Changes = {
    "name": inert("what a layer is called", "another-name"),
    "trainable": inert("inference trains nothing", False),
    "dtype": inert("float64 holds every float32", "float64") + refused("probe: computes in .*float16", *LOW),
    "autocast": inert("inputs are floats of this type already", False),
    "activity_regularizer": inert(TRAINED, "l2"),
    "input_shape": inert("the input has a shape", (7,)),
    "input_dim": inert("the input has a shape", 7),
}
assert set(HIDDEN) < set(COMMON)


def lane(place: str = "datalane", **changes: Any) -> QuantizerConfig:
    return QuantizerConfig("kif", place, **({"i0": 2, "f0": 2} | changes))


def one(**changes: Any) -> QuantizerConfig:
    """Return a quantizer with one format for all elements."""
    return lane(heterogeneous_axis=(), homogeneous_axis=None, **changes)


def weights(**changes: Any) -> QuantizerConfig:
    return lane("weight", **changes)


FORMATS = follows(
    lane(f0=0),
    lane(i0=0),
    lane(k0=False),
    lane(overflow_mode="SAT"),
    lane(round_mode="TRN", f0=1),
    lane(scaler=0.25),
    QuantizerConfig("kbi", "datalane", b0=5, i0=1),
    quantized_bits(5, 2, alpha=1),
    quantized_relu(5, 2),
)
FORMATS += refused("probe.*expected fixed point", lane(affine=(2.0, 1.0)))
FORMATS += denied("FloatPointQuantizer", QuantizerConfig("float", "datalane"))
FORMATS += refused("probe.*is_weight.*WRAP", lane(is_weight=True))
WEIGHTS = follows(
    weights(f0=0),
    weights(i0=0),
    weights(round_mode="TRN"),
    weights(overflow_mode="WRAP", round_mode="RND_CONV", f0=1),
    QuantizerConfig("kbi", "weight", b0=2, i0=1),
    weights(affine=(2.0, 0.5)),
    quantized_bits(4, 1, alpha=1),
)
"""The numbers of weights are read behind their quantizer, whichever it is."""

INITIAL = inert(STARTS, "ones", "he_normal")
WATCHED = inert(TRAINED, "l2")
BOUNDED = inert("acts on steps of training alone", "non_neg")


def activations(read: tuple[str, ...], refusal: str) -> tuple[Change, ...]:
    """Return every activation of Keras: `read` follow, all others are refused."""
    made = tuple[Change, ...]()
    for name in sorted(ALL_OBJECTS_DICT):
        why = HALVES if name == "glu" and read is SMOOTH else refusal
        made += _read(name) if name in read else refused(why, name) if name != "linear" else ()
    return (*made, *inert("the identity", "linear"), *refused(refusal, keras.layers.ReLU(6.0), np.tanh))


def _read(name: str) -> tuple[Change, ...]:
    """What is a table, or has weights of its own, is compared as floats."""
    return follows(name) if name == "relu" else as_floats(name)


UNREAD = ("hard_shrink", "threshold", "sparsemax", "glu")
"""Activations that jump, need a sort or arguments, or halve an axis, which here is odd."""
HALVES = r"probe\.glu: halves 3 values"
SMOOTH = tuple(name for name in ALL_OBJECTS_DICT if name not in (*UNREAD, "linear"))


QUANTIZED: Changes = {
    "enable_ebops": inert("counts bits for the loss", False),
    "ebops_factor": inert("counts bits for the loss", 3.0),
    "beta0": inert("weighs bits in the loss", 0.5),
    "enable_oq": follows(True, oq_conf=lane(f0=1)),
    "enable_iq": follows(False, enable_ebops=False),
    "oq_conf": tuple(Change(c.kind, c.value, c.why, {"enable_oq": True}) for c in FORMATS)
    + inert("enable_oq is off", lane(f0=0)),
}
SINGLE = QUANTIZED | {"iq_conf": FORMATS}
PARTS = ("kernel", "bias")
DENSE: Changes = {
    "units": follows(2, 5),
    "activation": activations(SMOOTH, "probe: has the activation"),
    "use_bias": follows(False),
    **{f"{p}_initializer": INITIAL for p in PARTS},
    **{f"{p}_regularizer": WATCHED for p in PARTS},
    **{f"{p}_constraint": BOUNDED for p in PARTS},
}
NORM: Changes = {
    "axis": follows(1, -2) + inert("the last axis", 2),
    "momentum": inert("acts on training alone", 0.5),
    "epsilon": follows(0.5),
    "center": follows(False),
    "scale": follows(False),
    **{f"{p}_initializer": INITIAL for p in ("beta", "gamma", "moving_mean", "moving_variance")},
    **{f"{p}_regularizer": WATCHED for p in ("beta", "gamma")},
    **{f"{p}_constraint": BOUNDED for p in ("beta", "gamma")},
    "synchronized": inert("gathers statistics in training", True),
    "renorm": inert("inference reads the moving statistics all the same", True),
    "renorm_clipping": inert("bounds statistics in training", {"rmax": 2.0}, renorm=True),
    "renorm_momentum": inert("gathers statistics in training", 0.5, renorm=True),
}
SUMMED: Changes = {
    "axes": follows(1, (1, 2), (2, 1), (-2,))
    + inert("the last axis", 2)
    + refused("probe: works along axis 0", 0),
    "keepdims": shape(True),
}
UNBUILT: Changes = {
    "enable_oq": denied("oq is not built", True),
    "oq_conf": inert("enable_oq is off, and HGQ2 builds no other", lane(f0=0)),
}
MERGED: Changes = QUANTIZED | {"iq_confs": FORMATS + follows((lane(), lane(f0=0)), [lane(i0=1), lane()])}
POSITION: Changes = {
    "axis": follows(1, -2) + inert("the last axis", 2) + refused("probe: works along axis (0|-3)", 0, -3)
}

FOREIGN = [
    Entry(
        keras.layers.Dense,
        ROWS,
        {"units": 3},
        DENSE
        | {
            "lora_rank": follows(2),
            "lora_alpha": inert("Keras scales by it after enable_lora() alone", 7.0, lora_rank=2),
            "quantization_config": inert(
                "acts in quantize() alone", keras.quantizers.Int8QuantizationConfig()
            ),
            "dtype": COMMON["dtype"] + refused("quantized by Keras .mode int8", "int8_from_float32"),
        },
        "floats",
    ),
    Entry(
        hgq.layers.QDense,
        ROWS,
        {"units": 3, "iq_conf": lane(), "kq_conf": weights()},
        DENSE
        | SINGLE
        | {
            "kq_conf": WEIGHTS,
            "bq_conf": WEIGHTS,
            "parallelization_factor": inert("counts bits for the loss", 2),
            "lora_rank": denied("lora_rank", 2),
            "lora_alpha": inert("there is no LoRA", 2.0),
            "quantization_config": inert(
                "acts in quantize() alone", keras.quantizers.Int8QuantizationConfig()
            ),
            "activation": activations(("relu",), "probe: has the activation")
            + refused("probe: has the activation", quantized_relu(5, 2)),
        },
        "exact",
    ),
    Entry(keras.layers.Activation, ROWS, {"activation": "linear"}, {"activation": DENSE["activation"]}),
    Entry(
        keras.layers.ReLU,
        ROWS,
        {},
        {
            "max_value": follows(6.0, 0.0),
            "negative_slope": follows(0.25),
            "threshold": refused("probe: is a ReLU that jumps from 0 to 1", 1.0),
        },
    ),
    Entry(
        hgq.layers.QUnaryFunctionLUT,
        ROWS,
        {"activation": "linear", "iq_conf": lane(i0=3, f0=3), "oq_conf": one(overflow_mode="SAT_SYM")},
        SINGLE
        | {
            "activation": follows("relu", "sigmoid", "tanh")
            + refused("probe: has the activation", "exponential", "elu", "relu6", "gelu", "softsign", "silu")
            + denied("not unary", "softmax", "log_softmax"),
            "oq_conf": FORMATS
            + follows(
                one(overflow_mode="SAT", f0=4),
                one(overflow_mode="SAT", k0=False),
                one(overflow_mode="SAT_SYM", i0=0),
                one(overflow_mode="SAT", scaler=0.5),
                activation="tanh",
            )
            + refused("probe.*several formats, none, or wrap", one(), activation="tanh")
            + refused(
                "probe.*(rounds|truncates)",
                one(overflow_mode="SAT", round_mode="TRN"),
                one(overflow_mode="SAT", round_mode="TRN_ZERO"),
                activation="sigmoid",
            ),
            "enable_oq": follows(False) + refused("probe.*several formats, none", False, activation="tanh"),
            "enable_iq": follows(False),
            "allow_heterogeneous_input": inert("says where widths may differ, not which they are", False),
            "allow_heterogeneous_table": inert("says where widths may differ, not which they are", False),
            "override_oq_k0_to_0": follows(True, activation="tanh"),
        },
        "exact",
    ),
    Entry(keras.layers.BatchNormalization, ROWS, {}, NORM, "floats"),
    Entry(
        hgq.layers.QBatchNormalization,
        ROWS,
        {"iq_conf": lane(), "kq_conf": weights()},
        NORM | SINGLE | {"kq_conf": WEIGHTS, "bq_conf": WEIGHTS},
        "exact",
    ),
    Entry(
        hgq.layers.QSum,
        ROWS,
        {"iq_conf": lane()},
        SINGLE | SUMMED | UNBUILT | {"scale": follows(0.5, 4.0) + denied("power of 2", 0.3)},
        "exact",
    ),
    Entry(
        hgq.layers.QMeanPow2,
        ROWS,
        {"iq_conf": lane()},
        SINGLE
        | SUMMED
        | UNBUILT
        | {
            "axes": follows(1, (1, 2), (2, 1), (-2,))
            + inert("the last axis", 2)
            + denied("unsupported operand", 0),
            "scale": inert("the sizes of the axes say it", 4.0),
        },
        "exact",
    ),
    Entry(
        keras.layers.GlobalAveragePooling1D,
        ("S[j:4,c:2]:fix<9,4>",),
        {},
        {
            "data_format": follows("channels_first") + inert("the default", "channels_last"),
            "keepdims": shape(True),
            "pool_dimensions": denied("pool_dimensions", 2),
        },
    ),
    Entry(keras.layers.Add, TWO, {}, {}),
    Entry(keras.layers.Subtract, TWO, {}, {}),
    Entry(hgq.layers.QAdd, TWO, {"iq_confs": lane()}, MERGED, "exact"),
    Entry(hgq.layers.QSubtract, TWO, {"iq_confs": lane()}, MERGED, "exact"),
    Entry(keras.layers.Concatenate, ("S[j:4,c:4]:fix<9,4>", "S[j:4,c:4]:fix<7,3>"), {}, POSITION),
    Entry(
        keras.layers.Concatenate,
        ("S[c:3]:fix<9,4>", "S[c:3]:fix<7,3>"),
        {},
        {"axis": inert("the last axis", 1)},
    ),
    Entry(
        keras.layers.Flatten,
        ROWS,
        {},
        {"data_format": follows("channels_first") + inert("the default", "channels_last")},
    ),
    Entry(
        keras.layers.Reshape,
        ROWS,
        {"target_shape": (12,)},
        {"target_shape": shape((4, 3), (4, 1, 3), (-1,), (1, 4, 3, 1), (3, 4), (2, 6), (2, 2, 3))},
    ),
    Entry(
        keras.layers.Dropout,
        ROWS,
        {"rate": 0.5},
        {
            "rate": inert("inference drops nothing", 0.0, 0.9),
            "noise_shape": inert("inference drops nothing", (1, 4, 1)),
            "seed": inert("inference draws nothing", 7),
        },
    ),
]
