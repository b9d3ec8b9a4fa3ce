"""Files of events by name and by pattern."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

from eqhls.errors import CompileError


def is_pattern(path: Path) -> bool:
    """Whether a path is not a file, but a pattern that may match some: with *, ? or [..]."""
    return glob.has_magic(str(path)) and not path.exists()


def several(paths: Sequence[Path]) -> bool:
    """Whether these are many files: more than one path, or a pattern."""
    return len(paths) > 1 or any(map(is_pattern, paths))


def matched(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files that paths and patterns name, sorted, each once; ** matches folders of any depth.

    Raises CompileError for a pattern that matches none. Files that are named need not exist: whoever reads
    them says so.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not is_pattern(path):
            found[path] = None
            continue
        root = Path(path.anchor)
        files = [p for p in root.glob(str(path.relative_to(root))) if p.is_file()]
        if not files:
            raise CompileError(
                str(path), "matches no file", "check the pattern; quote it so that the shell leaves it"
            )
        found |= dict.fromkeys(files)
    return tuple(sorted(found))
