"""The version of eqhls, as in pyproject.toml."""

VERSION = "0.1.0"
