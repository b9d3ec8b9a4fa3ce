"""Names that C++, Verilog, VHDL and the vendor tools take: of projects, of ports, and of values in C++."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from eqhls.errors import CompileError

LONGEST = 64
"""Characters of a project's name: the tools cut longer names of modules and of files."""

_CPP = """alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto bitand bitor
bool break case catch char char16_t char32_t char8_t class co_await co_return co_yield compl concept const
const_cast consteval constexpr constinit continue decltype default delete do double dynamic_cast else enum
explicit export extern false float for friend goto if import inline int long module mutable namespace new
noexcept not not_eq nullptr operator or or_eq private protected public reflexpr register reinterpret_cast
requires return short signed sizeof static static_assert static_cast struct switch synchronized template
this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile
wchar_t while xor xor_eq"""

_VERILOG = """always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config
deassign default defparam design disable edge else end endcase endconfig endfunction endgenerate endmodule
endprimitive endspecify endtable endtask event for force forever fork function generate genvar highz0
highz1 if ifnone incdir include initial inout input instance integer join large liblist library localparam
macromodule medium module nand negedge nmos nor noshowcancelled not notif0 notif1 or output parameter pmos
posedge primitive pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime
reg release repeat rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify
specparam strong0 strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand trior
trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor"""

_SYSTEM_VERILOG = """accept_on alias always_comb always_ff always_latch assert assume before bind bins
binsof bit break byte chandle checker class clocking const constraint context continue cover covergroup
coverpoint cross dist do endchecker endclass endclocking endgroup endinterface endpackage endprogram
endproperty endsequence enum eventually expect export extends extern final first_match foreach forkjoin
global iff ignore_bins illegal_bins implements implies import inside int interconnect interface intersect
join_any join_none let local logic longint matches modport nettype new nexttime null package packed
priority program property protected pure rand randc randcase randsequence ref reject_on restrict return
s_always s_eventually s_nexttime s_until s_until_with sequence shortint shortreal soft solve static string
strong struct super sync_accept_on sync_reject_on tagged this throughout timeprecision timeunit type
typedef union unique unique0 until until_with untyped var virtual void wait_order weak wildcard with
within"""

_VHDL = """abs access after alias all and architecture array assert assume assume_guarantee attribute
begin block body buffer bus case component configuration constant context cover default disconnect downto
else elsif end entity exit fairness file for force function generate generic group guarded if impure in
inertial inout is label library linkage literal loop map mod nand new next nor not null of on open or
others out package parameter port postponed procedure process property protected pure range record
register reject release rem report restrict restrict_guarantee return rol ror select sequence severity
shared signal sla sll sra srl strong subtype then to transport type unaffected units until use variable
vmode vprop vunit wait when while with xnor xor"""

_MACROS = "assert errno null eof stdin stdout stderr linux unix nan infinity"
_OURS = """eqhls main std work ieee clk rst word in_valid in_data out_valid out_data in_word_t out_word_t
u_core u_valid eq_valid_pipe eq_bench vdut ap_clk ap_rst bridge defines parameters inputs outputs latency ii
model_hash to_word to_inputs to_outputs in_bits out_bits"""
_VHDL_TYPES = """numeric_std std_logic_1164 std_logic std_logic_vector natural positive integer boolean"""
_FILES = "aux con nul prn"
_HEADERS = """alloca complex ctype endian features fenv float inttypes iso646 limits locale malloc math memory
pthread sched setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib string strings
tgmath threads time uchar unistd wchar wctype"""
"""The header NAME.h of a project would be found in place of these."""

_TAKEN: dict[str, str] = {
    name: owner
    for owner, names in (
        ("is a name of a device on Windows", _FILES),
        ("is a header of the C library", _HEADERS),
        ("is a macro of the C library", _MACROS),
        ("is a keyword of VHDL", _VHDL),
        ("is a type or a package of VHDL", _VHDL_TYPES),
        ("is a keyword of SystemVerilog", _SYSTEM_VERILOG),
        ("is a keyword of Verilog", _VERILOG),
        ("is a keyword of C++", _CPP),
        ("is a name that eqhls itself uses in every project", _OURS),
    )
    for name in names.split()
}
"""What each name is to somebody else; compared without regard to case, as VHDL and some disks do."""

_SUFFIXES = (
    *("_core", "_hls", "_hls_typed", "_hls_cms", "_test", "_prj", "_csim", "_valid_pipe", "_config", "_t"),
    *("_pkg", "_ports"),
)
_PREFIXES = ("eqhls_", "ap_", "cg_")
_PART = re.compile(r"_table_[0-9a-f]{12}$|^(in|out)_.*_(lsb|bits|frac|stride)$")
_MEMBERS = "pack unpack word_t bitwidth"
"""What the structs of ports in C++ have themselves."""
_RESERVED = frozenset(" ".join((_CPP, _VERILOG, _SYSTEM_VERILOG, _VHDL, _MACROS, _MEMBERS)).split())
"""Names that no port can have in all three languages."""


def fault(name: str) -> str:
    """Return why a name cannot be that of a project, or nothing."""
    low = name.lower()
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        return "is not an identifier: a letter, then letters, digits and underscores, all of ASCII"
    if len(name) > LONGEST:
        return f"has {len(name)} characters, more than {LONGEST}"
    if name.endswith("_") or "__" in name:
        return "ends with an underscore or has two in a row, which VHDL refuses and C++ reserves"
    if low in _TAKEN:
        return _TAKEN[low]
    if low.endswith(_SUFFIXES) or _PART.search(low):
        return "ends like the names that eqhls makes for the parts of a project"
    if low.startswith(_PREFIXES):
        return "begins like the names of the libraries that every project includes"
    return ""


def project_name(name: str) -> str:
    """Return a name that a user gave, unchanged. Raises CompileError if a tool would not take it."""
    problem = fault(name)
    if problem:
        raise CompileError("ProjectName", f"{name!r} {problem}", f"choose e.g. {usable_name(name)!r}")
    return name


def usable_name(name: str) -> str:
    """Return a project name like that of a model, which its author chose for other purposes: `2 nets` or
    `net.v2` are good names of a model. A usable name stays as it is; others end in _net if needed."""
    text = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    if len(text) > LONGEST - 8:
        text = f"{text[: LONGEST - 20].rstrip('_')}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    if not fault(name):
        return name
    for candidate in (text, f"{text}_net", f"net_{text}", f"net_{text}_net"):
        if not fault(candidate):
            return candidate
    return "net"


def identifiers(names: Iterable[str]) -> tuple[str, ...]:
    """Return a name for each name that C++, SystemVerilog and VHDL take, no two alike without regard to case.

    A name that all three take stays as it is, unless an earlier one differs from it only in case. Other
    characters than ASCII letters and digits become underscores; a keyword gets `_port` behind it, a leading
    digit `n` before it, and what another one is called already a number.
    """
    given = tuple(names)
    order = sorted(range(len(given)), key=lambda k: _legal(given[k]) != given[k])
    made = dict(zip(order, distinct(_legal(given[k]) for k in order), strict=True))
    return tuple(made[k] for k in range(len(given)))


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names with a number behind each that an earlier one has, without regard to case."""
    given = tuple(names)
    asked, used, found = {n.lower() for n in given}, set[str](), list[str]()
    for name in given:
        made, number = name, 1
        while made.lower() in used or (number > 1 and made.lower() in asked):
            number += 1
            made = f"{name}_{number}"
        used.add(made.lower())
        found.append(made)
    return tuple(found)


def _legal(name: str) -> str:
    text = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    text = text if text[:1].isalpha() else f"n{text}"
    return f"{text}_port" if text.lower() in _RESERVED else text


def value_identifier(name: str) -> str:
    """Return the C++ name of a value: two names never give the same.

    ASCII letters and digits stay, and underscores between them. A dot becomes `_X_`, any other character
    `_Xcode_`. A trailing underscore keeps the name from keywords, and parts that are added behind it from
    the names of other values.
    """
    text: list[str] = []
    for k, letter in enumerate(name):
        before, after = name[k - 1 : k], name[k + 1 : k + 2]
        if _plain(letter):
            first = not k and (letter.isdigit() or letter == "X" or name in ("in_word", "out_word"))
            text.append(f"X{ord(letter):x}_" if first else letter)
        elif letter == "_" and _plain(before) and _plain(after) and after != "X":
            text.append("_")
        else:
            code = "" if letter == "." else f"{ord(letter):x}"
            text.append(f"{'_' if k else ''}X{code}_")
    return "".join(text) + "_"


def _plain(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def counted(number: int, what: str) -> str:
    """Return a number with what is counted, `one clock` or `4 clocks`, for messages and screens."""
    return f"one {what}" if number == 1 else f"{number:,} {what}s"
