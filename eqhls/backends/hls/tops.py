"""The HLS tops of a project: one packed word, typed arrays with a valid bit, and the CMS correlator's form.

All three call the one network. The vendor tools are given one of them (Options.HLSTop); other HLS code calls
`eqhls_NAME::NAME(particles, .., result)` of firmware/NAME_hls.h, without a bit offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eqhls.backends.hls.arguments import Argument, arguments, pack, parameters, unpack
from eqhls.backends.hls.headers import guard, namespace, open_guard
from eqhls.lower.contract import Contract
from eqhls.lower.plan import Plan
from eqhls.options import TopForm
from eqhls.text import Emitter, Project

FORMS: tuple[TopForm, ...] = ("word", "typed", "cms")


_ALIGNED = "; the token passes through, so that control stays aligned with data."

LINE = 100
"""The longest line of a declaration."""


@dataclass(frozen=True, slots=True)
class Top:
    """A top function: its parameters, the pragmas of its interface, and the statements of its body."""

    name: str
    about: tuple[str, ...]
    parameters: tuple[str, ...]
    pragmas: tuple[str, ...]
    body: tuple[str, ...]

    def signature(self) -> str:
        """Return the declaration without its semicolon, on one line if that is short."""
        return signature(f"void {self.name}", self.parameters)


def signature(head: str, parameters: tuple[str, ...]) -> str:
    """Return a function's head with its parameters, on one line if that is short."""
    line = f"{head}({', '.join(parameters)})"
    if len(line) <= LINE:
        return line
    return f"{head}(\n    " + ",\n    ".join(parameters) + ")"


def top_name(project: str, form: TopForm) -> str:
    """Return the name of a top function, which is also that of its file."""
    return f"{project}_hls" if form == "word" else f"{project}_hls_{form}"


def top_of(plan: Plan, form: TopForm) -> Top:
    """Return one of the tops of a project."""
    return {"word": _word, "typed": _typed, "cms": _cms}[form](plan)


def emit_tops(plan: Plan) -> Project:
    """Return firmware/NAME_hls.h and the files of the three tops."""
    tops = {form: top_of(plan, form) for form in FORMS}
    files = {f"firmware/{top.name}.cpp": _source(plan, top) for top in tops.values()}
    return {f"firmware/{plan.name}_hls.h": header(plan), **files}


def header(plan: Plan) -> str:
    """Return the header for HLS code that calls the network or one of its tops."""
    inputs, outputs = arguments(Contract.of(plan))
    out, space = Emitter(), namespace(plan.name)
    open_guard(out, guard(plan.name, "HLS"))
    out(f'#include "{plan.name}.h"')
    out(f'#include "{plan.name}_ports.h"')
    out()
    out(f"namespace {space} {{")
    if plan.options.TokenBits:
        out(f"typedef ap_uint<{plan.options.TokenBits}> token_t;  // passed through beside the event")
        out()
    out("// The network on typed arrays and on an event as a whole, for other HLS code, where it is inlined.")
    _call(out, plan, inputs, outputs)
    _event_call(out, plan)
    out(f"}}  // namespace {space}")
    for form in FORMS:
        out()
        for line in top_of(plan, form).about:
            out(f"// {line}")
        out(f"{top_of(plan, form).signature()};")
    out("#endif")
    return out.text()


def _call(out: Emitter, plan: Plan, inputs: tuple[Argument, ...], outputs: tuple[Argument, ...]) -> None:
    given = (*parameters(inputs, head="const "), *parameters(outputs))
    out(f"{signature(f'inline void {plan.name}', given)} {{")
    out("#pragma HLS INLINE")
    with out.block():
        out("in_word_t packed_ = 0;")
        for argument in inputs:
            pack(out, argument, "packed_")
        out("out_word_t unpacked_ = 0;")
        out(f"{namespace(plan.name)}::{plan.name}(packed_, unpacked_);")
        for argument in outputs:
            unpack(out, argument, "unpacked_")
    out("}")


def _event_call(out: Emitter, plan: Plan) -> None:
    out()
    out(f"inline Outputs {plan.name}(const Inputs& event) {{")
    out("#pragma HLS INLINE")
    with out.block():
        out("out_word_t unpacked_ = 0;")
        out(f"{namespace(plan.name)}::{plan.name}(event.pack(), unpacked_);")
        out("return Outputs::unpack(unpacked_);")
    out("}")


def _source(plan: Plan, top: Top) -> str:
    out = Emitter()
    out(f'#include "{plan.name}_hls.h"')
    out()
    for line in top.about:
        out(f"// {line}")
    out(f"{top.signature()} {{")
    for pragma in (*top.pragmas, f"PIPELINE II={plan.ii}"):
        out(f"#pragma HLS {pragma}")
    with out.block():
        for line in top.body:
            out(line)
    out("}")
    return out.text()


def _word(plan: Plan) -> Top:
    space = namespace(plan.name)
    return Top(
        top_name(plan.name, "word"),
        (f"One event {plan.every} as one packed word; the result follows a fixed latency later.",),
        (f"{space}::in_word_t in_data", f"{space}::out_word_t& out_data"),
        (
            "INTERFACE ap_none port=in_data",
            "INTERFACE ap_none port=out_data",
            "INTERFACE ap_ctrl_none port=return",
        ),
        (f"{space}::{plan.name}(in_data, out_data);",),
    )


def _typed(plan: Plan) -> Top:
    inputs, outputs = arguments(Contract.of(plan))
    valid = ("ap_uint<1> in_valid", "ap_uint<1>& out_valid")
    token_in, token_out = _token(plan)
    ports = [*(a.name for a in (*inputs, *outputs)), "in_valid", "out_valid", *_token_ports(plan)]
    return Top(
        top_name(plan.name, "typed"),
        (
            f"One event {plan.every} as typed arrays; out_valid is in_valid, as late as the result.",
            "ap_rst does not clear events in flight: ignore out_valid for the latency after a reset.",
        ),
        (*_inputs(plan, inputs), valid[0], *token_in, *_outputs(plan, outputs), valid[1], *token_out),
        (
            *_arrays(plan, (*inputs, *outputs)),
            *(f"INTERFACE ap_none port={p}" for p in ports),
            "INTERFACE ap_ctrl_none port=return",
        ),
        (*_body(plan, inputs, outputs), "out_valid = in_valid;"),
    )


def _cms(plan: Plan) -> Top:
    """Arrays, the token in and out by reference, outputs without a handshake of their own, and the block
    protocol that the tools give a function by default."""
    inputs, outputs = arguments(Contract.of(plan))
    token_in, token_out = _token(plan)
    results = [*(a.name for a in outputs), *_token_ports(plan)[1:]]
    return Top(
        top_name(plan.name, "cms"),
        (
            f"One event {plan.every} as algorithms of the CMS correlator take it: ap_start with the event,",
            f"ap_done with the result{_ALIGNED if plan.options.TokenBits else '.'}",
        ),
        (*_inputs(plan, inputs), *_outputs(plan, outputs), *token_in, *token_out),
        (
            *_arrays(plan, (*inputs, *outputs)),
            *(f"INTERFACE ap_none port={p}" for p in results),
            "INTERFACE ap_ctrl_hs port=return",
        ),
        _body(plan, inputs, outputs),
    )


def _inputs(plan: Plan, found: tuple[Argument, ...]) -> Iterator[str]:
    return parameters(found, f"{namespace(plan.name)}::", "const ")


def _outputs(plan: Plan, found: tuple[Argument, ...]) -> Iterator[str]:
    return parameters(found, f"{namespace(plan.name)}::")


def _token(plan: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the parameters of the token in and out, if a token was asked for."""
    if not plan.options.TokenBits:
        return (), ()
    kind = f"{namespace(plan.name)}::token_t"
    return (f"const {kind}& token_in",), (f"{kind}& token_out",)


def _token_ports(plan: Plan) -> tuple[str, ...]:
    return ("token_in", "token_out") if plan.options.TokenBits else ()


def _arrays(plan: Plan, found: tuple[Argument, ...]) -> Iterator[str]:
    """Yield what makes wires of arrays. Vitis joins the members of a struct to one vector, and pads them to
    bytes unless it is told not to; Vivado HLS gives every member a port of its own."""
    for argument in found:
        yield f"ARRAY_PARTITION variable={argument.name} complete dim=0"
        if not argument.signal.scalar and plan.options.Backend == "Vitis":
            yield f"AGGREGATE variable={argument.name} compact=bit"


def _body(plan: Plan, inputs: tuple[Argument, ...], outputs: tuple[Argument, ...]) -> tuple[str, ...]:
    names = ", ".join(a.name for a in (*inputs, *outputs))
    call = f"{namespace(plan.name)}::{plan.name}({names});"
    return (call, "token_out = token_in;") if plan.options.TokenBits else (call,)
