"""The one cocotb bench of every eqhls top: bits, latency, II, gaps, reset.

Works on any top with the ports clk, rst (synchronous, active high), in_valid, in_data, out_valid,
out_data, model_hash and a fixed latency, whoever made the core inside. Parameters come as environment
variables: EQ_VECTORS (.npz with `input` and `expected`, uint32 words), EQ_LATENCY, EQ_II, EQ_TIMING, and
EQ_HASH, the hash of the model that the top has to show.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

LATENCY, INTERVAL = int(os.environ["EQ_LATENCY"]), int(os.environ["EQ_II"])
"""Clocks from an event to its result, and to the next event."""
SHORT = 6000
"""Events for the tests that need not see all of them."""


def load() -> tuple[list[int], list[int]]:
    """Return the packed words as Python integers, one per event."""
    with np.load(os.environ["EQ_VECTORS"]) as file:
        return tuple(
            [int.from_bytes(row.tobytes(), "little") for row in file[key].astype("<u4")]
            for key in ("input", "expected")
        )


def always() -> Iterator[bool]:
    while True:
        yield True


def sparse(share: float, seed: int) -> Iterator[bool]:
    """Valid in a share of the clocks."""
    rng = random.Random(seed)
    while True:
        yield rng.random() < share


def bursts(seed: int) -> Iterator[bool]:
    """Runs of valid clocks and runs of pauses."""
    rng = random.Random(seed)
    while True:
        for word in (True, False):
            for _ in range(rng.randint(1, 40)):
                yield word


class Bench:
    """Drives on the falling edge and samples there: one trigger per clock."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.width = len(dut.in_data)
        self.rng = random.Random(7)

    async def start(self) -> None:
        Clock(self.dut.clk, 2, unit="ns").start()
        self.dut.in_valid.value = 0
        self.dut.in_data.value = 0
        await self.reset(LATENCY + 2)
        shown, want = int(self.dut.model_hash.value), int(os.environ["EQ_HASH"], 16)
        assert shown == want, f"the top shows the model {shown:08x}, the port map has {want:08x}"

    async def reset(self, clocks: int) -> None:
        self.dut.rst.value = 1
        for _ in range(clocks):
            await FallingEdge(self.dut.clk)
        self.dut.rst.value = 0

    async def stream(self, words: list[int], expected: list[int], valid: Iterator[bool]) -> None:
        """Send all words; out_valid must repeat in_valid LATENCY clocks later, with the right bits."""
        dut, edge = self.dut, FallingEdge(self.dut.clk)
        sent: list[int] = []
        position, clock, ready, total = 0, 0, 0, len(words)
        while position < total or clock < len(sent) + LATENCY:
            go = position < total and clock >= ready and next(valid)
            ready = clock + INTERVAL if go else ready
            if clock >= LATENCY and clock - LATENCY < len(sent):
                index = sent[clock - LATENCY]
                self.check(index, expected)
            else:
                assert dut.out_valid.value == 0, f"out_valid without an event in clock {clock}"
            if position < total:
                sent.append(position if go else -1)
            dut.in_valid.value = go
            dut.in_data.value = words[position] if go else self.rng.getrandbits(self.width)
            position += go
            clock += 1
            await edge
        assert position == total

    def check(self, index: int, expected: list[int]) -> None:
        dut = self.dut
        if index < 0:
            assert dut.out_valid.value == 0, "out_valid is high where in_valid was low"
            return
        assert dut.out_valid.value == 1, f"event {index}: out_valid is low after {LATENCY} clocks"
        got = int(dut.out_data.value)
        assert got == expected[index], f"event {index}: got {got:x}, expected {expected[index]:x}"


@cocotb.test()
async def bit_exact_back_to_back(dut) -> None:
    """Every event, as close as the II allows: every bit, the promised latency and II."""
    words, expected = load()
    bench = Bench(dut)
    await bench.start()
    begin = time.perf_counter()
    await bench.stream(words, expected, always())
    seconds = time.perf_counter() - begin
    timing = {"events": len(words), "seconds": seconds}
    Path(os.environ["EQ_TIMING"]).write_text(json.dumps(timing) + "\n")


@cocotb.test()
async def bit_exact_with_gaps(dut) -> None:
    """Random pauses and bursts; the data is garbage while valid is low."""
    words, expected = load()
    bench = Bench(dut)
    await bench.start()
    patterns: list[Callable[[], Iterator[bool]]] = [
        lambda: sparse(0.5, 1),
        lambda: sparse(0.1, 2),
        lambda: bursts(3),
    ]
    for k, pattern in enumerate(patterns):
        part = slice(k * SHORT // 3, (k + 1) * SHORT // 3)
        await bench.stream(words[part], expected[part], pattern())


@cocotb.test()
async def reset_mid_stream(dut) -> None:
    """Reset drops what is in flight and what comes with it, and the stream after it is right."""
    words, expected = load()
    bench = Bench(dut)
    await bench.start()
    for clock, word in enumerate(words[:LATENCY]):
        dut.in_valid.value = clock % INTERVAL == 0
        dut.in_data.value = word
        await FallingEdge(dut.clk)
    await bench.reset(1)
    dut.in_valid.value = 0
    for clock in range(2 * LATENCY + 2):
        assert dut.out_valid.value == 0, f"an event survived the reset, {clock} clocks after it"
        await FallingEdge(dut.clk)
    await bench.stream(words[:SHORT], expected[:SHORT], always())


@cocotb.test()
async def silent_without_input(dut) -> None:
    """No in_valid, no out_valid, whatever the data."""
    bench = Bench(dut)
    await bench.start()
    await bench.stream([], [], always())
    for _ in range(3 * LATENCY):
        dut.in_data.value = bench.rng.getrandbits(bench.width)
        await FallingEdge(dut.clk)
        assert dut.out_valid.value == 0
