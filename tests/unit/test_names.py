"""Names: refused with a reason, or made usable; and values that never share a C++ name."""

from __future__ import annotations

import itertools
import re

import pytest

from eqhls.errors import CompileError
from eqhls.names import LONGEST, fault, project_name, usable_name, value_identifier

REFUSED = {
    "class": "C++",
    "co_await": "C++",
    "bitor": "C++",
    "Int": "C++",
    "reg": "Verilog",
    "logic": "SystemVerilog",
    "signal": "VHDL",
    "Entity": "VHDL",
    "main": "eqhls itself",
    "clk": "eqhls itself",
    "word": "eqhls itself",
    "defines": "eqhls itself",
    "eqhls": "eqhls itself",
    "errno": "macro",
    "Math": "header of the C library",
    "aux": "Windows",
    "ap_int": "libraries",
    "net_core": "parts of a project",
    "net_hls": "parts of a project",
    "net_valid_pipe": "parts of a project",
    "net_table_0123456789ab": "parts of a project",
    "_net": "identifier",
    "net_": "underscore",
    "a__b": "underscore",
    "2_nets": "identifier",
    "net.v2": "identifier",
    "étage": "identifier",
    "x" * (LONGEST + 1): "characters",
    "a b": "identifier",
    "a\n": "identifier",
    "": "identifier",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_no_tool_takes_is_refused_and_another_proposed(name: str) -> None:
    with pytest.raises(CompileError, match=re.escape(REFUSED[name])) as caught:
        project_name(name)
    made = usable_name(name)
    assert not fault(made) and made in caught.value.remedy and made != name


def test_a_usable_name_stays() -> None:
    for name in ("lgn_top_small", "x" * LONGEST, "Net2", "tagger"):
        assert project_name(name) == name == usable_name(name)


def test_long_names_stay_apart() -> None:
    made = {usable_name("layer." * 30 + end) for end in "abc"}
    assert len(made) == 3 and all(not fault(n) for n in made)


def test_no_two_values_share_a_name_in_cpp() -> None:
    """All names of up to five characters over those that are escaped, and those that escapes consist of."""
    letters = "a._X2é"
    names = ["".join(n) for k in range(1, 6) for n in itertools.product(letters, repeat=k)]
    names += ["in_word", "out_word", "in.word", "a.b", "a_b", "a_X_b", "a_X2e_b", "1", "X31_"]
    made = [value_identifier(n) for n in dict.fromkeys(names)]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*_", n, re.ASCII) for n in made)


def test_a_value_has_no_name_of_another_kind() -> None:
    """Types of values end in t, those of the words must differ from them."""
    assert {f"{value_identifier(n)}t" for n in ("in_word", "out_word")}.isdisjoint(
        {"in_word_t", "out_word_t"}
    )
