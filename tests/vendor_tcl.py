"""The Tcl scripts of vendors' tools in a real Tcl interpreter: every command of Vivado and Quartus that ours may
use is declared with the options that its manual gives it (UG835, UG1118; Quartus Scripting Reference), refuses
others, and is recorded. A command that is not declared, a file that does not exist and a port that the top does
not have are errors, as they are in the tools."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools_needed import need


@dataclass(frozen=True)
class Command:
    """Options that take a value, flags, and how many other words there may be."""

    name: str
    valued: str = ""
    flags: str = ""
    least: int = 0
    most: int = 0


XDC = (
    Command("create_clock", "-name -period -waveform", "-add", 0, 1),
    Command("set_input_delay", "-clock -reference_pin", "-max -min -add_delay -clock_fall -rise -fall", 2, 2),
    Command(
        "set_output_delay", "-clock -reference_pin", "-max -min -add_delay -clock_fall -rise -fall", 2, 2
    ),
    Command("get_ports", "-filter -of_objects", "-quiet -regexp -nocase", 1, 1),
)
VIVADO = (
    Command("read_verilog", "-library", "-sv -quiet", 1, 1),
    Command("read_xdc", "-mode -ref -cells", "-unmanaged -no_add", 1, 1),
    Command("synth_design", "-top -part -mode -flatten_hierarchy -directive -name -generic", "-retiming"),
    Command("opt_design", "-directive", "-retarget -propconst -sweep -remap"),
    Command("place_design", "-directive", "-timing_summary"),
    Command("phys_opt_design", "-directive"),
    Command("route_design", "-directive", "-tns_cleanup"),
    Command("report_utilization", "-file -format -hierarchical_depth", "-hierarchical -append"),
    Command("report_timing_summary", "-file -max_paths -delay_type", "-append -warn_on_violation"),
    Command("write_checkpoint", "", "-force", 1, 1),
    Command("get_timing_paths", "-max_paths -nworst -delay_type", "-setup -hold"),
    Command("get_property", "", "-min -max -quiet", 2, 2),
    Command("set_property", "-name -value -objects", "-quiet -dict", 0, 3),
    Command("create_project", "-part", "-force -in_memory", 1, 2),
    Command("close_project", "", "-delete"),
    Command("add_files", "-fileset", "-norecurse -copy_to -force", 1, 1),
    Command("current_fileset"),
    Command("update_compile_order", "-fileset", "-force_gui"),
    Command(
        "ipx::package_project",
        "-root_dir -vendor -library -taxonomy -module -set_current",
        "-import_files -force -generated_files",
    ),
    Command("ipx::current_core"),
    Command("ipx::get_bus_interfaces", "-of_objects -filter", "-quiet", 0, 1),
    Command("ipx::infer_bus_interface", "", "-verbose", 3, 3),
    Command("ipx::add_bus_parameter", "", "-quiet", 2, 2),
    Command("ipx::get_bus_parameters", "-of_objects -filter", "-quiet", 0, 1),
    Command("ipx::create_xgui_files", "-logo_file", "", 1, 1),
    Command("ipx::update_checksums", "", "", 1, 1),
    Command("ipx::check_integrity", "", "-quiet", 1, 1),
    Command("ipx::save_core", "", "", 1, 1),
)
SDC = (*XDC, Command("derive_clock_uncertainty", "", "-add -overwrite"))
QUARTUS = (
    Command("project_new", "-family -part -revision", "-overwrite", 1, 1),
    Command("set_global_assignment", "-name -section_id -entity", "-remove -disable", 1, 1),
    Command("set_instance_assignment", "-name -to -from -entity", "-remove -disable", 1, 1),
    Command("export_assignments"),
    Command("execute_flow", "", "-compile -analysis_and_elaboration"),
    Command("project_close"),
)
ASSIGNMENTS = "FAMILY DEVICE TOP_LEVEL_ENTITY PROJECT_OUTPUT_DIRECTORY SYSTEMVERILOG_FILE VERILOG_FILE SDC_FILE VIRTUAL_PIN"
CHOICES = {
    "synth_design -mode": "default out_of_context",
    "synth_design -flatten_hierarchy": "rebuilt full none",
    "read_xdc -mode": "default out_of_context",
    "ipx::package_project -set_current": "true false",
    "set_global_assignment -name": ASSIGNMENTS,
    "set_instance_assignment -name": ASSIGNMENTS,
}
"""Values that an option may have, if not any."""

HARNESS = r"""
set ::auto_noexec 1
namespace eval ::vendor { variable spec {} choices {} ports {} buses {} parameters {} log [open [lindex $argv 1] w] }
namespace eval ::ipx {}
package provide ::quartus::project 1.0
package provide ::quartus::flow 1.0

proc ::vendor::declare {name valued flags least most} {
  dict set ::vendor::spec $name [list $valued $flags $least $most]
  interp alias {} ::$name {} ::vendor::call $name
}

proc ::vendor::call {name args} {
  lassign [dict get $::vendor::spec $name] valued flags least most
  puts $::vendor::log [join [list $name {*}$args] "\x1f"]
  set options {}
  set words {}
  while {[llength $args] > 0} {
    set args [lassign $args word]
    if {$word in $valued} {
      if {[llength $args] == 0} { error "$name: $word has no value" }
      set args [lassign $args value]
      if {[dict exists $::vendor::choices "$name $word"] && $value ni [dict get $::vendor::choices "$name $word"]} {
        error "$name: $word cannot be $value"
      }
      dict set options $word $value
    } elseif {$word in $flags} {
      dict set options $word 1
    } elseif {[string match {-[a-z]*} $word]} {
      error "$name has no option $word"
    } else {
      lappend words $word
    }
  }
  if {[llength $words] < $least || [llength $words] > $most} { error "$name: wrong number of words: $words" }
  set do ::vendor::do_[string map {:: _} $name]
  if {[llength [info procs $do]]} { return [$do $words $options] }
  return "$name:[lindex $words 0]"
}

proc ::vendor::exists {file} { if {![file isfile $file]} { error "$file does not exist" } }
proc ::vendor::do_read_verilog {words options} {
  ::vendor::exists [lindex $words 0]
  if {[string match *.sv [lindex $words 0]] != [dict exists $options -sv]} { error "-sv is for .sv" }
}
proc ::vendor::do_read_xdc {words options} { ::vendor::exists [lindex $words 0]; uplevel #0 [list source [lindex $words 0]] }
proc ::vendor::do_add_files {words options} { foreach file [lindex $words 0] { ::vendor::exists $file } }
proc ::vendor::do_set_global_assignment {words options} {
  if {[string match *_FILE [dict get $options -name]]} { ::vendor::exists [lindex $words 0] }
  if {[dict get $options -name] eq "SDC_FILE"} { uplevel #0 [list source [lindex $words 0]] }
}
proc ::vendor::do_set_instance_assignment {words options} { ::vendor::port [dict get $options -to] }
proc ::vendor::port {name} { if {$name ni $::vendor::ports} { error "there is no port $name" } }
proc ::vendor::do_get_ports {words options} {
  foreach name [lindex $words 0] { ::vendor::port $name }
  return [lindex $words 0]
}
proc ::vendor::do_set_property {words options} {
  if {[llength $words] ne 3 && ![dict exists $options -objects]} { error "set_property: of what?" }
}
proc ::vendor::do_ipx_get_bus_interfaces {words options} {
  return [expr {[lindex $words 0] in $::vendor::buses ? "bus:[lindex $words 0]" : ""}]
}
proc ::vendor::do_ipx_infer_bus_interface {words options} {
  ::vendor::port [lindex $words 0]
  lappend ::vendor::buses [lindex $words 0]
}
proc ::vendor::do_ipx_add_bus_parameter {words options} {
  if {[lindex $words 1] eq ""} { error "ipx::add_bus_parameter: to what?" }
  lappend ::vendor::parameters "[lindex $words 1] [lindex $words 0]"
}
proc ::vendor::do_ipx_get_bus_parameters {words options} {
  set name "[dict get $options -of_objects] [lindex $words 0]"
  return [expr {$name in $::vendor::parameters ? $name : ""}]
}
"""
RUN = r"""
set script [lindex $argv 0]
set argv [lrange $argv 2 end]
set argc [llength $argv]
if {[catch {source $script} message]} { puts stderr $message; exit 1 }
close $::vendor::log
"""


def ports_of(top: str) -> list[str]:
    """Return the ports of a Verilog module as constraints name them: clk, in_data[*], .."""
    found = re.findall(r"^\s*(?:input|output)\s+wire\s+(\[[^]]*\])?\s*(\w+)", top, re.M)
    return [f"{name}[*]" if span else name for span, name in found]


class TclFault(Exception):
    """What the interpreter said against a script."""


def run_tcl(
    script: Path,
    commands: Iterable[Command],
    ports: Sequence[str],
    folder: Path,
    arguments: Sequence[str] = (),
    buses: Sequence[str] = (),
) -> list[list[str]]:
    """Run a script in `folder` and return the commands of vendors that it called, each a list of its words.

    `buses` are the interfaces that the packager of Vivado finds by itself. Raises TclFault for what a tool
    would refuse.
    """
    declared = [
        f"::vendor::declare {c.name} {{{c.valued}}} {{{c.flags}}} {c.least} {c.most}" for c in commands
    ]
    choices = " ".join(f"{{{option}}} {{{values}}}" for option, values in CHOICES.items())
    state = f"set ::vendor::choices {{{choices}}}\nset ::vendor::ports {{{' '.join(ports)}}}\n"
    state += f"set ::vendor::buses {{{' '.join(buses)}}}"
    harness, log = folder / "harness.tcl", folder / "calls"
    harness.write_text("\n".join((HARNESS, *declared, state, RUN)))
    done = subprocess.run(
        [need("tclsh"), harness, script, log, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise TclFault(done.stderr)
    return [line.split("\x1f") for line in log.read_text().splitlines()]
