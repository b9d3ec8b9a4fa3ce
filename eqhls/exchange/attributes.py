"""Fields of ops to ONNX attributes and back."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, get_args

import numpy as np
import onnx
from onnx import helper, numpy_helper

from eqhls.errors import CompileError
from eqhls.exchange.domain import RESULT, Attribute, attributes_of
from eqhls.fixed import Fixed
from eqhls.groups.coupling import Path
from eqhls.groups.registry import parse_path
from eqhls.ir.graph import Graph
from eqhls.ir.logic import Logic
from eqhls.ir.op import Op, Tensor
from eqhls.ir.text import pack_graph, unpack_graph
from eqhls.ir.types import Type
from eqhls.ops import BY_NAME

KINDS = onnx.AttributeProto.AttributeType
MOST_ELEMENTS = 1 << 24
"""The largest tensor that is read: far beyond any network that fits an FPGA."""


def encode(op: Op) -> list[onnx.AttributeProto]:
    """Return the fields of an op as attributes; a field that is None is left out."""
    return [
        _encoded(a, getattr(op, a.name)) for a in attributes_of(type(op)) if getattr(op, a.name) is not None
    ]


def decode(op: type[Op], attributes: Sequence[onnx.AttributeProto]) -> Op:
    """Return the op that attributes describe. Raises CompileError naming the attribute."""
    given = {a.name: a for a in attributes if a.name != RESULT}
    known = {a.name: a for a in attributes_of(op)}
    for name in given:
        if name not in known:
            raise CompileError(
                op.__name__,
                f"found the attribute {name!r}",
                f"its attributes are {', '.join((*known, RESULT))}",
            )
    missing = [a.name for a in known.values() if a.required and a.name not in given]
    if missing:
        raise CompileError(op.__name__, f"has no attribute {missing[0]!r}", "give every required one")
    return op(**{name: decoded(known[name], attribute) for name, attribute in given.items()})


def _encoded(attribute: Attribute, value: Any) -> onnx.AttributeProto:
    kind = attribute.kind
    if kind.startswith("TENSOR"):
        tensors = [numpy_helper.from_array(t.array) for t in (value if kind == "TENSORS" else (value,))]
        return helper.make_attribute(
            attribute.name, tensors if kind == "TENSORS" else tensors[0], attr_type=KINDS.Value(kind)
        )
    if kind == "FLOAT" and float(np.float32(value)) != value:
        return helper.make_attribute(
            attribute.name, numpy_helper.from_array(np.array(value, dtype=np.float64))
        )
    plain = [_plain(v) for v in value] if isinstance(value, tuple) else _plain(value)  # pyright: ignore
    return helper.make_attribute(attribute.name, plain, attr_type=KINDS.Value(kind))


def _plain(value: Any) -> Any:
    if isinstance(value, Graph):
        return pack_graph(value)
    if isinstance(value, Enum):
        return str(value.value)
    return int(value) if isinstance(value, bool) else value if isinstance(value, int | float) else str(value)


def decoded(attribute: Attribute, given: onnx.AttributeProto) -> Any:
    """Return the value of a field. Raises CompileError if the attribute has another type or no sense."""
    found = KINDS.Name(given.type)
    wide = attribute.kind == "FLOAT" and found == "TENSOR"
    if given.ref_attr_name or not (found == attribute.kind or wide):
        raise CompileError(
            f"attribute {attribute.name}",
            f"is a {found}, expected a {attribute.kind}",
            "write it as that kind",
        )
    raw = helper.get_attribute_value(given)
    try:
        if wide:
            return float(array_of(raw).reshape(()))
        if attribute.kind.endswith("S"):
            return tuple(_value(v, get_args(attribute.hint)[0]) for v in raw)
        return _value(raw, attribute.hint)
    except CompileError as error:
        raise error.at(f"attribute {attribute.name}") from None
    except ValueError as error:
        raise CompileError(
            f"attribute {attribute.name}", f"cannot be read ({error})", "export the model again"
        ) from None


def _value(raw: Any, hint: Any) -> Any:
    if hint is Tensor:
        return Tensor(array_of(raw))
    text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
    parsers = {Fixed: Fixed.parse, Type: type_of, Path: parse_path, Graph: _network, Logic: Logic.parse}
    if hint in parsers:
        return parsers[hint](text)
    if hint is float and not np.isfinite(text):
        raise ValueError(f"found {text}")
    return hint(text)


def _network(text: str) -> Graph:
    return unpack_graph(text, BY_NAME)


def type_of(text: str) -> Type:
    """Return a type. Raises CompileError for one that no network on an FPGA can have."""
    type = Type.parse(text)
    if type.elements > MOST_ELEMENTS:
        raise CompileError("type", f"found {type}", f"expected at most {MOST_ELEMENTS:,} numbers per event")
    return type


def result_type(attributes: Sequence[onnx.AttributeProto]) -> Type | None:
    """Return the declared type of the result, if there is one."""
    for given in attributes:
        if given.name == RESULT:
            return decoded(Attribute(RESULT, "STRING", Type, False, None), given)
    return None


def array_of(tensor: onnx.TensorProto) -> np.ndarray:
    """Return a tensor of numbers as an array. Raises CompileError for other, torn or huge ones."""
    name, size = tensor.name or "tensor", 1
    for length in tensor.dims:
        size *= length
    if any(length < 0 for length in tensor.dims) or size > MOST_ELEMENTS:
        raise CompileError(
            name, f"has the shape {list(tensor.dims)}", f"expected at most {MOST_ELEMENTS:,} elements"
        )
    try:
        array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, RuntimeError, AttributeError) as error:
        raise CompileError(name, f"cannot be read ({error})", "the file is damaged") from None
    if array.dtype.kind not in "fiub":
        raise CompileError(name, f"holds {array.dtype}, expected numbers", "write it as FLOAT or DOUBLE")
    return array
