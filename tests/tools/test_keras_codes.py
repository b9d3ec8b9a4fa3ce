"""A front end of words in Keras: differences on a circle, their logarithms, sums and powers of these."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

    from eqhls.frontends.keras import read_keras
    from eqhls.frontends.layers.codes import (
        Exp2Layer,
        LogAddLayer,
        MagnitudeLayer,
        SignSelectLayer,
        WrapLayer,
    )
    from eqhls.frontends.layers.scalar import Log2Layer, TableLayer
    from eqhls.frontends.layers.structure import AddLayer, TypedInput

from eqhls.lower.netlist import simulate
from eqhls.lower.schedule import lower
from eqhls.options import Options
from eqhls.verify.sampling import uniform

pytestmark = pytest.mark.filterwarnings("ignore")
CODES: dict[str, Any] = {"codes": 37, "centred": True}


def port(name: str, type: str) -> tuple[Any, Any]:
    typed = TypedInput(type, name=name)
    raw = keras.Input(typed.kind.shape)
    return raw, typed(raw)


def front_end(quantized: bool) -> Any:
    """pt d_phi with the sign of d_phi, and pt (d_eta^2 + d_phi^2), of words relative to one of them."""
    raws, (pt, eta, phi, eta0, phi0) = zip(
        port("pt", "S[j:4]:ufix<10,10>"),
        port("eta", "S[j:4]:fix<9,9>"),
        port("phi", "S[j:4]:fix<11,11>"),
        port("eta0", "S[]:fix<9,9>"),
        port("phi0", "S[]:fix<11,11>"),
        strict=True,
    )
    q: dict[str, Any] = {"quantized": quantized}
    d_phi = WrapLayer(1440, 32, "fix<9,9>", name="d_phi")(AddLayer((1,), name="turn")(phi, phi0))
    d_eta = MagnitudeLayer(name="size")(AddLayer((1,), name="d_eta")(eta, eta0))
    t = Log2Layer(codes=48, centred=True, name="t", **q)(pt)
    l_phi = Log2Layer(magnitude=True, lsb=1.0, name="l_phi", **CODES, **q)(d_phi)
    l_eta = Log2Layer(lsb=1.0, name="l_eta", **CODES, **q)(d_eta)
    g = LogAddLayer(2, 2, name="g", **q)(l_eta, l_phi)
    y = Exp2Layer(-8, "ufix<8,9,RND,SAT>", 8, name="size_y", **q)(AddLayer(name="ty")(t, l_phi))
    signed = SignSelectLayer(name="y")(y, d_phi)
    width = Exp2Layer(-16, "ufix<9,6,RND,SAT>", 8, name="w", **q)(AddLayer(name="tg")(t, g, g))
    return keras.Model(list(raws), [signed, width], name="front")


def events(count: int) -> dict[str, np.ndarray]:
    """Words over their whole range, and, in every second event, near the one that they are relative to."""
    graph = read_keras(front_end(True))
    raw = {n.name: uniform(n.type, np.random.default_rng(11), count) for n in graph.inputs}
    near = np.random.default_rng(12).integers(-12, 13, (count // 2, 4, 1))
    for name, bound in (("eta", 255), ("phi", 1023)):
        raw[name][::2] = np.clip(raw[f"{name}0"][::2, None] + near, -bound, bound)
    return raw


def test_the_integers_are_those_of_keras() -> None:
    """Bit for bit: Keras, the integer model and the netlist."""
    model, raw = front_end(True), events(2000)
    graph = read_keras(model).formatted()
    want = graph.evaluate(raw)
    found = model.predict([raw[n.name].astype("float32") for n in graph.inputs], batch_size=500, verbose=0)
    for node, values in zip(graph.results, found, strict=True):
        np.testing.assert_array_equal(values / node.type.formats.lsb, want[node.name])
        assert len(np.unique(values)) > 25
    netlist = lower(graph, Options())
    columns = [want[n.name][(slice(None), *i)] for n in graph.results for i in np.ndindex(n.type.shape)]
    assert all(map(np.array_equal, simulate(netlist, netlist.inputs.columns(raw)), columns))


def test_codes_and_powers_come_near_to_the_formula() -> None:
    """pt d_phi to half a code of each logarithm, where nothing saturates and no word is below the floors."""
    raw = events(2000)
    graph = read_keras(front_end(True)).formatted()
    y, _ = (graph.evaluate(raw)[n.name] * n.type.formats.lsb for n in graph.results)
    d = (raw["phi"] - raw["phi0"][:, None] + 720) % 1440 - 720
    exact = raw["pt"] * d / 256.0
    inside = (raw["pt"] > 0) & (d != 0) & (np.abs(d) < 256) & (np.abs(exact) > 8) & (np.abs(exact) < 250)
    ratio = y[inside] / exact[inside]
    assert inside.sum() > 500 and ratio.min() > 2**-0.5 and ratio.max() < 2**0.5
    assert abs(np.log2(ratio).mean()) < 0.05


def test_gradients_pass_straight_through() -> None:
    """A function in front of sums and powers of codes learns the same with and without their rounding."""
    steps: dict[bool, np.ndarray] = {}
    x = np.random.default_rng(13).integers(-16, 16, (200, 3, 1)) / 4
    for quantized in (True, False):
        keras.utils.set_random_seed(14)
        raw, typed = port("x", "S[j:3]:fix<5,3>")
        bent = TableLayer([-4.0, 0.0, 4.0], out="fix<7,5,RND,SAT>", name="f", quantized=quantized)(typed)
        code = LogAddLayer(2, 2, quantized, name="g")(bent, typed)
        size = Exp2Layer(0, "ufix<12,8,RND,SAT>", 8, quantized, name="y")(code)
        last = SignSelectLayer(name="out")(size, WrapLayer(24, 4, "fix<5,3>", name="d")(typed))
        model = keras.Model(raw, last)
        before = np.array(model.get_layer("f").bends)
        model.compile(keras.optimizers.SGD(1e-3), "mse")
        model.fit(x.astype("float32"), np.zeros((200, 3, 1)), batch_size=200, verbose=0)
        steps[quantized] = np.array(model.get_layer("f").bends) - before
    assert np.abs(steps[False]).max() > 1e-4
    np.testing.assert_allclose(steps[True], steps[False], atol=0.25 * np.abs(steps[False]).max())


def test_a_wrap_holds_back_the_gradients_of_what_it_saturates() -> None:
    """Without it, one step of an optimiser moves x by -1; a saturated one stays."""
    raw, typed = port("x", "S[c:3]:fix<12,12>")
    shift = TableLayer([-2048.0, 2048.0], "c", name="f", quantized=False)(typed)
    model = keras.Model(raw, WrapLayer(1440, 32, "fix<9,9>", name="out")(shift))
    bends = model.get_layer("f").bends
    start = np.array([[0.0, 0.0], [300.0, 0.0], [1440.0, 0.0]])
    bends.assign(start)
    model.compile(keras.optimizers.SGD(3.0), lambda y, f: keras.ops.sum(f) / 3)
    model.fit(np.zeros((1, 3, 1)), np.zeros((1, 3, 1)), verbose=0)
    moved = np.array(bends)[:, 0] - start[:, 0]
    assert moved[1] == 0 and moved[0] < -0.5 and moved[2] < -0.5
