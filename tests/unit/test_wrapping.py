"""The packages of wrappers as files: names, lists, equal bytes, and what they refuse."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from streamed import PAIR, plan_of

from eqhls.backends.package import axi, links, token
from eqhls.backends.package.package import Package, Settings
from eqhls.backends.rtl.emit import emit
from eqhls.errors import CompileError
from eqhls.lower.plan import Plan

PACKAGES = (axi.PACKAGE, links.PACKAGE, token.PACKAGE)
SETTINGS = Settings(links=3, tmux=2, token=5)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(PAIR, "pair")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.name)
def test_every_file_is_listed_and_every_module_is_of_the_project(plan: Plan, package: Package) -> None:
    files = {k: str(v) for k, v in package.write(plan, SETTINGS).items()}
    listed = files[f"ip/{package.name}/sources.f"].split()
    assert sorted(listed) == sorted(set(files) - {f"ip/{package.name}/sources.f"})
    modules = [m for text in files.values() for m in re.findall(r"^module (\w+)", text, re.M)]
    assert len(modules) == len(listed) and modules[-1] == f"pair_{package.name}"
    assert all(m.startswith(f"pair_{package.name}") for m in modules)
    used = {m for text in files.values() for m in re.findall(r"^  (\w+) (?:#\(.*\) )?u_\w+ \($", text, re.M)}
    assert used == {*modules[:-1], "pair"}


def test_all_wrappers_fit_into_one_design(plan: Plan) -> None:
    """No two of them, nor the top, bring a module of the same name."""
    texts = [
        str(t) for files in (emit(plan), *(p.write(plan, SETTINGS) for p in PACKAGES)) for t in files.values()
    ]
    modules = [m for text in texts for m in re.findall(r"^module (\w+)", text, re.M)]
    assert len(modules) == len(set(modules)) > 8


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.name)
def test_equal_plans_give_equal_bytes(plan: Plan, package: Package) -> None:
    assert package.write(plan, SETTINGS) == package.write(plan_of(PAIR, "pair"), SETTINGS)
    said = package.connect(plan, SETTINGS)
    assert f"pair_{package.name}" in said and f"ip/{package.name}/sources.f" in said
    assert len(said.splitlines()) < 20


def test_a_folded_network_gets_what_it_can_take(plan: Plan) -> None:
    folded = replace(plan, folded="j", beats=4)
    with pytest.raises(CompileError, match="package axi: found pair with an initiation interval of 4 clocks"):
        axi.PACKAGE.write(folded, SETTINGS)
    with pytest.raises(CompileError, match="tmux: found 2, pair takes an event every 4 clocks"):
        links.PACKAGE.write(folded, SETTINGS)
    assert links.PACKAGE.write(folded, Settings(links=1, tmux=4))
