"""`python -m eqhls` is the command `eqhls`."""

from __future__ import annotations

from eqhls.cli import main

if __name__ == "__main__":
    main()
