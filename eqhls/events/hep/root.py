"""Trees and RNTuples of ROOT files, by uproot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from eqhls.errors import CompileError
from eqhls.events.hep.columns import REMEDY, Columns, column_of, few, inner
from eqhls.events.hep.sources import CHUNK, reading
from eqhls.lazy import lazy

uproot = lazy("uproot", "ROOT files", REMEDY)
MAGIC = b"root"
RNTUPLE_ENTRIES = 5_000
"""Entries of an RNTuple that are read at once: it does not say how large its columns are."""
CLASSES = ("TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple", "ROOT::Experimental::RNTuple")


@dataclass(frozen=True, slots=True)
class RootTree:
    """One tree, or RNTuple, of a ROOT file that is open, with its columns, and where they lie: a field of
    records has the name of the records, an underscore and its own."""

    path: Path
    file: Any
    tree: str
    data: Any
    columns: dict[str, str]
    places: dict[str, str]

    @property
    def kind(self) -> str:
        return "ROOT"

    @property
    def entries(self) -> int:
        return int(self.data.num_entries)

    def chunks(self, names: Sequence[str], first: int, behind: int) -> Iterator[Columns]:
        with reading(self.path, self.kind):
            keys = [self.places[n] for n in names]
            step = _step(self.data, keys)
            for start in range(first, behind, step):
                stop = min(start + step, behind)
                read = self.data.arrays(keys, entry_start=start, entry_stop=stop, library="ak")
                yield {n: column_of(n, inner(read, k)) for n, k in zip(names, keys, strict=True)}

    def close(self) -> None:
        self.file.close()


def open_root(path: Path, tree: str, fits: Callable[[RootTree], bool]) -> RootTree:
    """Open the tree of that name; without one, the only tree, or the only one that `fits`. Raises
    CompileError for damaged files, and if the tree is not known."""
    with reading(path, "ROOT"):
        file = uproot.open({str(path): None})
        try:
            return _opened(path, file, tree, fits)
        except BaseException:
            file.close()
            raise


def _opened(path: Path, file: Any, tree: str, fits: Callable[[RootTree], bool]) -> RootTree:
    classes = file.classnames(recursive=True).items()
    found = list(dict.fromkeys(k.split(";")[0] for k, c in classes if c in CLASSES))
    if tree and tree not in found:
        near = get_close_matches(tree, found, 3)
        hint = f"did you mean {', '.join(near)}?" if near else ""
        raise CompileError("--tree", f"found {tree!r}, expected one of {few(found) or 'none'}", hint)
    trees = [_tree(path, file, name) for name in ([tree] if tree else found)]
    if not trees:
        raise CompileError(str(path), "has no tree and no RNTuple", "give a file of events")
    matching = trees if len(trees) == 1 else [t for t in trees if fits(t)]
    if len(matching) != 1:
        which = [t.tree for t in matching or trees]
        raise CompileError(str(path), f"has the trees {few(which)}", f"name one: --tree {which[0]}")
    return matching[0]


def _tree(path: Path, file: Any, name: str) -> RootTree:
    """Return a tree with its columns; records in an RNTuple say their types only by what is read of them."""
    data = file[name]
    types = {str(k): str(v) for k, v in data.typenames().items()}
    records = [k for k in types if "." in k and types.get(k.split(".")[0]) == ""]
    empty = data.arrays(records, entry_stop=0, library="ak") if records else None
    columns = {k: v for k, v in types.items() if v and k not in records and not _counts(k, types)}
    places = {k: k for k in columns}
    for key in records:
        flat = key.replace(".", "_")
        if empty is not None and flat not in columns and types[key]:
            kind = inner(empty, key).type.content
            columns[flat], places[flat] = str(kind).replace("var * ", "vector<"), key
    return RootTree(path, file, name, data, columns, places)


def _counts(name: str, types: Mapping[str, str]) -> bool:
    """Whether a branch is the number of entries of another one, nX of X, which only readers need."""
    return name.startswith("n") and "[]" in types.get(name[1:], "")


def _step(data: Any, names: Sequence[str]) -> int:
    """Return the entries whose columns fill a chunk."""
    total = int(data.num_entries)
    stored = sum(int(data[k].uncompressed_bytes) for k in names if hasattr(data[k], "uncompressed_bytes"))
    return max(1, min(total or 1, total * CHUNK // max(stored, 1))) if stored else RNTUPLE_ENTRIES
