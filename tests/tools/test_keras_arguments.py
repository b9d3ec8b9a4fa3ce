"""No argument of any layer is ignored silently: the graph follows Keras, or the model is refused by name."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from keras_foreign import COMMON, FOREIGN
from keras_own import OWN_LAYERS
from keras_walk import PROBE, Change, Entry, arguments_of, check_follows, configured, keras_numbers

from eqhls.errors import CompileError
from eqhls.frontends.keras import OWN, read_keras
from eqhls.frontends.scalars.handlers import HANDLERS

pytestmark = pytest.mark.filterwarnings("ignore")
ENTRIES = [*FOREIGN, *OWN_LAYERS]
BASES: dict[tuple[int, str], np.ndarray] = {}


def changes_of(entry: Entry) -> dict[str, tuple[Change, ...]]:
    return COMMON | entry.changes


STEPS = [
    pytest.param(entry, argument, change, id=f"{entry.layer.__name__}{at}-{argument}-{k}")
    for at, entry in enumerate(ENTRIES)
    for argument, changes in changes_of(entry).items()
    for k, change in enumerate(changes)
]


def unchanged(entry: Entry, change: Change) -> np.ndarray:
    """Return Keras's numbers without a change, which the graph follows."""
    key = (id(entry), repr(sorted(change.also.items())))
    if key not in BASES:
        model = entry.model(change.also)
        BASES[key] = check_follows(entry, model, read_keras(model), entry.compare)
    return BASES[key]


@pytest.mark.parametrize(("entry", "argument", "change"), STEPS)
def test_a_changed_argument_is_seen(entry: Entry, argument: str, change: Change) -> None:
    arguments = change.also | {argument: change.value}
    if change.kind == "denied":
        with pytest.raises((TypeError, ValueError, AssertionError, CompileError), match=change.why):
            entry.model(arguments)
        return
    if change.kind == "refused":
        with pytest.raises(CompileError, match=change.why) as found:
            read_keras(entry.model(arguments))
        assert PROBE in str(found.value)
        return
    model = entry.model(arguments)
    now, before = check_follows(entry, model, read_keras(model), entry.compare), unchanged(entry, change)
    if change.kind == "inert":
        np.testing.assert_allclose(now, before, rtol=1e-5, atol=1e-5 * np.abs(before).max())
    if change.kind == "follows":
        assert now.shape != before.shape or (now != before).any()
