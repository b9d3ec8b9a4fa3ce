"""The ports as a VHDL package: records of both words, functions from and to them, the top as a component."""

from __future__ import annotations

from collections.abc import Iterator

from eqhls.backends.rtl.constants import constants
from eqhls.lower.contract import Component, Contract, Signal, remarks
from eqhls.text import Emitter

_WORDS = {"inputs": "IN_BITS", "outputs": "OUT_BITS"}


def vhdl_package(contract: Contract) -> str:
    """Return NAME_pkg.vhd, which VHDL-93 and later take."""
    out, name = Emitter(), contract.name
    out(f"-- The ports of {name}: to_word and to_inputs, to_outputs go between records and packed words.")
    out("-- Packages of several networks have types of the same names: use `name_pkg.inputs_t`, not `all`.")
    out("library ieee;")
    out("use ieee.std_logic_1164.all;")
    out("use ieee.numeric_std.all;")
    out()
    out(f"package {name}_pkg is")
    with out.block():
        out(f'constant MODEL_HASH : std_logic_vector(31 downto 0) := x"{contract.model_hash}";')
        for constant, value in constants(contract):
            out(f"constant {constant} : integer := {value};")
        _types(out, contract)
        for word, bits in _WORDS.items():
            out()
            for head in _heads(word):
                out(f"{head};  -- {bits} bits")
        _component(out, contract)
    out("end package;")
    out()
    out(f"package body {name}_pkg is")
    with out.block():
        for word, _, signals in contract.words:
            _functions(out, word, signals)
    out("end package body;")
    return out.text()


def _types(out: Emitter, contract: Contract) -> None:
    known = set[str]()
    for word, _, signals in contract.words:
        for signal in signals:
            if signal.identifier not in known:
                known.add(signal.identifier)
                _entry(out, signal)
        out()
        out(f"type {word}_t is record")
        with out.block():
            for signal in signals:
                for line in remarks(signal):
                    out(f"-- {line}")
                worth = _worth(signal.components[0]) if signal.scalar else ""
                out(f"{signal.identifier} : {_type(signal)};{worth}")
        out("end record;")


def _entry(out: Emitter, signal: Signal) -> None:
    """Emit the type of an entry of a port, and that of the array of them."""
    if not signal.scalar:
        out()
        out(f"type {signal.identifier}_vector_t is record")
        with out.block():
            for component in signal.components:
                out(f"{component.name} : {_kind(component)};{_worth(component)}")
        out("end record;")
    if signal.sizes:
        ranges = ", ".join(f"0 to {size - 1}" for size in signal.sizes)
        kind = _kind(signal.components[0]) if signal.scalar else f"{signal.identifier}_vector_t"
        out(f"type {signal.identifier}_array_t is array ({ranges}) of {kind};")


def _type(signal: Signal) -> str:
    if signal.sizes:
        return f"{signal.identifier}_array_t"
    return _kind(signal.components[0]) if signal.scalar else f"{signal.identifier}_vector_t"


def _kind(component: Component) -> str:
    if component.flag:
        return "std_logic"
    return f"{'signed' if component.form.signed else 'unsigned'}({component.form.width - 1} downto 0)"


def _worth(component: Component) -> str:
    return f"  -- one unit is {component.lsb:g} {component.unit}".rstrip()


def _heads(word: str) -> tuple[str, str]:
    return (
        f"function to_word(x : {word}_t) return std_logic_vector",
        f"function to_{word}(word : std_logic_vector) return {word}_t",
    )


def _functions(out: Emitter, word: str, signals: tuple[Signal, ...]) -> None:
    bits = f"std_logic_vector({_WORDS[word]} - 1 downto 0)"
    pack, unpack = _heads(word)
    out(f"{pack} is")
    with out.block():
        out(f"variable w : {bits} := (others => '0');")
    out("begin")
    _body(out, signals, pack=True)
    with out.block():
        out("return w;")
    out("end function;")
    out()
    out(f"{unpack} is")
    with out.block():
        out(f"alias w : {bits} is word;")
        out(f"variable x : {word}_t;")
    out("begin")
    _body(out, signals, pack=False)
    with out.block():
        out("return x;")
    out("end function;")
    out()


def _body(out: Emitter, signals: tuple[Signal, ...], pack: bool) -> None:
    for signal in signals:
        depth = len(signal.sizes)
        for k, size in enumerate(signal.sizes):
            out("  " * k + f"  for i{k} in 0 to {size - 1} loop")
        for line in _assignments(signal, pack):
            out("  " * (depth + 1) + line)
        for k in reversed(range(depth)):
            out("  " * k + "  end loop;")


def _assignments(signal: Signal, pack: bool) -> Iterator[str]:
    """Yield the assignments of one entry, whose indices are i0, i1, .."""
    at, stride = list[str](), signal.stride
    for k, size in reversed(tuple(enumerate(signal.sizes))):
        at.append(f"i{k} * {stride}")
        stride *= size
    indices = ", ".join(f"i{k}" for k in range(len(signal.sizes)))
    place = f"x.{signal.identifier}" + (f"({indices})" if indices else "")
    for component, offset in zip(signal.components, signal.offsets(), strict=True):
        value = place if signal.scalar else f"{place}.{component.name}"
        low, width = " + ".join([*reversed(at), str(signal.lsb + offset)]), component.form.width
        if component.flag:
            part, packed, unpacked = f"w({low})", value, f"w({low})"
        else:
            part = f"w({low} + {width - 1} downto {low})"
            packed = f"std_logic_vector({value})"
            unpacked = f"{'signed' if component.form.signed else 'unsigned'}({part})"
        yield f"{part} := {packed};" if pack else f"{value} := {unpacked};"


def _component(out: Emitter, contract: Contract) -> None:
    """Emit the top as a component; its parameter stays the model's own hash, so that no generic sets it."""
    ports = {
        "clk": "in  std_logic",
        "rst": "in  std_logic",
        "in_valid": "in  std_logic",
        "in_data": "in  std_logic_vector(IN_BITS - 1 downto 0)",
        "out_valid": "out std_logic",
        "out_data": "out std_logic_vector(OUT_BITS - 1 downto 0)",
        "model_hash": "out std_logic_vector(31 downto 0)",
    }
    out()
    every = "per clock" if contract.ii == 1 else f"every {contract.ii} clocks"
    out(f"-- One event {every}, its result {contract.latency_cycles} clocks later; rst is synchronous and")
    out("-- active high, and drops the events in flight.")
    out(f"component {contract.name} is")
    with out.block():
        out("port (")
        with out.block():
            for k, (port, kind) in enumerate(ports.items(), 1):
                out(f"{port} : {kind}{';' if k < len(ports) else ''}")
        out(");")
    out("end component;")
