"""Law 4 for the emulator: the netlist in C++ = body, every bit, for every example of every op and for random
expressions, on the lanes of this machine, on those that every processor has, and on those between."""

from __future__ import annotations
