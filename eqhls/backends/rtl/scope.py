"""What a rule of a cell may ask, and how values are written in Verilog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eqhls.lower.netlist import Cell, Constant, Lookup, Operand


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule may ask: all cells, and the name of a value as seen in a stage."""

    cells: Sequence[Cell]
    name: Callable[[int], str]
    table: Callable[[Lookup], str]

    def aligned(self, o: Operand, frac: int, width: int) -> str:
        """Return the operand at binary point `frac` in `width` bits, two's complement."""
        cell, name = self.cells[o.cell], self.name(o.cell)
        left = frac - cell.frac + o.shift
        if isinstance(cell, Constant):
            raw = cell.raw << left if left >= 0 else cell.raw >> -left
            return literal(raw, width)
        have = cell.width + left
        low = max(-left, 0)
        if have <= 0:
            return f"{{{width}{{{name}[{cell.width - 1}]}}}}" if cell.signed else literal(0, width)
        parts: list[str] = []
        if have < width:
            fill = f"{name}[{cell.width - 1}]" if cell.signed else "1'b0"
            parts.append(f"{{{width - have}{{{fill}}}}}")
        high = min(cell.width - 1, width - 1 - left)
        if high >= low:
            parts.append(bit_range(name, high, low, cell.width))
        if left > 0:
            parts.append(literal(0, min(left, width)))
        return parts[0] if len(parts) == 1 else "{" + ", ".join(parts) + "}"


def bit_range(name: str, high: int, low: int, width: int) -> str:
    """Return name[high:low], plainly if it is all of it."""
    if (high, low) == (width - 1, 0):
        return name
    return f"{name}[{high}]" if high == low else f"{name}[{high}:{low}]"


def literal(value: int, width: int) -> str:
    """Return a sized constant in two's complement."""
    return f"{width}'h{value & ((1 << width) - 1):x}"
