"""The numbers of a contract by name: the constants of the packages in SystemVerilog and VHDL."""

from __future__ import annotations

from collections.abc import Iterator

from eqhls.lower.contract import Contract, Signal
from eqhls.names import distinct


def constants(contract: Contract) -> list[tuple[str, int]]:
    """Return names and values: widths of the words, latency and interval in clocks; then of each port of
    each word the first bit, the bits from entry to entry if there are several, and for every component its
    first bit in entry 0, its width and its fraction bits."""
    found = [
        ("IN_BITS", contract.input_bits),
        ("OUT_BITS", contract.output_bits),
        ("LATENCY", contract.latency_cycles),
        ("II", contract.ii),
    ]
    for word, signals in (("IN", contract.inputs), ("OUT", contract.outputs)):
        for signal in signals:
            found += _of(f"{word}_{signal.identifier.upper()}", signal)
    names = distinct(name for name, _ in found)
    return [(name, value) for name, (_, value) in zip(names, found, strict=True)]


def _of(stem: str, signal: Signal) -> Iterator[tuple[str, int]]:
    if not signal.scalar:
        yield f"{stem}_LSB", signal.lsb
    if signal.bits > signal.stride:
        yield f"{stem}_STRIDE", signal.stride
    for component, offset in zip(signal.components, signal.offsets(), strict=True):
        name = stem if signal.scalar else f"{stem}_{component.name.upper()}"
        yield f"{name}_LSB", signal.lsb + offset
        yield f"{name}_BITS", component.form.width
        yield f"{name}_FRAC", component.form.frac
