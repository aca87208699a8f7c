"""Hypothesis strategies for the domain's values, made from their annotations: every field holds anything it may hold."""

from __future__ import annotations

import dataclasses
import types
import typing
from enum import EnumMeta
from typing import Literal, TypeVar, Union

from hypothesis import strategies as st

T = TypeVar("T")

_PLAIN: dict[object, st.SearchStrategy[object]] = {
    str: st.text(st.characters(codec="utf-8"), max_size=12),  # no lone surrogates: JSON has no place for them
    int: st.integers(min_value=-(2**40), max_value=2**40),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
}


def any_of(cls: type[T]) -> st.SearchStrategy[T]:
    """Any instance of a dataclass."""
    hints = typing.get_type_hints(cls)
    fields = {one.name: _any_value(hints[one.name]) for one in dataclasses.fields(cls)}  # type: ignore[arg-type]
    return st.builds(cls, **fields)


def _any_value(hint: object) -> st.SearchStrategy[object]:
    hint = getattr(hint, "__supertype__", hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, EnumMeta):
        return st.sampled_from(list(hint))
    if dataclasses.is_dataclass(hint):
        return any_of(typing.cast("type[object]", hint))
    return _any_generic(typing.get_origin(hint), typing.get_args(hint))


def _any_generic(origin: object, arguments: tuple[object, ...]) -> st.SearchStrategy[object]:
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in {Union, types.UnionType}:
        return st.one_of([_any_value(one) for one in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(_any_value(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*[_any_value(one) for one in arguments])
    raise TypeError(f"no strategy for {origin} of {arguments}")
