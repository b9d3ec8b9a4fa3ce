"""Print what the ops on angles and on codes of logarithms cost, each of 16 elements, by alkaid's estimate."""

from __future__ import annotations

from types import ModuleType

from eqhls.fixed import Fixed
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder
from eqhls.ir.op import Op, Tensor
from eqhls.ir.types import Axis, Type
from eqhls.lower.netlist import Netlist
from eqhls.lower.schedule import lower
from eqhls.ops import exp2, log_add
from eqhls.ops.add import Add
from eqhls.ops.exp2 import Exp2
from eqhls.ops.input import Input
from eqhls.ops.log2 import Log2
from eqhls.ops.log_add import LogAdd
from eqhls.ops.magnitude import Magnitude
from eqhls.ops.sign_select import SignSelect
from eqhls.ops.table import Activation, Table
from eqhls.ops.wrap import Wrap
from eqhls.options import Options

COUNT = 16


def netlist(forms: tuple[str, ...], *ops: Op) -> Netlist:
    """Return the netlist of ops in a row on 16 elements of each input."""
    b = Builder("cost")
    axes = (Axis("j", COUNT),)
    names = [b.add(f"x{k}", Input(Type(S, axes, formats=(Fixed.parse(f),)))) for k, f in enumerate(forms)]
    for k, op in enumerate(ops):
        names = [b.add(f"y{k}", op, *names)]
    return lower(b.graph(*names).formatted(), Options())


def power(shift: int, out: str) -> Table:
    """Return the plain table of 2^(x + shift)."""
    line = Tensor([[float(shift), shift + 1.0]])
    return Table(Tensor([0.0, 1.0]), line, Activation.EXP2, out=Fixed.parse(out))


def powers(code: str, shift: int, out: str) -> dict[str, Netlist]:
    """Return both ways to a power of two."""
    name = f"{code} to {out.replace(',RND,SAT', '')}"
    return {
        f"a table of 2^(x - {-shift}), {name}": netlist((code,), power(shift, out)),
        f"`exp2` of the same, {name}": netlist((code,), Exp2(shift, Fixed.parse(out), 8)),
    }


def otherwise(module: ModuleType, bits: int, forms: tuple[str, ...], op: Op) -> Netlist:
    """Return the netlist of an op that changes from one form to the other at an address of so many bits."""
    usual = module.ADDRESS_BITS
    try:
        module.ADDRESS_BITS = bits
        return netlist(forms, op)
    finally:
        module.ADDRESS_BITS = usual


def shifted(code: str, shift: int, out: str, mantissa: int) -> Netlist:
    """Return the netlist of a power of two as a significand that is shifted."""
    return otherwise(exp2, 0, (code,), Exp2(shift, Fixed.parse(out), mantissa))


def by_difference(code: str, frac: int) -> Netlist:
    """Return the netlist of a sum of logarithms by the table of the difference, whatever its width."""
    return otherwise(log_add, 14, (code,) * 2, LogAdd(2, frac))


NINE = Fixed(9, 9)
ROWS = {
    "`wrap` 1440 = 45 * 32, fix<12,12> to fix<9,9>": netlist(("fix<12,12>",), Wrap(1440, 32, NINE)),
    "the difference of two fix<11,11>, then `wrap`": netlist(
        ("fix<11,11>",) * 2, Add((1,)), Wrap(1440, 32, NINE)
    ),
    "`wrap` 1440, all 11 bits kept": netlist(("fix<12,12>",), Wrap(1440, 32, Fixed(11, 11))),
    "`wrap` 2048, fix<12,12> to fix<9,9>": netlist(("fix<12,12>",), Wrap(2048, 32, NINE)),
    "`wrap` 1024, all 10 bits kept": netlist(("fix<12,12>",), Wrap(1024, 32, Fixed(10, 10))),
    "`magnitude` of fix<9,9>": netlist(("fix<9,9>",), Magnitude()),
    "`sign_select` of ufix<8,9> by fix<9,9>": netlist(("ufix<8,9>", "fix<9,9>"), SignSelect()),
    "`log2` of a magnitude, fix<9,9>, quarter octaves": netlist(
        ("fix<9,9>",), Log2(codes=37, magnitude=True)
    ),
    "the same, centred": netlist(("fix<9,9>",), Log2(codes=37, magnitude=True, centred=True)),
    "`log_add` power 2, two ufix<6,4>": netlist(("ufix<6,4>",) * 2, LogAdd(2, 2)),
    "`log_add` power 2, two ufix<7,4>": netlist(("ufix<7,4>",) * 2, LogAdd(2, 3)),
    "the same by a table of the difference, 8 bits": by_difference("ufix<7,4>", 3),
    "`log_add` power 2, two ufix<8,4>": netlist(("ufix<8,4>",) * 2, LogAdd(2, 4)),
    "the same by a table of the difference, 9 bits": by_difference("ufix<8,4>", 4),
    **powers("ufix<7,5>", -8, "ufix<8,9,RND,SAT>"),
    **powers("ufix<8,6>", -16, "ufix<9,6,RND,SAT>"),
    **{
        f"the same by a shifted significand of {m} bits": shifted("ufix<8,6>", -16, "ufix<9,6,RND,SAT>", m)
        for m in (4, 8)
    },
    **powers("ufix<9,6>", -16, "ufix<11,6,RND,SAT>"),
    **powers("ufix<10,6>", -16, "ufix<11,6,RND,SAT>"),
}

if __name__ == "__main__":
    print("| op | LUT of 16 | LUT of one | ns |\n|---|---|---|---|")
    for name, made in ROWS.items():
        lut, depth = made.lut_estimate, made.stage_depth_ns
        print(f"| {name} | {lut:,.0f} | {lut / COUNT:.1f} | {depth:.2f} |")
