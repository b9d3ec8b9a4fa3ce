"""Zero-tolerance tests of permutations, shifts, translations and steps, each with a control to be felt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from eqhls.engines import Ints
from eqhls.ir.graph import Graph, Node
from eqhls.verify.claims import Claim, Permutable, Steps, Translation, followed, permuted
from eqhls.verify.fingerprint import Turn, turned
from eqhls.verify.trials import CONTROL_EVENTS, Feeds, Outputs, Runner, SymmetryResult, differing


def check_claim(
    claim: Claim, graph: Graph, events: Feeds, runner: Runner, engine: str, rng: np.random.Generator
) -> SymmetryResult:
    """Drive events and what a claim makes of them; demand outputs that stay, or follow as they must."""
    if isinstance(claim, Permutable):
        return check_permutations(claim, graph, events, runner, engine, rng)
    if isinstance(claim, Steps):
        return check_steps(claim, graph, events, runner, engine, rng)
    return check_translations(claim, graph, events, runner, engine, rng)


def check_permutations(
    permutable: Permutable,
    graph: Graph,
    events: Feeds,
    runner: Runner,
    engine: str,
    rng: np.random.Generator,
    rounds: int = 3,
) -> SymmetryResult:
    """Permute the free slots of every port together; demand outputs that stay, or follow as they must."""
    orders = [permutable.random(rng) for _ in range(rounds)]
    want = runner(events)
    total = bad = 0
    exact = followed(graph, [permutable.orders(order) for order in orders])
    for order, turns in zip(orders, exact, strict=True):
        got = runner(_permuted(graph, permutable, events, order))
        assert turns is not None, "a permutation of exchangeable slots is exact"
        moved = {n: turned(want[n], t, 1) for n, t in zip(graph.outputs, turns, strict=True)}
        total, bad = total + len(events[graph.inputs[0].name]), bad + differing(got, moved)
    spoiled, turn = spoiled_order(graph, permutable, events, orders[0])
    caught = differing(runner(spoiled), {n: turned(want[n], turn[n], 1) for n in graph.outputs})
    return SymmetryResult(engine, str(permutable), total, bad, caught)


def spoiled_order(
    graph: Graph, permutable: Permutable, events: Feeds, order: Ints
) -> tuple[Feeds, dict[str, Turn]]:
    """Return events permuted wrongly, so that the integer model feels it, and how the outputs would follow
    the right permutation: a slot that is not free permuted too, one component alone, one port alone, one
    slot taken twice."""
    turns = followed(graph, [permutable.orders(order)])[0]
    assert turns is not None
    turn = dict(zip(graph.outputs, turns, strict=True))
    part = slice(0, CONTROL_EVENTS)
    few = {k: v[part] for k, v in events.items()}
    want = {n: turned(v, turn[n], 1) for n, v in graph.evaluate(few).items()}
    spoiled = events
    for spoil in _wrong_orders(graph, permutable, order):
        spoiled = spoil(events)
        if differing(graph.evaluate({k: v[part] for k, v in spoiled.items()}), want) > 0:
            break
    return spoiled, turn


def _wrong_orders(graph: Graph, permutable: Permutable, order: Ints) -> Iterator[Callable[[Feeds], Feeds]]:
    ports = [n for n in graph.inputs if any((a.name, a.size) in permutable.axes for a in n.type.axes)]
    round_ = np.roll(np.arange(permutable.size), 1)
    if not permutable.alone:
        swap = np.arange(permutable.size)
        swap[[0, 1]] = 1, 0
        yield lambda events: _permuted(graph, permutable, events, swap)
    elif len(permutable.slots) < permutable.size:
        yield lambda events: _permuted(graph, permutable, events, round_)
    for port in ports:
        yield lambda events, port=port: _component_alone(graph, permutable, events, round_, port)
        if len(ports) > 1:
            yield (
                lambda events, port=port: (
                    events | {port.name: _permuted(graph, permutable, events, round_)[port.name]}
                )
            )
    twice = order.copy()
    twice[permutable.slots[0]] = order[permutable.slots[1]]
    yield lambda events: _permuted(graph, permutable, events, twice)


def _component_alone(graph: Graph, permutable: Permutable, events: Feeds, order: Ints, port: Node) -> Feeds:
    raw = events[port.name].copy()
    raw[..., 0] = _permuted(graph, permutable, events, order)[port.name][..., 0]
    return events | {port.name: raw}


def _permuted(graph: Graph, permutable: Permutable, events: Feeds, order: Ints) -> Feeds:
    return permuted(graph, events, permutable.orders(order))


def check_translations(
    claim: Translation, graph: Graph, events: Feeds, runner: Runner, engine: str, rng: np.random.Generator
) -> SymmetryResult:
    """Move all vectors of the ports by one vector, another one for each event; demand that nothing changes.
    Events fill half of the range of the ports, so that moved ones fit."""
    plain = events | {name: events[name] >> 1 for name in claim.ports}
    formats = graph.node(claim.ports[0]).type.formats
    count = len(plain[claim.ports[0]])
    vector = rng.integers(
        formats.lo >> 1, (formats.hi >> 1) + 1, (count, graph.node(claim.ports[0]).type.dim)
    )
    moved = plain | {name: plain[name] + _along(graph.node(name), vector) for name in claim.ports}
    want = runner(plain)
    first = graph.evaluate({k: v[:CONTROL_EVENTS] for k, v in plain.items()})
    spoiled = _left_behind(graph, claim.ports, plain, moved, lambda out: differing(out, first) > 0)
    return SymmetryResult(
        engine, str(claim), count, differing(runner(moved), want), differing(runner(spoiled), want)
    )


def _along(node: Node, vector: Ints) -> Ints:
    """Return one vector per event with the axes of a port."""
    return vector.reshape(len(vector), *(1 for _ in node.type.axes), -1)


def _left_behind(
    graph: Graph, ports: Sequence[str], plain: Feeds, moved: Feeds, felt: Callable[[Outputs], bool]
) -> Feeds:
    """Return moved events with one entry of one port where it was, so that the integer model feels it, as the
    outputs of the first events tell."""
    part = slice(0, CONTROL_EVENTS)
    spoiled = moved
    for name in ports:
        for entry in np.ndindex(graph.node(name).type.shape[:-1]):
            raw = moved[name].copy()
            raw[(slice(None), *entry)] = plain[name][(slice(None), *entry)]
            spoiled = moved | {name: raw}
            if felt(graph.evaluate({k: v[part] for k, v in spoiled.items()})):
                return spoiled
    return spoiled


def check_steps(
    claim: Steps, graph: Graph, events: Feeds, runner: Runner, engine: str, rng: np.random.Generator
) -> SymmetryResult:
    """Move what adds by another step in each event; demand outputs that stay, or move by their charge.

    Angles turn by any step; other values fill half of the range of their ports, and steps are as long as the
    ports allow. Controls are one word that is left behind and, if a turn is not a power of two, a turn of the
    next power of two; each must be felt.
    """
    plain = _roomy(claim, graph, events)
    steps = rng.integers(*_longest(claim, graph), len(next(iter(plain.values()))), endpoint=True)
    want = {n: claim.acted(graph.node(n), v, steps) for n, v in runner(plain).items()}

    def changed(feeds: Feeds) -> int:
        found = {n: claim.reduced(graph.node(n), v) for n, v in runner(feeds).items()}
        return differing(found, want)

    moved = _stepped(claim, graph, plain, steps)
    first = graph.evaluate({k: v[:CONTROL_EVENTS] for k, v in plain.items()})
    right = {n: claim.acted(graph.node(n), v, steps[:CONTROL_EVENTS]) for n, v in first.items()}

    def felt(out: Outputs) -> bool:
        return differing({n: claim.reduced(graph.node(n), v) for n, v in out.items()}, right) > 0

    spoiled = [_left_behind(graph, claim.moved(graph), plain, moved, felt)]
    if claim.modulus & (claim.modulus - 1):
        spoiled.append(_stepped(_wider(claim), graph, plain, steps))
    return SymmetryResult(engine, str(claim), len(steps), changed(moved), min(map(changed, spoiled)))


def _stepped(claim: Steps, graph: Graph, events: Feeds, steps: Ints) -> Feeds:
    ports = claim.moved(graph)
    return events | {n: claim.acted(graph.node(n), events[n], steps) for n in ports}


def _roomy(claim: Steps, graph: Graph, events: Feeds) -> Feeds:
    """Return events whose values may move: angles within a turn, other values in half of their range."""
    ports = claim.moved(graph)
    return events | {n: claim.reduced(graph.node(n), events[n] >> (0 if claim.modulus else 1)) for n in ports}


def _longest(claim: Steps, graph: Graph) -> tuple[int, int]:
    """Return the range of the steps, in units of the value."""
    if claim.modulus:
        return -(claim.modulus // 2), claim.modulus // 2
    formats = [(graph.node(n).type.format_of(0), claim.factor(graph.node(n))) for n in claim.moved(graph)]
    most = min(int((f.hi >> 1) * f.lsb / abs(factor)) for f, factor in formats)
    return -most, most


def _wider(claim: Steps) -> Steps:
    """Return the claim with turns of the next power of two."""
    return replace(claim, modulus=1 << claim.modulus.bit_length())
