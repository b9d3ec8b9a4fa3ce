"""A token beside its event, in every clock, against the integer engine and against the tokens that went in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamed import PAIR, drawn, integers, plan_of
from tools_needed import need
from wrapped import Faults, Rows, Wrapped, in_icarus, in_verilator, lint, wrapped

from eqhls.backends.package.package import Settings
from eqhls.backends.package.token import PACKAGE
from eqhls.errors import CompileError
from eqhls.lower.plan import Plan

CLOCKS, FIRST = 4000, 3
"""Clocks of a run, and how many of them the first reset takes."""
Seen = dict[str, list[int]] | dict[str, list[int | None]]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(PAIR, "pair")


def design(plan: Plan, bits: int, folder: Path, faults: Faults = ()) -> Wrapped:
    made = wrapped(plan, PACKAGE, Settings(token=bits), folder, faults)
    inputs = {"rst": 1, "in_valid": 1, "in_data": plan.inputs.bits, "in_token": bits}
    outputs = {"out_valid": 1, "out_data": plan.outputs.bits, "out_token": bits, "model_hash": 32}
    return Wrapped(made.folder, made.top, made.sources, inputs, outputs)


def rows(plan: Plan, bits: int) -> tuple[Rows, list[int]]:
    """Return a run with gaps and resets of one to four clocks, and the results of what goes in."""
    rng = np.random.default_rng(bits)
    feeds = drawn(plan.inputs, CLOCKS, bits)
    resets = [1] * FIRST + [0] * (CLOCKS - FIRST)
    for at in rng.integers(100, CLOCKS - 100, 40):
        for k in range(rng.integers(1, 5)):
            resets[at + k] = 1
    given = {
        "rst": resets,
        "in_valid": [int(v) for v in rng.random(CLOCKS) < 0.6],
        "in_data": integers(plan.inputs, feeds),
        "in_token": [int.from_bytes(rng.bytes(-(-bits // 8)), "little") % (1 << bits) for _ in range(CLOCKS)],
    }
    return given, integers(plan.outputs, plan.graph.evaluate(feeds))


def wrong(plan: Plan, given: Rows, results: list[int], seen: Seen) -> list[str]:
    """Return what is not as it must be, clock by clock."""
    found: list[str] = []
    for clock in range(FIRST, CLOCKS):
        if seen["model_hash"][clock] != int(plan.model_hash, 16):
            found.append(f"model_hash in clock {clock}")
        event = clock - plan.latency_cycles
        lives = event >= 0 and not any(given["rst"][event:clock])
        valid = int(lives and given["in_valid"][event])
        token = given["in_token"][event] if lives else 0
        if seen["out_valid"][clock] != valid:
            found.append(f"out_valid in clock {clock}")
        if valid and seen["out_data"][clock] != results[event]:
            found.append(f"out_data in clock {clock}")
        if seen["out_token"][clock] != token:
            found.append(f"out_token in clock {clock}")
    return found


@pytest.mark.parametrize("bits", [1, 16, 70])
def test_tokens_are_beside_their_results(plan: Plan, bits: int, tmp_path: Path) -> None:
    need("iverilog")
    made = design(plan, bits, tmp_path)
    assert lint(made) == ""
    given, results = rows(plan, bits)
    assert wrong(plan, given, results, in_icarus(made, given)) == []


def test_the_same_in_verilator(plan: Plan, tmp_path: Path) -> None:
    given, results = rows(plan, 40)
    assert wrong(plan, given, results, in_verilator(design(plan, 40, tmp_path), given)) == []


FAULTS: dict[str, Faults] = {
    "a clock late": [("_token.sv", "(5), .Latency(2)", "(5), .Latency(3)")],
    "a clock early": [("_token.sv", "(5), .Latency(2)", "(5), .Latency(1)")],
    "tokens that outlive a reset": [("_token.sv", "(rst | ~live)", "rst")],
    "not zero in the first clock": [("_token.sv", "(rst | ~live)", "~live")],
    "zero too long": [("_token.sv", "_valid_pipe #(.Latency(2))", "_valid_pipe #(.Latency(4))")],
    "only beside events": [("_token.sv", "(rst | ~live)", "(rst | ~live | ~out_valid)")],
    "a valid that outlives a reset": [
        ("_token.sv", "rst(rst), .in_valid(in_valid)", "rst(1'b0), .in_valid(in_valid)")
    ],
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_check_sees_every_fault(name: str, plan: Plan, tmp_path: Path) -> None:
    need("iverilog")
    given, results = rows(plan, 5)
    assert wrong(plan, given, results, in_icarus(design(plan, 5, tmp_path, FAULTS[name]), given))


def test_a_token_has_bits(plan: Plan) -> None:
    with pytest.raises(CompileError, match="token: found 0 bits, expected the width of the control token"):
        PACKAGE.write(plan, Settings())
    assert "16 bits" in PACKAGE.connect(plan, Settings(token=16))
