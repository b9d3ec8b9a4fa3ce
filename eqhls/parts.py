"""Names of FPGAs: the form of AMD's part numbers, so that wrong ones are refused before a tool runs."""

from __future__ import annotations

import difflib
import re

_SEVEN = r"x[acq]7[akvsz][a-z]{0,2}\d+[a-z]{0,2}-?[a-z]{2,4}\d+-\d\w*"
_LATER = r"x[acq]r?[a-z]{1,2}\d+[a-z]{0,3}-[a-z]{2,5}\d+-\d\w*(-\w+){0,3}"
_PART = re.compile(f"{_SEVEN}|{_LATER}", re.I | re.ASCII)

USUAL = (
    "xcvu13p-flga2577-2-e",
    "xcvu13p-fhga2104-2-e",
    "xcvu9p-flga2104-2L-e",
    "xcvu9p-flgb2104-2-e",
    "xcvu7p-flvb2104-2-e",
    "xcvu37p-fsvh2892-2L-e",
    "xcku115-flvf1924-2-e",
    "xcku15p-ffva1760-2-e",
    "xcku060-ffva1156-2-e",
    "xcu250-figd2104-2L-e",
    "xcu280-fsvh2892-2L-e",
    "xcu55c-fsvh2892-2L-e",
    "xczu9eg-ffvb1156-2-e",
    "xczu28dr-ffvg1517-2-e",
    "xck26-sfvc784-2LV-c",
    "xcvc1902-vsva2197-2MP-e-S",
    "xc7vx690tffg1927-2",
    "xc7k325tffg900-2",
    "xc7z020clg400-1",
)
"""Parts to propose; any other of the same pattern is taken too."""


def part_fault(part: str) -> tuple[str, str] | None:
    """Return what is wrong with a part and what to do, or None: device-package-speed, in letters, digits
    and dashes, of a family of AMD. Whether the installed tools hold the device, only they know."""
    if _PART.fullmatch(part):
        return None
    near = difflib.get_close_matches(part.lower(), [p.lower() for p in USUAL], 3, 0.4)
    named = [p for p in USUAL if p.lower() in near] or list(USUAL[:3])
    return (
        f"found {part!r}, expected device-package-speed of an AMD FPGA",
        f"write it as the tools do, e.g. {', '.join(named)}",
    )
