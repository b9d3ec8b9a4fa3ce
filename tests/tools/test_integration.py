"""The pages that lead into a design, from top to bottom: compiled, packaged, simulated, compared."""

from __future__ import annotations

from pathlib import Path

from pages import follow
from tools_needed import need


def test_from_a_trained_file_to_a_payload(tmp_path: Path) -> None:
    """docs/integration.md: PUPPI candidates on four links, ending in pattern files that pass, and in the
    library that CMSSW loads."""
    need("iverilog")
    need("make")
    assert follow("integration.md", tmp_path) == 5


def test_into_plain_verilog_and_streams(tmp_path: Path) -> None:
    """docs/integration-plain.md."""
    need("iverilog")
    need("make")
    assert follow("integration-plain.md", tmp_path) == 2
