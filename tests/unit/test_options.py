"""Options: every key does something, and every mistake is told with file, line and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networks
import numpy as np
import pytest

from eqhls.backends.hls.emit import emit
from eqhls.errors import CompileError
from eqhls.flow import compile_model
from eqhls.ir.graph import Graph
from eqhls.lower.plan import Plan
from eqhls.lower.schedule import lower
from eqhls.options import GONE, Options, options_of, read_options
from eqhls.parts import USUAL, part_fault
from eqhls.text import Project

CHANGES: dict[str, Any] = {
    "ProjectName": "tagger",
    "Backend": "Vivado",
    "Part": "xcvu9p-flga2104-2L-e",
    "ClockPeriod": 5.0,
    "ClockUncertainty": "45%",
    "StageDepth": 0.7,
    "DSP": 1,
    "StagePrice": 0.0,
    "HLSTop": "cms",
    "TokenBits": 12,
    "HLSConfig": {"LayerType": {"table": {"Precision": "fix<7,4,RND,SAT>"}}},
}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return networks.seeded(np.random.default_rng(1), 4, 1)


def scripts(graph: Graph, options: Options) -> Project:
    """What the tools are told: the scripts, and the tops, which alone have a token."""
    made = emit(Plan.of(graph, options))
    return {k: v for k, v in made.items() if k.endswith((".tcl", ".cfg", "_hls_cms.cpp"))}


def test_every_key_is_tried() -> None:
    """But those that say where to read and to write (test_cli)."""
    assert set(CHANGES) == set(Options.model_fields) - {"OutputDir", "KerasModel"}


@pytest.mark.parametrize("key", sorted(set(CHANGES) - {"ProjectName", "HLSConfig"}))
def test_every_key_changes_something(key: str, graph: Graph) -> None:
    """The clock and its uncertainty change both the scripts and the stages of the RTL."""
    plain, changed = Options(), Options.model_validate({key: CHANGES[key]})
    in_scripts = scripts(graph, changed) != scripts(graph, plain)
    in_stages = lower(graph, changed) != lower(graph, plain)
    assert (in_scripts, in_stages) == {
        "Backend": (True, False),
        "Part": (True, False),
        "ClockPeriod": (True, True),
        "ClockUncertainty": (True, True),
        "StageDepth": (False, True),
        "DSP": (False, True),
        "StagePrice": (False, True),
        "HLSTop": (True, False),
        "TokenBits": (True, False),
    }[key]


def test_names_and_formats_reach_the_project(graph: Graph, tmp_path: Path) -> None:
    plain = compile_model(graph, output=tmp_path / "a").manifest
    for key in ("ProjectName", "HLSConfig"):
        options = Options.model_validate({key: CHANGES[key]})
        made = compile_model(graph, output=tmp_path / key, options=options).manifest
        assert made["sha256"] != plain["sha256"]
        assert made["name"] == (CHANGES[key] if key == "ProjectName" else plain["name"])


def test_one_uncertainty_for_hls_and_rtl(graph: Graph) -> None:
    options = Options(ClockPeriod=4.0, ClockUncertainty="0.5ns")
    assert options.stage_ns == pytest.approx(3.5)
    made = scripts(graph, options)
    assert "set eqhls_uncertainty 12.5%" in str(made["project.tcl"])
    assert "clock_uncertainty=12.5%" in str(made["hls_config.cfg"])
    assert Options().stage_ns == Options().ClockPeriod * (1 - 0.1)


def test_the_scripts_define_what_they_use(graph: Graph) -> None:
    made = scripts(graph, Options())
    defined = {line.split()[1] for line in str(made["project.tcl"]).splitlines() if line.startswith("set ")}
    assert defined and all(f"${n}" in str(made["build_prj.tcl"]).replace("{", "") for n in defined)


MISTAKES = {
    "Part: a\nPart: b\n": (2, "'Part' again, first in line 1"),
    "HLSConfig:\n  LayerName:\n    h: {}\n    h: {}\n": (4, "'HLSConfig.LayerName.h' again"),
    "\nClockPeriod: 1:30\n": (2, "found '1:30'"),
    "ClockPeriod: yes\n": (1, "found 'yes'"),
    "ClockPeriod: true\n": (1, "found True"),
    "ClockPeriod: .inf\n": (1, "finite"),
    "ClockPeriod: .nan\n": (1, "finite"),
    "ClockPeriod: -2\n": (1, "greater than 0.5"),
    "ClockPeriod: 360\n": (1, "360MHz for a frequency"),
    "StageDepth: on\n": (1, "found 'on'"),
    "StageDepth: '2'\n": (1, "found '2'"),
    "#\n\nPart: 'xcvu9p; puts hi'\n": (3, "device-package-speed"),
    "Part: ''\n": (1, "device-package-speed"),
    "ClockUncertainty: banana\n": (1, "expected a share or a time"),
    "ClockUncertainty: '12.5'\n": (1, "expected a share or a time"),
    "ClockUncertainty: '3 ns'\n": (1, "half of the period"),
    "ClockUncertainty: '[exec ls]%'\n": (1, "expected a share"),
    "ProjectName: class\n": (1, "keyword of C++"),
    "ProjectName: 12\n": (1, "valid string"),
    "Backend: Quartus\n": (1, "'Vitis' or 'Vivado'"),
    "HLSTop: axis\n": (1, "'word', 'typed' or 'cms'"),
    "TokenBits: 65\n": (1, "less than or equal to 64"),
    "TokenBits: -1\n": (1, "greater than or equal to 0"),
    "Part: x\nInputForm: lab-cartesian\n": (2, "has no effect"),
    "HLSConfig:\n  Model:\n    Precision: true\n": (3, "found True"),
    "HLSConfig:\n  LayerName:\n    h: {Precision: {weight: 'fix<a>'}}\n": (3, "found 'fix<a>'"),
    "HLSConfig:\n  LayerName:\n    h: {Precison: 'fix<3,2>'}\n": (3, "did you mean 'Precision'"),
    "1: 2\n": (1, "a key that is not text"),
    "Part: [\n": (2, "is not YAML"),
    "Part: !!python/object:os.system x\n": (1, "is not YAML"),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes_name_the_line(text: str, tmp_path: Path) -> None:
    line, message = MISTAKES[text]
    path = tmp_path / "c.yml"
    path.write_text(text)
    with pytest.raises(CompileError) as caught:
        read_options(path)
    assert f"{path}:{line}:" in str(caught.value) and message in str(caught.value), str(caught.value)
    assert caught.value.remedy


def test_what_yaml_may_hold(tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_text("ClockPeriod: 200MHz\nBackend: Vivado\nHLSConfig: {Model: {Precision: auto}}\n")
    assert read_options(path, ClockPeriod=4.0).ClockPeriod == 4.0
    assert read_options(path).ClockPeriod == 5.0
    path.write_text("")
    assert read_options(path) == Options()


def test_an_option_of_the_command_line_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_text("ClockPeriod: 2.5\n")
    for key, value in (("Part", "nonsense-part"), ("ClockPeriod", 3000.0)):
        with pytest.raises(CompileError, match=f"^options: .*{key}"):
            read_options(path, **{key: value})


def test_parts() -> None:
    others = "xqrku060-cna1509-1M-m xc7a35tcpg236-1 xcau25p-ffvb676-2-e xcvh1582-vsva3697-2MP-e-S XCVU9P-flga2104-2-e"
    assert not any(map(part_fault, (*USUAL, *others.split())))
    wrong = ("nonsense-part", "xcvu9p", "ep4ce22f17c6", "xcvu9p-flga2104-2-e extra", "xcvu9p-flga2104-2-e\n")
    assert all(map(part_fault, wrong))
    assert "xcvu9p-flga2104-2L-e" in str(part_fault("xcvu9p-flga2104"))


def test_options_of_another_version() -> None:
    kept = Options(Part=USUAL[3]).model_dump(mode="json")
    assert options_of(kept, "p") == Options(Part=USUAL[3])
    with pytest.raises(CompileError, match="another version of eqhls.*compile again"):
        options_of(kept | dict.fromkeys(GONE, "x"), "p")
