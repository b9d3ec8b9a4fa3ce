"""What a native reader stumbles over: patterns of stiff or foreign English, and the cure of each.

Messages, help texts, pages and public docstrings are searched for them (`tests/unit/test_messages.py`, `test_english.py`).
"""

from __future__ import annotations

import re

COUNTED = "numbers?|look-ups?|gates?|bits?|clocks?|lines?|cycles?|events?|entry|entries|cells?|LUTs?|tables?|codes|epochs?|min|one"
UNITS = "event|bit|op|clock|jet|line|second|particle|channel|octave|phase|epoch|run|LUT|LSB|layer|stage|row"

STUMBLES = {
    rf"\b({COUNTED}) an? ({UNITS})\b": "write 'per'",
    r"(?<![Tt]here )\b(is|are|was|were) no (?!more|longer|better|worse|good|such|doubt|way|need)\w": "write 'is not a ..'",
    r"(?<![Tt]here )\b(is|are) none\b(?! of)": "write 'is not a ..'",
    r"\bwhich (the )?\w+ has not\b(?! been)": "write 'which is not in ..'",
    r"\bfour vectors\b": "write 'four-vectors'",
    r"\bwhere (left out|missing|omitted|none|it is (missing|omitted|left out|one)|there (is|are) (none|one|some))\b": "write 'if'",
    r"\b[Rr]aises? \w*Error[^.;]* where\b": "write 'if'",
    r"\b[Nn]one where\b": "write 'if'",
    r"\bmeans nothing\b": "write 'has no meaning'",
    r"\b[Ww]hose numbers\b": "name the thing",
    r"\bslip of the pen\b": "write 'typo'",
    r"\b[Hh]eld against\b": "write 'compared with' or 'checked against'",
    r"\bbe it\b": "write 'even'",
    r"\bin the place of\b": "write 'instead of'",
    r"\b[Aa] (line|row|number|file|message|entry|format) each\b": "write 'one .. per ..'",
    r"\bgo(es)? on where\b": "write 'resumes'",
    r"\bin case alone\b": "write 'only in case'",
    r"\b[Aa]ll else\b": "write 'everything else'",
    r", also (if|where|when)\b": "write 'even if'",
    r"\bthe exit status tells\b": "say which status means what",
}
"""Patterns that no text may have."""

OF_MESSAGES = {
    r"\b(wants|goes with|go with)\b": "say what is asked for",
    r"\bwhat \w+ (has|have|are|is)$": "name the thing",
}
"""Patterns that no message may have, beside those above."""


def stumbles(text: str, patterns: dict[str, str] = STUMBLES) -> list[str]:
    """Return the cures of all that a reader stumbles over."""
    return [cure for pattern, cure in patterns.items() if re.search(pattern, text)]
