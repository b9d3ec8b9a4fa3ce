"""Notebooks of the documents: they are run, and what they print must be what is kept in them.

    python tests/notebooks.py

runs all of docs/notebooks and writes what they print, and their pictures, into them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
LONGEST = 600
"""Seconds that a cell may take on a slow machine."""


def read(path: Path) -> Any:
    """Return a notebook."""
    return nbformat.read(path, as_version=4)


def executed(path: Path) -> Any:
    """Return a notebook after all of its cells were run, from top to bottom in this Python and this tree, in its
    own folder. A cell that fails raises."""
    notebook = read(path)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook, timeout=LONGEST, kernel_name="python3", coalesce_streams=True, resources=resources
    )
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    return notebook


def shown(notebook: Any) -> list[str]:
    """Return what the cells print, and a line for each picture: its bytes depend on the fonts of a machine."""
    lines: list[str] = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            lines.append(
                output["text"] if output.output_type == "stream" else "+".join(sorted(output["data"]))
            )
    return lines


if __name__ == "__main__":
    for path in NOTEBOOKS if len(sys.argv) < 2 else map(Path, sys.argv[1:]):
        nbformat.write(executed(path), path)
        print(path.name)
