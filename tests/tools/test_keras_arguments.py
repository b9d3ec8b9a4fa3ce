"""No argument of any layer is ignored silently: the graph follows Keras, or the model is refused by name."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from keras_floats import FLOATS
from keras_foreign import COMMON, FOREIGN
from keras_own import OWN_LAYERS
from keras_walk import PROBE, Change, Entry, arguments_of, check_follows, configured, hidden_of

from eqhls.errors import CompileError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras

    from eqhls.frontends.keras import OWN, read_keras
    from eqhls.frontends.layers import codes, geometry, pairs, scalar, structure, tables
    from eqhls.frontends.scalars.handlers import CALLS, HANDLERS

pytestmark = pytest.mark.filterwarnings("ignore")
ENTRIES = [*FOREIGN, *OWN_LAYERS, *FLOATS]
BASES: dict[tuple[int, str], np.ndarray] = {}


def changes_of(entry: Entry) -> dict[str, tuple[Change, ...]]:
    return COMMON | entry.changes


def marks_of(entry: Entry, argument: str, change: Change) -> tuple[pytest.MarkDecorator, ...]:
    """Of the layers of floats, `make test` walks those in one dimension, through the first change of each
    argument that has any effect."""
    if all(entry is not e for e in FLOATS):
        return ()
    first = next((c for c in changes_of(entry)[argument] if c.kind in ("follows", "refused")), None)
    siblings = entry.layer.__name__.endswith(("2D", "3D"))
    return () if change is first and argument not in COMMON and not siblings else (pytest.mark.slow,)


STEPS = [
    pytest.param(
        entry,
        argument,
        change,
        id=f"{entry.layer.__name__}{at}-{argument}-{k}",
        marks=marks_of(entry, argument, change),
    )
    for at, entry in enumerate(ENTRIES)
    for argument, changes in changes_of(entry).items()
    for k, change in enumerate(changes)
]


def unchanged(entry: Entry, change: Change) -> np.ndarray:
    """Return Keras's numbers without a change, which the graph follows."""
    key = (id(entry), repr(sorted(change.also.items())))
    if key not in BASES:
        model = entry.model(change.also)
        BASES[key] = check_follows(model, read_keras(model), entry.compare)
    return BASES[key]


@pytest.mark.parametrize(("entry", "argument", "change"), STEPS)
def test_a_changed_argument_is_seen(entry: Entry, argument: str, change: Change) -> None:
    arguments = change.also | {argument: change.value}
    if change.kind == "denied":
        with pytest.raises(Exception, match=change.why):
            entry.model(arguments)
        return
    if change.kind == "refused":
        with pytest.raises(CompileError, match=change.why) as found:
            read_keras(entry.model(arguments))
        assert PROBE in str(found.value)
        return
    model = entry.model(arguments)
    compare = change.compare or entry.compare
    now, before = check_follows(model, read_keras(model), compare), unchanged(entry, change)
    if change.kind == "inert":
        np.testing.assert_allclose(now, before, rtol=1e-5, atol=1e-5 * np.abs(before).max())
    if change.kind == "follows":
        assert now.shape != before.shape or (now != before).any()


@pytest.mark.parametrize("layer", dict.fromkeys(e.layer for e in ENTRIES), ids=lambda c: c.__name__)
def test_every_argument_has_its_changes(layer: type) -> None:
    """Signatures through all bases, what Keras and HGQ2 hide behind keywords, and configs."""
    entries = [e for e in ENTRIES if e.layer is layer]
    walked = {name for e in entries for name, changes in changes_of(e).items() if changes}
    existing = arguments_of(layer) | hidden_of(layer) | configured(entries[0])
    assert walked == existing


def test_every_layer_is_walked() -> None:
    walked = {e.layer for e in ENTRIES}
    own = {
        getattr(module, name)
        for module in (codes, geometry, pairs, scalar, structure, tables)
        for name in OWN
        if hasattr(module, name)
    }
    assert walked == {*HANDLERS, *CALLS, *own, keras.layers.InputLayer}
    assert {c.__name__ for c in own} == set(OWN)


def test_an_argument_without_changes_is_noticed() -> None:
    """The walk itself fails for what stands in no table."""

    class Newer(keras.layers.Dense):
        def __init__(self, units: int, novelty: int = 0, **kwargs: object) -> None:
            super().__init__(units, **kwargs)

    assert arguments_of(Newer) - arguments_of(keras.layers.Dense) == {"novelty"}
    assert arguments_of(keras.layers.Dense) >= {"units", "lora_rank", "dtype", "trainable"}
