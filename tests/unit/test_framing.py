"""Where the bits of an event lie on links, against the packing of the trigger's words and Python's integers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from streamed import PAIR, WORDS, drawn, integers, plan_of

from eqhls.errors import CompileError
from eqhls.events.layouts import LAYOUTS, pack
from eqhls.lower.framing import Framing, input_framing, output_framing
from eqhls.lower.plan import Plan


@pytest.fixture(scope="module")
def words() -> Plan:
    return plan_of(WORDS, "words", turn=1440)


@pytest.fixture(scope="module")
def pair() -> Plan:
    return plan_of(PAIR, "pair")


def covered(framing: Framing) -> None:
    """Every bit of the packed word has one place, and no place has two bits."""
    assert [r.lsb for r in framing.runs] == [0, *(r.lsb + r.width for r in framing.runs[:-1])]
    assert framing.runs[-1].lsb + framing.runs[-1].width == framing.layout.bits
    places = sorted((r.word, r.at, r.width) for r in framing.runs)
    assert all(at + width <= 64 for _, at, width in places)
    assert all((a, at + width) <= (b, low) for (a, at, width), (b, low, _) in pairwise(places) if a == b)


@pytest.mark.parametrize(("links", "tmux"), [(1, 2), (2, 1), (3, 5)])
def test_a_plain_event_is_its_packed_word_in_order(pair: Plan, links: int, tmux: int) -> None:
    framing = input_framing(pair, links, tmux)
    assert framing.candidates == 0 and framing.words == 2 and framing.used_links == min(links, 2)
    covered(framing)
    values = drawn(pair.inputs, 50, 1)
    frames = framing.frames(values)
    assert frames.shape == (50, tmux, links) and frames.dtype == np.uint64
    for event, whole in zip(frames, integers(pair.inputs, values), strict=True):
        words = [int(w) for clock in event for w in clock]
        assert sum(w << (64 * k) for k, w in enumerate(words)) == whole


@pytest.mark.parametrize(("links", "tmux"), [(1, 5), (5, 1), (2, 3)])
def test_candidates_are_words_of_the_trigger(words: Plan, links: int, tmux: int) -> None:
    """Against the packing of `eqhls.events.layouts`; what is not a candidate follows in order."""
    framing = input_framing(words, links, tmux)
    assert framing.candidates == 3 and framing.words == 5
    covered(framing)
    values = drawn(words.inputs, 50, 2)
    frames = framing.frames(values).reshape(50, -1)
    fields = {k: values[k][:, :, 0] for k in ("pt", "eta", "phi")}
    np.testing.assert_array_equal(frames[:, :3], pack(LAYOUTS["l1ct"], fields))
    mass2, eta = values["jet_mass2"].reshape(-1), values["jet_eta"].reshape(-1)
    rest = [int(m) + (int(e) % (1 << 30) << 40) for m, e in zip(mass2, eta, strict=True)]
    assert [int(a) + (int(b) << 64) for a, b in frames[:, 3:5]] == rest
    assert framing.place(4) == divmod(4, links) and not frames[:, 5:].any()


@pytest.mark.parametrize("plan", ["words", "pair"])
def test_reading_undoes_writing_whatever_the_spare_bits_are(
    plan: str, request: pytest.FixtureRequest
) -> None:
    found: Plan = request.getfixturevalue(plan)
    rng = np.random.default_rng(3)
    for framing in (input_framing(found, 2, 4), output_framing(found)):
        values = drawn(framing.layout, 64, 4)
        frames = framing.frames(values)
        ones = {p.name: np.full((1, *p.shape), -1, dtype=np.int64) for p in framing.layout.ports}
        spare = ~framing.frames(ones)
        noise = rng.integers(0, 1 << 64, frames.shape, dtype=np.uint64, endpoint=False) & spare
        for given in (frames, frames | noise):
            back = framing.values(given)
            assert all(np.array_equal(back[k], v) for k, v in values.items()) and len(back) == len(values)
        assert not (frames & spare).any()


def test_a_result_is_words_of_one_clock(words: Plan) -> None:
    framing = output_framing(words)
    assert (framing.clocks, framing.links, framing.candidates) == (1, 3, 0)
    covered(framing)


def test_another_turn_or_format_is_no_candidate(words: Plan) -> None:
    """Steps of another size, or a coarser pt, are not the trigger's: their bits are packed in order."""
    assert input_framing(words, 8, 1).candidates == 3
    assert input_framing(plan_of(WORDS, "words", turn=1024), 8, 1).candidates == 0
    coarse = WORDS.replace("ufix<14,12>", "ufix<14,13>")
    assert input_framing(plan_of(coarse, "words", turn=1440), 8, 1).candidates == 0


def test_an_event_that_does_not_fit_is_refused(words: Plan) -> None:
    with pytest.raises(
        CompileError, match="5 words of 64 bits, and 2 links can carry 4 in 2 clocks; give 3 clocks"
    ):
        input_framing(words, 2, 2)
    with pytest.raises(CompileError, match=r"shape \(1, 3, 1\), expected \(events, 3, 2\)"):
        input_framing(words, 2, 3).values(np.zeros((1, 3, 1), dtype=np.uint64))
