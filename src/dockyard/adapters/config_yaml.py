"""Owns the step from a configuration file's bytes to plain values with line numbers. Must not know any key.

YAML with the scalar types of JSON only: `yes`, `on` and `2026-01-01` stay text, and no tag makes an object. Anchors and merge
keys work; a file that unfolds into too much is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import yaml

KeyPath = tuple[str, ...]
"""The keys that lead to a value; list positions as text."""
_MAX_BYTES = 1024 * 1024
_MAX_NODES = 20_000


class UnreadableError(Exception):
    """The bytes are no YAML that could be a configuration; `line` says where, if that is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file says, and on which line it says it."""

    values: dict[str, object] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)


class _Loader(yaml.SafeLoader):
    """Composes nodes with the scalar types of JSON."""


_Loader.yaml_implicit_resolvers = {}
_SCALARS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("bool", r"true|false", ("t", "f")),
    ("int", r"0|-?[1-9][0-9]{0,17}", tuple("-0123456789")),
    ("float", r"-?[0-9]{1,17}\.[0-9]{1,17}", tuple("-0123456789")),
    ("null", r"~|null|", ("~", "n", "")),
    ("merge", r"<<", ("<",)),
)
for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), list(_first))


def read_document(data: bytes) -> Document:
    """Return the values and lines of a YAML document; an empty one has no values.

    Raises UnreadableError.
    """
    root = _compose(data)
    if root is None or _is_null(root):
        return Document()
    if not isinstance(root, yaml.MappingNode):
        raise UnreadableError("the file must be a mapping of keys to values", root.start_mark.line + 1)
    reader = _Reader()
    try:
        values = reader.read_mapping(root, ())
    except RecursionError as error:
        raise UnreadableError("the file is nested too deeply") from error
    return Document(values=values, lines=reader.lines)


def read_value(text: str) -> object:
    """Return the value of a YAML text, such as that of an environment variable. Raises UnreadableError."""
    root = _compose(text.encode("utf-8", "surrogatepass"))
    try:
        return None if root is None else _Reader().read_node(root, ())
    except RecursionError as error:
        raise UnreadableError("the value is nested too deeply") from error


def _compose(data: bytes) -> yaml.Node | None:
    if len(data) > _MAX_BYTES:
        raise UnreadableError("the file is larger than 1 MiB")
    try:
        loader = _Loader(data.decode("utf-8-sig"))
        return loader.get_single_node()
    except UnicodeDecodeError as error:
        raise UnreadableError("the file is not UTF-8 text", data[: error.start].count(b"\n") + 1) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableError(f"the file is not YAML: {error.problem}", mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise UnreadableError("the file has characters that YAML does not allow") from error
    except RecursionError as error:
        raise UnreadableError("the file is nested too deeply") from error


class _Reader:
    """Turns nodes into values, counting them, and notes their lines."""

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._count = 0

    def read_node(self, node: yaml.Node, path: KeyPath) -> object:
        self._count += 1
        if self._count > _MAX_NODES:
            raise UnreadableError("the file unfolds into too many values", node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.read_mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._read_item(item, (*path, str(index))) for index, item in enumerate(node.value)]
        return _read_scalar(node)

    def read_mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise UnreadableError("a key must be plain text", key_node.start_mark.line + 1)
            if key_node.tag.endswith(":merge"):
                for one in self._read_merged(value_node, path):
                    merged = {**one, **merged}
            else:
                self._read_key(key_node, value_node, path, own)
        return {**merged, **own}

    def _read_key(self, key_node: yaml.ScalarNode, value: yaml.Node, path: KeyPath, own: dict[str, object]) -> None:
        here = (*path, str(key_node.value))
        line = key_node.start_mark.line + 1
        if here[-1] in own:
            raise UnreadableError(f"the key `{'.'.join(here)}` is there twice", line)
        self.lines[here] = line
        own[here[-1]] = self.read_node(value, here)

    def _read_item(self, node: yaml.Node, path: KeyPath) -> object:
        self.lines[path] = node.start_mark.line + 1
        return self.read_node(node, path)

    def _read_merged(self, node: yaml.Node, path: KeyPath) -> Iterator[dict[str, object]]:
        """The mappings that `<<` names; where one key is in several, the first counts. Lines are those of the anchor."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for one in nodes:
            if not isinstance(one, yaml.MappingNode):
                raise UnreadableError("`<<` must name a mapping", one.start_mark.line + 1)
            known = dict(self.lines)
            values = self.read_node(one, path)
            self.lines = {**self.lines, **known}
            if isinstance(values, dict):
                yield values


def _read_scalar(node: yaml.Node) -> object:
    kind = node.tag.rpartition(":")[2]
    try:
        return _SCALAR_READERS[kind](node.value)
    except (KeyError, ValueError) as error:
        raise UnreadableError(f"a value with the tag `{node.tag}` is not allowed here", node.start_mark.line + 1) from error


_SCALAR_READERS: Mapping[str, Callable[[str], object]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": {"true": True, "false": False}.__getitem__,
    "null": {"": None, "~": None, "null": None}.__getitem__,
}


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")
