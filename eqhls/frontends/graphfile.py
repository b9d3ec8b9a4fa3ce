"""Graphs on disk: graph.eq (text) and graph.npz (weights). No Keras is needed to read them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.ir.graph import Graph
from eqhls.ir.text import parse_graph, print_graph
from eqhls.ops import BY_NAME
from eqhls.text import npz, write_file

TEXT = "graph.eq"


def graph_files(graph: Graph, stem: str = "graph") -> dict[str, str | bytes]:
    """Return both files, `stem`.eq and `stem`.npz; equal graphs give equal bytes."""
    text, arrays = print_graph(graph)
    return {f"{stem}.eq": text, f"{stem}.npz": npz(arrays)}


def save_graph(graph: Graph, folder: Path) -> None:
    """Write both files into a folder, each whole or not at all."""
    for name, content in graph_files(graph).items():
        write_file(folder / name, content)


def load_model(path: Path) -> Graph:
    """Read a folder with graph.eq, or the .eq file itself.

    Raises CompileError for missing, truncated or foreign files, unknown ops and bad weights.
    """
    path = Path(path)
    text_path = path / TEXT if path.is_dir() else path
    if not text_path.is_file():
        raise CompileError(
            str(path),
            f"has no {TEXT}" if path.is_dir() else "does not exist",
            "give a model folder, a .eq file, a .keras file or a checkpoint",
        )
    if text_path.suffix != ".eq":
        raise CompileError(
            str(path),
            f"is not of a supported kind ({text_path.suffix or 'no suffix'})",
            "give a model folder, a .eq file, a .keras file or a checkpoint",
        )
    try:
        text = text_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CompileError(
            str(text_path), f"is not a text file ({error})", "the file is damaged or foreign"
        ) from None
    return parse_graph(text, _arrays(text_path.with_suffix(".npz")), BY_NAME, str(text_path))


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise CompileError(
            str(path),
            "does not exist",
            "the weights belong beside the graph; "
            f"if it has none, write an empty file: python -c \"import numpy; numpy.savez('{path.name}')\"",
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            return {k: file[k] for k in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise CompileError(str(path), f"cannot be read ({error})", "the file is damaged or foreign") from None
