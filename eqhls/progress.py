"""How a long step tells what it is doing."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, float], None]
"""Takes what is being done and the share of the whole that is behind it, from 0 to 1."""


def silent(text: str, share: float) -> None:
    """Report nothing."""
