"""The arguments of eqhls's layers, of HGQ2's Quantizer and of inputs, each with other values than the
minimal model's."""

from __future__ import annotations

import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import hgq.constraints
    import hgq.quantizer
    import hgq.regularizers
    import keras
    from hgq.quantizer.internal.base import DefaultBitwidthMapper

    from eqhls.frontends.layers import codes, geometry, pairs, scalar, structure, tables

from keras_foreign import LOW, Changes
from keras_walk import Entry, as_floats, denied, exactly, follows, inert, made, refused, shape

V = "V.lc[i:2,j:3]:fix<5,4>"
PAIRS, PARTICLES, TRIANGLE = "S[i:2,j:2,c:2]:fix<6,3>", "S[i:3,c:2]:fix<6,3>", "S[p:6,c:2]:fix<6,3>"
WEIGHTS: Changes = {
    "quantizer": follows("fix<4,2,RND,SAT_SYM>", "hgq", "quantized_bits(3,1,alpha=1)")
    + denied("quantizer|fix<16,6>", "int8", "quantized_bits(4,1,alpha=3)")
}


def eq(layer: type, port: str, maps: tuple[int, ...], *kept: float) -> Entry:
    """Return the entry of a layer on pairs."""
    changes: Changes = WEIGHTS | {"channels": follows(3), "shift": follows(1), "maps": follows(maps)}
    if kept:
        changes["keep"] = exactly(*kept, quantizer="fix<5,2,RND,SAT_SYM>")
    return Entry(layer, (port,), {"channels": 2}, changes, "floats")


def behind_input(entry: Entry, arguments: dict[str, Any]) -> Any:
    """Return a model that reads an input with these arguments."""
    raw = keras.Input(**arguments)
    return keras.Model(raw, keras.layers.ReLU(name="out")(raw), name="net")


def behind_type(entry: Entry, arguments: dict[str, Any]) -> Any:
    """Return a model whose input has a type with these arguments."""
    raw = keras.Input((3, 1), name="raw")
    typed = made(structure.TypedInput, arguments)(raw)
    return keras.Model(raw, structure.AddLayer(name="out")(typed), name="net")


KIF = {"q_type": "kif", "i0": 2, "f0": 2}
ROUNDINGS = ("TRN", "RND_CONV", "TRN_ZERO", "RND_ZERO", "RND_MIN_INF", "RND_INF", "S_RND_CONV")
SHARED = {"heterogeneous_axis": (), "homogeneous_axis": None}
FORMAT: Changes = {
    "dtype": denied("Quantizer", "float64", *LOW),
    "config": denied("config", "fix<4,2>"),
    "q_type": inert("says widths in another way", "kbi", f0=None) + shape("dummy", i0=None, f0=None),
    "place": inert("the modes are given", "table", "weight", overflow_mode="SAT", round_mode="RND", **SHARED)
    + denied("axis 0 with unknown shape", "bias"),
    "scaler": follows(0.25, 2.0) + refused("probe: quantizer: found alpha = (3|-0.5)", 3.0, -0.5),
    "affine": refused("probe: quantizer: found .*expected fixed point", (2.0, 0.0), (1.0, 1.0)),
    "qnoise_factor": inert("adds noise in training alone", 0.5),
    "k0": follows(False),
    "i0": follows(0, 1, -1, 4) + follows(0, overflow_mode="SAT"),
    "f0": follows(0, 1, -1, -2, 4),
    "b0": follows(2, 0, q_type="kbi", f0=None),
    "round_mode": follows(*ROUNDINGS) + inert("S_RND is stochastic in training alone", "S_RND"),
    "overflow_mode": follows("SAT", "SAT_SYM")
    + refused("probe: quantizer: found RND with WRAP_SM", "WRAP_SM"),
    "is_weight": refused("probe: quantizer: found is_weight=True with WRAP", True)
    + inert("saturates all the same", True, overflow_mode="SAT"),
    "trainable": inert("inference trains nothing", False),
    "homogeneous_axis": inert("says where widths may differ, not which they are", (0, 1)),
    "heterogeneous_axis": inert("says where widths may differ, not which they are", (2,)),
    "bw_mapper": inert("says where widths may differ", DefaultBitwidthMapper(heterogeneous_axis=(1,))),
    "i_decay_speed": inert("narrows formats in training", 1.0),
    **{f"{x}c": inert("bounds formats in training", hgq.constraints.MinMax(-1, 1)) for x in "if"},
    **{f"{x}r": inert("acts on the loss alone", hgq.regularizers.MonoL1(1.0)) for x in "if"},
    "bc": inert("bounds formats in training", hgq.constraints.MinMax(0, 1), q_type="kbi", f0=None),
    "br": inert("acts on the loss alone", hgq.regularizers.MonoL1(1.0), q_type="kbi", f0=None),
    **{
        name: denied("not a valid parameter", 1)
        for name in ("m0", "e0", "e00", "mc", "ec", "e0c", "mr", "er", "e0r")
    },
}
FORMATTED = "fix<8,4,RND,SAT>"
KNOTS = [-4.0, -1.0, 0.0, 2.0]

OWN_LAYERS = [
    Entry(hgq.quantizer.Quantizer, ("S[j:4,c:3]:fix<9,4>",), KIF, FORMAT, "exact"),
    Entry(
        keras.layers.InputLayer,
        (),
        {"shape": (4, 3)},
        {
            "shape": shape((3,), (1, 3), (2, 4, 3)) + refused("probe: has shape", (None, 3), (1,) * 6),
            "batch_size": inert("events are computed one by one", 48),
            "batch_shape": denied("shape", (None, 4, 3)),
            "dtype": inert("holds every float32", "float64")
            + refused("probe: casts events to", "int32", "float16"),
            "sparse": refused("probe: is sparse", True),
            "ragged": refused("probe: is sparse, ragged", True),
            "optional": refused("probe: is sparse, ragged or optional", True),
            "input_tensor": denied("", 3),
            "trainable": denied("unexpected keyword", False),
            "autocast": denied("unexpected keyword", False),
            "activity_regularizer": denied("unexpected keyword", "l2"),
            "input_shape": denied("unexpected keyword", (7,)),
            "input_dim": denied("unexpected keyword", 7),
        },
        "floats",
        behind_input,
    ),
    Entry(
        structure.TypedInput,
        (),
        {"type": "S[c:3]:fix<9,4>"},
        {
            "type": shape("S[j:3]:fix<9,4>")
            + follows("S[c:3]:fix<7,2>", "S[c:3]:ufix<9,4>")
            + refused(r"probe: is S\[c:4\].* of an input", "S[c:4]:fix<9,4>")
            + denied("", "Q[c:3]"),
            "frame": denied("only four-vectors V.lc have a frame", "seed", "jet")
            + denied("expected jet or seed", "sead"),
        },
        build=behind_type,
    ),
    Entry(
        geometry.GramLayer,
        ("V.lc[i:3,k:2]:fix<5,4>",),
        {},
        {"axis": follows("k") + denied("no axis 'z'", "z"), "to": shape("q")},
    ),
    Entry(
        geometry.GramLayer,
        ("V.lc[i:2]:fix<5,4>", "V.lc[j:3]:fix<5,4>"),
        {},
        {"axis": inert("two sets have all their pairs", "k"), "to": inert("two sets keep their axes", "q")},
    ),
    Entry(
        geometry.CgProductLayer,
        ("V.lc[j:3]:fix<5,4>", "V.lc[j:3]:fix<6,4>"),
        {"path": "V*V->S"},
        {"path": follows("V*V->F", "V*V->T") + denied("path", "V*V->Q")},
    ),
    Entry(
        geometry.CgSquareLayer,
        ("F[j:3]:fix<5,4>",),
        {"path": "F*F->S"},
        {"path": follows("F*F->T", "F*F->S~") + denied("path", "V*V->Q")},
    ),
    Entry(geometry.InvariantsLayer, (V,), {}, {}),
    Entry(
        geometry.PairSumLayer,
        ("S[i:2,j:3]:fix<5,3>", V),
        {},
        {"over": follows("i") + denied("expected axis z", "z")},
    ),
    Entry(
        geometry.ChannelMixLayer,
        ("S[i:3,c:2]:fix<6,3>",),
        {"channels": 2},
        WEIGHTS | {"channels": follows(3), "bias": follows(True), "dual": denied("", True)},
        "floats",
    ),
    Entry(
        geometry.ChannelMixLayer,
        ("F[i:3,c:2]:fix<6,3>",),
        {"channels": 2},
        WEIGHTS | {"channels": follows(3), "dual": follows(True), "bias": denied("", True)},
        "floats",
    ),
    eq(pairs.Eq2to2Layer, PAIRS, (0, 2, 7, 13), 1, 0),
    eq(pairs.Eq2to2SymmetricLayer, TRIANGLE, (0, 1, 4, 8), 1, 0),
    eq(pairs.Eq1to2Layer, PARTICLES, (1, 3)),
    eq(pairs.Eq2to1Layer, PAIRS, (0, 4)),
    eq(pairs.Eq2to0Layer, PAIRS, (1,)),
    Entry(scalar.DenseLayer, ("S[c:3]:fix<6,3>",), {"units": 2}, WEIGHTS | {"units": follows(3)}, "floats"),
    Entry(
        scalar.Log2Layer,
        ("S[c:8]:fix<12,10>",),
        {},
        {
            "floor": follows(0.5, 4.0),
            "frac": follows(1, 3),
            "codes": follows(8),
            "step": follows(2) + denied("", 0),
            "window": follows(5, 8) + denied("expected 0 < step < window", 4, 13),
            "odd": follows(True),
            "magnitude": follows(True),
            "centred": follows(True),
            "lsb": inert("the port says the LSB", 0.25, centred=True)
            + inert("codes that are not centred do not depend on it", 0.5)
            + denied("the power of two", 0.75)
            + denied("the power of two", 0.5, centred=True),
            "quantized": as_floats(False),
        },
        "exact",
    ),
    Entry(
        codes.WrapLayer,
        ("S[c:8]:fix<12,10>",),
        {"modulus": 1440, "step": 32, "out": "fix<9,7>"},
        {
            "modulus": follows(1024, 160) + denied("divides the modulus", 1450, 32),
            "step": follows(1, 8)
            + denied("a power of two", 3)
            + denied("more bits, or a smaller step", 512, modulus=1536),
            "out": follows("fix<11,9>", "fix<7,5>", "ufix<9,7>") + denied("requantize the input", "fix<9,6>"),
        },
    ),
    Entry(codes.MagnitudeLayer, ("S[c:8]:fix<6,3>",), {}, {}),
    Entry(codes.SignSelectLayer, ("S[j:3,c:2]:ufix<6,3>", "S[j:3]:fix<5,3>"), {}, {}),
    Entry(
        codes.LogAddLayer,
        ("S[j:3,c:2]:ufix<6,4>", "S[j:3]:fix<6,4>"),
        {"power": 2, "frac": 3},
        {
            "power": follows(1, 3) + denied("power of 1 to 64", 0),
            "frac": follows(2, 4) + denied("or requantize the codes", 1),
            "quantized": as_floats(False),
        },
        "exact",
    ),
    Entry(
        codes.Exp2Layer,
        ("S[c:8]:fix<8,5>",),
        {"shift": -2, "out": "ufix<9,6,RND,SAT>", "mantissa": 6},
        {
            "shift": follows(0, -6) + denied("a shift of -256 to 256", 300),
            "out": follows("ufix<8,6,RND,SAT>", "fix<8,5,RND,SAT>") + denied("expected e.g. fix", "int8"),
            "mantissa": follows(0, 2) + denied("0 to 16 bits", 17),
            "quantized": as_floats(False),
        },
        "exact",
    ),
    Entry(
        scalar.TableLayer,
        ("S[c:3]:fix<7,4>",),
        {"knots": KNOTS, "out": FORMATTED},
        {
            "knots": follows([-3.0, 1.0], [-4.0, -2.0, 0.0, 2.0])
            + denied("knots that do not rise", [1.0, 0.0]),
            "axis": follows("c") + denied("no axis 'z'", "z"),
            "activation": follows("relu", "sigmoid", "tanh", "leaky_relu", "exp2")
            + denied("has no trainable layer", "slog", "root")
            + denied("not a valid Activation", "softmax"),
            "out": follows("fix<6,4,RND,SAT>", "ufix<8,4,RND,SAT>", "fix<5,3,RND,SAT_SYM>")
            + denied("expected e.g. fix", "int8"),
            "levels": follows((0.0, 0.5, 1.0, -1.0)),
            "trainable_values": inert("the values are those that were trained", False),
            "spread": inert("the weights are those that were trained", 3.0),
            "quantized": as_floats(False),
        },
        "exact",
    ),
    Entry(
        scalar.RequantizeLayer,
        ("V.lc[j:3]:fix<8,4>",),
        {"formats": ["fix<6,4,RND_CONV,SAT_SYM>"]},
        {
            "formats": follows(
                ["fix<6,4,RND,SAT>"],
                ["fix<6,3,RND_INF,SAT_SYM>"],
                ["fix<6,4,RND_ZERO,SAT_SYM>"],
                ["fix<6,4,RND_MIN_INF,SAT>"],
                ["fix<6,4,TRN,SAT>"],
                ["fix<6,4,RND_CONV,SAT_SYM>", "fix<5,3,RND,SAT>"] * 2,
                ["quantized_bits(4,2,symmetric=1,alpha=1)"],
            )
            + denied(
                "expected RND.* or TRN with SAT or SAT_SYM",
                ["fix<6,4>"],
                ["fix<6,4,TRN_ZERO,SAT>"],
                ["fix<6,4,RND,WRAP>"],
            )
            + denied("found 3 formats", ["fix<6,4,RND,SAT>"] * 3)
        },
        "exact",
    ),
    Entry(
        tables.CountLayer,
        ("S[c:8]:ufix<6,4>",),
        {"borders": [1.25, 3.0, 7.3], "lsb": 0.25},
        {
            "borders": follows([2.0], [0.375, 1.0, 1.5]) + denied("borders that rise", [], [2.0, 1.0]),
            "unit": follows(4) + denied("a unit from 1 on", 0),
            "lsb": inert("the port is coarser", 0.125)
            + denied("the power of two", 0.0, 0.3)
            + denied("last bit of the input", 0.5),
        },
        "exact",
    ),
    Entry(
        tables.CodeTableLayer,
        ("S[c:8]:ufix<4,4>",),
        {"rows": 4, "columns": 4, "out": "ufix<4,4>"},
        {
            "rows": follows(3, 5) + denied("two codes or more", 0),
            "columns": follows(2, 3) + denied("two codes or more", 0),
            "out": follows("ufix<3,3>", "ufix<4,1>") + denied("an unsigned format", "fix<4,4>"),
            "quantized": as_floats(False),
        },
        "exact",
    ),
    Entry(
        tables.CurveLayer,
        ("S[c:8]:fix<6,4>",),
        {"knots": [-8.0, 0.0, 4.0, 7.75], "size": 64, "lsb": 0.25, "out": FORMATTED, "first": -32},
        {
            "knots": follows([-4.0, 4.0], [-8.0, 0.0, 4.0, 4.3, 7.75])
            + denied("two knots or more that rise", [0.0], [1.0, 0.0]),
            "size": follows(32) + denied("two addresses or more", 1),
            "lsb": follows(0.125) + denied("the power of two", 0.0, 0.3) + denied("last bit", 0.5),
            "out": follows("fix<6,4,RND,SAT>", "fix<5,3,RND_CONV,SAT_SYM>", "ufix<5,3,RND,SAT>")
            + denied("expected RND.* with SAT or SAT_SYM", "fix<8,4>", "fix<8,4,TRN,SAT>"),
            "first": follows(-16, 0),
            "spread": inert("the weights are those that were trained", 3.0),
            "quantized": as_floats(False),
        },
        "exact",
    ),
    Entry(
        structure.AddLayer,
        ("S[j:3,c:2]:fix<6,3>", "S[c:2]:fix<5,3>"),
        {},
        {"minus": follows((1,), (0,), (0, 1)) + denied("minus", (2,), (-1,))},
    ),
    Entry(
        structure.ConcatLayer,
        ("S[j:3,c:3]:fix<6,3>", "S[j:3,c:3]:fix<5,3>"),
        {"axis": "c"},
        {"axis": follows("j") + denied("axis", "z")},
    ),
    Entry(structure.MaskLayer, (V, "S[j:3]:ufix<1,1>"), {}, {}),
    Entry(structure.ParticleSumLayer, (V,), {}, {"axis": follows("i") + denied("no axis 'z'", "z")}),
    Entry(
        structure.RenameLayer,
        (V,),
        {"axis": "i", "to": "k"},
        {"axis": shape("j") + denied("", "z"), "to": shape("c") + denied("", "j")},
    ),
    Entry(
        structure.SelectLayer,
        (V,),
        {"axis": "j", "indices": (0, 1), "to": "s"},
        {
            "axis": follows("i") + denied("", "z"),
            "indices": follows((2, 0), (1,), (1, 1)) + denied("", (3,), (-1,)),
            "to": shape("k") + denied("", "i"),
        },
    ),
    Entry(
        structure.ShiftLayer,
        ("S[x:5@Z,c:2]:fix<6,3>",),
        {"axis": "x", "step": 1},
        {
            "axis": follows("c") + denied("", "z"),
            "step": follows(-1, 2, 7) + denied("all the way round", 5, 0),
        },
    ),
    Entry(
        geometry.ToBasisLayer,
        ("2e.d5[i:2]:fix<6,3>",),
        {"basis": "t5"},
        {"basis": follows("t6", "d6") + denied("expected one of", "d5", "xyz")},
    ),
    Entry(
        structure.SpurionLayer,
        ("S[c:3]:fix<6,3>",),
        {"type": "V.lc[b:1]", "values": [[2.0, 1.0, 0.5, 2.0]]},
        {
            "type": shape("V.xyz[b:1]", "V.lc[i:1]") + denied("", "V.lc[b:2]"),
            "values": follows([[2.0, 2.0, 0.0, -2.0]]) + denied("", [[1.0, 2.0]]),
        },
    ),
]
