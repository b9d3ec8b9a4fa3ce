"""EMPv2 pattern files: the grammar both ways, events on links both ways, and the command that writes and checks."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamed import PAIR, WORDS, drawn, plan_of

from eqhls.errors import CompileError
from eqhls.events.patterns import HEADER, Patterns, is_patterns, parse, read_patterns
from eqhls.events.read import from_mapping
from eqhls.ir.text import parse_graph
from eqhls.lower.framing import event_framing, result_framing
from eqhls.lower.packets import packets_of, patterns_of, read_any_events
from eqhls.ops import BY_NAME
from eqhls.verify.patterns import Placing, difference, pattern_files

PLAIN = f"""ID: board
{HEADER}

      Link              004                    017
Frame 0000    1101 0123456789abcdef  0001 0000000000000000
Frame 0001    0011 fedcba9876543210  0010 00000000000000ff
"""
FIELDS = ("data", "valid", "start", "last", "orbit", "strobe")


def same(a: Patterns, b: Patterns) -> bool:
    return a.links == b.links and all((getattr(a, k) == getattr(b, k)).all() for k in FIELDS)


def test_what_a_file_says() -> None:
    found = parse(PLAIN, "x")
    assert (found.name, found.links, found.frames) == ("board", (4, 17), 2)
    assert found.data.tolist() == [[0x0123456789ABCDEF, 0], [0xFEDCBA9876543210, 0xFF]]
    assert found.orbit.tolist() == [[True, False], [False, False]]
    assert found.start.tolist() == [[True, False], [False, False]]
    assert found.last.tolist() == [[False, False], [True, True]]
    assert found.valid.tolist() == [[True, True], [True, False]]
    assert found.strobe.all()
    assert same(parse(found.text(), "x"), found)


def test_comments_strobes_and_capitals() -> None:
    text = (
        "# made by hand\n\n"
        + PLAIN.replace("  0001 0000", "  00001 0000").replace("abcdef", "ABCDEF")
        + "\n# end\n"
    )
    found = parse(text, "x")
    assert found.strobe.tolist() == [[True, False], [True, True]]
    assert found.data[0, 0] == 0x0123456789ABCDEF


flag = st.booleans()
word = st.tuples(st.integers(0, 2**64 - 1), flag, flag, flag, flag, st.booleans())


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(word, min_size=n, max_size=n), min_size=1, max_size=6)
    )
)
def test_what_is_written_is_read(rows: list[list[tuple[int, bool, bool, bool, bool, bool]]]) -> None:
    data = np.array([[w[0] for w in row] for row in rows], dtype=np.uint64)
    flags = (np.array([[w[k] for w in row] for row in rows]) for k in range(1, 6))
    made = Patterns("x", tuple(range(3, 3 + data.shape[1])), data, *flags)
    assert same(parse(made.text(), "x"), made)
    _as_cmssw_reads(made)


def _as_cmssw_reads(made: Patterns) -> None:
    """The rules of CMSSW's reader: the line of metadata follows the name, link numbers after `Link` and two
    blanks, frames with their number and two blanks, columns that two blanks or more part, 4 or 5 flags."""
    name, head, blank, links, *frames = made.text().splitlines()
    assert name.startswith("ID: ") and head == HEADER and not blank
    assert links.strip().startswith("Link  ") and [int(k) for k in links.split()[1:]] == list(made.links)
    for number, line in enumerate(frames):
        prefix = f"Frame {number:04d}  "
        assert line.startswith(prefix)
        columns = [c for c in re.split(r"\s\s+", line[len(prefix) :]) if c]
        assert len(columns) == len(made.links)
        for k, column in enumerate(columns):
            assert re.fullmatch(r"[01]{4,5} [0-9a-fA-F]{16}", column)
            assert len(column.split()[0]) == (4 if made.strobe[:, k].all() else 5)


BROKEN = {
    "no name": ("ID: board\n", "", "expected a line that begins with 'ID:'"),
    "other metadata": ("strobe,", "strobes", "Metadata"),
    "no links": ("Link  ", "Lane  ", "expected a line that begins with 'Link '"),
    "a link twice": ("017", "004", "a number of its own"),
    "a hole": ("Frame 0001", "Frame 0002", "line 6: found 'Frame 0002', expected 'Frame 0001'"),
    "a column less": ("  0001 0000000000000000", "", "has 1 columns for 2 links"),
    "three flags": ("1101 0123", "101 0123", "line 5: found '101 0123456789abcdef'"),
    "a digit less": ("fedcba98", "fedcba9", "16 hexadecimal digits"),
    "no frame": (PLAIN[PLAIN.index("Frame") :], "", "has no frame"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_files(fault: str) -> None:
    old, new, said = BROKEN[fault]
    assert old in PLAIN
    with pytest.raises(CompileError, match=re.escape(said)):
        parse(PLAIN.replace(old, new, 1), "f.txt")


def test_kinds_of_files(tmp_path: Path) -> None:
    for name, content, is_one in (
        ("a", "\n# x\n ID: y\n", True),
        ("b", "PK\x03\x04", False),
        ("c", "", False),
    ):
        (tmp_path / name).write_text(content)
        assert is_patterns(tmp_path / name) == is_one
    assert not is_patterns(tmp_path / "missing")
    (tmp_path / "d").write_bytes(b"ID: \xff\n")
    with pytest.raises(CompileError, match="is not a text file"):
        read_patterns(tmp_path / "d")


def test_packets_both_ways() -> None:
    words = np.random.default_rng(1).integers(1 << 63, size=(5, 3, 2), dtype=np.uint64)
    made = patterns_of(words, "x", 2, 4, 25, 8)
    assert made.links == (8, 9) and made.frames == 25
    assert np.argwhere(made.orbit).tolist() == [[2, 0], [2, 1]]
    found = packets_of(made, "x")
    assert (found.words == words).all()
    assert found.frames.tolist() == [[2 + 4 * k] * 2 for k in range(5)]
    with pytest.raises(CompileError, match="period: found 2 clocks for packets of 3"):
        patterns_of(words, "x", 0, 2, 25, 0)


def edited(made: Patterns, name: str, frame: int, link: int, value: bool) -> Patterns:
    array = getattr(made, name).copy()
    array[frame, link] = value
    return replace(made, **{name: array})


def test_packets_that_are_broken() -> None:
    made = patterns_of(np.ones((4, 3, 2), dtype=np.uint64), "x", 0, 4, 16, 0)
    for name, frame, link, value, said in (
        ("last", 2, 1, False, "x, frame 4, link 001: begins a packet inside of another"),
        ("start", 4, 0, False, "x, frame 4, link 000: holds a word outside of a packet"),
        ("valid", 5, 1, False, "x, frame 4, link 001: begins a packet of 2 words, expected 3"),
        ("strobe", 5, 1, False, "x, frame 4, link 001: begins a packet of 2 words, expected 3"),
        ("last", 14, 0, False, "x, frame 14, link 000: ends inside of a packet"),
    ):
        with pytest.raises(CompileError, match=re.escape(said)):
            packets_of(edited(made, name, frame, link, value), "x")
    shorter = edited(
        edited(edited(made, "valid", 12, 1, False), "valid", 13, 1, False), "valid", 14, 1, False
    )
    with pytest.raises(CompileError, match="4 packets in link 000 and 3 in link 001"):
        packets_of(shorter, "x")
    nothing = replace(made, valid=np.zeros_like(made.valid))
    with pytest.raises(CompileError, match="has no valid word"):
        packets_of(nothing, "x")


@pytest.mark.parametrize(("text", "values"), [(PAIR, {}), (WORDS, {"turn": 1440})])
@pytest.mark.parametrize(("links", "tmux"), [(1, 0), (3, 0), (2, 7)])
def test_a_pattern_file_is_a_file_of_events(
    tmp_path: Path, text: str, values: dict[str, object], links: int, tmux: int
) -> None:
    """Every bit of every port comes back; further links that are idle do not matter."""
    graph = plan_of(text, "net", **values).graph
    raw = drawn(event_framing(graph, 1, 64).layout, 40, 2)
    events = from_mapping(graph, raw)
    files = pattern_files(graph, events, 7, Placing(links, tmux, 2))
    idle = replace(
        files.inputs,
        links=(*files.inputs.links, 60),
        **{k: np.pad(getattr(files.inputs, k), ((0, 0), (0, 1))) for k in FIELDS},
    )
    (tmp_path / "a.txt").write_text(idle.text())
    found = read_any_events(tmp_path / "a.txt", graph)
    assert {k: v.tolist() for k, v in found.raw.items()} == {k: v.tolist() for k, v in raw.items()}
    assert (files.events, files.given) == (40, 40)
    # results are right, and in the frames that the wrapper promises
    want = result_framing(graph).frames(graph.evaluate(raw))
    packets = packets_of(files.expected, "x")
    assert (packets.words == want).all()
    lasts = np.flatnonzero(files.inputs.last[:, 0])
    assert (packets.frames[:, 0] == lasts + 7 + 1).all() and files.first_result == packets.frames[0, 0]


def test_frames_are_bounded() -> None:
    graph = plan_of(PAIR, "net").graph
    events = from_mapping(graph, drawn(event_framing(graph, 1, 64).layout, 40, 2))
    for frames in (30, 31, 32, 33, 1024):
        files = pattern_files(graph, events, 7, Placing(1, 3, 1, frames))
        assert files.inputs.frames == files.expected.frames <= frames
        more = pattern_files(graph, events, 7, Placing(1, 3, 1))
        assert files.events == sum(more.expected.valid[:frames, 0]) or frames == 1024
    with pytest.raises(CompileError, match="no event and its result fit; give 11 or more"):
        pattern_files(graph, events, 7, Placing(1, 3, 0, 10))
    assert pattern_files(graph, events, 7, Placing(1, 3, 0, 11)).events == 1
    with pytest.raises(CompileError, match="an event of net has 2 words of 64 bits"):
        pattern_files(graph, events, 7, Placing(1, 1))
    with pytest.raises(CompileError, match="--first-input: found -1, expected 0 or more"):
        Placing(first_input=-1)


def test_files_for_another_network(tmp_path: Path) -> None:
    graph = plan_of(PAIR, "net").graph
    text = PLAIN.replace("0001 0000", "0000 0000").replace("1101", "1111").replace("0011", "0111")
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(CompileError, match="an event of net has 2 words of 64 bits"):
        read_any_events(tmp_path / "a.txt", graph)
    plain = parse_graph("graph plain\n%x = input() {type = S[c:2]} : S[c:2]\noutput %x\n", {}, BY_NAME)
    with pytest.raises(CompileError, match="ports of plain have no format; compile the model first"):
        read_any_events(tmp_path / "a.txt", plain)


def test_differences_name_frame_and_link(tmp_path: Path) -> None:
    graph = plan_of(PAIR, "net").graph
    events = from_mapping(graph, drawn(event_framing(graph, 1, 64).layout, 40, 2))
    made = pattern_files(graph, events, 7, Placing(2, 0, 1, first_output=8)).expected
    file = tmp_path / "captured.txt"

    def said(patterns: Patterns) -> str:
        file.write_text(patterns.text())
        return difference(graph, events, file, 8)[1]

    assert said(made) == ""
    assert said(replace(made, **{k: np.pad(getattr(made, k), ((2, 5), (0, 0))) for k in FIELDS})) == ""
    frame, data = int(np.flatnonzero(made.valid[:, 0])[17]), made.data.copy()
    data[frame, 1] ^= np.uint64(1 << 40)
    assert said(replace(made, data=data)).startswith(
        f"frame {frame}, link 009: found {data[frame, 1]:016x}, expected "
    )
    assert "(event 17); 1 of 40 results differ" in said(replace(made, data=data))
    fewer = replace(made, valid=made.valid & (np.arange(made.frames) < frame)[:, None])
    assert "found the last of 17 results, expected 40" in said(fewer)
    assert f"frame {frame}, link 009: holds a word outside of a packet" in said(
        edited(made, "start", frame, 1, False)
    )
    more = replace(
        made, **{k: np.concatenate([getattr(made, k), getattr(made, k)[frame : frame + 1]]) for k in FIELDS}
    )
    assert f"frame {made.frames}, link 008: found a result after those of all 40 events" in said(more)
    file.write_text(made.text())
    with pytest.raises(CompileError, match="has no link 000; the results are on 000 001"):
        difference(graph, events, file, 0)
