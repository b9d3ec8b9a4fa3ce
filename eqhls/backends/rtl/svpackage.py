"""The ports as a SystemVerilog package: packed structs of both words, and where their fields lie.

The first member of a packed struct lies in the highest bits, so that members stand in reverse order.
Scalars of arrays have types of their own, since the elements of a packed array are signed only if their type
has a name (IEEE 1800, 7.4.1).
"""

from __future__ import annotations

from eqhls.backends.rtl.constants import constants
from eqhls.lower.contract import Component, Contract, Signal, remarks
from eqhls.text import Emitter


def sv_package(contract: Contract) -> str:
    """Return NAME_pkg.sv."""
    out, name = Emitter(), contract.name
    out(f"// The ports of {name}; a packed struct is its word: {name}_pkg::inputs_t x; assign in_data = x;")
    out("// Icarus 11 takes such a type by `import` alone, indexes arrays in structs by constants alone, and")
    out("// reads what is inside of them as unsigned.")
    out(f"package {name}_pkg;")
    with out.block():
        out("/* verilator lint_off UNUSEDPARAM */  // nobody needs all of them")
        out(f"localparam [31:0] MODEL_HASH = 32'h{contract.model_hash};")
        for constant, value in constants(contract):
            out(f"localparam integer {constant} = {value};")
        out("/* verilator lint_on UNUSEDPARAM */")
        known = set[str]()
        for word, bits, signals in contract.words:
            for signal in signals:
                if signal.identifier not in known and (signal.sizes or not signal.scalar):
                    known.add(signal.identifier)
                    out()
                    _entry(out, signal)
            out()
            _word(out, word, bits, signals)
    out("endpackage")
    return out.text()


def _entry(out: Emitter, signal: Signal) -> None:
    """Emit the type of an entry of a port."""
    if signal.scalar:
        out(f"typedef {_kind(signal.components[0])} {_type(signal)};")
        return
    out("typedef struct packed {")
    with out.block():
        for component in reversed(signal.components):
            out(f"{_kind(component)} {component.name};{_worth(component)}")
    out(f"}} {_type(signal)};")


def _word(out: Emitter, word: str, bits: int, signals: tuple[Signal, ...]) -> None:
    out(f"// {bits} bits; the last member lies in the lowest ones.")
    out("typedef struct packed {")
    with out.block():
        for signal in reversed(signals):
            for line in remarks(signal):
                out(f"// {line}")
            worth = _worth(signal.components[0]) if signal.scalar else ""
            if not signal.sizes:
                kind = _kind(signal.components[0]) if signal.scalar else _type(signal)
            else:
                kind = _type(signal) + " " + "".join(f"[{size - 1}:0]" for size in signal.sizes)
            out(f"{kind} {signal.identifier};{worth}")
    out(f"}} {word}_t;")


def _type(signal: Signal) -> str:
    return f"{signal.identifier}_{'value' if signal.scalar else 'vector'}_t"


def _kind(component: Component) -> str:
    width = component.form.width
    span = f" [{width - 1}:0]" if width > 1 or component.form.signed else ""
    return f"logic{' signed' if component.form.signed else ''}{span}"


def _worth(component: Component) -> str:
    return f"  // one unit is {component.lsb:g} {component.unit}".rstrip()
