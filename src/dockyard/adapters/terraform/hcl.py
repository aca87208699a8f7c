"""Owns how values are written in Terraform's language, as `terraform fmt` would leave them. Pure.

https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

Value = str | bool | int | float | Sequence["Value"] | Mapping[str, "Value"]
_SPECIAL = re.compile(r'[\\"\x00-\x1f\x7f]|[$%](?=\{)')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "$": "$$", "%": "%%"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def write_value(value: Value) -> str:
    """A value on one line."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{_SPECIAL.sub(_escape, value)}"'
        case int() | float():
            return str(value)
        case Mapping():
            return (
                f"{{ {', '.join(f'{write_name(name)} = {write_value(one)}' for name, one in value.items())} }}"
                if value
                else "{}"
            )
        case _:
            return f"[{', '.join(write_value(one) for one in value)}]"


def write_name(name: str) -> str:
    """An attribute's name, in quotes where it is no identifier."""
    return name if _NAME.fullmatch(name) else write_value(name)


def write_attributes(values: Mapping[str, Value], indent: str) -> str:
    """Attributes below each other, their values aligned."""
    names = {write_name(name): value for name, value in values.items()}
    width = max(map(len, names), default=0)
    return "".join(f"{indent}{name:{width}} = {write_value(value)}\n" for name, value in names.items())


def write_block(head: Iterable[str], values: Mapping[str, Value], maps: Mapping[str, Mapping[str, Value]]) -> str:
    """A block: its attributes, then those whose value is a map that may be long, an entry a line."""
    kind, *labels = head
    begin = " ".join((kind, *(write_value(label) for label in labels)))
    parts = [write_attributes(values, "  ")]
    parts += [f"  {name} = {{\n{write_attributes(entries, '    ')}  }}\n" for name, entries in maps.items() if entries]
    return f"{begin} {{\n" + "\n".join(parts) + "}\n"


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0], f"\\u{ord(found[0]):04x}")
