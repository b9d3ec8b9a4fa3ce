"""Features of several irreps in one array, as e3nn lays them out: block by block, channel by channel.

Irreps are written `2x0e+1x1o`. A port or an output that holds one block of them carries it in its name,
`x_2x0e` and `x_1x1o`, in the order of the blocks; a second block of the same text has `_2` behind it.
An array `x` (events, .., 2 * 1 + 1 * 3) fills the ports of its blocks.

e3nn stores (x, y, z) of l = 1, and of l = 2 xz, xy, (2yy - xx - zz) / 2 sqrt(3), yz, (zz - xx) / 2 of the
tensor: its polar axis is y.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eqhls.errors import CompileError
from eqhls.groups.rep import Rep, S
from eqhls.groups.rotation.bases import from_tensor, to_tensor
from eqhls.groups.rotation.reps import irrep, spin_of
from eqhls.ir.graph import Graph, Node

Array = NDArray[Any]
_BLOCK = re.compile(r"(\d+)x(\d+)([eo])")
_NAME = re.compile(r"(\w+?)_\d+x\d+[eo](_\d+)?")
_LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Block:
    """`count` channels of one irrep."""

    count: int
    rep: Rep

    @property
    def spin(self) -> int:
        return spin_of(self.rep)

    def __str__(self) -> str:
        return f"{self.count}x{'0e' if self.rep is S else self.rep}"


def parse(where: str, text: Any) -> tuple[Block, ...]:
    """Read irreps. Raises CompileError for other texts, and for irreps that the compiler does not have."""
    blocks: list[Block] = []
    for part in text.split("+") if isinstance(text, str) else [""]:
        match = _BLOCK.fullmatch(part.strip())
        if match is None or not 1 <= int(match[1]) <= _LARGEST:
            raise CompileError(where, f"found {text!r}", "write irreps such as 2x0e+1x1o")
        try:
            blocks.append(Block(int(match[1]), irrep(int(match[2]), match[3])))
        except KeyError:
            raise CompileError(where, f"found {match[0]}", "irreps of l up to 3 are known") from None
    return tuple(blocks)


def written(blocks: Iterable[Block]) -> str:
    """Return blocks as the text that `parse` reads."""
    return "+".join(map(str, blocks))


def names(stem: str, blocks: Sequence[Block]) -> tuple[str, ...]:
    """Return what the ports or outputs are called that hold these blocks."""
    texts = [str(b) for b in blocks]
    before = [texts[:k].count(text) for k, text in enumerate(texts)]
    return tuple(
        f"{stem}_{text}{f'_{again + 1}' if again else ''}" for text, again in zip(texts, before, strict=True)
    )


def split(graph: Graph, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays with those of irreps taken apart, one for each port of a block.

    Raises CompileError for an array whose last axis is not as long as the blocks together.
    """
    result, ports = dict(arrays), {n.name for n in graph.inputs}
    for stem, nodes in _stems(graph.inputs).items():
        if stem not in arrays or stem in ports:
            continue
        x, at = np.asarray(result.pop(stem)), 0
        sizes = [n.type.axes[-1].size * n.type.rep.dim for n in nodes]
        if x.ndim < 2 or x.shape[-1] != sum(sizes):
            blocks = ", ".join(n.name for n in nodes)
            raise CompileError(
                stem,
                f"has shape {x.shape}, expected (events, .., {sum(sizes)}) for {blocks}",
                "give the components of all irreps along the last axis",
            )
        for node, size in zip(nodes, sizes, strict=True):
            channels = x[..., at : at + size].reshape(*x.shape[:-1], -1, node.type.rep.dim)
            result[node.name] = _stored(node, channels)
            at += size
    return result


def joined(nodes: Sequence[Node], values: Sequence[Array]) -> Array | None:
    """Return the outputs (events, *axes, components) of a network as one array (events, -1) in e3nn's
    layout, if all of them are blocks of one stem over the same axes; else None."""
    stems = _stems(nodes)
    if [len(found) for found in stems.values()] != [len(nodes)]:
        return None
    parts = zip(nodes, values, strict=True)
    rows = [_published(node, x).reshape(*x.shape[:-2], -1) for node, x in parts]
    if len({r.shape[:-1] for r in rows}) != 1:
        return None
    return np.concatenate(rows, axis=-1).reshape(len(rows[0]), -1)


def _stems(nodes: Sequence[Node]) -> dict[str, list[Node]]:
    """Return the values that hold blocks of irreps, by what stands before the block in their names."""
    stems: dict[str, list[Node]] = {}
    for node in nodes:
        found = _NAME.fullmatch(node.name)
        if found and node.type.axes:
            stems.setdefault(found[1], []).append(node)
    return stems


def _stored(node: Node, x: Array) -> Array:
    """Return e3nn's components (..., 2l + 1) as those of a port."""
    if spin_of(node.type.rep) != 2:
        return x
    xz, xy, polar, yz, flat = np.moveaxis(x, -1, 0)
    yy = polar * (2 / 3**0.5)
    rows = [[-yy / 2 - flat, xy, xz], [xy, yy, yz], [xz, yz, -yy / 2 + flat]]
    tensor = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    return from_tensor(node.type.basis, tensor)


def _published(node: Node, x: Array) -> Array:
    """Return stored components (..., dim) of a value as e3nn's."""
    if spin_of(node.type.rep) != 2:
        return x
    t = to_tensor(node.type.basis, x)
    xx, yy, zz = (t[..., k, k] for k in range(3))
    polar, flat = (2 * yy - xx - zz) / 12**0.5, (zz - xx) / 2
    return np.stack([t[..., 0, 2], t[..., 0, 1], polar, t[..., 1, 2], flat], axis=-1)
