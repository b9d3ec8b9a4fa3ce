"""The ONNX domain com.eqhls: names, version, and the attributes of every operator. Needs no onnx."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from eqhls.ir.op import Op, Tensor
from eqhls.ops import ALL

DOMAIN, VERSION = "com.eqhls", 1
OPSET, IR_VERSION = 17, 8
QUANT_DOMAIN, QUANT_VERSION = "qonnx.custom_op.general", 1
RESULT = "result_type"
"""The attribute with the type of the result, formats included; if it is missing, it is inferred."""
SPECIAL = "__"
"""What follows it in the name of an operator tells specialised functions of one op apart."""

OPERATORS: dict[str, type[Op]] = {op.__name__: op for op in ALL}


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field of an op as an attribute; `kind` is the name of an ONNX attribute type."""

    name: str
    kind: str
    hint: Any
    required: bool
    default: Any


def op_of(operator: str) -> type[Op] | None:
    """Return the op of an operator such as `Gram` or `Gram__2`, or None."""
    return OPERATORS.get(operator.split(SPECIAL)[0])


def attributes_of(op: type[Op]) -> tuple[Attribute, ...]:
    """Return the attributes of an op, one for each field."""
    hints = get_type_hints(op)
    found: list[Attribute] = []
    for field in fields(op):
        hint = _without_none(hints[field.name])
        found.append(
            Attribute(field.name, attribute_kind(hint), hint, field.default is MISSING, field.default)
        )
    return tuple(found)


def attribute_kind(hint: Any) -> str:
    """Return the ONNX attribute type of a field's type; what is not a number or array travels as text."""
    if get_origin(hint) is tuple:
        return attribute_kind(get_args(hint)[0]) + "S"
    return {Tensor: "TENSOR", bool: "INT", int: "INT", float: "FLOAT"}.get(hint, "STRING")


def _without_none(hint: Any) -> Any:
    options = [a for a in get_args(hint) if a is not NoneType]
    return options[0] if NoneType in get_args(hint) else hint
