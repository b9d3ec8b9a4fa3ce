"""EMP boards (Serenity, Apollo): `emp_payload` in VHDL around the links, and benches of pattern files."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from eqhls.backends.package.links import PACKAGE as LINKS
from eqhls.backends.package.package import Package, Settings
from eqhls.backends.package.wrapping import screen
from eqhls.lower.framing import input_framing, output_framing
from eqhls.lower.plan import Plan
from eqhls.names import counted
from eqhls.text import Project

KIND = "emp"
GATHERING = 1
"""Clocks that the register of the gathered words adds to the latency of the top."""
QUAD = 4
"""Links of a region of the board."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the framework's payload: the end of the file's name, what it is, whether a link word has
    `last` and `start_of_orbit`, and whether the payload has `clk40` and the ports of the DAQ links."""

    end: str
    about: str
    last: bool
    slink: bool


FORMS = (
    Form("", "for the newest public form of the framework (clk40, slink_q)", last=True, slink=True),
    Form("_2022", "for frameworks about 2022 (last and start_of_orbit, no slink_q)", last=True, slink=False),
    Form("_2019", "for frameworks about 2019 (a link word has no last)", last=False, slink=False),
)


def write(plan: Plan, settings: Settings) -> Project:
    """Return ip/emp/: the payload in three forms, the module with flat ports inside, the links, a mimic of
    the framework's packages, and benches. Raises CompileError as the package `links`."""
    environment = Environment(
        loader=PackageLoader("eqhls.backends.package", "emp_files"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    outs = output_framing(plan).links
    facts = {
        "name": plan.name,
        "links": settings.links,
        "tmux": settings.tmux,
        "outs": outs,
        "delay": plan.latency_cycles + GATHERING,
        # a region more than the links need: links that carry nothing exist in every simulation
        "regions": -(-max(settings.links, outs) // QUAD) + 1,
    }

    def made(template: str, form: Form = FORMS[0]) -> str:
        return environment.get_template(template).render(facts, form=form)

    sources = {
        path.replace(f"ip/{LINKS.name}/", f"ip/{KIND}/"): text
        for path, text in LINKS.write(plan, settings).items()
        if path.endswith(".sv")
    }
    sources[f"ip/{KIND}/{plan.name}_emp.sv"] = made("emp.sv.j2")
    files = {
        **sources,
        f"ip/{KIND}/sources.f": "\n".join(sources) + "\n",
        f"ip/{KIND}/sim/{plan.name}_emp_tb.v": made("tb.v.j2"),
        f"ip/{KIND}/mimic/emp_mimic.vhd": made("mimic.vhd.j2"),
        f"ip/{KIND}/mimic/emp_mimic_2019.vhd": made("mimic.vhd.j2", FORMS[-1]),
    }
    for form in FORMS:
        files[f"ip/{KIND}/emp_payload{form.end}.vhd"] = made("payload.vhd.j2", form)
        files[f"ip/{KIND}/sim/emp_payload{form.end}_tb.vhd"] = made("tb.vhd.j2", form)
    return files


def connect(plan: Plan, settings: Settings) -> str:
    """Return how the payload is connected."""
    framing, outs = input_framing(plan, settings.links, settings.tmux), output_framing(plan).links
    delay = plan.latency_cycles + GATHERING
    return screen(
        [
            "Files: those of rtl/sources.f and ip/emp/sources.f, and one of",
            "  ip/emp/emp_payload.vhd (newest framework), emp_payload_2022.vhd, emp_payload_2019.vhd.",
            f"Input: {_span(framing.links)}, an event per packet of {counted(framing.clocks, 'clock')}, with "
            "start and last.",
            f"  The header of ip/emp/{plan.name}_links.sv says which bit is what.",
            f"Output: {_span(outs)}, a packet of one clock per event, {delay} clocks of clk_p after the last "
            "word of its packet.",
            "Other link numbers: INPUT_LINKS and OUTPUT_LINKS in emp_payload.vhd.",
            f"clk_p: {plan.clock_mhz:g} MHz or less. Reset: rst_loc of the region of input link 0.",
            f"Patterns:     eqhls patterns DIR -o in.txt --links {framing.links} --tmux {framing.clocks}",
            "Captured file: eqhls patterns DIR in.txt --check out.txt",
            "ip/emp/mimic is for simulation without the framework alone; never add it to a board's project.",
        ]
    )


def _span(links: int) -> str:
    return "link 0" if links == 1 else f"links 0 to {links - 1}"


PACKAGE = Package(KIND, "emp_payload in VHDL for EMP boards (Serenity, Apollo), with benches", write, connect)
