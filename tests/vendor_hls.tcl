# Stands in for vitis_hls, vitis-run and vivado_hls: every command checks its options, its place in the flow and
# the files that it is given, and is noted in a log. Our own words, after UG1399 and UG902.
#
# tclsh vendor_hls.tcl TOOL HOW SCRIPT LOG: TOOL is Vitis or Vivado; HOW is source, or eval for a tool that reads
# the text of a script, so that [info script] does not name it.

lassign $argv tool how script log
set log [file normalize $log]
set files {}
set benches {}
set state {}

proc note {args} {
  set channel [open $::log a]
  puts $channel $args
  close $channel
}

proc refuse {text} { puts stderr "REFUSED: $text"; exit 3 }

# Splits the words of a call into options and the rest. `known` holds -option value or -option flag.
proc take {name words known least most} {
  set found [dict create rest {}]
  for {set k 0} {$k < [llength $words]} {incr k} {
    set word [lindex $words $k]
    if {![string match -* $word]} { dict lappend found rest $word; continue }
    set value true
    regexp {^(-[^=]+)=(.*)$} $word -> word value
    if {![dict exists $known $word]} { refuse "$name has no option $word" }
    if {[dict get $known $word] eq "value"} {
      incr k
      if {$k >= [llength $words]} { refuse "$name $word has no value" }
      set value [lindex $words $k]
    } elseif {$value ni {true false}} { refuse "$name $word is $value" }
    dict set found $word $value
  }
  set count [llength [dict get $found rest]]
  if {$count < $least || $count > $most} { refuse "$name has $count words" }
  note $name $found
  return $found
}

proc need {name args} {
  foreach step $args { if {$step ni $::state} { refuse "$name before $step" } }
  lappend ::state $name
}

proc number {name text} { if {![string is double -strict $text] || $text <= 0} { refuse "$name is $text" } }

proc open_project {args} {
  set found [take open_project $args {-reset flag} 1 1]
  set folder [lindex [dict get $found rest] 0]
  if {[file pathtype $folder] ne "relative"} { refuse "open_project $folder" }
  file mkdir $folder
  need open_project
}

proc set_top {args} {
  set ::top [lindex [dict get [take set_top $args {} 1 1] rest] 0]
  need set_top open_project
}

proc add_files {args} {
  set found [take add_files $args {-tb flag -cflags value -csimflags value} 1 1]
  need add_files open_project
  set path [lindex [dict get $found rest] 0]
  if {![file exists $path]} { refuse "add_files $path is not there" }
  if {[file pathtype $path] ne "absolute"} { refuse "add_files $path is relative" }
  if {[dict exists $found -cflags]} {
    foreach flag [dict get $found -cflags] {
      if {$flag ni [list -std=[expr {$::tool eq "Vivado" ? "c++0x" : "c++14"}] -DEQHLS_ONLY_$::top]} {
        refuse "add_files -cflags $flag"
      }
    }
  }
  lappend [expr {[dict exists $found -tb] ? "::benches" : "::files"}] $path
}

proc open_solution {args} {
  set known [expr {$::tool eq "Vitis" ? {-reset flag -flow_target value} : {-reset flag}}]
  set found [take open_solution $args $known 1 1]
  if {[dict exists $found -flow_target] && [dict get $found -flow_target] ne "vivado"} { refuse "flow_target" }
  need open_solution open_project
}

proc set_part {args} {
  set part [lindex [dict get [take set_part $args {} 1 1] rest] 0]
  if {![regexp {^xc[a-z0-9]+-[a-z0-9]+-[0-9][a-z]*(-[a-z])?$} $part]} { refuse "set_part $part" }
  need set_part open_solution
}

proc create_clock {args} {
  set found [take create_clock $args {-period value -name value} 0 0]
  number period [dict get $found -period]
  need create_clock open_solution
}

proc set_clock_uncertainty {args} {
  set found [take set_clock_uncertainty $args {} 1 2]
  number uncertainty [string trimright [lindex [dict get $found rest] 0] %]
  need set_clock_uncertainty create_clock
}

proc config_compile {args} {
  set found [take config_compile $args {-name_max_length value -pipeline_loops value} 0 0]
  need config_compile open_solution
}

proc config_schedule {args} {
  take config_schedule $args {-enable_dsp_full_reg flag} 0 0
  need config_schedule open_solution
}

proc config_rtl {args} {
  if {$::tool eq "Vivado"} { refuse "config_rtl, which would prefix the top with its own name" }
  take config_rtl $args {-module_auto_prefix flag} 0 0
  need config_rtl open_solution
}

# The bench is given a folder with its data; the top stands in one of the files.
proc bench {name found} {
  set folder [dict get $found -argv]
  foreach file {tb_input.dat tb_output.dat} {
    if {![file isfile [file join $folder $file]]} { refuse "$name -argv $folder has no $file" }
  }
  if {[llength $::benches] != 2} { refuse "$name with benches $::benches" }
}

proc csim_design {args} {
  bench csim_design [take csim_design $args {-argv value -O flag -clean flag -setup flag} 0 0]
  need csim_design set_top add_files create_clock
}

proc csynth_design {args} {
  take csynth_design $args {} 0 0
  need csynth_design set_top add_files set_part create_clock set_clock_uncertainty
  set count 0
  foreach path $::files {
    set channel [open $path]
    set text [read $channel]
    close $channel
    incr count [regexp "void ${::top}\\(\[^;\]*\\) \{" $text]
  }
  if {$count != 1} { refuse "csynth_design: $count definitions of $::top" }
}

proc cosim_design {args} {
  set found [take cosim_design $args {-argv value -trace_level value -rtl value -tool value} 0 0]
  if {[dict get $found -trace_level] ni {none port all}} { refuse "cosim_design -trace_level" }
  bench cosim_design $found
  need cosim_design csynth_design
}

proc export_design {args} {
  set found [take export_design $args {-format value -version value -rtl value -ipname value} 0 0]
  if {[dict get $found -format] ne "ip_catalog"} { refuse "export_design -format" }
  need export_design csynth_design
}

if {$how eq "source"} {
  source $script
} else {
  set channel [open $script]
  set text [read $channel]
  close $channel
  eval $text
}
