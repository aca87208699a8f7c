"""Reads JSON objects whose shape has been checked, without a cast at every step.

Owns the typed view of an object. Must not validate: what comes from a client passes `shapes` first, so a wrong type here is a
defect of the sandbox and raises TypeError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

_T = TypeVar("_T")


class Fields(Mapping[str, object]):
    """A JSON object. Equal to the mapping that it shows; never changes."""

    __slots__ = ("_members",)

    def __init__(self, members: Mapping[str, object]) -> None:
        self._members = dict(members)

    def __getitem__(self, name: str) -> object:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return f"Fields({', '.join(self._members)})"  # names only: values may be secrets

    def text(self, name: str, default: str = "") -> str:
        """A string member."""
        return self._read(name, str, default)

    def whole(self, name: str, default: int = 0) -> int:
        """A whole number."""
        return self._read(name, int, default)

    def number(self, name: str, default: float = 0.0) -> float:
        """Any number."""
        value = self._members.get(name)
        return default if value is None else float(_expect(name, value, (int, float)))

    def flag(self, name: str) -> bool:
        """A boolean; False where it is missing."""
        return self._read(name, bool, False)

    def child(self, name: str) -> Fields:
        """An object; an empty one where it is missing."""
        value = self._members.get(name)
        return Fields({}) if value is None else as_fields(value)

    def items_of(self, name: str) -> tuple[Fields, ...]:
        """A list of objects."""
        return tuple(as_fields(item) for item in self._list(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(_expect(name, item, (str,)) for item in self._list(name))

    def text_map(self, name: str) -> dict[str, str]:
        """An object whose values are strings."""
        return {key: _expect(name, value, (str,)) for key, value in self.child(name).items()}

    def only(self, *names: str) -> dict[str, object]:
        """Those of these members that are there."""
        return {name: self._members[name] for name in names if name in self._members}

    def plain(self) -> dict[str, object]:
        """The object as a dict of its own."""
        return dict(self._members)

    def _read(self, name: str, kind: type[_T], default: _T) -> _T:
        value = self._members.get(name)
        return default if value is None else _expect(name, value, (kind,))

    def _list(self, name: str) -> list[object]:
        value = self._members.get(name)
        return [] if value is None else _expect(name, value, (list,))


def as_fields(value: object) -> Fields:
    """The object that a JSON value is. Raises TypeError where it is none."""
    if isinstance(value, Fields):
        return value
    if not isinstance(value, Mapping):
        raise TypeError(f"a JSON object was expected, not {type(value).__name__}")
    return Fields(value)


def _expect(name: str, value: object, kinds: tuple[type[_T], ...]) -> _T:
    for kind in kinds:
        if isinstance(value, kind):
            return value
    raise TypeError(f"{name}: {kinds[0].__name__} was expected, not {type(value).__name__}")
