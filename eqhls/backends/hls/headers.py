"""Names that keep the headers and the functions of two projects in one program apart."""

from __future__ import annotations

from eqhls.text import Emitter


def namespace(project: str) -> str:
    """Return the namespace of a project."""
    return f"eqhls_{project}"


def guard(project: str, part: str) -> str:
    """Return the name that guards a header against being read twice; the project stands last and in its own
    letters, so that no two projects share one."""
    return f"EQHLS_{part}_H_{project}"


def open_guard(out: Emitter, name: str) -> None:
    """Begin a header; `#endif` ends it."""
    out(f"#ifndef {name}")
    out(f"#define {name}")
