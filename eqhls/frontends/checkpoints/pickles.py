"""Pickles as data: a stack machine that builds values and has nothing to call.

Python's own unpickler imports and calls what the file names. This one knows a global only as its name.
A REDUCE is carried out where the name is in a table of ours, by a function of ours; classes of training
code become records of their attributes; everything else is refused by name. Keys of dictionaries are
plain, for hashing a nested tuple can take forever. No value is walked recursively.
"""

from __future__ import annotations

import pickletools
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from eqhls.errors import CompileError

HOSTILE = "do not load it with anything that executes pickles"
DAMAGED = "the file is damaged or not a checkpoint"
CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_PLAIN = ("int", "int_or_bool", "float", "bytes_or_str", "bytes", "str")
LITERALS = frozenset(
    o.name
    for o in pickletools.opcodes
    if o.arg and not o.stack_before and [k.name for k in o.stack_after] in [[p] for p in _PLAIN]
)
EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
CODECS = "_codecs.encode"
MAPPINGS = ("collections.OrderedDict", "collections.defaultdict", "collections.Counter")
FACTORIES = tuple(f"{m}.{n}" for m in ("builtins", "__builtin__") for n in ("dict", "list", "int", "float"))
PYTHON = sys.stdlib_module_names | {"__builtin__", "__main__"}
HARMLESS = frozenset(("argparse.Namespace", CODECS, *MAPPINGS, *FACTORIES))
"""The globals of Python's own modules that a checkpoint may mention."""


@dataclass(frozen=True, slots=True)
class Name:
    """A global that a pickle mentions: its name, never the thing."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """An object of some class: its attributes, none of its code."""

    kind: Name
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Scalars:
    """A NumPy type of scalars, by its letter and bytes: f8, i4, b1."""

    code: str


Reducer = Callable[..., Any]
_MARK = object()


def load(data: bytes, persistent: Callable[[Any], Any], reducers: Mapping[str, Reducer]) -> Any:
    """Return the value of a pickle.

    `persistent` resolves persistent ids; `reducers` are the calls allowed beside those of Python's
    containers and NumPy's scalars, by the name of the global. Raises CompileError naming any other
    global that the pickle wants called, and for damaged pickles.
    """
    machine = _Machine(persistent, PLAIN | dict(reducers))
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name == "STOP":
                return machine.finish()
            machine.step(opcode.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise CompileError("pickle", f"cannot be read ({type(error).__name__}: {error})", DAMAGED) from None
    raise CompileError("pickle", "ends early", DAMAGED)


class _Machine:
    def __init__(self, persistent: Callable[[Any], Any], reducers: Mapping[str, Reducer]) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._persistent = persistent
        self._reducers = reducers

    def finish(self) -> Any:
        (value,) = self._stack
        return value

    def step(self, name: str, argument: Any) -> None:
        """Carry out one opcode; those of no table are methods, and what is neither is refused."""
        push = self._stack.append
        if name in CONSTANTS:
            push(CONSTANTS[name])
        elif name in LITERALS:
            push(argument)
        elif name in EMPTY:
            push(EMPTY[name]())
        elif name in TUPLES:
            push(tuple(self._pop(TUPLES[name])))
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            push(self._memo[int(argument)])
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[int(argument)] = self._stack[-1]
        elif name not in ("PROTO", "FRAME"):
            method = _METHODS.get(name)
            if method is None:
                raise CompileError("pickle", f"uses the opcode {name}, which no checkpoint needs", HOSTILE)
            method(self, argument)

    def _pop(self, count: int) -> list[Any]:
        if count > len(self._stack):
            raise IndexError("stack underflow")
        taken = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        if any(v is _MARK for v in taken):
            raise ValueError("a mark where a value belongs")
        return taken

    def _marked(self) -> list[Any]:
        """Pop everything above the topmost mark, and the mark."""
        count = 0
        while self._stack[-1 - count] is not _MARK:
            count += 1
        taken = self._pop(count)
        self._stack.pop()
        return taken

    def mark(self, _: Any) -> None:
        self._stack.append(_MARK)

    def memoize(self, _: Any) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def tuple_(self, _: Any) -> None:
        self._stack.append(tuple(self._marked()))

    def list_(self, _: Any) -> None:
        self._stack.append(self._marked())

    def append(self, _: Any) -> None:
        self._extend(self._pop(1))

    def appends(self, _: Any) -> None:
        self._extend(self._marked())

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise ValueError(f"appends to a {type(target).__name__}")
        target.extend(items)

    def setitem(self, _: Any) -> None:
        self._fill(self._pop(2))

    def setitems(self, _: Any) -> None:
        self._fill(self._marked())

    def _fill(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise ValueError(f"sets items of a {type(target).__name__}")
        target.update(_plain_keys(list(zip(items[::2], items[1::2], strict=True))))

    def dict_(self, _: Any) -> None:
        items = self._marked()
        self._stack.append({})
        self._fill(items)

    def global_(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._stack.append(_named(module, name))

    def stack_global(self, _: Any) -> None:
        module, name = self._pop(2)
        self._stack.append(_named(module, name))

    def persistent(self, _: Any) -> None:
        (key,) = self._pop(1)
        self._stack.append(self._persistent(key))

    def reduce(self, _: Any) -> None:
        kind, arguments = self._pop(2)
        reducer = self._reducers.get(kind.text) if isinstance(kind, Name) else None
        if reducer is None or not isinstance(arguments, tuple):
            raise _called(kind)
        self._stack.append(reducer(*arguments))

    def newobj(self, _: Any) -> None:
        """An object whose class is called without arguments is what its state says."""
        kind, arguments = self._pop(2)
        if not isinstance(kind, Name) or arguments != ():
            raise _called(kind)
        self._stack.append({} if kind.text in MAPPINGS else Record(kind))

    def obj(self, _: Any) -> None:
        raise _called(self._marked()[0])

    def newobj_ex(self, _: Any) -> None:
        raise _called(self._pop(3)[0])

    def inst(self, argument: str) -> None:
        raise _called(Name(argument.replace(" ", ".")))

    def build(self, _: Any) -> None:
        (state,) = self._pop(1)
        target = self._stack[-1]
        if isinstance(target, Record):
            target.attributes.update(_attributes(target, state))
        elif isinstance(target, Scalars):
            if state[1] not in ("<", "|", "="):
                raise CompileError("pickle", f"holds NumPy scalars of byte order {state[1]!r}", DAMAGED)
        elif not isinstance(target, dict):
            raise CompileError("pickle", f"sets the state of a {type(target).__name__}", HOSTILE)


_METHODS: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine.mark,
    "MEMOIZE": _Machine.memoize,
    "TUPLE": _Machine.tuple_,
    "LIST": _Machine.list_,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.setitem,
    "SETITEMS": _Machine.setitems,
    "DICT": _Machine.dict_,
    "GLOBAL": _Machine.global_,
    "STACK_GLOBAL": _Machine.stack_global,
    "BINPERSID": _Machine.persistent,
    "REDUCE": _Machine.reduce,
    "NEWOBJ": _Machine.newobj,
    "OBJ": _Machine.obj,
    "NEWOBJ_EX": _Machine.newobj_ex,
    "INST": _Machine.inst,
    "BUILD": _Machine.build,
}


def _called(kind: Any) -> CompileError:
    what = kind.text if isinstance(kind, Name) else f"a {type(kind).__name__}"
    return CompileError("pickle", f"asks to call {what}, which eqhls never does", HOSTILE)


def _named(module: Any, name: Any) -> Name:
    """Return a global by name. Python's own modules are refused but for a few containers."""
    if not isinstance(module, str) or not isinstance(name, str):
        raise ValueError("a global without a name")
    text = f"{module}.{name}"
    if module.split(".", 1)[0] in PYTHON and text not in HARMLESS:
        raise CompileError("pickle", f"asks for {text}, which can run code", HOSTILE)
    return Name(text)


def _plain_keys(items: list[tuple[Any, Any]]) -> dict[Any, Any]:
    for key, _ in items:
        if not (isinstance(key, str | int | float | bytes | None) or type(key).__hash__ is object.__hash__):
            raise CompileError(
                "pickle", f"has a {type(key).__name__} as key, expected text or a number", DAMAGED
            )
    return dict(items)


def _attributes(target: Record, state: Any) -> dict[str, Any]:
    if not isinstance(state, dict) or not all(isinstance(k, str) for k in state):
        found = type(state).__name__
        raise CompileError(
            "pickle", f"{target.kind.text} has a {found} as state, expected attributes", DAMAGED
        )
    return state


def _mapping(*arguments: Any) -> dict[Any, Any]:
    """Containers of pairs: OrderedDict([[k, v], ..]), OrderedDict(), defaultdict(dict), Counter({})."""
    (pairs,) = [a for a in arguments if not isinstance(a, Name)] or [()]
    if isinstance(pairs, dict):
        return dict(pairs)
    return _plain_keys([(k, v) for k, v in pairs])


def _encoded(text: Any, codec: Any) -> bytes:
    """Bytes, as protocol 2 writes them."""
    if not isinstance(text, str) or codec != "latin1":
        raise CompileError("pickle", f"asks for {CODECS} with {codec!r}, expected 'latin1'", HOSTILE)
    return text.encode("latin1")


def _scalars(code: Any, *_: Any) -> Scalars:
    if not isinstance(code, str) or not re.fullmatch(r"[fiu][1248]|b1", code):
        raise CompileError("pickle", f"holds NumPy scalars of type {code!r}", "expected numbers")
    return Scalars(code)


def _scalar(kind: Any, raw: Any = b"") -> Any:
    """Return a NumPy scalar as a number of Python."""
    if not isinstance(kind, Scalars) or not isinstance(raw, bytes):
        raise ValueError("a NumPy scalar without type or bytes")
    (value,) = np.frombuffer(raw, np.dtype(kind.code).newbyteorder("<"))
    return value.item()


PLAIN: dict[str, Reducer] = {
    **dict.fromkeys(MAPPINGS, _mapping),
    CODECS: _encoded,
    "numpy.dtype": _scalars,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
}
