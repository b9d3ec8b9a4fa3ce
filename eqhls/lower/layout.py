"""The packed word of each event: which bit is what, said once for all who pack, unpack, emit or show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eqhls.engines import Ints
from eqhls.fixed import Fixed
from eqhls.ir.graph import Node

Words = NDArray[np.uint32]
"""Shape (events, ceil(bits / 32)), little end first."""


@dataclass(frozen=True, slots=True)
class Port:
    """A tensor of a packed word: the formats of its elements in C order, component last."""

    name: str
    shape: tuple[int, ...]
    formats: tuple[Fixed, ...]

    @property
    def bits(self) -> int:
        return sum(f.width for f in self.formats)

    @property
    def components(self) -> tuple[Fixed, ...]:
        """The formats of one vector of the tensor, which are those of every other one too."""
        return self.formats[: self.shape[-1]]

    @property
    def vectors(self) -> int:
        """How many vectors (or tensors, or scalars) the port holds."""
        return len(self.formats) // self.shape[-1]

    @property
    def stride(self) -> int:
        """Bits from a component of one vector to that of the next."""
        return sum(f.width for f in self.components)


@dataclass(frozen=True, slots=True)
class Field:
    """An element of a port in its word: bits `lsb` to `lsb + form.width - 1`."""

    port: str
    index: tuple[int, ...]
    lsb: int
    form: Fixed

    @property
    def msb(self) -> int:
        return self.lsb + self.form.width - 1


@dataclass(frozen=True, slots=True)
class Layout:
    """A packed word: its ports in order, the first in the lowest bits, each element at its own width with
    nothing between."""

    ports: tuple[Port, ...]

    @classmethod
    def of(cls, nodes: Iterable[Node]) -> Layout:
        """Return the word of the ports of a quantized graph: `graph.inputs` or `graph.results`."""
        kinds = [(n.name, n.type) for n in nodes]
        return cls(
            tuple(
                Port(name, type.shape, tuple(type.format_of(i[-1]) for i in np.ndindex(type.shape)))
                for name, type in kinds
            )
        )

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every element in the order of the word, from bit 0 upwards."""
        found: list[Field] = []
        lsb = 0
        for port in self.ports:
            for index, form in zip(np.ndindex(port.shape), port.formats, strict=True):
                found.append(Field(port.name, index, lsb, form))
                lsb += form.width
        return tuple(found)

    @property
    def bits(self) -> int:
        """The width of the word."""
        return sum(p.bits for p in self.ports)

    def by_port(self) -> dict[str, tuple[Field, ...]]:
        """Return the fields of every port by its name, ports and fields in the order of the word."""
        fields = iter(self.fields)
        return {p.name: tuple(next(fields) for _ in p.formats) for p in self.ports}

    def columns(self, values: Mapping[str, Ints]) -> list[Ints]:
        """Return one array of shape (events,) per field, of arrays (events, *shape) by port."""
        return [values[f.port][(slice(None), *f.index)] for f in self.fields]

    def pack(self, values: Mapping[str, Ints]) -> Words:
        """Pack raw integers of shape (events, *shape) by port."""
        events = len(values[self.ports[0].name])
        bits = np.zeros((events, -(-self.bits // 32) * 32), dtype=np.uint8)
        for field, column in zip(self.fields, self.columns(values), strict=True):
            places = np.arange(field.form.width)
            bits[:, field.lsb : field.msb + 1] = (column.astype(np.int64)[:, None] >> places) & 1
        return np.packbits(bits, axis=1, bitorder="little").view("<u4")

    def unpack(self, words: Words) -> dict[str, Ints]:
        """Return raw integers of shape (events, *shape) by port."""
        bits = np.unpackbits(
            np.ascontiguousarray(words, dtype="<u4").view(np.uint8), axis=1, bitorder="little"
        )
        out = {p.name: np.empty((len(words), *p.shape), dtype=np.int64) for p in self.ports}
        for field in self.fields:
            form = field.form
            raw = bits[:, field.lsb : field.msb + 1].astype(np.int64) @ (1 << np.arange(form.width))
            if form.signed:
                raw -= (raw >> (form.width - 1)) << form.width
            out[field.port][(slice(None), *field.index)] = raw
        return out
