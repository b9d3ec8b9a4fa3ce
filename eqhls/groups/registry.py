"""The groups that the compiler knows. A group is added by one line here; the laws run over them all."""

from __future__ import annotations

from eqhls.errors import CompileError
from eqhls.groups.coupling import Coupling, Path
from eqhls.groups.group import Group, Product
from eqhls.groups.lorentz.group import LORENTZ
from eqhls.groups.rep import ONE, Basis, Rep, S
from eqhls.groups.rotation.group import ROTATION

GROUPS: tuple[Group, ...] = (LORENTZ, ROTATION)


def reps() -> tuple[Rep, ...]:
    """Return the representations of all groups, the one that they share first."""
    return (S, *(rep for group in GROUPS for rep in group.reps))


def rep(name: str) -> Rep:
    """Return the representation of this name. Raises KeyError if there is none."""
    return {r.name: r for r in reps()}[name]


def paths() -> tuple[Path, ...]:
    """Return the paths of all groups."""
    return tuple(dict.fromkeys(path for group in GROUPS for path in group.paths))


def examples() -> tuple[Product, ...]:
    """Return products of all groups over which the laws of ops run, the trivial one first."""
    return ((Path(S, S, S), ONE, ONE), *(e for group in GROUPS for e in group.examples))


def group_of(rep: Rep | Path) -> Group:
    """Return the group of a representation or a path; of scalars, the first one."""
    name = rep.group
    return next((g for g in GROUPS if g.name == name), GROUPS[0])


def parse_path(text: str) -> Path:
    """Read `V*F->V~`. Raises CompileError for a path that does not exist."""
    try:
        factors, out = text.replace(" ", "").split("->")
        left, right = factors.split("*")
        path = Path(rep(left), rep(right), rep(out.removesuffix("~")), out.endswith("~"))
    except (ValueError, KeyError):
        raise _no_path(text, "a path of two known representations, as in V*V->S") from None
    if path.trivial and path.out in (path.left, path.right):
        return path
    known = group_of(path).paths
    if path in known or path.swapped in known:
        return path
    alike = [str(p) for p in known if {p.left, p.right} == {path.left, path.right}] or [*map(str, known)]
    raise _no_path(text, f"one of {', '.join(alike)}")


def _no_path(text: str, expected: str) -> CompileError:
    return CompileError(
        "path", f"found {text!r}, expected {expected}", "or the same with its factors exchanged"
    )


def coupling(path: Path, left: Basis, right: Basis) -> Coupling:
    """Return the product of tensors in these bases. Raises CompileError if there is none."""
    group = group_of(path)
    if path.trivial:
        out = right if path.left is S else left
    else:
        out = ONE if path.out is S else group.out_basis(path, left, right)
    return Coupling(path, left, right, out, group)


def form(rep: Rep) -> Path:
    """Return the path to the invariant square of a representation."""
    return Path(rep, rep, S)
