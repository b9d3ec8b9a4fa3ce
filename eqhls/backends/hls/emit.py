"""From a quantized graph to an HLS C++ project: one call per op into the header library."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined

from eqhls.backends.hls.arguments import arguments
from eqhls.backends.hls.config import Context, config
from eqhls.backends.hls.formats import covering, plain
from eqhls.backends.hls.headers import guard, namespace, open_guard
from eqhls.backends.hls.logic import generated
from eqhls.backends.hls.ports import ports_header
from eqhls.backends.hls.structs import Value, config_struct, table_text
from eqhls.backends.hls.tops import FORMS, emit_tops, top_name
from eqhls.ir.graph import Graph, Node
from eqhls.ir.types import Type
from eqhls.lower.contract import Contract
from eqhls.lower.layout import Layout
from eqhls.lower.plan import Plan
from eqhls.names import value_identifier as identifier
from eqhls.text import Emitter, Project, asset

HEADERS = (
    "ap_common.h",
    "ap_decl.h",
    "ap_fixed.h",
    "ap_fixed_base.h",
    "ap_fixed_ref.h",
    "ap_fixed_special.h",
    "ap_int.h",
    "ap_int_base.h",
    "ap_int_ref.h",
    "ap_int_special.h",
    "etc/ap_private.h",
)


STANDARD = {"Vitis": "c++14", "Vivado": "c++0x"}
"""The standard of C++ by Backend. Vivado HLS to 2020.1 holds clang 3.1 and g++ 4.6, which know C++11 by this
name and nothing later; all that eqhls writes is C++11."""


def emit(plan: Plan) -> Project:
    """Return firmware/, the testbench and the tool scripts that Vitis and Vivado HLS take.

    Raises CompileError if an op has no template.
    """
    graph, name = plan.graph, plan.name
    files: dict[str, str | bytes] = {
        f"firmware/{name}.cpp": top_source(graph),
        f"firmware/{name}.h": top_header(plan),
        f"firmware/{name}_ports.h": ports_header(
            Contract.of(plan), namespace(name), guard(name, "PORTS"), wide_integers(plan)
        ),
        **emit_tops(plan),
        "firmware/defines.h": defines(plan),
        "firmware/parameters.h": parameters(plan),
        "firmware/weights/tables.h": tables(plan),
        f"{name}_test.cpp": render("testbench.cpp.j2", plan),
        "firmware/bridge.cpp": render("bridge.cpp.j2", plan),
        "build_prj.tcl": render("build_prj.tcl.j2", plan),
        "project.tcl": render("project.tcl.j2", plan),
    }
    if plan.options.Backend == "Vitis":
        files["hls_config.cfg"] = render("hls_config.cfg.j2", plan)
    for kind in sorted({"common", "output", *headers(graph)}):
        files[f"firmware/eqhls/{kind}.h"] = library_header(kind, namespace(graph.name), graph.name)
    for header in HEADERS:
        files[f"firmware/ap_types/{header}"] = asset("hls_templates", "ap_types", header).read_text()
    files["firmware/ap_types/LICENSE"] = asset("hls_templates", "ap_types", "LICENSE").read_text()
    return files


def library_header(kind: str, space: str, project: str) -> str:
    """Return a header of the library inside the namespace `space` of a project, with a guard of its own:
    projects of two versions of eqhls can then be in one program, and in one source file."""
    text = asset("hls_templates", "eqhls", f"{kind}.h").read_text()
    text = text.replace(f"EQHLS_{kind.upper()}_H_", guard(project, f"LIBRARY_{kind.upper()}"))
    text = text.replace("\nnamespace eqhls {", f"\nnamespace {space} {{\nnamespace eqhls {{")
    return text.replace("\n}  // namespace eqhls", f"\n}}  // namespace eqhls\n}}  // namespace {space}")


INCLUDED = re.compile(r'^#include "((?!ap_)\w+)\.h"', re.MULTILINE)
"""A header of the library that another one includes."""


def headers(graph: Graph) -> set[str]:
    """Return the headers that the ops need, with those that they include."""
    found, left = set[str](), {n.op.name() for n in graph}
    while left:
        found |= left
        texts = [asset("hls_templates", "eqhls", f"{kind}.h").read_text() for kind in left]
        left = set(INCLUDED.findall("\n".join(texts))) - found
    return found


def tensor_type(type: Type) -> str:
    """Return the C++ type of a tensor."""
    size = type.elements // type.dim
    if type.rep.own_formats:
        types = ", ".join(plain(type.format_of(d)) for d in range(type.dim))
        return f"eqhls::four_vector<{size}, {types} >"
    return f"eqhls::components<{size}, {type.dim}, {plain(covering(type.formats))} >"


def top_header(plan: Plan) -> str:
    """Return the declaration of the top function."""
    graph, out = plan.graph, Emitter()
    open_guard(out, guard(graph.name, "TOP"))
    out('#include "defines.h"')
    out()
    out(f"namespace {namespace(graph.name)} {{")
    out(f"// One event {plan.every}. Element 0 of the first port lies in the lowest bits of a word.")
    out(f"void {graph.name}(in_word_t in_data, out_word_t& out_data);")
    out(f"}}  // namespace {namespace(graph.name)}")
    out("#endif")
    return out.text()


def defines(plan: Plan) -> str:
    """Return the types of all values and of the two words."""
    graph, out = plan.graph, Emitter()
    open_guard(out, guard(graph.name, "DEFINES"))
    for line in wide_integers(plan):
        out(line)
    out('#include "eqhls/common.h"')
    out()
    out(f"namespace {namespace(graph.name)} {{")
    out(f"typedef ap_uint<{plan.inputs.bits}> in_word_t;")
    out(f"typedef ap_uint<{plan.outputs.bits}> out_word_t;")
    for node in graph:
        out(f"typedef {tensor_type(node.type)} {identifier(node.name)}t;  // {node.type}")
    out(f"}}  // namespace {namespace(graph.name)}")
    out("#endif")
    return out.text()


def wide_integers(plan: Plan) -> list[str]:
    """Return the lines in front of the headers of ap_int, which take the width of both words from a macro."""
    widest = -(-max(plan.inputs.bits, plan.outputs.bits, 1024) // 1024) * 1024
    return [
        "#ifndef AP_INT_MAX_W",
        f"#define AP_INT_MAX_W {widest}",
        f"#elif AP_INT_MAX_W < {widest}",
        f"#error {plan.name} needs wider integers: compile everything with -DAP_INT_MAX_W={widest} or more",
        "#endif",
    ]


def contexts(plan: Plan) -> list[Context]:
    """Return every node with its input types and, for ports, its place in the word."""
    graph, at = plan.graph, places(plan.inputs)
    return [Context(n, graph.types_into(n), at[n.name] if n.op.source else {}) for n in graph]


def places(layout: Layout) -> dict[str, dict[str, Value]]:
    """Return the place of every port in its word: the first bit, and the bits from vector to vector."""
    fields = layout.by_port()
    return {p.name: {"offset": fields[p.name][0].lsb, "stride": p.stride} for p in layout.ports}


def parameters(plan: Plan) -> str:
    """Return the config structs of all ops."""
    graph, out = plan.graph, Emitter()
    open_guard(out, guard(graph.name, "PARAMETERS"))
    out('#include "defines.h"')
    out('#include "weights/tables.h"')
    for kind in sorted({n.op.name() for n in graph} | {"output"}):
        out(f'#include "eqhls/{kind}.h"')
    out()
    out(f"namespace {namespace(graph.name)} {{")
    for c in contexts(plan):
        out(f"// {c.node.op.name()}")
        if function := generated(c.node.op, c):
            out(function)
        out(config_struct(identifier(c.node.name), config(c.node.op, c)))
    for name, place in places(plan.outputs).items():
        out(config_struct(f"{identifier(name)}out", place))
    out(f"}}  // namespace {namespace(graph.name)}")
    out("#endif")
    return out.text()


def tables(plan: Plan) -> str:
    """Return the constant tables of all ops."""
    graph = plan.graph
    parts = [table_text(identifier(c.node.name), config(c.node.op, c)) for c in contexts(plan)]
    body = "".join(p for p in parts if p)
    name = guard(graph.name, "TABLES")
    return (
        f"#ifndef {name}\n#define {name}\nnamespace {namespace(graph.name)} {{\n{body}"
        f"}}  // namespace {namespace(graph.name)}\n#endif\n"
    )


def top_source(graph: Graph) -> str:
    """Return the top function: one call per op."""
    out = Emitter()
    out(f'#include "{graph.name}.h"')
    out('#include "parameters.h"')
    out()
    out(f"namespace {namespace(graph.name)} {{")
    out()
    out(f"void {graph.name}(in_word_t in_data, out_word_t& out_data) {{")
    out("#pragma HLS INLINE")
    with out.block():
        for node in graph:
            out(f"{identifier(node.name)}t {identifier(node.name)};")
            for member in members(node.type):
                out(f"#pragma HLS ARRAY_PARTITION variable={identifier(node.name)}.{member} complete dim=0")
            out(call(node))
        out("out_word_t word = 0;")
        for node in graph.results:
            out(f"eqhls::output<{identifier(node.name)}outconfig>({identifier(node.name)}, word);")
        out("out_data = word;")
    out("}")
    out()
    out(f"}}  // namespace {namespace(graph.name)}")
    return out.text()


def members(type: Type) -> tuple[str, ...]:
    """Return the arrays inside a tensor."""
    return ("c0", "c1", "c2", "c3") if type.rep.own_formats else ("c",)


def call(node: Node) -> str:
    """Return the call of an op; one with any number of inputs takes its result first."""
    result = identifier(node.name)
    inputs = ["in_data"] if node.op.source else [identifier(n) for n in node.inputs]
    arguments = [result, *inputs] if node.op.variadic else [*inputs, result]
    return f"eqhls::{node.op.name()}<{result}config>({', '.join(arguments)});"


def render(template: str, plan: Plan) -> str:
    """Fill in a whole-file script."""
    options = plan.options
    environment = Environment(
        loader=PackageLoader("eqhls.backends.hls", "scripts"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(
        name=plan.name,
        namespace=namespace(plan.name),
        options=options,
        top=top_name(plan.name, options.HLSTop),
        tops={form: top_name(plan.name, form) for form in FORMS},
        free_running=options.HLSTop != "cms",
        ii=plan.ii,
        standard=STANDARD[options.Backend],
        period=f"{options.ClockPeriod:.4f}",
        uncertainty=f"{100 * options.uncertainty:.4g}%",
        in_bits=plan.inputs.bits,
        out_bits=plan.outputs.bits,
        in_fields=len(plan.inputs.fields),
        out_fields=len(plan.outputs.fields),
        inputs=plan.inputs.ports,
        outputs=plan.outputs.ports,
        arguments=arguments(Contract.of(plan)),
    )
