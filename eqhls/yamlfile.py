"""YAML as its users mean it: no key twice, no `yes` for true, no 1:30 for 90; and the line of every key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from eqhls.errors import CompileError

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """The line of every key, by the keys on the way to it."""

    at: Mapping[Place, int] = field(default_factory=dict[Place, int])

    def of(self, place: Place) -> int:
        """Return the line of a key, or of the nearest one around it; 0 if there is none."""
        return next((self.at[place[:n]] for n in range(len(place), 0, -1) if place[:n] in self.at), 0)


class _Loader(yaml.SafeLoader):
    """Plain scalars as YAML 1.2 reads them; keys remember their lines."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  (the parent's are those of YAML 1.1)


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}",
        re.compile(rf"(?:{_pattern})\Z"),
        [letter for letter in _first if letter != "\0"] + ([""] if "\0" in _first else []),
    )

MODELS = ("!keras_model", "!onnx_model", "!pytorch_model")
"""Tags by which hls4ml says what kind of file a path is."""


def _path(loader: yaml.SafeLoader, node: Any) -> Any:
    return loader.construct_scalar(node)


for _tag in MODELS:
    _Loader.add_constructor(_tag, _path)


def read_yaml(path: Path) -> tuple[dict[str, Any], Lines]:
    """Return the keys and values of a file and the line of each key. Raises CompileError for files that
    cannot be read, are not YAML, hold something else than keys, or a key twice."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CompileError(str(path), f"cannot be read ({error})", "check the path") from None
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        lines = dict[Place, int]()
        _walk(root, (), lines, path)
        loaded = loader.construct_document(root) if root is not None else {}
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CompileError(f"{path}{line}", f"is not YAML ({error.problem})", "correct the syntax") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CompileError(str(path), f"is not YAML ({error})", "correct the syntax") from None
    finally:
        loader.dispose()
    if not isinstance(loaded, dict | None):
        raise CompileError(
            str(path), f"holds a {type(loaded).__name__}, expected keys and values", "write KEY: VALUE"
        )
    return loaded or {}, Lines(lines)


def _walk(node: yaml.Node | None, place: Place, lines: dict[Place, int], path: Path) -> None:
    """Note the line of every key. Raises CompileError for keys that stand twice or are not text."""
    if isinstance(node, yaml.SequenceNode):
        for k, item in enumerate(node.value):
            _walk(item, (*place, str(k)), lines, path)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
            raise CompileError(
                f"{path}:{line}", "found a key that is not text", "write keys as words, in quotes if needed"
            )
        here = (*place, str(key.value))
        if here in lines:
            raise CompileError(
                f"{path}:{line}",
                f"found the key {'.'.join(here)!r} again, first in line {lines[here]}",
                "write it once, with everything that belongs to it",
            )
        lines[here] = line
        _walk(value, here, lines, path)
