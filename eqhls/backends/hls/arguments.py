"""The arguments of the typed HLS tops: one array for every port, of the types of firmware/NAME_ports.h.

An array has the axes of its port; a port without axes is an array of one element, as tops of the trigger have
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from eqhls.backends.hls.ports import CLASSES, cpp_type, vector_types
from eqhls.lower.contract import Contract, Signal
from eqhls.text import Emitter

OURS = frozenset(
    {
        *("token_in", "token_out", "in_valid", "out_valid", "inputs", "outputs"),
        *("ap_clk", "ap_rst", "ap_start", "ap_done", "ap_idle", "ap_ready"),
    }
)
"""Names of the tops' other arguments, types and ports. Variables end with an underscore, as no port does."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A port as an argument: its C++ name, the type of an element in the namespace of the project,
    and the port itself.

    The name is that of the port in all languages, unless something else has it.
    """

    name: str
    type: str
    signal: Signal

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.signal.sizes or (1,)

    @property
    def shape(self) -> str:
        """The sizes as C++ writes them behind the name."""
        return "".join(f"[{n}]" for n in self.sizes)

    @property
    def index(self) -> str:
        """The indices as C++ writes them behind the name, inside of the loops of `loop`."""
        return "".join(f"[i{k}_]" for k in range(len(self.sizes)))

    @property
    def members(self) -> tuple[tuple[str, bool], ...]:
        """The access to each component of an element, and whether it is signed."""
        return tuple((f".{c.name}" if c.name else "", c.form.signed) for c in self.signal.components)

    @property
    def low(self) -> str:
        """The first bit of an element in its word, inside of the loops of `loop`."""
        stride, terms = self.signal.stride, list[str]()
        for k, size in reversed(tuple(enumerate(self.sizes))):
            terms.insert(0, f"i{k}_ * {stride}")
            stride *= size
        return " + ".join([str(self.signal.lsb), *terms] if self.signal.lsb else terms)


def arguments(contract: Contract) -> tuple[tuple[Argument, ...], tuple[Argument, ...]]:
    """Return the arguments of both words; no two have one name, and none has that of something else."""
    used = set(OURS)
    inputs, outputs = (_named(word, signals, used) for word, _, signals in contract.words)
    return inputs, outputs


def _named(word: str, signals: tuple[Signal, ...], used: set[str]) -> tuple[Argument, ...]:
    vectors = vector_types(signals)
    found: list[Argument] = []
    for signal in signals:
        name = _name(signal, used)
        used |= _wires(name, signal)
        scalar = cpp_type(signal.components[0], word == "inputs")
        type = scalar if signal.scalar else f"{CLASSES[word]}::{vectors[signal.name]}"
        found.append(Argument(name, type, signal))
    return tuple(found)


def _wires(name: str, signal: Signal) -> set[str]:
    """Return the names that an array takes in hardware, in one case, as VHDL does not tell cases apart."""
    places = product(*(range(n) for n in signal.sizes or (1,)))
    return {name.lower(), *("_".join((name.lower(), *map(str, place))) for place in places)}


def _name(signal: Signal, used: set[str]) -> str:
    made, count = signal.identifier, 1
    while _wires(made, signal) & used:
        count += 1
        made = f"{signal.identifier}_p{count}"
    return made


def loop(out: Emitter, argument: Argument, line: str, depth: int = 0) -> None:
    """Write loops over all elements of an argument around a line."""
    if depth == len(argument.sizes):
        out(line)
        return
    out(f"for (int i{depth}_ = 0; i{depth}_ < {argument.sizes[depth]}; ++i{depth}_) {{")
    out("#pragma HLS UNROLL")
    with out.block():
        loop(out, argument, line, depth + 1)
    out("}")


def pack(out: Emitter, argument: Argument, word: str) -> None:
    """Write the loops that put the array into its place in a word."""
    bits, element = argument.signal.stride, argument.name + argument.index
    value = f"{element}.range({bits - 1}, 0)" if argument.signal.scalar else f"{element}.pack()"
    loop(out, argument, f"{word}.range({argument.low} + {bits - 1}, {argument.low}) = {value};")


def unpack(out: Emitter, argument: Argument, word: str) -> None:
    """Write the loops that take the array from its place in a word."""
    bits, element = argument.signal.stride, argument.name + argument.index
    taken = f"{word}.range({argument.low} + {bits - 1}, {argument.low})"
    if argument.signal.scalar:
        loop(out, argument, f"{element}.range({bits - 1}, 0) = {taken};")
    else:
        loop(out, argument, f"{element} = {argument.type}::unpack({argument.type}::word_t({taken}));")


def parameters(found: tuple[Argument, ...], space: str = "", head: str = "") -> Iterator[str]:
    """Yield the declarations of arguments; `space` is put before types of the project, `head` before all."""
    for a in found:
        inside = "" if a.signal.scalar else space
        yield f"{head}{inside}{a.type} {a.name}{a.shape}"
