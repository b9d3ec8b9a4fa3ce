"""What the HLS tools take: Tcl commands with their options, keys of hls_config.cfg, and pragmas.

Facts of UG1399 2023.2 to 2025.2 (Vitis HLS: the reference of commands, that of pragmas, and the map from Tcl
to configuration keys) and of UG902 2020.1 (Vivado HLS). What only some versions of Vitis take is left out, as
is what nothing of eqhls could use (m_axi settings, directives in scripts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Tool = Literal["Vitis", "Vivado"]
TOOLS: tuple[Tool, ...] = ("Vitis", "Vivado")
"""Vitis HLS 2023.2 to 2025 by its own scripts and by vitis-run, and Vivado HLS 2020.1."""


@dataclass(frozen=True, slots=True)
class Command:
    """A Tcl command: options that take the next word as their value, options that stand alone or are written
    `-option=true`, and how many words it takes besides."""

    valued: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    words: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Directive:
    """A pragma: words that stand alone, words that take `=value`, and which of these it cannot do without."""

    flags: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _command(valued: str = "", flags: str = "", words: tuple[int, int] = (0, 0)) -> Command:
    return Command(_set(valued), _set(flags), words)


_EXPORT = "description display_name flow format ipname library rtl taxonomy vendor version"
_COSIM = "argv compiled_library_dir ldflags mflags rtl tool trace_level"
_COSIM_FLAGS = "O coverage disable_deadlock_detection random_stall setup wave_debug"
_BOTH = {
    "set_top": _command(words=(1, 1)),
    "set_part": _command(words=(1, 1)),
    "create_clock": _command("period name"),
    "set_clock_uncertainty": _command(words=(1, 2)),
    "csynth_design": _command(),
    "close_solution": _command(),
    "close_project": _command(),
}
COMMANDS: Mapping[Tool, Mapping[str, Command]] = {
    "Vitis": {
        **_BOTH,
        "open_project": _command("", "reset upgrade", (1, 1)),
        "open_solution": _command("flow_target", "reset", (1, 1)),
        "add_files": _command("cflags csimflags blackbox", "tb appendflags", (1, 1)),
        "csim_design": _command("argv ldflags mflags", "O clean setup"),
        "cosim_design": _command(
            f"{_COSIM} hwemu_trace_dir user_stall",
            f"{_COSIM_FLAGS} disable_dependency_check enable_dataflow_profiling enable_fifo_sizing "
            "stable_axilite_update enable_tasks_with_m_axi",
        ),
        "export_design": _command(f"{_EXPORT} output"),
        "config_array_partition": _command("complete_threshold throughput_driven"),
        "config_compile": _command(
            "name_max_length pipeline_loops pipeline_style pipeline_flush_in_task",
            "enable_auto_rewind ignore_long_run_time no_signed_zeros pragma_strict_mode "
            "unsafe_math_optimizations",
        ),
        "config_interface": _command("register_io default_slave_interface", "clock_enable"),
        "config_rtl": _command(
            "deadlock_detection header module_prefix register_reset_num reset reset_level",
            "kernel_profile module_auto_prefix mult_keep_attribute register_all_io reset_async",
        ),
        "config_schedule": _command("", "enable_dsp_full_reg"),
        "config_unroll": _command("tripcount_threshold"),
    },
    "Vivado": {
        **_BOTH,
        "open_project": _command("", "reset", (1, 1)),
        "open_solution": _command("", "reset", (1, 1)),
        "add_files": _command("cflags csimflags blackbox", "tb", (1, 1)),
        "csim_design": _command("argv compiler ldflags mflags", "O clean setup profile"),
        "cosim_design": _command(_COSIM, f"{_COSIM_FLAGS} reduce_diskspace ignore_init"),
        "export_design": _command(_EXPORT, "use_netlist"),
        "config_array_partition": _command(
            "auto_partition_threshold auto_promotion_threshold maximum_size scalarize_all throughput_driven",
            "exclude_extern_globals include_extern_globals include_ports",
        ),
        "config_compile": _command(
            "name_max_length pipeline_loops", "ignore_long_run_time no_signed_zeros unsafe_math_optimizations"
        ),
        "config_interface": _command("register_io", "clock_enable expose_global trim_dangling_port"),
        "config_rtl": _command("encoding header module_prefix reset reset_level", "auto_prefix reset_async"),
        "config_schedule": _command("effort", "enable_dsp_full_reg relax_ii_for_timing verbose"),
        "config_unroll": _command("tripcount_threshold", "region"),
    },
}
"""The Tcl commands of each tool. `config_rtl -module_auto_prefix` is not among those of Vivado HLS, which has
it, because it prefixes the top with its own name there."""

VALUES: Mapping[str, str] = {
    "create_clock -period": r"\d+(\.\d+)?(ns|MHz)?",
    "open_solution -flow_target": "vivado|vitis",
    "cosim_design -trace_level": "none|port|port_hier|all",
    "cosim_design -rtl": "verilog|vhdl",
    "export_design -format": "ip_catalog|syn_dcp|sysgen|xo|rtl",
    "export_design -rtl": "verilog|vhdl",
    "config_rtl -reset": "none|control|state|all",
    "config_compile -name_max_length": r"\d+",
    "config_compile -pipeline_loops": r"\d+",
}
"""What the value of an option must look like, where the tool takes no others."""

GLOBAL_KEYS: Mapping[str, str] = {"part": r"[\w-]+", "platform": r"\S+", "freqhz": r"\d+\w*"}
"""Keys of hls_config.cfg outside of a section, with their values."""

_BOOL = "true|false|0|1"
_FLAGGED = r"\S+\.\w+,.+"
HLS_KEYS: Mapping[str, str] = {
    "flow_target": "vivado|vitis",
    "clock": r"\d+(\.\d+)?(ns|MHz)?",
    "clock_uncertainty": r"\d+(\.\d+)?(%|ns|MHz)?",
    "syn.file": r"\S+",
    "syn.file_cflags": _FLAGGED,
    "syn.file_csimflags": _FLAGGED,
    "syn.cflags": ".+",
    "syn.csimflags": ".+",
    "syn.blackbox.file": r"\S+",
    "syn.top": r"[A-Za-z_]\w*",
    "syn.array_partition.complete_threshold": r"\d+",
    "syn.array_partition.throughput_driven": "auto|off",
    "syn.compile.enable_auto_rewind": _BOOL,
    "syn.compile.ignore_long_run_time": _BOOL,
    "syn.compile.name_max_length": r"\d+",
    "syn.compile.no_signed_zeros": _BOOL,
    "syn.compile.pipeline_flush_in_task": "always|never|ii1",
    "syn.compile.pipeline_loops": r"\d+",
    "syn.compile.pipeline_style": "stp|flp|frp",
    "syn.compile.pragma_strict_mode": _BOOL,
    "syn.compile.unsafe_math_optimizations": _BOOL,
    "syn.debug.directory": r"\S+",
    "syn.debug.enable": _BOOL,
    "syn.interface.clock_enable": _BOOL,
    "syn.interface.default_slave_interface": "s_axilite|none",
    "syn.interface.register_io": "off|scalar_in|scalar_out|scalar_all",
    "syn.rtl.deadlock_detection": "none|sim|hw",
    "syn.rtl.header": r"\S+",
    "syn.rtl.kernel_profile": _BOOL,
    "syn.rtl.module_auto_prefix": _BOOL,
    "syn.rtl.module_prefix": r"\w+",
    "syn.rtl.mult_keep_attribute": _BOOL,
    "syn.rtl.register_all_io": _BOOL,
    "syn.rtl.register_reset_num": r"\d+",
    "syn.rtl.reset": "none|control|state|all",
    "syn.rtl.reset_async": _BOOL,
    "syn.rtl.reset_level": "high|low",
    "syn.schedule.enable_dsp_full_reg": _BOOL,
    "syn.unroll.tripcount_threshold": r"\d+",
    "syn.op": ".+",
    "syn.storage": ".+",
    "tb.file": r"\S+",
    "tb.cflags": ".+",
    "tb.file_cflags": _FLAGGED,
    **{f"csim.{k}": ".+" for k in ("argv", "ldflags", "mflags")},
    **{f"csim.{k}": _BOOL for k in ("O", "clean", "setup")},
    **{f"cosim.{k}": ".+" for k in ("argv", "compiled_library_dir", "ldflags", "mflags", "user_stall")},
    "cosim.rtl": "verilog|vhdl",
    "cosim.tool": "auto|vcs|modelsim|riviera|ncsim|xceilum|xsim",
    "cosim.trace_level": "none|port|port_hier|all",
    **{f"cosim.{k}": _BOOL for k in _COSIM_FLAGS.split()},
    "package.output.file": r"\S+",
    "package.output.format": "ip_catalog|xo|syn_dcp|sysgen|rtl",
    "package.output.syn": _BOOL,
    "package.ip.name": r"[A-Za-z]\w*",
    "package.ip.version": r"\d+\.\d+(\.\d+)?",
    **{f"package.ip.{k}": ".+" for k in ("description", "display_name", "library", "taxonomy", "vendor")},
    **{f"package.ip.{k}": r"\S+" for k in ("xdc_file", "xdc_ooc_file")},
    "vivado.flow": "none|syn|impl",
    "vivado.rtl": "verilog|vhdl",
    **{
        f"vivado.{k}": ".+"
        for k in ("clock", "impl_strategy", "pblock", "synth_design_args", "synth_strategy")
    },
    "vivado.max_timing_paths": r"\d+",
    "vivado.optimization_level": r"\d",
    "vivado.report_level": r"\d",
}
"""Keys of section [hls], with their values."""

REPEATED = _set("syn.file syn.file_cflags syn.file_csimflags syn.op syn.storage tb.file tb.file_cflags")
"""Keys that may stand more than once."""

MODES = _set("ap_none ap_vld ap_ovld ap_ack ap_hs ap_stable ap_memory bram ap_fifo axis m_axi s_axilite")
"""Interface modes of arguments."""

BLOCK_MODES = _set("ap_ctrl_none ap_ctrl_hs ap_ctrl_chain s_axilite")
"""Interface modes of `port=return`."""


def _directive(flags: str = "", keys: str = "", needs: str = "") -> Directive:
    return Directive(_set(flags), _set(keys), _set(needs))


_ARRAY = "variable dim factor"
_INTERFACE = " ".join(sorted(MODES | BLOCK_MODES))
_SHARED = {
    "INLINE": _directive("off recursive"),
    "DEPENDENCE": _directive("", "variable class type direction distance dependent", ""),
    "EXPRESSION_BALANCE": _directive("off"),
    "LATENCY": _directive("", "min max"),
    "LOOP_FLATTEN": _directive("off"),
    "LOOP_MERGE": _directive("force"),
    "LOOP_TRIPCOUNT": _directive("", "min max avg"),
    "PROTOCOL": _directive("floating fixed"),
    "RESET": _directive("off", "variable", "variable"),
    "STREAM": _directive("off", "variable depth", "variable"),
    "TOP": _directive("", "name"),
}
DIRECTIVES: Mapping[Tool, Mapping[str, Directive]] = {
    "Vitis": {
        **_SHARED,
        "AGGREGATE": _directive("", "variable compact", "variable"),
        "ALLOCATION": _directive("operation function", "instances limit"),
        "ARRAY_PARTITION": _directive("complete cyclic block off", f"{_ARRAY} type", "variable"),
        "ARRAY_RESHAPE": _directive("complete cyclic block object", f"{_ARRAY} type", "variable"),
        "BIND_OP": _directive("", "variable op impl latency", "variable op"),
        "BIND_STORAGE": _directive("", "variable type impl latency", "variable"),
        "DATAFLOW": _directive("disable_start_propagation"),
        "DISAGGREGATE": _directive("", "variable", "variable"),
        "INTERFACE": _directive(
            f"register {_INTERFACE}", "port mode bundle depth latency name offset register_mode", "port"
        ),
        "PERFORMANCE": _directive("", "target_ti target_tl assume_ti assume_tl"),
        "PIPELINE": _directive("off rewind", "II style"),
        "UNROLL": _directive("skip_exit_check", "factor off"),
    },
    "Vivado": {
        **_SHARED,
        "ALLOCATION": _directive("operation function core", "instances limit"),
        "ARRAY_MAP": _directive("horizontal vertical", "variable instance offset", "variable instance"),
        "ARRAY_PARTITION": _directive("complete cyclic block", _ARRAY, "variable"),
        "ARRAY_RESHAPE": _directive("complete cyclic block object", _ARRAY, "variable"),
        "CLOCK": _directive("", "domain"),
        "DATA_PACK": _directive("struct_level field_level", "variable instance", "variable"),
        "DATAFLOW": _directive(),
        "INTERFACE": _directive(
            f"register {_INTERFACE}", "port bundle clock depth latency name offset", "port"
        ),
        "PIPELINE": _directive("off rewind enable_flush", "II"),
        "RESOURCE": _directive("", "variable core latency metadata", "variable core"),
        "UNROLL": _directive("skip_exit_check region", "factor"),
    },
}
"""The pragmas of each tool; words are compared as eqhls writes them."""

COMPACT = _set("bit byte none auto")
"""What AGGREGATE may compact to."""

LATER_CPP: Mapping[str, str] = {
    r"\bif\s+constexpr\b": "if constexpr (C++17)",
    r"\bauto\s*&?\s*\[": "structured bindings (C++17)",
    r"\bdecltype\s*\(\s*auto\s*\)": "decltype(auto) (C++14)",
    r"\[[^\]]*\]\s*\(\s*(const\s+)?auto\b": "a generic lambda (C++14)",
    r"\bauto\s+\w+\s*\((?!.*->)[^;]*\)\s*(const\s*)?\{": "a deduced return type (C++14)",
    r"\b\d+'\d": "a digit separator (C++14)",
    r"\b0[bB][01]": "a binary literal (C++14)",
    r"\bconstexpr\b": "constexpr, which g++ 4.6 and clang 3.1 take in part only",
    r"\busing\s+\w+\s*=": "an alias of a type by using, which g++ 4.6 does not take",
    r"\)\s*(const\s*)?(override|final)\b": "override or final, which g++ 4.6 does not take",
    r"\b(alignas|thread_local)\b": "a keyword that g++ 4.6 does not take",
    r"\[\[": "an attribute, which g++ 4.6 does not take",
    r"(?<![\w.])\d+(\.\d+)?_[a-z]\w*": "a literal of the user, which g++ 4.6 does not take",
}
"""What C++ the old front-end of Vivado HLS, clang 3.1 with the headers of g++ 4.6, does not take."""
