"""Write docs/kept-models.md: every model file that the tests keep or make, and what becomes of it.

The files are those of `tests/doors`. What is refused is made and opened here, so that the page has the
message itself; what is read is checked against its framework, compiled and proved by `tests/tools/test_doors.py`, which
fails if the page promises too much. `python docs/kept.py` writes the page.
"""
# ruff: noqa: E501 (rows of tables, and lines of the page)

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import doors  # noqa: E402
from doors import Door  # noqa: E402

from eqhls.errors import CompileError  # noqa: E402
from eqhls.frontends.open import load_any  # noqa: E402
from eqhls.text import write_file  # noqa: E402

PAGE = Path(__file__).with_name("kept-models.md")


@dataclass(frozen=True, slots=True)
class Kind:
    """Files of one origin: the module of `tests/doors` that lists them, what they are, what they are held
    against, and how many the project asked for when it began to keep them."""

    module: str
    title: str
    files: str
    against: str
    wanted: int = 0


KINDS = (
    Kind("keras_float", "Keras 3, floats", "`.keras`", "Keras, in floats", 29),
    Kind("torch_onnx", "ONNX from torch", "`.onnx` of torch 2.13: the exporter of today, `_script` the older one", "torch, in floats", 18),
    Kind("tf2onnx_files", "ONNX from tf2onnx", "`.onnx` of tf2onnx 1.17", "Keras, in floats"),
    Kind("qonnx_files", "QONNX", "`.onnx` of Brevitas 0.13, of QONNX by hand, with `QuantizeLinear`", "qonnx or onnxruntime, every bit"),
    Kind("qkeras_files", "QKeras", "`.h5`, `.keras` and SavedModel of qkeras 0.9 (Keras 2)", "QKeras, every bit"),
    Kind("keras_fixed", "HGQ2", "`.keras` of HGQ2's layers and of its QKeras API", "Keras, every bit"),
    Kind("shipped_keras", "Keras models of this project", "`.keras` of `eqhls.layers`, and the HGQ2 peers that benchmarks compare with", "Keras, every bit"),
    Kind("checkpoints", "Checkpoints of published networks", "folders with `state_dict.npz` or `weights.npz`, `.pt` of torch", "their equations in jax or NumPy, in floats"),
    Kind("onnx_refused", "ONNX without a meaning as hardware", "`.onnx` by hand", "nothing: all are refused"),
)  # fmt: skip


@cache
def modules() -> dict[str, tuple[Door, ...]]:
    """Return the doors by the module that lists them. Raises ValueError if a module has no kind here."""
    found: dict[str, tuple[Door, ...]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in pkgutil.iter_modules(doors.__path__):
            if not part.name.startswith("make_"):
                found[part.name] = tuple(getattr(importlib.import_module(f"doors.{part.name}"), "DOORS", ()))
    unknown = {name for name, listed in found.items() if listed} ^ {k.module for k in KINDS}
    if unknown:
        raise ValueError(f"tests/doors and KINDS of docs/kept.py differ by {', '.join(sorted(unknown))}")
    return found


def message(door: Door) -> str:
    """Return how a file is refused: what was found, and what to do. Raises ValueError if it is read."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = door.make(Path(folder))
        try:
            load_any(made.file, made.config)
        except CompileError as error:
            where = error.where.replace(f"{folder}/", "").rsplit(": ", 1)[-1]
            return f"{where}: {error.problem}; {error.remedy}".replace(f"{folder}/", "")
    raise ValueError(f"{door.name} is to be refused, and is read")


def rows(kind: Kind) -> Iterator[tuple[str, ...]]:
    for door in modules()[kind.module]:
        holds = door.holds or door.name.replace("_", " ")
        if not door.refused:
            yield f"`{door.name}`", holds, "read"
            continue
        yield (
            f"`{door.name}`",
            holds,
            f"{'refused on purpose' if door.negative else 'refused'}: {message(door)}",
        )


@dataclass(frozen=True, slots=True)
class Count:
    """How many files of a kind there are, are read, and are negative examples."""

    files: int
    read: int
    negative: int

    @classmethod
    def of(cls, listed: Sequence[Door]) -> Count:
        return cls(len(listed), sum(not d.refused for d in listed), sum(d.negative for d in listed))

    def cells(self) -> tuple[str, ...]:
        meant = self.files - self.negative
        share = f"{100 * self.read / meant:.1f} %" if meant else ""
        return (
            *map(str, (self.files, self.read, meant - self.read, self.negative)),
            share,
            f"{100 * self.read / self.files:.1f} %",
        )


def summary() -> Iterator[tuple[str, ...]]:
    every = modules()
    for kind in KINDS:
        wanted = str(kind.wanted) if kind.wanted else ""
        yield kind.title, wanted, *Count.of(every[kind.module]).cells(), kind.against
    total = Count.of([d for listed in every.values() for d in listed])
    yield "all", "60", *total.cells(), ""


def table(head: tuple[str, ...], lines: Iterator[tuple[str, ...]]) -> str:
    cells = [head, ("---",) * len(head), *lines]
    return "\n".join("| " + " | ".join(c.replace("|", "or") for c in line) + " |" for line in cells)


HEAD = ("kind", "asked for", "files", "compile and verify", "refused", "refused on purpose", "share", "share of all", "checked against")  # fmt: skip


def page() -> str:
    """Return the page. Networks that are read are not opened: the tests do that."""
    parts = [
        f"""# Kept models

`make docs` writes this page from `tests/doors`: the model files that the tests keep, or write anew with the framework
itself. Each file that is read is checked against the numbers of its own framework, calibrated on its own events, compiled, and
proved from C++ to Verilog (`make test-all`, `tests/tools/test_doors.py`): the test of a file of the second
column of numbers fails if it is not. What is refused is refused by the sentence below, which says what to do.

{table(HEAD, summary())}

*share* is of the files that are not negative examples. A file is *refused on purpose* if it was written to be refused: it is
damaged, lacks a part, or asks for what no hardware of fixed size can do. Files that are merely *refused* are networks that somebody
may have. Exporters of torch are two: the older one's twins of the files below are read and checked against torch, too
(`tests/tools/test_onnx_elsewhere.py`), but are not in this list.
"""
    ]
    for kind in KINDS:
        parts.append(f"## {kind.title}\n\n{kind.files}; checked against {kind.against}.\n")
        parts.append(table(("file", "holds", "outcome"), rows(kind)) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    write_file(PAGE, page())
