# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What a user's program sees of the types of eqhls: `make lint` checks it, and that what is wrong is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import eqhls
from eqhls.layers import GramLayer

Scores = NDArray[np.float64]


def scores(model: object, jets: Scores, engine: eqhls.Engine) -> Scores | dict[str, Scores]:
    """Compile a model in memory, and score jets by port."""
    project = eqhls.compile(model, {"x": jets}, Path("build/mine"), config={"maxdim": 2})
    assert_type(project, eqhls.Compiled)
    assert_type(project.folder, Path)
    found = project.predict({"x": jets}, engine=engine)
    assert_type(found, Scores | dict[str, Scores])
    return found


def packed(project: eqhls.Compiled) -> tuple[str, ...]:
    """Write two packages, and say how to connect them."""
    made = project.package("fusesoc", "ipbb", links=6, token=16)
    return tuple(p.connect for p in made)


def wrong(project: eqhls.Compiled, jets: Scores) -> None:
    """Each of these comments would be a mistake if the checker did not find one in its line."""
    project.predict(jets, engine="gpu")  # pyright: ignore[reportArgumentType]
    eqhls.compile("model", output=3)  # pyright: ignore[reportArgumentType]
    project.package("fusesoc", lanes=3)  # pyright: ignore[reportCallIssue]
    eqhls.layers.GrammLayer()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def layer() -> Any:
    """A layer, by both names."""
    assert_type(GramLayer(), eqhls.layers.GramLayer)
    return eqhls.layers.GramLayer()
