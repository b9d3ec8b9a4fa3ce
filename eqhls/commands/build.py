"""eqhls build and eqhls synth: what a synthesis tool makes of a project."""

from __future__ import annotations

from dataclasses import asdict

from eqhls.backends.hls.build import build_project
from eqhls.commands.shell import FolderArg, Steps, show
from eqhls.verify.synth import synthesize


def build(folder: FolderArg) -> None:
    """Run Vitis or Vivado HLS on a project, and print its report."""
    counts = build_project(folder)
    show(asdict(counts), str(counts))


def synth(folder: FolderArg) -> None:
    """Count LUT, FF and DSP of a project with Yosys.

    The counts are an estimate for the family xcup, and take some minutes.
    """
    with Steps() as progress:
        counts = synthesize(folder, progress)
    show(asdict(counts), f"Yosys estimate (synth_xilinx -family xcup): {counts}")
