"""The lanes that the emulator can have on this machine: flags of g++."""

from __future__ import annotations

from pathlib import Path

WIDER = {"avx2": "-march=haswell", "avx512bw": "-march=skylake-avx512"}


def _flags() -> set[str]:
    """Return what the processor can do, as Linux lists it; nothing elsewhere."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())


MACHINES = ["", *(flag for name, flag in WIDER.items() if name in _flags())]
"""Lanes of 128 bits, which every processor has, of 256 and of 512 bits if this one has them."""
