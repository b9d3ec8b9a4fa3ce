"""The ports as C++: structs of exact fixed-point members for both words, with pack and unpack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from eqhls.lower.contract import Component, Contract, Signal, remarks
from eqhls.names import distinct
from eqhls.text import Emitter

Body = Callable[[bool], Iterable[list[str]]]
"""The lines that pack (or, with false, unpack) each part of a struct."""
CLASSES = {"inputs": "Inputs", "outputs": "Outputs"}
"""The structs of the two words."""


def ports_header(contract: Contract, space: str, guard: str, wide: list[str]) -> str:
    """Return NAME_ports.h, which needs ap_fixed.h and ap_int.h alone; `space` is the namespace, `guard` keeps
    it from being read twice, `wide` are the lines that make ap_int wide enough."""
    out = Emitter()
    out(f"// The ports of {contract.name}: pack() gives the word of an event, unpack() the event of a word.")
    out("// Members have the formats of the ports. Inputs take real numbers as the network expects them: the")
    out(
        "// modes of their types round and saturate. Flags and what the trigger has as integers are integers."
    )
    out(f"#ifndef {guard}")
    out(f"#define {guard}")
    for line in wide:
        out(line)
    out('#include "ap_fixed.h"')
    out('#include "ap_int.h"')
    out()
    out(f"namespace {space} {{")
    out(f"static const unsigned MODEL_HASH = 0x{contract.model_hash}u;")
    out(f"static const int LATENCY = {contract.latency_cycles};  // clocks from an event to its result")
    out(f"static const int II = {contract.ii};  // clocks from an event to the next")
    for word, bits, signals in contract.words:
        out()
        _word(out, word, bits, signals)
    out(f"}}  // namespace {space}")
    out("#endif")
    return out.text()


def _word(out: Emitter, word: str, bits: int, signals: tuple[Signal, ...]) -> None:
    """Emit the struct of a word, the structs of its vectors inside."""
    vectors = vector_types(signals)
    taking = word == "inputs"
    out(f"struct {CLASSES[word]} {{")
    with out.block():
        _size(out, bits)
        for signal in signals:
            if not signal.scalar:
                out()
                _vector(out, signal, vectors[signal.name], taking)
        for signal in signals:
            out()
            for line in remarks(signal):
                out(f"// {line}")
            kind = vectors.get(signal.name) or cpp_type(signal.components[0], taking)
            shape = "".join(f"[{n}]" for n in signal.sizes)
            worth = _worth(signal.components[0]) if signal.scalar else ""
            out(f"{kind} {signal.identifier}{shape};{worth}")
        out()
        _moves(out, CLASSES[word], lambda pack: (_port(s, vectors, pack) for s in signals))
    out("};")


def vector_types(signals: tuple[Signal, ...]) -> dict[str, str]:
    """Return the names of the structs of vectors inside the struct of a word, by port."""
    names = [s.identifier for s in signals]
    types = distinct([*names, *(f"{n}_vector" for n in names)])[len(names) :]
    return {s.name: t for s, t in zip(signals, types, strict=True) if not s.scalar}


def _size(out: Emitter, bits: int) -> None:
    out(f"static const int BITWIDTH = {bits};")
    out(f"typedef ap_uint<{bits}> word_t;")


def _vector(out: Emitter, signal: Signal, name: str, taking: bool) -> None:
    """Emit the struct of one vector, packed by itself."""

    def body(pack: bool) -> Iterable[list[str]]:
        for component, offset in zip(signal.components, signal.offsets(), strict=True):
            yield [_copy(component.name, offset, component.form.width, pack)]

    out(f"struct {name} {{")
    with out.block():
        _size(out, signal.stride)
        for component in signal.components:
            out(f"{cpp_type(component, taking)} {component.name};{_worth(component)}")
        out()
        _moves(out, name, body)
    out("};")


def _moves(out: Emitter, name: str, body: Body) -> None:
    """Emit pack() and unpack() of a struct, whose lines `body` gives."""
    heads = {
        True: ("word_t pack() const {", "word_t word = 0;", "return word;"),
        False: (f"static {name} unpack(const word_t& word) {{", f"{name} x;", "return x;"),
    }
    for pack, (head, first, last) in heads.items():
        out(head)
        out("#pragma HLS INLINE")
        with out.block():
            out(first)
            for lines in body(pack):
                for line in lines:
                    out(line)
            out(last)
        out("}")


def _port(signal: Signal, vectors: Mapping[str, str], pack: bool) -> list[str]:
    """Return the loops over the entries of a port, and the copy inside."""
    place = signal.identifier + "".join(f"[i{k}]" for k in range(len(signal.sizes)))
    at, stride = list[str](), signal.stride
    for k, size in reversed(tuple(enumerate(signal.sizes))):
        at.insert(0, f"i{k} * {stride}")
        stride *= size
    low = " + ".join([str(signal.lsb), *at])
    vector = vectors.get(signal.name)
    line = _copy(place, low, signal.stride, pack, vector)
    loops = list[str]()
    for k, size in enumerate(signal.sizes):
        loops.append(f"{'  ' * k}for (int i{k} = 0; i{k} < {size}; ++i{k}) {{")
        loops.append("#pragma HLS UNROLL")
    depth = len(signal.sizes)
    return [*loops, "  " * depth + line, *("  " * k + "}" for k in reversed(range(depth)))]


def _copy(place: str, low: int | str, width: int, pack: bool, vector: str | None = None) -> str:
    """Return the statement that copies a member into its bits, or the bits into it."""
    high = low + width - 1 if isinstance(low, int) else f"{low} + {width - 1}"
    bits = f"word.range({high}, {low})"
    if vector is not None:
        unpacked = f"x.{place} = {vector}::unpack({vector}::word_t({bits}));"
        return f"{bits} = {place}.pack();" if pack else unpacked
    inside = f"range({width - 1}, 0)"
    return f"{bits} = {place}.{inside};" if pack else f"x.{place}.{inside} = {bits};"


def cpp_type(component: Component, taking: bool) -> str:
    """Return the type of a member; inputs round and saturate as the port does."""
    form = component.form
    if component.whole:
        return f"ap_{'' if form.signed else 'u'}int<{form.width}>"
    return (
        component.taken.cpp
        if taking
        else f"ap_{'' if form.signed else 'u'}fixed<{form.width}, {form.integer}>"
    )


def _worth(component: Component) -> str:
    return f"  // one LSB is {component.lsb:g} {component.unit}".rstrip()
