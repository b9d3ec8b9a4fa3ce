"""The settings of two e3nn convolutions with a gate: irreps, products and their factors, each checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from math import isclose, sqrt
from typing import Any

from eqhls.errors import CompileError
from eqhls.events.irreps import Block, parse, written
from eqhls.frontends.checkpoints.fields import Fields
from eqhls.frontends.checkpoints.points import number_of_points, positive, real, whole
from eqhls.groups.rep import S
from eqhls.groups.rotation.reps import parity_of

FAMILY = "e3nn"
LARGEST = 2
"""The largest l: that of the components in which e3nn's features are known here."""
ACTIVATIONS = {"e": "silu", "o": "tanh"}
"""What bends scalars of either parity."""


@dataclass(frozen=True, slots=True)
class Product:
    """One product of features and harmonics: blocks a, b and the block o that it goes to, its normalisation,
    and where its weights (mul_a, mul_o) begin."""

    a: int
    b: int
    o: int
    coefficient: float
    start: int


@dataclass(frozen=True, slots=True)
class Convolution:
    """The irreps of the features, of the harmonics and of the result."""

    features: tuple[Block, ...]
    harmonics: tuple[Block, ...]
    result: tuple[Block, ...]

    @property
    def products(self) -> tuple[Product, ...]:
        """All products into the result, a slow and o fast."""
        places = (enumerate(blocks) for blocks in (self.features, self.harmonics, self.result))
        found = [(a, b, o) for (a, x), (b, y), (o, z) in product(*places) if _couple(x, y, z)]
        made, start = list[Product](), 0
        for a, b, o in found:
            fan = sum(self.features[i].count for i, _, k in found if k == o)
            made.append(Product(a, b, o, sqrt((2 * self.result[o].spin + 1) / fan), start))
            start += self.features[a].count * self.result[o].count
        return tuple(made)

    @property
    def weights(self) -> int:
        """The number of weights of all products together."""
        return sum(self.features[p.a].count * self.result[p.o].count for p in self.products)


def _couple(x: Block, y: Block, z: Block) -> bool:
    even = parity_of(x.rep) == parity_of(y.rep)
    return abs(x.spin - y.spin) <= z.spin <= x.spin + y.spin and even == (parity_of(z.rep) == "e")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the tensors do not say. The `constants` are those of e3nn's normalize2mom: they are estimates from
    random numbers, so each network brings its own."""

    points: int
    scalars: tuple[Block, ...]
    gated: tuple[Block, ...]
    convolutions: tuple[Convolution, Convolution]
    basis: int
    hidden: int
    radius: float
    neighbours: float
    constants: Mapping[str, float]
    pooled: bool

    @classmethod
    def of(cls, fields: Fields) -> Settings:
        """Read config.json. Raises CompileError for settings that are missing, wrong or not supported."""
        irreps = {k: _blocks(fields, k) for k in ("irreps_in", "sh", "scalars", "gated", "irreps_out")}
        _check(irreps)
        scalars, gated = _merged(irreps["scalars"]), _merged(irreps["gated"])
        gate = _sorted((*scalars, *_gates(gated), *gated))
        _agrees(fields, "gate_irreps_in", gate)
        _agrees(fields, "gate_irreps_out", (*scalars, *gated))
        first = Convolution(irreps["irreps_in"], irreps["sh"], gate)
        second = Convolution((*scalars, *gated), irreps["sh"], irreps["irreps_out"])
        for k, convolution in enumerate((first, second), 1):
            _check_paths(fields, f"conv{k}_paths", convolution)
        given = fields.arguments.get("normalize2mom")
        known = given if isinstance(given, Mapping) else {}
        wanted = ["silu_fc", *(f"scalar{k}" for k in range(len(scalars))), *(["gate0"] if gated else [])]
        return cls(
            number_of_points(fields),
            scalars,
            gated,
            (first, second),
            whole(fields, "basis"),
            whole(fields, "hidden"),
            positive(fields, "radius"),
            positive(fields, "neighbours"),
            {k: real(f"{FAMILY}: normalize2mom", known, k) for k in wanted},
            fields.require("pool", "none", "none", "mean", why="of every point, or of all") == "mean",
        )


def _blocks(fields: Fields, name: str) -> tuple[Block, ...]:
    text = fields.arguments.get(name)
    return () if name == "gated" and text == "" else parse(f"{FAMILY}: {name}", text)


def _check(irreps: Mapping[str, Sequence[Block]]) -> None:
    """Raise CompileError for irreps that stand if they cannot."""
    for name, blocks in irreps.items():
        for block in blocks:
            natural = parity_of(block.rep) == "eo"[block.spin % 2]
            wrong = {
                "sh": (block.count != 1 or not natural, "one of each l with the parity of (-1)^l"),
                "scalars": (block.spin != 0, "scalars; others are gated"),
                "gated": (block.spin == 0, "no scalars"),
            }.get(name, (False, ""))
            if wrong[0]:
                raise CompileError(f"{FAMILY}: {name}", f"found {block}", f"expected {wrong[1]}")
            if block.spin > LARGEST:
                raise CompileError(
                    f"{FAMILY}: {name}", f"found {block}", f"features of l up to {LARGEST} are read"
                )


def _merged(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return the blocks with equal neighbours merged, as e3nn's gate does."""
    return tuple(Block(sum(b.count for b in same), rep) for rep, same in groupby(blocks, lambda b: b.rep))


def _gates(gated: Iterable[Block]) -> tuple[Block, ...]:
    """Return the scalars that gate: one for each channel."""
    count = sum(b.count for b in gated)
    return (Block(count, S),) if count else ()


def _sorted(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return the blocks by l, odd before even, equal ones merged."""
    return _merged(sorted(blocks, key=lambda b: (b.spin, parity_of(b.rep) == "e")))


def _agrees(fields: Fields, name: str, blocks: Sequence[Block]) -> None:
    given = fields.arguments.get(name)
    if given is not None and parse(f"{FAMILY}: {name}", given) != tuple(blocks):
        raise CompileError(
            f"{FAMILY}: {name}", f"found {given}", f"scalars and gated irreps give {written(blocks)}"
        )


def _check_paths(fields: Fields, name: str, convolution: Convolution) -> None:
    """Raise CompileError if listed products differ from all there are."""
    given: Any = fields.arguments.get(name)
    if given is None:
        return
    try:
        listed = [(p["i1"], p["i2"], p["io"], float(p["coefficient"])) for p in given]
    except (TypeError, KeyError, ValueError):
        raise CompileError(
            f"{FAMILY}: {name}",
            "is not a list of i1, i2, io and coefficient",
            "give the instructions of the module as e3nn keeps them",
        ) from None
    made = [(p.a, p.b, p.o, p.coefficient) for p in convolution.products]
    same = len(listed) == len(made) and all(
        x[:3] == y[:3] and isclose(x[3], y[3], rel_tol=1e-12) for x, y in zip(listed, made, strict=True)
    )
    if not same:
        raise CompileError(
            f"{FAMILY}: {name}",
            "are not the products of a full convolution, with components of norm one",
            "other instructions and normalisations are not read",
        )
