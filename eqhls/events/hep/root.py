"""Trees and RNTuples of ROOT files, by uproot."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from eqhls.errors import CompileError
from eqhls.events.hep.columns import REMEDY, Columns, column_of
from eqhls.events.hep.sources import CHUNK
from eqhls.lazy import lazy

uproot = lazy("uproot", "ROOT files", REMEDY)
MAGIC = b"root"
CLASSES = ("TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple", "ROOT::Experimental::RNTuple")


@dataclass(frozen=True, slots=True)
class RootTree:
    """One tree, or RNTuple, of a ROOT file that is open."""

    path: Path
    file: Any
    tree: str
    data: Any
    columns: dict[str, str]

    @property
    def kind(self) -> str:
        return "ROOT"

    @property
    def entries(self) -> int:
        return int(self.data.num_entries)

    def chunks(self, names: Sequence[str], first: int, behind: int) -> Iterator[Columns]:
        with _reading(self.path):
            step = _step(self.data, names)
            for start in range(first, behind, step):
                stop = min(start + step, behind)
                read = self.data.arrays(list(names), entry_start=start, entry_stop=stop, library="ak")
                yield {k: column_of(k, read[k]) for k in names}

    def close(self) -> None:
        self.file.close()


def open_root(path: Path, tree: str, fits: Callable[[RootTree], bool]) -> RootTree:
    """Open the tree of that name; without one, the only tree, or the only one that `fits`. Raises
    CompileError for damaged files, and where the tree is not known."""
    with _reading(path):
        file = uproot.open({str(path): None})
        found = {k.split(";")[0]: c for k, c in file.classnames(recursive=True).items() if c in CLASSES}
        if tree and tree not in found:
            near = get_close_matches(tree, found, 3)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise CompileError("--tree", f"found {tree!r}, expected one of {_said(found)}{hint}")
        trees = [_tree(path, file, name) for name in ([tree] if tree else found)]
        if not trees:
            raise CompileError(str(path), "has no tree and no RNTuple", "give a file of events")
        matching = trees if len(trees) == 1 else [t for t in trees if fits(t)]
    if len(matching) != 1:
        which = matching or trees
        raise CompileError(
            str(path),
            f"has the trees {', '.join(t.tree for t in which)}",
            f"name one: --tree {which[0].tree}",
        )
    return matching[0]


def _tree(path: Path, file: Any, name: str) -> RootTree:
    data = file[name]
    return RootTree(path, file, name, data, {str(k): str(v) for k, v in data.typenames().items()})


def _step(data: Any, names: Sequence[str]) -> int:
    """Return the entries whose columns fill a chunk."""
    total = int(data.num_entries)
    stored = sum(int(data[k].uncompressed_bytes) for k in names if hasattr(data[k], "uncompressed_bytes"))
    return max(1, min(total or 1, total * CHUNK // max(stored, 1))) if stored else 5_000


def _said(names: Any) -> str:
    listed = list(names)
    return ", ".join(listed[:8]) + (", .." if len(listed) > 8 else "") or "none"


@contextmanager
def _reading(path: Path) -> Generator[None]:
    """Turn what uproot says against a file into a CompileError."""
    try:
        yield
    except CompileError:
        raise
    except Exception as error:
        raise CompileError(
            str(path), f"is not a readable ROOT file ({str(error).strip().splitlines()[0]})", "write it again"
        ) from None
