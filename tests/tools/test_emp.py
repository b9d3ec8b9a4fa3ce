"""The payload for EMP boards: a pattern file goes in and the pattern file of the integers comes out, through the
VHDL in GHDL (around the true core as gates) and through the Verilog inside in Icarus and Verilator; a payload
that is wrong in a link, a flag or a clock does not pass."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from gates import blif_of, vhdl_of
from streamed import PAIR, WORDS, drawn, plan_of
from tools_needed import need

from eqhls.backends.package.emp import FORMS, PACKAGE, Form
from eqhls.backends.package.package import Settings
from eqhls.backends.rtl.emit import emit
from eqhls.events.patterns import Patterns, read_patterns
from eqhls.lower.framing import input_framing, output_framing
from eqhls.lower.plan import Plan
from eqhls.text import write_project
from eqhls.verify.toolchain import toolchain

EVENTS = 120
FLAGS = ("valid", "start", "last", "start_of_orbit")
DESIGNS = {
    "pair": (PAIR, {}, Settings(links=1, tmux=3)),
    "every_clock": (PAIR, {}, Settings(links=3, tmux=1)),
    "candidates": (WORDS, {"turn": 1440}, Settings(links=2, tmux=3)),
}


@dataclass(frozen=True)
class Payload:
    """A folder with rtl, ip/emp and in.txt, its plan, and what must come out, frame by frame."""

    folder: Path
    plan: Plan
    settings: Settings
    expected: Patterns

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def sources(self) -> list[Path]:
        lists = (self.folder / "rtl/sources.f", self.folder / "ip/emp/sources.f")
        return [self.folder / line for file in lists for line in file.read_text().split()]

    @property
    def ports(self) -> Mapping[str, tuple[str, int]]:
        """The ports of NAME_emp as VHDL has them."""
        links, outs = self.settings.links, len(self.expected.links)
        return {
            **{"clk": ("in", 0), "rst": ("in", 0), "d_data": ("in", 64 * links)},
            **{f"d_{k}": ("in", links) for k in FLAGS},
            "q_data": ("out", 64 * outs),
            **{f"q_{k}": ("out", outs) for k in FLAGS},
            **{"error": ("out", 0), "errors": ("out", 32), "model_hash": ("out", 32)},
        }


class Played:
    """Clocks of all links, one after another: words with the flags valid, start, last, orbit, strobe."""

    def __init__(self, links: int) -> None:
        self.rng = np.random.default_rng(5)
        self.links = links
        self.rows: list[tuple[np.ndarray, tuple[bool, ...]]] = []

    def noise(self, valid: bool = False, strobe: bool = True) -> None:
        """Add a clock that brings nothing: not valid; or valid, but without strobe."""
        word = self.rng.integers(1 << 63, size=self.links, dtype=np.uint64)
        self.rows.append((word, (valid, valid, valid, valid, strobe)))

    def pause(self, most: int) -> None:
        for _ in range(int(self.rng.integers(most + 1))):
            self.noise() if self.rng.random() < 0.5 else self.noise(valid=True, strobe=False)

    def packet(self, words: np.ndarray, orbit: bool) -> None:
        """Add a packet (clocks, links), with pauses inside."""
        for clock, word in enumerate(words):
            first, last = clock == 0, clock == len(words) - 1
            if not first and self.rng.random() < 0.2:
                self.pause(2)
            self.rows.append((word, (True, first, last, first and orbit, True)))

    def patterns(self) -> Patterns:
        flags = np.array([f for _, f in self.rows])[:, :, None].repeat(self.links, axis=2)
        valid, start, last, orbit, strobe = (flags[:, k] for k in range(5))
        data = np.array([w for w, _ in self.rows])
        return Patterns("in", tuple(range(self.links)), data, valid, start, last, orbit, strobe)


def played(plan: Plan, settings: Settings) -> tuple[Patterns, Patterns]:
    """Return what goes in and what must come out: random events with pauses between and inside of packets, orbits
    that begin now and then, and short packets that must leave no trace."""
    raw = drawn(plan.inputs, EVENTS, 3)
    words = input_framing(plan, settings.links, settings.tmux).frames(raw)
    results = output_framing(plan).frames(plan.graph.evaluate(raw))
    made, due = Played(settings.links), dict[int, tuple[int, bool]]()
    for event in range(EVENTS):
        orbit = bool(made.rng.random() < 0.2)
        made.pause(3 * (event % 3 == 0))
        if settings.tmux > 1 and made.rng.random() < 0.2:
            made.packet(words[event, :1], orbit=True)
        made.packet(words[event], orbit)
        due[len(made.rows) + plan.latency_cycles] = (event, orbit)
    for _ in range(plan.latency_cycles + 3):
        made.noise()
    shape = (len(made.rows), results.shape[2])
    valid, orbit = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    data = np.zeros(shape, dtype=np.uint64)
    for clock, (event, begins) in due.items():
        data[clock], valid[clock], orbit[clock] = results[event, 0], True, begins
    expected = Patterns(
        "out", tuple(range(shape[1])), data, valid, valid, valid, orbit, ~np.zeros(shape, dtype=bool)
    )
    return made.patterns(), expected


@pytest.fixture(scope="module")
def payloads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Payload]:
    found: dict[str, Payload] = {}
    for name, (text, values, settings) in DESIGNS.items():
        plan = plan_of(text, name, **values)
        inputs, expected = played(plan, settings)
        folder = tmp_path_factory.mktemp(name) / "project"
        write_project({**emit(plan), **PACKAGE.write(plan, settings), "in.txt": inputs.text()}, folder)
        found[name] = Payload(folder, plan, settings, expected)
        (folder / "gates.vhd").write_text(gates(found[name]))
    return found


def gates(payload: Payload) -> str:
    """Return NAME_emp, with core and links, as gates in VHDL."""
    top = f"{payload.name}_emp"
    return vhdl_of(blif_of(payload.sources, top, payload.folder / "gates.blif"), top, payload.ports)


def ran(command: list[str], folder: Path, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def captured(payload: Payload, form: Form, folder: Path) -> Patterns:
    """Simulate the VHDL in GHDL."""
    ghdl = need("ghdl")
    emp = folder / "ip" / "emp"
    mimic = emp / "mimic" / ("emp_mimic.vhd" if form.last else "emp_mimic_2019.vhd")
    files = [
        mimic,
        folder / "gates.vhd",
        emp / f"emp_payload{form.end}.vhd",
        emp / f"sim/emp_payload{form.end}_tb.vhd",
    ]
    work = folder / f"work{form.end}"
    work.mkdir()
    ran([ghdl, "-a", "--std=08", f"--workdir={work}", *map(str, files)], folder)
    options = ["--std=08", f"--workdir={work}"]
    said = ran(
        [
            ghdl,
            "--elab-run",
            *options,
            "emp_payload_tb",
            "-gINPUT_FILE=in.txt",
            f"-gOUTPUT_FILE=out{form.end}.txt",
        ],
        folder,
    )
    assert f"played {payload.expected.frames} frames" in said
    return read_patterns(folder / f"out{form.end}.txt")


def differences(found: Patterns, expected: Patterns) -> list[str]:
    """Return in which flags or words captured links differ; links that carry nothing must be zero throughout."""
    wanted = len(expected.links)
    assert found.links[:wanted] == expected.links and found.frames == expected.frames
    names = [
        k
        for k in ("valid", "start", "last", "orbit", "strobe")
        if (getattr(found, k)[:, :wanted] != getattr(expected, k)).any()
    ]
    if (found.data[:, :wanted] != expected.data)[expected.valid].any():
        names.append("data")
    others = [getattr(found, k)[:, wanted:] for k in ("data", "valid", "start", "last", "orbit")]
    if any(o.any() for o in others) or not found.strobe[:, wanted:].all():
        names.append("other links")
    return names


def test_the_file_asks_enough(payloads: dict[str, Payload]) -> None:
    for payload in payloads.values():
        inputs = read_patterns(payload.folder / "in.txt")
        assert not inputs.strobe.all() and (inputs.valid & ~inputs.strobe).any()
        assert payload.expected.valid[:, 0].sum() == EVENTS
        assert 5 < payload.expected.orbit[:, 0].sum() < EVENTS
        if payload.settings.tmux > 1:
            assert (inputs.start & inputs.last & inputs.strobe).any()
    assert len(payloads["pair"].expected.links) > 1


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f"newest{f.end}")
@pytest.mark.parametrize("design", DESIGNS)
def test_vhdl_in_ghdl(payloads: dict[str, Payload], design: str, form: Form) -> None:
    payload = payloads[design]
    found, expected = captured(payload, form, payload.folder), payload.expected
    assert len(found.links) > len(expected.links)
    if not form.last:  # that record has neither flag
        expected = replace(expected, orbit=np.zeros_like(expected.orbit))
    assert differences(found, expected) == []


@pytest.mark.parametrize("design", DESIGNS)
def test_verilog_in_icarus(payloads: dict[str, Payload], design: str) -> None:
    need("iverilog")
    payload = payloads[design]
    bench = f"ip/emp/sim/{design}_emp_tb.v"
    build = [
        "iverilog",
        "-g2012",
        "-s",
        f"{design}_emp_tb",
        "-o",
        "emp.vvp",
        "-c",
        "rtl/sources.f",
        "-c",
        "ip/emp/sources.f",
        bench,
    ]
    ran(build, payload.folder)
    ran(["vvp", "-n", "emp.vvp", "+in=in.txt", "+out=icarus.txt"], payload.folder)
    assert differences(read_patterns(payload.folder / "icarus.txt"), payload.expected) == []


def test_verilog_in_verilator(payloads: dict[str, Payload]) -> None:
    payload, env = payloads["pair"], toolchain().env
    top = "pair_emp_tb"
    files = ["-f", "rtl/sources.f", "-f", "ip/emp/sources.f", "ip/emp/sim/pair_emp_tb.v"]
    build = ["verilator", "--binary", "--timing", "-CFLAGS", "-std=gnu++20", "--top-module", top, *files]
    ran(build, payload.folder, env)
    ran([f"obj_dir/V{top}", "+in=in.txt", "+out=verilator.txt"], payload.folder, env)
    assert differences(read_patterns(payload.folder / "verilator.txt"), payload.expected) == []


def test_lint(payloads: dict[str, Payload]) -> None:
    for payload in payloads.values():
        command = [
            "verilator",
            "--lint-only",
            "-Wall",
            "--top-module",
            f"{payload.name}_emp",
            *map(str, payload.sources),
        ]
        ran(command, payload.folder, toolchain().env)


WRONG = {
    "links swapped": ("emp_payload.vhd", "INPUT_LINKS  : link_numbers(0 to 1) := (0 => 0, 1 => 1)", "INPUT_LINKS  : link_numbers(0 to 1) := (0 => 1, 1 => 0)", {"data"}),
    "another output link": ("emp_payload.vhd", "OUTPUT_LINKS : link_numbers(0 to 2) := (0 => 0,", "OUTPUT_LINKS : link_numbers(0 to 2) := (0 => 5,", {"valid", "start", "last", "orbit", "data", "other links"}),
    "strobe not heeded": ("emp_payload.vhd", " and d(INPUT_LINKS(k)).strobe", "", {"valid", "start", "last", "data"}),
    "last forgotten": ("emp_payload.vhd", "q(OUTPUT_LINKS(k)).last  <= q_last(k);", "", {"last"}),
    "strobe low": ("emp_payload.vhd", "strobe <= '1'", "strobe <= '0'", {"strobe", "other links"}),
    "a link left alone": ("emp_payload.vhd", "q(k).data   <= (others => '0')", "q(k).data   <= (others => '1')", {"other links"}),
    "words mixed": ("emp_payload.vhd", "q_data(64 * k + 63 downto 64 * k);", "q_data(63 downto 0);", {"data"}),
    "orbit a clock early": ("{}_emp.sv", "pipe[Latency-1]}}", "pipe[Latency-2]}}", {"orbit"}),
    "orbit not held": ("{}_emp.sv", "held <= orbit", "held <= 1'b0 & orbit", {"orbit"}),
    "no start": ("emp_payload.vhd", "q(OUTPUT_LINKS(k)).start <= q_start(k)", "q(OUTPUT_LINKS(k)).start <= '0'", {"start"}),
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_payload_is_seen(payloads: dict[str, Payload], tmp_path: Path, fault: str) -> None:
    payload = payloads["candidates"]
    file, old, new, names = WRONG[fault]
    folder = tmp_path / "wrong"
    shutil.copytree(payload.folder, folder, ignore=shutil.ignore_patterns("work*", "out*"))
    path = folder / "ip" / "emp" / file.format(payload.name)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    wrong = replace(payload, folder=folder)
    if path.suffix == ".sv":
        (folder / "gates.vhd").write_text(gates(wrong))
    assert names <= set(differences(captured(wrong, FORMS[0], folder), payload.expected))


def test_reset_is_heeded(payloads: dict[str, Payload], tmp_path: Path) -> None:
    """The benches play whole packets while reset is high: without it their results come out."""
    payload = payloads["every_clock"]
    folder = tmp_path / "wrong"
    shutil.copytree(payload.folder, folder, ignore=shutil.ignore_patterns("work*", "out*"))
    path = folder / "ip" / "emp" / "emp_payload.vhd"
    path.write_text(path.read_text().replace("reset <= rst_loc(INPUT_LINKS(0) / 4)", "reset <= '0'"))
    assert "valid" in differences(
        captured(replace(payload, folder=folder), FORMS[0], folder), payload.expected
    )
