"""The Tcl scripts of packages in a Tcl interpreter that knows the commands of Vivado and of Quartus, with mistakes
that it must see."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from packed import SOURCES, copied, packed_project, spoil
from tools_needed import need
from vendor_tcl import QUARTUS, SDC, VIVADO, XDC, Command, TclFault, ports_of, run_tcl

from eqhls.flow import Compiled


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return packed_project(tmp_path_factory.mktemp("packages") / "My Documents")


@pytest.fixture
def copy(packed: Compiled, tmp_path: Path) -> Compiled:
    return copied(packed, tmp_path)


def scripts(project: Compiled) -> dict[str, tuple[Path, tuple[Command, ...]]]:
    ip = project.folder / "ip"
    return {
        "vivado": (ip / "vivado" / "run.tcl", (*VIVADO, *XDC)),
        "ipxact": (ip / "ipxact" / "package.tcl", VIVADO),
        "quartus": (ip / "quartus" / "run.tcl", (*QUARTUS, *SDC)),
    }


def calls(
    project: Compiled, name: str, folder: Path, *arguments: str, buses: tuple[str, ...] = ()
) -> list[list[str]]:
    script, commands = scripts(project)[name]
    ports = ports_of((project.folder / "rtl" / "pair.v").read_text())
    return run_tcl(script, commands, ports, folder, arguments, buses)


def read_in(found: list[list[str]], *commands: str) -> list[str]:
    """Return the sources that commands took, in their order, below the project folder."""
    files = [Path(w) for call in found if call[0] in commands for w in call if w.endswith((".v", ".sv"))]
    assert all(f.is_file() for f in files)
    return [str(Path(*f.parts[-2:])) for f in files]


def test_the_top_has_the_ports_that_are_constrained(packed: Compiled) -> None:
    ports = ports_of((packed.folder / "rtl" / "pair.v").read_text())
    assert ports == ["clk", "rst", "in_valid", "in_data[*]", "out_valid", "out_data[*]"]


@pytest.mark.parametrize("steps", ["synth", "all"])
def test_vivado(packed: Compiled, tmp_path: Path, steps: str) -> None:
    found = calls(packed, "vivado", tmp_path, *(["synth"] if steps == "synth" else []))
    names = [c[0] for c in found]
    assert read_in(found, "read_verilog") == SOURCES
    synth = names.index("synth_design")
    assert max(i for i, n in enumerate(names) if n.startswith("read_")) < synth
    assert {"-top", "pair", "xcvu13p-flga2577-2-e", "out_of_context"} <= set(found[synth])
    clock = next(c for c in found if c[0] == "create_clock")
    assert clock[1:5] == ["-name", "clk", "-period", "2.7778"]
    constrained = [p for c in found if c[0] in ("set_input_delay", "set_output_delay") for p in c[-1].split()]
    assert sorted(["clk", *constrained]) == sorted(ports_of((packed.folder / "rtl" / "pair.v").read_text()))
    order = ["opt_design", "place_design", "phys_opt_design", "route_design"]
    assert [n for n in names if n in order] == (order if steps == "all" else [])
    reports = [Path(c[c.index("-file") + 1]) for c in found if c[0].startswith("report_")]
    assert len(set(reports)) == len(reports) == (6 if steps == "all" else 3)
    assert {r.parent for r in reports} == {tmp_path / "pair_vivado"}


@pytest.mark.parametrize("buses", [(), ("clk", "rst")], ids=["named", "inferred"])
def test_ipxact(packed: Compiled, tmp_path: Path, buses: tuple[str, ...]) -> None:
    """Whether the packager of Vivado finds clock and reset by itself or not."""
    found = calls(packed, "ipxact", tmp_path, "my ip", buses=buses)
    names = [c[0] for c in found]
    added = _listed(next(c for c in found if c[0] == "add_files")[-1])
    assert [str(Path(*Path(w).parts[-2:])) for w in added] == SOURCES
    order = [
        "create_project",
        "add_files",
        "update_compile_order",
        "ipx::package_project",
        "ipx::save_core",
        "close_project",
    ]
    assert [n for n in names if n in order] == order
    package = next(c for c in found if c[0] == "ipx::package_project")
    assert str(tmp_path / "my ip") in package and {"eqhls", "ip", "/UserIP", "-import_files"} <= set(package)
    assert names.count("ipx::infer_bus_interface") == 2 - len(buses)
    assert ["set_property", "value", "ACTIVE_HIGH", "bus:rst POLARITY"] in found
    assert ["set_property", "value", "rst", "bus:clk ASSOCIATED_RESET"] in found
    assert ["set_property", "top", "pair"] in [c[:3] for c in found]


def _listed(text: str) -> list[str]:
    """Return the words of a Tcl list whose words with blanks are in braces."""
    done = subprocess.run(
        [need("tclsh")],
        input=f"foreach word {{{text}}} {{puts $word}}",
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_quartus(packed: Compiled, tmp_path: Path) -> None:
    found = calls(packed, "quartus", tmp_path, "Agilex 7", "AGFB014R24B2E2V")
    names = [c[0] for c in found]
    assert read_in(found, "set_global_assignment") == SOURCES
    assert ["set_global_assignment", "-name", "DEVICE", "AGFB014R24B2E2V"] in found
    assert ["set_global_assignment", "-name", "TOP_LEVEL_ENTITY", "pair"] in found
    virtual = [c[-1] for c in found if c[0] == "set_instance_assignment"]
    assert virtual == ["rst", "in_valid", "in_data[*]", "out_valid", "out_data[*]"]
    assert names[0] == "project_new" and names[-2:] == ["execute_flow", "project_close"]
    assert "create_clock" in names and (tmp_path / "pair_quartus").is_dir()
    assert ["set_global_assignment", "-name", "FAMILY", "Arria 10"] in calls(packed, "quartus", tmp_path)


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "said"),
    [
        ("vivado", "run.tcl", "-flatten_hierarchy", "-flatten_hierachy", "no option -flatten_hierachy"),
        ("vivado", "run.tcl", "opt_design\n", "optimize_design\n", "invalid command name"),
        ("vivado", "run.tcl", "pair_core.v", "pair_cor.v", "does not exist"),
        ("vivado", "run.tcl", "-mode out_of_context -fl", "-mode ooc -fl", "-mode cannot be ooc"),
        ("vivado", "run.tcl", "read_verilog -sv", "read_verilog", "-sv is for .sv"),
        ("vivado", "pair_ooc.xdc", "in_data[*]", "in_dat[*]", "no port in_dat"),
        ("vivado", "pair_ooc.xdc", "create_clock", "create_clocks", "invalid command name"),
        ("vivado", "pair_ooc.xdc", "-max ", "-most ", "no option -most"),
        ("ipxact", "package.tcl", "rtl/pair.v", "rtl/pear.v", "pear.v is missing"),
        ("ipxact", "package.tcl", "-taxonomy", "-taxonom", "no option -taxonom"),
        ("ipxact", "package.tcl", "ipx::save_core", "ipx::save", "invalid command name"),
        ("ipxact", "package.tcl", "{clk clock rst reset}", "{clock clock rst reset}", "no port clock"),
        ("quartus", "run.tcl", "VERILOG_FILE", "VERILOG_FILES", "-name cannot be"),
        ("quartus", "run.tcl", "pair.sdc", "pear.sdc", "pear.sdc does not exist"),
        ("quartus", "run.tcl", "in_data[*]", "in_data", "no port in_data"),
        ("quartus", "pair.sdc", "out_valid", "out_vald", "no port out_vald"),
    ],
)
def test_the_interpreter_sees_mistakes(
    copy: Compiled, tmp_path: Path, name: str, file: str, old: str, new: str, said: str
) -> None:
    spoil(copy.folder / "ip" / name / file, old, new)
    with pytest.raises(TclFault, match=said.replace(".", r"\.")):
        calls(copy, name, tmp_path)
