"""keras_metadata.pb: what Keras 2 writes about its objects beside a SavedModel.

The file is a protocol buffer: a list of objects, each with the path by which the checkpoint reaches it and a
text in JSON. It is read by the wire format, for TensorFlow does not have the definition.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

METADATA = "keras_metadata.pb"
NODES, PATH, TEXT = 1, 3, 5
"""Fields: the objects of the file; of an object, its path and its text."""
VARINT, BYTES = 0, 2

Names = tuple[str, ...]


def names_of_layers(content: bytes) -> tuple[Mapping[str, Any], dict[Names, Names]]:
    """Return the configuration of the model and, by the path of each layer, its name behind those of the
    models around it. Raises ValueError for a file of another kind."""
    found = dict[Names, Mapping[str, Any]]()
    for field, node in _fields(content):
        if field == NODES and isinstance(node, bytes):
            parts = dict(_fields(node))
            found[tuple(_text(parts[PATH]).split(".")[1:])] = json.loads(
                _text(parts[TEXT]), object_hook=_plain
            )
    if not found.get((), {}).get("config"):
        raise ValueError(f"{METADATA} describes no model")
    layers = {
        place: tuple(str(found[place[: k + 1]]["name"]) for k in range(len(place)))
        for place in found
        if place and all(place[: k + 1] in found for k in range(len(place)))
    }
    return found[()], layers


def _plain(found: dict[str, Any]) -> Any:
    """Return tuples and shapes, which Keras marks in this file, as lists."""
    return found["items"] if found.get("class_name") in ("__tuple__", "TensorShape") else found


def _text(value: int | bytes) -> str:
    if not isinstance(value, bytes):
        raise ValueError(f"found the number {value}, expected text")
    return value.decode()


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a message: numbers, and bytes with their length in front."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        value, at = _varint(content, at)
        if key & 7 == VARINT:
            yield key >> 3, value
        elif key & 7 == BYTES and at + value <= len(content):
            yield key >> 3, content[at : at + value]
            at += value
        else:
            raise ValueError(f"found the wire type {key & 7} at byte {at}")


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k in range(10):
        if at >= len(content):
            raise ValueError("is cut off")
        byte, at = content[at], at + 1
        value |= (byte & 0x7F) << 7 * k
        if byte < 0x80:
            return value, at
    raise ValueError(f"found a number of more than 64 bits at byte {at}")
