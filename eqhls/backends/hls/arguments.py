"""The arguments of the typed HLS tops: one array for every port, of fixed-point numbers or of structs of them.

Which bit is what comes from `Layout`; element k of an array is vector k of the port in C order.
"""

from __future__ import annotations

from dataclasses import dataclass

from eqhls.backends.hls.formats import plain
from eqhls.fixed import Fixed
from eqhls.lower.layout import Layout, Port
from eqhls.names import fault, usable_name
from eqhls.text import Emitter

OURS = frozenset(
    "token_in token_out in_valid out_valid k n packed unpacked given found next_value event_number".split()
)
"""Names of the tops' other arguments, and of what the functions hold that have these as variables."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A port as an argument: its C++ name, the bit of the word at which it begins, and the port itself.

    `members` are the fields of one element with their formats; a port of one component has no struct, and
    its only member has no name.
    """

    name: str
    lsb: int
    port: Port

    @property
    def type(self) -> str:
        """The C++ type of an element, in the namespace of the project."""
        return f"{self.name}_port"

    @property
    def length(self) -> int:
        return self.port.vectors

    @property
    def is_struct(self) -> bool:
        return len(self.port.components) > 1

    @property
    def members(self) -> tuple[tuple[str, int, Fixed], ...]:
        """The access to each member, its first bit in the element, and its format."""
        found: list[tuple[str, int, Fixed]] = []
        lsb = 0
        for d, form in enumerate(self.port.components):
            found.append((f".c{d}" if self.is_struct else "", lsb, form))
            lsb += form.width
        return tuple(found)


def arguments(inputs: Layout, outputs: Layout) -> tuple[tuple[Argument, ...], tuple[Argument, ...]]:
    """Return the arguments of both words; no two have one name, and none has that of something else."""
    used = {o.lower() for o in OURS}
    return _named(inputs, used), _named(outputs, used)


def _named(layout: Layout, used: set[str]) -> tuple[Argument, ...]:
    fields = layout.by_port()
    found: list[Argument] = []
    for port in layout.ports:
        name = _name(port, used)
        used |= _wires(name, port)
        found.append(Argument(name, fields[port.name][0].lsb, port))
    return tuple(found)


def _wires(name: str, port: Port) -> set[str]:
    """Return the names that an array takes in hardware, in one case, as VHDL does not tell cases apart."""
    return {name.lower(), *(f"{name.lower()}_{k}" for k in range(port.vectors))}


def _name(port: Port, used: set[str]) -> str:
    """Return a name that C++, Verilog and VHDL take, that of the port if they do."""
    base = made = usable_name(f"{port.name}_port") if fault(port.name) else port.name
    count = 1
    while _wires(made, port) & used:
        count += 1
        made = f"{base}_p{count}"
    return made


def declare(out: Emitter, argument: Argument) -> None:
    """Write the type of an element of a port."""
    if not argument.is_struct:
        out(f"typedef {plain(argument.port.components[0])} {argument.type};")
        return
    out(f"struct {argument.type} {{")
    with out.block():
        for member, _, form in argument.members:
            out(f"{plain(form)} {member[1:]};")
    out("};")


def pack(out: Emitter, argument: Argument, word: str) -> None:
    """Write the loop that puts the array into its place in a word."""
    _loop(out, argument, f"{word}.range({{high}}, {{low}}) = {{value}}.range({{top}}, 0);")


def unpack(out: Emitter, argument: Argument, word: str) -> None:
    """Write the loop that takes the array from its place in a word."""
    _loop(out, argument, f"{{value}}.range({{top}}, 0) = {word}.range({{high}}, {{low}});")


def _loop(out: Emitter, argument: Argument, line: str) -> None:
    out(f"for (int k = 0; k < {argument.length}; ++k) {{")
    out("#pragma HLS UNROLL")
    with out.block():
        for member, lsb, form in argument.members:
            low = f"{argument.port.stride} * k + {argument.lsb + lsb}"
            high = f"{argument.port.stride} * k + {argument.lsb + lsb + form.width - 1}"
            value = f"{argument.name}[k]{member}"
            out(line.format(value=value, low=low, high=high, top=form.width - 1))
    out("}")
