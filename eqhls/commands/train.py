"""eqhls train: a network of a family, or of a .keras file, trained on files of events."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from eqhls import train
from eqhls.commands.shell import Steps, show, told
from eqhls.errors import CompileError
from eqhls.kerasbackend import KERAS
from eqhls.lazy import lazy
from eqhls.train.result import check_folder

keras = lazy("eqhls.frontends.keras", *KERAS)

NAMES = "lgn, pelican, nano, tag16, tag16_small, tag32, lgn_top, lgn_top_lab, .. (docs/train.md)"
STATE = "training.npz"
"""The file of a model folder that keeps a training which is not over."""
Files = list[Path]


def train_command(
    network: Annotated[str, typer.Argument(metavar="NAME", help=f"{NAMES}, or a .keras file of your own")],
    data: Annotated[Files, typer.Option(help="a file of events with labels y; may be repeated")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the model folder to write")],
    validation: Annotated[
        Files | None, typer.Option(help="validation events, which decide when to stop")
    ] = None,
    test: Annotated[
        Files | None, typer.Option(help="events on which the trained network is measured")
    ] = None,
    share: Annotated[
        float, typer.Option(help="fraction of the data for validation, if no file is given")
    ] = 0.2,
    constituents: Annotated[int | None, typer.Option(min=1, help="slots (words) of the network")] = None,
    classes: Annotated[
        int | None, typer.Option(min=2, help="number of classes (default: as many as the labels have)")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="another field of the network, e.g. levels=2"),
    ] = None,
    epochs: Annotated[str, typer.Option(help="epochs of the float and the quantized phase, e.g. 20,15")] = "",
    rates: Annotated[str, typer.Option(help="the highest learning rates of the phases, e.g. 0.1,0.04")] = "",
    batch: Annotated[int | None, typer.Option(help="events per step")] = None,
    seed: Annotated[
        int | None, typer.Option(help="random seed of the weights and of the order of the events")
    ] = None,
    patience: Annotated[
        int, typer.Option(help="end a phase after this many epochs without a better validation AUC; 0: never")
    ] = 0,
) -> None:
    """Train a network, float first and then quantized.

    The result is a model folder that `eqhls compile` reads (docs/train.md).
    """
    check_folder(output)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = train.choose_backend()
    sizes = _fields(sets or (), constituents, classes)
    model, settings = _network(network, output.name, sizes)
    drawn = settings.seed if seed is None else seed
    events = train.read(model, data, validation=validation or (), test=test or (), share=share, seed=drawn)
    if "classes" not in sizes and not network.endswith(".keras"):
        model, _ = _network(network, output.name, sizes | {"classes": events.classes})
    changed = {"batch": batch, "seed": seed, "patience": patience}
    settings = replace(settings, **{k: v for k, v in changed.items() if v is not None})
    settings = settings.varied(
        tuple(int(n) for n in _numbers("--epochs", epochs)), _numbers("--rates", rates)
    )
    with Steps() as progress:
        progress(f"train with Keras on {backend}", 0.0)
        run = train.fit(model, events, settings, report=progress, checkpoint=output / STATE)
    written = run.save(output)
    for note in run.notes:
        told(f"note: {note}")
    facts = {"wrote": [output / name for name in written], **run.record()}
    show(facts, *run.lines(), f"wrote {output}: {', '.join(written)}")


def _network(name: str, folder: str, fields: dict[str, Any]) -> tuple[Any, train.Settings]:
    """Return what is trained, and how by default."""
    if not name.endswith(".keras"):
        family = train.family(name, **fields)
        return family.builder(folder), family.settings
    if fields:
        raise CompileError(
            f"--{next(iter(fields))}", "is the size of a family", "a .keras file has its own: leave it out"
        )
    if not Path(name).is_file():
        raise CompileError(name, "does not exist", "check the path")
    return keras.load(Path(name)), train.Settings((train.Phase(20, 1e-2),))


def _fields(sets: Sequence[str], constituents: int | None, classes: int | None) -> dict[str, Any]:
    """Return the fields of a configuration that the options name."""
    found: dict[str, Any] = {}
    for text in sets:
        key, equals, value = text.partition("=")
        if not equals:
            raise CompileError("--set", f"found {text!r}, expected KEY=VALUE", "for example --set levels=2")
        found[key.strip()] = _value(value)
    named = {"constituents": constituents, "classes": classes}
    return found | {k: v for k, v in named.items() if v is not None}


def _value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise CompileError(
            "--set", f"found {text!r}", "give a number, a text or a list such as [2, 3]"
        ) from None


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise CompileError(
            option, f"found {text!r}, expected numbers", "give one for each phase, with a comma between"
        ) from None
