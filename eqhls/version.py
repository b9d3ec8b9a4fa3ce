"""The version of eqhls, which pyproject.toml reads from here."""

VERSION = "0.4.0"
