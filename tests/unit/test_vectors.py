"""Words for ports, the events that a project ships, and what they must tell apart."""

from __future__ import annotations

from dataclasses import replace

import networks
import numpy as np
import pytest

from eqhls.errors import CompileError
from eqhls.events.read import from_mapping
from eqhls.events.vectors import Feeds, ends, port_events
from eqhls.fixed import Fixed
from eqhls.groups.lorentz.reps import V
from eqhls.groups.rep import Rep, S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.types import Axis, Type
from eqhls.lower.coverage import FIRST, HITS, covering_events
from eqhls.lower.netlist import Lookup, Netlist, Slice, simulate
from eqhls.lower.schedule import _check, lower
from eqhls.ops.gram import Gram
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.mask import Mask
from eqhls.ops.pair_sum import PairSum
from eqhls.options import Options
from eqhls.verify.proof import VECTORS, make_test_vectors, vector_feeds
from eqhls.verify.sampling import padded

FLAG = Fixed(1, 1, False)


def ported(*kinds: Type) -> Graph:
    b = Builder("ports")
    names = [b.add(f"x{k}", Input(type)) for k, type in enumerate(kinds)]
    return b.graph(*names)


def features(axes: tuple[Axis, ...] = (Axis("j", 2), Axis("c", 2))) -> Graph:
    """Four-vectors, scalar features of the particles, and flags: what is tested is a masked sum."""
    b = Builder("features")
    b.add("p", Input(Type(V, (Axis("j", 2),), formats=(Fixed(4, 4),))))
    b.add("w", Input(Type(S, axes, formats=(Fixed(8, 8, False),))))
    b.add("valid", Input(Type(S, (Axis("j", 2),), formats=(FLAG,))))
    b.add("wm", Mask(), "w", "valid")
    b.add("n", Gram(), "p", "p")
    return b.graph(b.add("m", PairSum("j"), "n", "wm")).formatted()


@pytest.mark.parametrize(
    "form",
    [
        FLAG,
        Fixed(1, 1),
        Fixed(8, 3),
        Fixed(31, 40),
        Fixed(40, -2, False),
        Fixed(63, 20, False),
        Fixed(63, 63),
    ],
    ids=str,
)
@pytest.mark.parametrize("rep", [S, V])
def test_every_format_is_driven_to_both_ends(form: Fixed, rep: Rep, rng: np.random.Generator) -> None:
    raw = port_events(ported(Type(rep, (Axis("c", 2),), formats=(form,))), rng, 300)["x0"]
    assert raw.dtype == np.int64 and raw.shape == (300, 2, rep.dim)
    assert (raw.min(), raw.max()) == (form.lo, form.hi) and not raw[2].any()
    if form.width > 30:
        for bit in range(form.width):
            assert len(np.unique(raw >> bit & 1)) == 2, bit


def test_components_have_ranges_of_their_own(rng: np.random.Generator) -> None:
    type = Type(V, (Axis("j", 3),), formats=(Fixed(12, 12, False), Fixed(2, 2), Fixed(9, 1), FLAG))
    raw = port_events(ported(type), rng, 500)["x0"]
    np.testing.assert_array_equal((raw.min(axis=(0, 1)), raw.max(axis=(0, 1))), ends(type))


@pytest.mark.parametrize("axes", [("j",), ("j", "c"), ("c", "j")])
def test_features_of_particles_are_no_flags(axes: tuple[str, ...], rng: np.random.Generator) -> None:
    """Their words cover the range, also where their flag is false; every pattern of flags occurs."""
    feeds = port_events(features(tuple(Axis(a, 2) for a in axes)), rng, 3000)
    assert len(np.unique(feeds["w"])) == 256
    valid = feeds["valid"][..., 0]
    assert len(np.unique(valid @ (1, 2))) == 4
    first, second = (np.moveaxis(feeds["w"], 1 + axes.index("j"), 1)[:, k].reshape(3000, -1) for k in (0, 1))
    assert len(np.unique(first[valid[:, 0] == 0])) > 200 and len(np.unique(second[valid[:, 1] == 0])) > 200
    assert feeds["p"][~valid.any(axis=1)].any()


def test_a_part_of_the_events_is_shaped_like_jets(rng: np.random.Generator) -> None:
    feeds = port_events(networks.seeded(rng, 5), rng, 4000)
    p, valid = feeds["p"], feeds["valid"][..., 0]
    contiguous = (np.diff(valid, axis=1) <= 0).all(axis=1) & (valid[:, 0] == 1)
    clean = (p[valid == 0] == 0).all()
    padded_zero = (np.where(valid[..., None] == 1, 0, p) == 0).all(axis=(1, 2)) & (valid.sum(axis=1) < 5)
    assert 0.1 < (contiguous & padded_zero).mean() < 0.5 and not clean


@pytest.mark.parametrize("events", [0, 1, 2, 5])
def test_few_events_are_no_exception(events: int, rng: np.random.Generator) -> None:
    graph = features()
    feeds = port_events(graph, rng, events)
    assert {len(v) for v in feeds.values()} == {events}
    assert len(graph.evaluate(feeds)["m"]) == events
    assert {len(v) for v in padded(graph, feeds, rng).values()} == {events}


def test_padding_spares_features(rng: np.random.Generator) -> None:
    graph = features()
    feeds = padded(graph, port_events(graph, rng, 900), rng)
    valid = feeds["valid"][..., 0] == 1
    assert valid[:, 0].all() and not valid[:, 1].all()
    assert not feeds["p"][~valid].any()
    assert len(np.unique(feeds["w"][valid])) > 200 and feeds["w"][~valid].any()


def outputs(netlist: Netlist, graph: Graph, feeds: Feeds) -> np.ndarray:
    return np.stack(simulate(netlist, netlist.inputs.columns(feeds)), axis=1)


def test_shipped_events_tell_tied_bits_and_deleted_masks_apart(rng: np.random.Generator) -> None:
    """A feature of which all bits but the lowest are tied to 0, a flag tied to 1, whatever else is right."""
    graph = features()
    netlist = lower(graph, Options())
    feeds = covering_events(graph, netlist, rng)
    want = outputs(netlist, graph, feeds)
    for name, spoil in (("w", lambda w: w & 1), ("w", lambda w: w & 0x7F), ("valid", lambda v: v | 1)):
        for slot in (0, 1):
            wrong = feeds | {name: feeds[name].copy()}
            wrong[name][:, slot] = spoil(wrong[name][:, slot])
            assert (outputs(netlist, graph, wrong) != want).any(), (name, slot)


def test_shipped_events_read_every_entry_that_many_events_read(rng: np.random.Generator) -> None:
    graph = networks.seeded(rng, 4, 1)
    netlist = lower(graph, Options())
    many, chosen = port_events(graph, rng, 20_000), covering_events(graph, netlist, rng)
    assert FIRST < len(chosen["p"]) < 2 * FIRST
    reads = [_reads(netlist, graph, feeds) for feeds in (many, chosen)]
    often = [k for k, count in reads[0].items() if count > 10]
    assert len(often) > 500 and all(reads[1].get(k, 0) >= HITS for k in often)
    base = _reads(netlist, graph, {k: v[:FIRST] for k, v in chosen.items()})
    assert any(base.get(k, 0) < HITS for k in often), "the choice has added nothing"


def _reads(netlist: Netlist, graph: Graph, feeds: Feeds) -> dict[tuple[int, int], int]:
    """How often each word of each value that a table reads occurs."""
    tabled = {c.a.cell for c in netlist.cells if isinstance(c, Lookup)}
    found: dict[tuple[int, int], int] = {}

    def watch(k: int, values: np.ndarray) -> None:
        if k in tabled:
            words, counts = np.unique(values, return_counts=True)
            found.update({(k, int(w)): int(n) for w, n in zip(words, counts, strict=True)})

    simulate(netlist, netlist.inputs.columns(feeds), watch)
    return found


def test_a_netlist_with_one_wrong_entry_is_refused() -> None:
    """An address of 9 bits: 64 events would most likely miss the entry."""
    b = Builder("table")
    x = b.add("x", Input(Type(S, (Axis("c", 1),), formats=(Fixed(9, 9, False),))))
    graph = b.graph(b.add("y", Log2(1.0, 3, 60), x)).formatted()
    netlist = lower(graph, Options())
    at = next(k for k, c in enumerate(netlist.cells) if isinstance(c, Lookup) and len(c.entries) > 60)
    cell = netlist.cells[at]
    assert isinstance(cell, Lookup)
    entries = (*cell.entries[:-3], cell.entries[-3] ^ 1, *cell.entries[-2:])
    spoiled = (*netlist.cells[:at], replace(cell, entries=entries), *netlist.cells[at + 1 :])
    with pytest.raises(CompileError, match="differs from the integer model"):
        _check(graph, replace(netlist, cells=spoiled))


def test_a_fault_in_one_word_of_a_thousand_is_found() -> None:
    """The top bit of a sum of ten flags lost: most words never set it."""
    b = Builder("rare")
    x = b.add("x", Input(Type(S, (Axis("c", 10),), formats=(FLAG,))))
    graph = b.graph(b.add("y", PairSum("c"), x, x)).formatted()
    netlist = lower(graph, Options())
    result = netlist.results[0].cell
    top = netlist.cells[result]
    narrow = Slice(top.width - 1, False, top.frac, top.stage, 0.0, replace(netlist.results[0], cell=result))
    wrong = replace(
        netlist,
        cells=(*netlist.cells, narrow),
        results=(replace(netlist.results[0], cell=len(netlist.cells), shift=0),),
    )
    _check(graph, netlist)
    with pytest.raises(CompileError, match="differs from the integer model"):
        _check(graph, wrong)


def test_equal_networks_ship_equal_vectors(rng: np.random.Generator) -> None:
    graph = features()
    first, second = (make_test_vectors(graph, vector_feeds(graph, lower(graph, Options()))) for _ in range(2))
    assert first == second and VECTORS in first


def test_angles_stay_inside_their_turn(rng: np.random.Generator) -> None:
    """What a project ships as test vectors, it must read: a word of 11 bits reaches beyond 1440 steps."""
    graph = networks.words_network()
    feeds = port_events(graph, rng, 60)
    assert (feeds["phi"].min(), feeds["phi"].max()) == (-720, 719)
    assert feeds["eta"].max() == graph.node("eta").type.formats[0].hi
    raw = from_mapping(graph, feeds).raw
    assert all((raw[k] == v).all() for k, v in feeds.items())
