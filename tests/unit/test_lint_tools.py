"""What the linter knows of the HLS tools: pragmas, Tcl commands, hls_config.cfg, and the C++ of their front-ends.

Every rule has a line that it passes and one that it must not pass.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import networks
import numpy as np
import pytest

from eqhls.backends.hls.emit import emit
from eqhls.backends.hls.lint import lint_pragmas, lint_project, lint_standard
from eqhls.backends.hls.lintscripts import commands, lint_config, lint_tcl
from eqhls.backends.hls.tools import COMMANDS, HLS_KEYS, Tool
from eqhls.lower.plan import Plan
from eqhls.options import Options, TopForm

FORMS: tuple[TopForm, ...] = ("word", "typed", "cms")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan.of(networks.seeded(np.random.default_rng(1), 2, 1), Options())


def function(*pragmas: str, body: str = "") -> str:
    """A top function with an array, a scalar and a result."""
    lines = "\n".join(f"#pragma HLS {p}" for p in pragmas)
    return f"void f(const int x[4], int a, int& y) {{\n{lines}\n{body}}}\n"


PAIRS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "which is not partitioned completely": (
        ("ARRAY_PARTITION variable=x complete dim=0", "INTERFACE ap_none port=x"),
        ("ARRAY_PARTITION variable=x cyclic factor=2 dim=1", "INTERFACE ap_none port=x"),
    ),
    "no tool takes both": (
        ("INTERFACE m_axi port=x",),
        ("INTERFACE m_axi port=x", "ARRAY_PARTITION variable=x complete dim=0"),
    ),
    "can be co-simulated at II=1 only": (
        ("INTERFACE ap_ctrl_none port=return", "PIPELINE II=1"),
        ("INTERFACE ap_ctrl_none port=return", "PIPELINE II=6"),
    ),
    "no top function": (("INTERFACE ap_none port=a", "INLINE off"), ("INTERFACE ap_none port=a", "INLINE")),
    "names 2 modes": (("INTERFACE ap_vld port=y",), ("INTERFACE ap_vld ap_none port=y",)),
    "names 0 modes": (("INTERFACE ap_vld port=y",), ("INTERFACE port=y",)),
    "is not one of an argument": (("INTERFACE ap_none port=a",), ("INTERFACE ap_ctrl_none port=a",)),
    "is not one of port=return": (("INTERFACE ap_ctrl_hs port=return",), ("INTERFACE ap_none port=return",)),
    "no option 'ap_non'": (("INTERFACE ap_none port=a",), ("INTERFACE ap_non port=a",)),
    "takes 'complete' without a value": (
        ("ARRAY_PARTITION variable=x complete",),
        ("ARRAY_PARTITION variable=x complete=1",),
    ),
    "takes 'dim' with a value": (
        ("ARRAY_PARTITION variable=x complete dim=1",),
        ("ARRAY_PARTITION variable=x complete dim",),
    ),
    "is not a number of clocks": (("PIPELINE II=2",), ("PIPELINE II=0",)),
}


@pytest.mark.parametrize("problem", PAIRS)
def test_pragmas_that_go_together_and_that_do_not(problem: str) -> None:
    good, bad = PAIRS[problem]
    assert lint_pragmas("a.cpp", function(*good)) == []
    assert [problem in str(f) for f in lint_pragmas("a.cpp", function(*bad))].count(True) >= 1


ONE_TOOL: dict[str, tuple[Tool, Tool]] = {
    "AGGREGATE variable=x compact=bit": ("Vitis", "Vivado"),
    "DISAGGREGATE variable=x": ("Vitis", "Vivado"),
    "DATA_PACK variable=x": ("Vivado", "Vitis"),
    "RESOURCE variable=x core=RAM_1P": ("Vivado", "Vitis"),
    "BIND_OP variable=y op=mul impl=dsp": ("Vitis", "Vivado"),
    "ARRAY_PARTITION variable=x type=complete": ("Vitis", "Vivado"),
    "PIPELINE II=1 style=flp": ("Vitis", "Vivado"),
    "PIPELINE II=1 enable_flush": ("Vivado", "Vitis"),
    "INTERFACE mode=ap_none port=a": ("Vitis", "Vivado"),
}


@pytest.mark.parametrize("pragma", ONE_TOOL)
def test_a_pragma_of_one_tool_is_refused_by_the_other(pragma: str) -> None:
    takes, refuses = ONE_TOOL[pragma]
    assert lint_pragmas("a.cpp", function(pragma), (takes,)) == []
    (finding,) = lint_pragmas("a.cpp", function(pragma), (refuses,))
    assert f"in {refuses} HLS" in str(finding)
    assert lint_pragmas("a.cpp", function(pragma)), "without a tool, both must take it"


def test_a_compact_that_is_none() -> None:
    (finding,) = lint_pragmas("a.cpp", function("AGGREGATE variable=x compact=bits"), ("Vitis",))
    assert "compacts to 'bits'" in str(finding)


def test_a_pipeline_inside_of_an_if() -> None:
    """Vitis does not take it (hls4ml's issue 609); a loop is the place for it, also behind an if that ended."""
    inside = function(body="  if (a > 1) {\n#pragma HLS PIPELINE II=1\n  y = a;\n  }\n")
    branch = function(body="  if (a) {\n    y = 1;\n  } else {\n#pragma HLS PIPELINE II=1\n  }\n")
    loop = function(body="  if (a) {\n  }\n  for (int k = 0; k < 4; ++k) {\n#pragma HLS PIPELINE II=1\n  }\n")
    for text in (inside, branch):
        (finding,) = lint_pragmas("a.cpp", text)
        assert "where Vitis does not take it" in str(finding)
    assert lint_pragmas("a.cpp", loop) == []


LATER = {
    "if constexpr (N > 1) y = 1;": "C++17",
    "auto [a, b] = pair;": "C++17",
    "auto f = [](auto x) { return x; };": "C++14",
    "auto twice(int x) { return 2 * x; }": "C++14",
    "const int n = 1'000;": "C++14",
    "const int n = 0b101;": "C++14",
    "using word_t = ap_uint<8>;": "g++ 4.6",
    "int value() const override;": "g++ 4.6",
    "static constexpr int n = 3;": "g++ 4.6",
    "[[maybe_unused]] int n;": "g++ 4.6",
    "const long n = 12_bits;": "g++ 4.6",
}


@pytest.mark.parametrize("line", LATER)
def test_newer_cpp(line: str) -> None:
    assert any(LATER[line] in str(f) for f in lint_standard("a.h", line + "\n"))
    assert lint_standard("a.h", f"// {line}\n") == []


def test_cpp_11_that_both_take() -> None:
    text = (
        "template <class CFG, class... X>\nvoid add(int& y, const X&... x) {\n  y = x_t<3>::c0_t(a[b[2]]);\n"
        "using namespace eqhls_net;\nauto values(const V& v) -> decltype(v.c0[0]) {\n}\n"
    )
    assert lint_standard("a.h", text) == []


SCRIPTS: dict[str, tuple[Tool, str]] = {
    "csim_design -argvs x": ("Vitis", "no option -argvs"),
    "catch {config_compile -pipeline_loop 0}": ("Vitis", "no option -pipeline_loop"),
    "if {$a} { csyn_design }": ("Vitis", "no command of Tcl or of Vitis HLS"),
    "cosim_design -trace_level everything": ("Vitis", "is 'everything'"),
    "export_design -format zip": ("Vivado", "is 'zip'"),
    "open_solution -reset s1 -flow_target vivado": ("Vivado", "no option -flow_target in Vivado"),
    "config_schedule -enable_dsp_full_reg=no": ("Vivado", "expected true or false"),
    "config_rtl -module_auto_prefix=true": ("Vivado", "no option -module_auto_prefix in Vivado"),
    "config_array_partition -maximum_size 4096": ("Vitis", "no option -maximum_size in Vitis"),
    "csim_design -argv": ("Vitis", "has no value"),
    "set_top": ("Vitis", "has 0 words"),
    "set_part a b": ("Vitis", "has 2 words"),
    'add_files [file_join a b] -cflags "-O"': ("Vitis", "'file_join' is no command"),
}


@pytest.mark.parametrize("line", SCRIPTS)
def test_commands_that_a_tool_does_not_have(line: str) -> None:
    tool, problem = SCRIPTS[line]
    (finding,) = lint_tcl("a.tcl", f"# csyn_design\nset a 1\n{line}\n", tool)
    assert problem in str(finding) and finding.line == 3


def test_a_script_is_read_as_commands() -> None:
    text = (
        'set a {b c}; puts "d e"\n# csim\nif {$a} {\n  csim_design -argv [file join $a b]\n} else { exit }\n'
    )
    found = [(line, words[0]) for line, words in commands(text)]
    assert found == [(1, "set"), (1, "puts"), (3, "if"), (4, "csim_design"), (4, "file"), (5, "exit")]


GOOD = "part=xcvu13p-flga2577-2-e\n\n# comment\n[hls]\nclock=2.7778ns\nsyn.file=a.cpp\ncsim.argv=tb_data\n"
CONFIGS = {
    "syn.complie.pipeline_loops=0": "unknown key 'syn.complie.pipeline_loops' in section [hls]",
    "part=xcvu13p": "unknown key 'part' in section [hls]",
    "clock=3ns": "clock stands twice",
    "clock_uncertainty=much": "clock_uncertainty is 'much'",
    "syn.file=b.cpp": "names 'b.cpp', which is not in the project",
    "tb.file_cflags=a.cpp": "tb.file_cflags is 'a.cpp'",
    "cosim.trace_level=some": "cosim.trace_level is 'some'",
    "package.output.format=zip": "package.output.format is 'zip'",
    "cosim.argv": "expected key=value",
    "[hsl]\nclock=1ns": "unknown section [hsl]",
}


@pytest.mark.parametrize("line", CONFIGS)
def test_configurations_that_vitis_does_not_take(line: str) -> None:
    assert lint_config("a.cfg", GOOD, ["a.cpp"]) == []
    findings = lint_config("a.cfg", f"{GOOD}{line}\n", ["a.cpp"])
    assert any(CONFIGS[line] in str(f) for f in findings), findings
    assert "unknown key 'clock' in the part before" in str(lint_config("a.cfg", "clock=1ns\n", [])[0])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("backend", ["Vitis", "Vivado"])
@pytest.mark.parametrize("token", [0, 13])
def test_every_project_is_clean(
    form: TopForm, backend: Literal["Vitis", "Vivado"], token: int, plan: Plan
) -> None:
    options = Options(HLSTop=form, Backend=backend, TokenBits=token)
    made = emit(replace(plan, options=options))
    assert lint_project(made) == []
    spoilt = {**made, "build_prj.tcl": str(made["build_prj.tcl"]).replace("csynth_design", "csyn_design")}
    assert len(lint_project(spoilt)) == 1


def test_a_free_running_top_of_more_clocks_is_told(plan: Plan) -> None:
    """With II = 6 the tops without block protocol are findings, the one with ap_ctrl_hs is not, and scripts
    say which can be co-simulated."""
    made = emit(replace(plan, folded="j", beats=6))
    name = plan.name
    found = {f.file for f in lint_project(made)}
    assert found == {f"firmware/{name}_hls.cpp", f"firmware/{name}_hls_typed.cpp"}
    assert "Leave --cosim out" in str(made["hls_config.cfg"]) and "II = 6" in str(made["project.tcl"])
    kept = emit(replace(plan, folded="j", beats=6, options=Options(HLSTop="cms")))
    assert "can be co-simulated at any II" in str(kept["hls_config.cfg"])
    assert "#pragma HLS PIPELINE II=6" in str(kept[f"firmware/{name}_hls_cms.cpp"])
    assert "at II = 1" in str(emit(plan)["hls_config.cfg"])


def test_the_tables_hold_what_scripts_of_hls4ml_use() -> None:
    """An independent list, from the references: the commands that hls4ml gives both tools."""
    names = {"open_project", "set_top", "add_files", "open_solution", "set_part", "csynth_design"}
    for tool in COMMANDS:
        assert names <= set(COMMANDS[tool]), tool
    assert {"cosim.argv", "csim.argv", "syn.top", "tb.file", "package.ip.name"} <= set(HLS_KEYS)
