"""Owns reading what the source says of a dataclass's fields: their types and the docstrings below them."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDoc:
    """One field as its source has it."""

    name: str
    type: str
    text: str


def read_fields(one: type) -> tuple[FieldDoc, ...]:
    """Return the fields of a dataclass in order, those that it inherits with the words of where they are from."""
    texts = {
        name: text
        for each in reversed(one.__mro__)
        if dataclasses.is_dataclass(each)
        for name, text in _read_texts(each).items()
    }
    return tuple(
        FieldDoc(name=field.name, type=str(field.type), text=texts.get(field.name, "")) for field in dataclasses.fields(one)
    )


def read_summary(one: type) -> str:
    """Return the first line of a class's docstring."""
    return (inspect.getdoc(one) or "").partition("\n")[0]


def _read_texts(one: type) -> Mapping[str, str]:
    tree = ast.parse(inspect.getsource(one)).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    return {
        before.target.id: inspect.cleandoc(after.value.value)
        for before, after in itertools.pairwise(body)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }
