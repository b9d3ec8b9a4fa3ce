"""The cocotb bench of the AXI4-Stream wrapper, with the source and the sink of cocotbext-axi.

Parameters come as environment variables: EQ_VECTORS (.npz with `input` and `expected`, uint32 words), EQ_BEATS,
EQ_USER (bits of tuser), EQ_IN_BITS (of the packed word), EQ_LATENCY (of the core), EQ_HASH (of the model).
Every test watches both streams by the rules of AXI4-Stream.
"""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Iterator
from itertools import islice

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

# cocotbext-axi 0.1.28 calls what cocotb 2.1 has renamed; a warning from anywhere else fails the test
warnings.simplefilter("error")
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"cocotbext\.axi\.")

BEATS, USER = int(os.environ["EQ_BEATS"]), int(os.environ["EQ_USER"])
LATENCY = int(os.environ["EQ_LATENCY"]) + 3
"""Clocks from a beat to its result: the core, the queue and a register on either side."""
LONGEST = 9
"""Beats of a packet."""
Beat = tuple[int, int, int]
"""tdata, tuser, tlast."""


def load() -> tuple[list[int], list[int]]:
    """Return the packed words as Python integers, one per event."""
    with np.load(os.environ["EQ_VECTORS"]) as file:
        return tuple(
            [int.from_bytes(row.tobytes(), "little") for row in file[key].astype("<u4")]
            for key in ("input", "expected")
        )


INPUT, EXPECTED = load()


def pauses(seed: int) -> Iterator[bool]:
    """Stretches of all kinds: no pause, one clock in two, nearly always, and long ones."""
    rng = random.Random(seed)
    while True:
        share = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for _ in range(rng.randint(1, 60)):
            yield rng.random() < share


def packets(first: int, beats: int, seed: int) -> Iterator[tuple[AxiStreamFrame, list[Beat]]]:
    """Return packets of events from `first` on, and what must come out; events repeat, tuser is random."""
    rng = random.Random(seed)
    left = beats
    while left:
        length = min(left, rng.randint(1, LONGEST))
        events = [(first + k) % len(INPUT) for k in range(length)]
        user = [rng.getrandbits(USER) for _ in events]
        frame = AxiStreamFrame([INPUT[e] | garbage(rng) for e in events], tuser=user)
        last = [*[0] * (length - 1), 1]
        yield frame, [(EXPECTED[e], u, t) for e, u, t in zip(events, user, last, strict=True)]
        first, left = first + length, left - length


def garbage(rng: random.Random) -> int:
    """Return random bits above the packed word, in the part that fills the last byte."""
    bits = int(os.environ["EQ_IN_BITS"])
    return rng.getrandbits(8) << bits & ((1 << -(-bits // 8) * 8) - 1)


class Bench:
    """Source, sink, and a watch on both streams."""

    def __init__(self, dut) -> None:
        self.dut = dut
        Clock(dut.aclk, 2, unit="ns").start()
        dut.aresetn.value = 0
        reset = {"clock": dut.aclk, "reset": dut.aresetn, "reset_active_level": False, "byte_lanes": 1}
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), **reset)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), **reset)
        for end in (self.source, self.sink):
            end.log.setLevel("ERROR")
        self.clock = 0
        self.sent: list[int] = []
        self.seen: list[tuple[int, Beat]] = []
        self.inside = 0
        cocotb.start_soon(self.watch())

    async def watch(self) -> None:
        """Note the clocks of beats in, and the beats out with their clocks; demand that a result that waits
        does not change, and that nothing moves in a reset."""
        dut, waits = self.dut, None
        while True:
            await RisingEdge(dut.aclk)
            self.clock += 1
            assert self.clock < 2 or int(dut.model_hash.value) == int(os.environ["EQ_HASH"], 16)
            if not dut.aresetn.value:
                waits, self.inside = None, 0
                continue
            if dut.s_axis_tvalid.value and dut.s_axis_tready.value:
                self.sent.append(self.clock)
                self.inside += 1
            if dut.m_axis_tvalid.value:
                beat = tuple(int(getattr(dut, f"m_axis_{k}").value) for k in ("tdata", "tuser", "tlast"))
                assert waits in (None, beat), f"a result that waits became {beat}"
                waits = beat
                if dut.m_axis_tready.value:
                    self.seen.append((self.clock, beat))
                    self.inside -= 1
                    assert self.inside >= 0, "a result came out that no event belongs to"
                    waits = None
            else:
                assert waits is None, "a result that waited has gone"

    async def reset(self, clocks: int) -> None:
        """Hold the reset; from its first edge on nothing is valid or ready."""
        self.dut.aresetn.value = 0
        await RisingEdge(self.dut.aclk)
        for _ in range(clocks):
            await Timer(1, "ns")
            assert not self.dut.m_axis_tvalid.value and not self.dut.s_axis_tready.value
            await RisingEdge(self.dut.aclk)
        self.dut.aresetn.value = 1

    async def stream(self, beats: int, seed: int, first: int = 0) -> list[Beat]:
        """Send packets, wait for all results and return what must have come."""
        expected: list[Beat] = []
        self.sent.clear()
        self.seen.clear()
        for frame, results in packets(first, beats, seed):
            self.source.send_nowait(frame)
            expected += results
        while len(self.seen) < beats:
            before = len(self.seen)
            for _ in range(50 * LATENCY + 2000):
                await RisingEdge(self.dut.aclk)
                if len(self.seen) > before:
                    break
            assert len(self.seen) > before, f"{before} of {beats} results came, then none"
        for _ in range(4 * LATENCY):
            await RisingEdge(self.dut.aclk)
        return expected

    def check(self, expected: list[Beat]) -> None:
        """Every beat by itself, then the packets as the sink of cocotbext-axi put them together."""
        assert len(self.sent) == len(self.seen) == len(expected) and self.inside == 0
        for k, ((_, beat), want) in enumerate(zip(self.seen, expected, strict=True)):
            assert beat == want, f"beat {k}: got {beat}, expected {want}"
        found: list[Beat] = []
        while not self.sink.empty():
            frame = self.sink.recv_nowait(compact=False)
            last = [*[0] * (len(frame.tdata) - 1), 1]
            found += zip(frame.tdata, frame.tuser, last, strict=True)
        assert found == expected


@cocotb.test()
async def random_pauses_lose_and_double_nothing(dut) -> None:
    bench = Bench(dut)
    await bench.reset(3)
    bench.source.set_pause_generator(pauses(1))
    bench.sink.set_pause_generator(pauses(2))
    bench.check(await bench.stream(BEATS, 3))


@cocotb.test()
async def a_beat_per_clock_if_nobody_pauses(dut) -> None:
    """The promised latency, and no clock without a beat, in or out."""
    bench = Bench(dut)
    await bench.reset(3)
    beats = max(1000, 8 * LATENCY)
    bench.check(await bench.stream(beats, 4))
    clocks = [clock for clock, _ in bench.seen]
    assert clocks == list(range(clocks[0], clocks[0] + beats)), "the stream out has gaps"
    assert bench.sent == list(range(bench.sent[0], bench.sent[0] + beats)), "the stream in has gaps"
    assert clocks[0] - bench.sent[0] == LATENCY


@cocotb.test()
async def a_closed_way_out_fills_up_and_opens_again(dut) -> None:
    """As many beats as there are places go in, then none; all of them come out, a beat per clock."""
    bench = Bench(dut)
    await bench.reset(3)
    bench.sink.pause = True
    places = 1 << (LATENCY - 2).bit_length()
    expected: list[Beat] = []
    for frame, results in packets(0, 4 * places, 5):
        bench.source.send_nowait(frame)
        expected += results
    for _ in range(8 * places + 4 * LATENCY):
        await RisingEdge(dut.aclk)
    assert not bench.seen and places <= len(bench.sent) <= places + 4, f"{len(bench.sent)} beats went in"
    bench.sink.pause = False
    for _ in range(5 * places + 8 * LATENCY):
        await RisingEdge(dut.aclk)
    bench.check(expected)


@cocotb.test()
async def a_reset_drops_what_is_inside(dut) -> None:
    """At any moment, with a queue that is full or empty; the stream after it is right from the first beat."""
    bench, rng = Bench(dut), random.Random(6)
    await bench.reset(1)
    for round in range(12):
        bench.source.set_pause_generator(islice(pauses(10 + round), 400))
        bench.sink.set_pause_generator(islice(pauses(30 + round), 400))
        for frame, _ in packets(round, 300, 50 + round):
            bench.source.send_nowait(frame)
        for _ in range(rng.randint(1, 8 * LATENCY)):
            await RisingEdge(dut.aclk)
        for end in (bench.source, bench.sink):
            end.clear_pause_generator()
            end.pause = False
        await bench.reset(rng.randint(1, 3))
        bench.source.clear()
        bench.sink.clear()
        bench.check(await bench.stream(60, 70 + round, first=100 * round))
