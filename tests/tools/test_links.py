"""Packets on links become events: good ones whole, broken ones dropped and counted, against the integer engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from packets import ANY, BOTH, FIRST, LONG, MANY, Run
from streamed import PAIR, WORDS, integers, plan_of
from tools_needed import need
from wrapped import Faults, Wrapped, in_icarus, in_verilator, lint, wrapped

from eqhls.backends.package.links import PACKAGE
from eqhls.backends.package.package import Settings
from eqhls.errors import CompileError
from eqhls.events.layouts import LAYOUTS, pack
from eqhls.frontends.graphfile import load_model
from eqhls.lower.framing import output_framing
from eqhls.lower.plan import Plan
from eqhls.options import Options

MODELS = Path(__file__).resolve().parents[2] / "models"

CASES = [
    pytest.param(PAIR, 2, 1, id="two links, one clock"),
    pytest.param(PAIR, 1, 2, id="one link, two clocks"),
    pytest.param(PAIR, 2, 3, id="three clocks, of which one is needed"),
    pytest.param(WORDS, 2, 3, id="candidates over three clocks"),
    pytest.param(WORDS, 4, 2, id="candidates, spare words"),
    pytest.param(WORDS, 7, 1, id="candidates, spare links"),
    pytest.param(WORDS, 1, 8, id="candidates over one link"),
]


def broken(run: Run) -> list[Callable[[Run], int]]:
    """Return the faults that packets of these links can have."""
    long, many = run.tmux > 1, run.framing.used_links > 1
    return [*ANY, *LONG * long, *MANY * many, *BOTH * (long and many)]


def plan_named(text: str) -> Plan:
    return plan_of(text, "pair") if text is PAIR else plan_of(text, "words", turn=1440)


def design(run: Run, folder: Path, faults: Faults = (), count: int = 32) -> Wrapped:
    made = wrapped(run.plan, PACKAGE, Settings(run.links, run.tmux), folder, faults)
    links, outs = run.links, output_framing(run.plan).links
    inputs = {"rst": 1, "d_data": 64 * links, "d_valid": links, "d_start": links, "d_last": links}
    outputs = {
        "q_data": 64 * outs,
        "q_valid": outs,
        "q_start": outs,
        "q_last": outs,
        "error": 1,
        "errors": count,
        "model_hash": 32,
    }
    return Wrapped(made.folder, made.top, made.sources, inputs, outputs)


Seen = dict[str, list[int]] | dict[str, list[int | None]]


def wrong(run: Run, seen: Seen, good: list[tuple[int, int]]) -> list[str]:
    """Return what is wrong of the results: the clocks, the words, and the frame around them."""
    outs, later = output_framing(run.plan).links, run.plan.latency_cycles + 1
    due = {clock + later: event for clock, event in good}
    found: list[str] = []
    for clock in range(FIRST, len(run.rows["rst"])):
        whole = ((1 << outs) - 1) * (clock in due)
        if any(seen[f"q_{k}"][clock] != whole for k in ("valid", "start", "last")):
            found.append(f"flags in clock {clock}")
        if seen["model_hash"][clock] != int(run.plan.model_hash, 16):
            found.append(f"model_hash in clock {clock}")
        if clock in due and seen["q_data"][clock] != run.results[due[clock]]:
            found.append(f"event {due[clock]} in clock {clock}")
    return found


def faulty_traffic(text: str, links: int, tmux: int, rounds: int = 12) -> tuple[Run, int]:
    """Return every kind of broken packet between good ones, in any order, and the errors that they are."""
    run, errors = Run(plan_named(text), links, tmux, 1), 0
    for _ in range(rounds):
        kinds = broken(run)
        for k in run.rng.permutation(len(kinds)):
            errors += kinds[k](run)
            run.idle()
            for _ in range(run.rng.integers(1, 4)):
                run.packet(float(run.rng.choice([0.0, 0.4])))
                run.idle()
    for _ in range(run.plan.latency_cycles + 3):
        run.clock()
    return run, errors


@pytest.mark.parametrize(("text", "links", "tmux"), CASES)
def test_good_packets_come_through_and_broken_ones_count(
    text: str, links: int, tmux: int, tmp_path: Path
) -> None:
    need("iverilog")
    run, errors = faulty_traffic(text, links, tmux)
    made = design(run, tmp_path)
    assert lint(made) == ""
    assert wrong_traffic(run, errors, made) == []
    assert len(run.good) > 48


def wrong_traffic(run: Run, errors: int, made: Wrapped) -> list[str]:
    """Return what is wrong of a run in Icarus, of which it is known how many errors it has."""
    seen = in_icarus(made, run.rows)
    counted = [f"{seen['errors'][-1]} errors"] * (seen["errors"][-1] != errors)
    return wrong(run, seen, run.good) + counted


def test_the_same_in_verilator(tmp_path: Path) -> None:
    run, errors = faulty_traffic(WORDS, 2, 3, 60)
    seen = in_verilator(design(run, tmp_path), run.rows)
    assert wrong(run, seen, run.good) == [] and seen["errors"][-1] == errors


@pytest.mark.parametrize(("text", "links", "tmux"), CASES)
def test_back_to_back_packets_lose_nothing(text: str, links: int, tmux: int, tmp_path: Path) -> None:
    """An event every `tmux` clocks, none of them idle."""
    need("iverilog")
    run = Run(plan_named(text), links, tmux, 2)
    for _ in range(600):
        run.packet(0.0)
    for _ in range(run.plan.latency_cycles + 3):
        run.clock()
    seen = in_icarus(design(run, tmp_path), run.rows)
    assert wrong(run, seen, run.good) == [] and seen["errors"][-1] == 0


def chaos(text: str, links: int, tmux: int, clocks: int = 3000, resets: int = 12) -> Run:
    """Return flags that are mostly those of packets, and often enough any others; resets under way."""
    run = Run(plan_named(text), links, tmux, 3)
    whole, at, words = (1 << links) - 1, 0, run.event()[1]
    for _ in range(clocks):
        spoilt = run.bits() if run.rng.random() < 0.06 else 0
        what = int(run.rng.integers(4))
        valid = whole if run.rng.random() < 0.9 else 0
        start, last = whole * (at == 0), whole * (at == tmux - 1)
        if what == 3 and spoilt:
            start = whole - start
        else:
            valid, start, last = (v ^ spoilt * (what == k) for k, v in enumerate((valid, start, last)))
        run.clock(words[at], valid, start, last, int(run.rng.random() < resets / clocks))
        if valid == whole:
            at = (at + 1) % tmux if run.rng.random() > 0.02 else int(run.rng.integers(tmux))
            words = run.event()[1] if at == 0 else words
    for _ in range(run.plan.latency_cycles + 3):
        run.clock()
    return run


def told(run: Run) -> tuple[list[tuple[int, list[int]]], list[int]]:
    """Read the rules again, over lists of words: return the clocks and data of the events that are whole, and how
    many errors each clock brings."""
    used = (1 << run.framing.used_links) - 1
    packet: list[int] | None = None  # of words, while it is good
    skipping = False
    events: list[tuple[int, list[int]]] = []
    errors: list[int] = []
    for clock, (reset, data, valid, start, last) in enumerate(zip(*run.rows.values(), strict=True)):
        valid, start, last, new = valid & used, start & valid & used, last & valid & used, 0
        agree = valid == used and start in (0, used) and last in (0, used)
        if reset:
            packet, skipping = None, False
        elif valid and not agree:
            if packet is not None:
                new += 1 + (start != 0)
            elif not skipping:
                new += 1
            else:
                new += start != 0
            packet, skipping = None, True
        elif valid:
            if start:
                new += packet is not None
                packet, skipping = [], False
            if packet is None:
                new += not skipping
                skipping = not last
            else:
                packet.append(data)
                if last and len(packet) == run.tmux:
                    events.append((clock, packet))
                    packet = None
                elif last or len(packet) == run.tmux:
                    new, packet, skipping = new + 1, None, not last
        errors.append(int(new))
    return events, errors


@pytest.mark.parametrize(("text", "links", "tmux"), CASES)
@pytest.mark.parametrize("count", [32, 4])
def test_any_flags_have_a_defined_outcome(
    text: str, links: int, tmux: int, count: int, tmp_path: Path
) -> None:
    """Against the rules, told once more; the counter stops at its largest number."""
    need("iverilog")
    run = chaos(text, links, tmux)
    assert wrong_chaos(run, design(run, tmp_path, count=count), count) == []


def wrong_chaos(run: Run, made: Wrapped, count: int = 32) -> list[str]:
    """Return what is wrong of a run in Icarus, by the rules; the counter has `count` bits."""
    seen = in_icarus(made, run.rows, f"#(.CountBits({count}))")
    events, errors = told(run)
    later, resets = run.plan.latency_cycles + 1, run.rows["rst"]
    links = range(run.links)
    frames = [[[d >> 64 * k & (1 << 64) - 1 for k in links] for d in packet] for _, packet in events]
    feeds = run.framing.values(np.array(frames, dtype=np.uint64))
    run.results = integers(run.plan.outputs, run.plan.graph.evaluate(feeds))
    good = [(c, k) for k, (c, _) in enumerate(events) if not any(resets[c : c + later])]
    assert len(good) > 100 and sum(errors) > 100
    found, total = wrong(run, seen, good), 0
    for clock in range(FIRST, len(resets)):
        if (seen["errors"][clock], seen["error"][clock]) != (total, int(errors[clock - 1] > 0)):
            found.append(f"errors in clock {clock}")
        total = 0 if resets[clock] else min(total + errors[clock], (1 << count) - 1)
    return found


@pytest.mark.parametrize(("text", "links", "tmux"), CASES)
def test_no_packet_that_starts_is_lost_uncounted(text: str, links: int, tmux: int) -> None:
    """Of the rules themselves: without resets, starts are events, errors, or the packet that is under way."""
    run = chaos(text, links, tmux, 20_000, 0)
    used = (1 << run.framing.used_links) - 1
    starts = sum(bool(v & s & used) for v, s in zip(run.rows["d_valid"], run.rows["d_start"], strict=True))
    events, errors = told(run)
    assert len(events) + sum(errors) + 1 >= starts > 1000


FAULTS: dict[str, Faults] = {
    "gaps end a packet": [("_links.sv", "else if (some) begin", "else begin")],
    "starts are not looked at": [("_links.sv", "now = start ? 2'd0 : at", "now = at")],
    "a start does not cut": [("_links.sv", "(start | ~agreed);", "~agreed;")],
    "lasts are not looked at": [("_links.sv", "whole = take & full & last", "whole = take & full")],
    "a last anywhere": [("_links.sv", "whole = take & full & last", "whole = take & last")],
    "words without a start": [("_links.sv", "(agreed & state == Busy)", "agreed")],
    "links may differ in valid": [("_links.sv", "agreed = &valids & ", "agreed = ")],
    "links may differ in start": [("_links.sv", " & (&starts | ~|starts)", "")],
    "links may differ in last": [("_links.sv", " & (&lasts | ~|lasts)", "")],
    "flags without valid": [("_links.sv", "d_start[1:0] & valids", "d_start[1:0]")],
    "never back from a skip": [("_links.sv", "agreed & last ? Wait : Skip", "state == Skip ? Skip : Wait")],
    "one error of two": [("_links.sv", "two = cut & (misfit | stray)", "two = 1'b0")],
    "errors outlive a reset": [("_links.sv", "if (rst) errors", "if (1'b0) errors")],
    "a packet outlives a reset": [
        ("_links.sv", "if (rst) begin\n      state", "if (1'b0) begin\n      state")
    ],
    "an event outlives a reset": [("_links.sv", "word_valid <= ~rst & whole", "word_valid <= whole")],
    "a word of another link": [("_links.sv", "<= d_data[77:64];", "<= d_data[13:0];")],
    "bits above the result": [("_links.sv", "= 11'd0;", "= {11{out_valid}};")],
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_checks_see_every_fault(name: str, tmp_path: Path) -> None:
    """Faults in the wrapper of two links and three clocks."""
    need("iverilog")
    run, errors = faulty_traffic(WORDS, 2, 3)
    found = wrong_traffic(run, errors, design(run, tmp_path / "traffic", FAULTS[name]))
    if not found:
        run = chaos(WORDS, 2, 3)
        found = wrong_chaos(run, design(run, tmp_path / "chaos", FAULTS[name]))
    assert found


def test_what_does_not_fit_is_refused() -> None:
    plan = plan_named(WORDS)
    with pytest.raises(
        CompileError, match="5 words of 64 bits, and 4 links can carry 4 in one clock; give 2 clocks"
    ):
        PACKAGE.write(plan, Settings())
    said = PACKAGE.connect(plan, Settings(2, 3))
    assert "words 0 to 2 are PUPPI candidates" in said and "packet of 3 clocks" in said


def test_candidates_of_the_trigger_reach_a_shipped_network(tmp_path: Path) -> None:
    """tag16 behind four links: words as the correlator packs them, and the scores of the integer engine."""
    need("iverilog")
    graph = load_model(MODELS / "tag16")
    run, events = Run(Plan.of(graph, Options()), 4, 5), 200
    with np.load(MODELS / "tag16" / "events.npz") as file:
        values = {
            n.name: file[n.name][:events].astype(np.int64).reshape(-1, *n.type.shape) for n in graph.inputs
        }
        scores = file["expected"][:events]
    assert (run.framing.candidates, run.framing.words, run.framing.place(16)) == (16, 17, (4, 0))
    fields = {k: values[k][:, :, 0] for k in ("pt", "eta", "phi")}
    ids = run.rng.integers(0, 8, (events, 16))
    candidates = pack(
        LAYOUTS["l1ct"], {**fields, "id": ids, "data": run.rng.integers(0, 1 << 21, (events, 16))}
    )
    jets = run.framing.frames(values)[:, 4:]
    np.testing.assert_array_equal(jets[:, 0, 0] & np.uint64(0x3FFFF), values["jet_mass2"].reshape(-1))
    run.frames = np.concatenate([candidates.reshape(events, 4, 4), jets], axis=1)
    run.results = [int(s) % (1 << run.plan.outputs.bits) for s in scores]
    for _ in range(events):
        run.packet(float(run.rng.choice([0.0, 0.2])))
    for _ in range(run.plan.latency_cycles + 3):
        run.clock()
    seen = in_icarus(design(run, tmp_path), run.rows)
    assert wrong(run, seen, run.good) == [] and seen["errors"][-1] == 0 and len(run.good) == events
