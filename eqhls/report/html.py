"""One self-contained HTML page and report.json for a project."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from typing import Any

from eqhls.errors import CompileError
from eqhls.report.working import section
from eqhls.text import MANIFEST, TIMES, write_file
from eqhls.verify.workpoints import JSON

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.3rem .7rem;text-align:left;"
    "vertical-align:top}.bad{color:#b00020;font-weight:600}.ok{color:#14662a}code{font-size:90%}"
)


def write_report(folder: Path) -> Path:
    """Write report/report.html and report/report.json from the manifest and the evidence."""
    manifest = json.loads((folder / MANIFEST).read_text())
    evidence = _optional(folder / "report" / "evidence.json")
    synthesis = _optional(folder / "report" / "yosys.json")
    steps = _optional(folder / TIMES)
    data = {
        "manifest": manifest,
        "evidence": evidence,
        "yosys_estimate": synthesis,
        "seconds_per_step": steps,
        "working_points": _optional(folder / JSON),
    }
    write_file(folder / "report" / "report.json", json.dumps(data, indent=1) + "\n")
    path = folder / "report" / "report.html"
    write_file(path, page(data, folder / "report" / "boosts.png"))
    return path


def page(data: dict[str, Any], plot: Path) -> str:
    """Return the page; pictures are inside it."""
    manifest = data["manifest"]
    parts = [
        f"<!doctype html><meta charset=utf-8><title>{manifest['name']}</title><style>{STYLE}</style>",
        f"<h1>{html.escape(manifest['name'])}</h1>",
        _facts(manifest, data["yosys_estimate"]),
    ]
    parts.append("<h2>Evidence</h2>" + _evidence(data["evidence"]))
    if data["working_points"]:
        parts.append(section(data["working_points"]))
    else:
        parts.append("<h2>Working points</h2><p>None: give eqhls verify events with labels y.</p>")
    if plot.is_file():
        picture = base64.b64encode(plot.read_bytes()).decode()
        parts.append("<h2>Boosts and rotations</h2>" + _numbers(data["evidence"], "boosts"))
        parts.append(f'<img alt="error against boost" src="data:image/png;base64,{picture}">')
    parts.append("<h2>What the passes saved</h2>" + _rows(_savings(manifest)))
    parts.append("<h2>Ports</h2>" + _rows({**manifest["inputs"], **manifest["outputs"]}))
    if data["seconds_per_step"]:
        parts.append("<h2>Seconds per step</h2>" + _rows(data["seconds_per_step"]))
    return "\n".join(parts) + "\n"


def _facts(manifest: dict[str, Any], synthesis: dict[str, Any] | None) -> str:
    facts = {
        "latency": f"{manifest['latency_cycles']} clocks = {manifest['latency_ns']} ns",
        "clock": f"{manifest['clock_mhz']} MHz",
        "II": manifest["ii"],
        "deepest stage, ns of logic (alkaid's estimate)": f"{manifest['stage_depth_ns']:g}",
        "LUT (alkaid's estimate)": f"{manifest['lut_estimate']:,}",
        "LUT in shift registers": f"{manifest['srl_luts']:,}",
        "DSP": manifest["dsp"],
        "pipeline register bits": f"{manifest['register_bits']:,}",
        "exact symmetry": manifest["symmetry"],
        "part": manifest["options"]["Part"],
        "versions": ", ".join(f"{k} {v}" for k, v in manifest["versions"].items()),
    }
    if synthesis:
        facts["Yosys estimate"] = ", ".join(f"{v} {k.upper()}" for k, v in synthesis.items())
    return _rows(facts)


def _savings(manifest: dict[str, Any]) -> dict[str, str]:
    """Return a line for each pass; gates are counted without sharing, to compare graphs. Before
    quantization, only passes that did something are listed, with LUT at 14 to 16 bits for gates."""
    found: dict[str, str] = {}
    for step in manifest["algebra"]:
        if step["blocks"][0] != step["blocks"][1] or step["gates"][0] != step["gates"][1]:
            found[f"{step['name']} (before quantization)".replace("_", " ")] = _saved(step, "LUT")
    for step in manifest["passes"]:
        found[step["name"].replace("_", " ")] = _saved(step, "gates")
    return found


def _saved(step: dict[str, Any], unit: str) -> str:
    (blocks, fewer), (gates, less) = step["blocks"], step["gates"]
    share = f"{1 - less / gates:.1%}" if gates else "0.0%"
    return f"{blocks} to {fewer} blocks, {gates:,} to {less:,} {unit} ({share} saved)"


def _rows(values: dict[str, Any]) -> str:
    cells = "".join(
        f"<tr><th>{html.escape(k)}</th><td>{html.escape(str(v))}</td></tr>" for k, v in values.items()
    )
    return f"<table>{cells}</table>"


def _evidence(evidence: dict[str, Any] | None) -> str:
    if evidence is None:
        return '<p class="bad">Not verified yet: run eqhls verify.</p>'
    rows = "".join(
        f'<tr><td>{html.escape(s["name"])}</td><td class="{"ok" if s["ok"] else "bad"}">'
        f"{'ok' if s['ok'] else 'FAILED'}</td><td>{html.escape(s['detail'])}</td></tr>"
        for s in evidence["stages"]
    )
    lost = "".join(
        f'<tr><td>{html.escape(n)}</td><td class="bad">did not run</td><td></td></tr>'
        for n in evidence["missing"]
    )
    return f"<table>{rows}{lost}</table>"


def _numbers(evidence: dict[str, Any] | None, name: str) -> str:
    """Return the numbers of one stage as a table."""
    stages = evidence["stages"] if evidence else []
    found = next((s["numbers"] for s in stages if s["name"] == name), {})
    return _rows({k.replace("_", " "): f"{v:.4g}" for k, v in found.items()})


def _optional(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise CompileError(str(path), f"cannot be read ({error})", "verify again") from None
