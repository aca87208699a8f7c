"""Owns how a secret travels: wrapped, and printed as `***` wherever it is shown by accident."""

from __future__ import annotations


class Secret:
    """A value that never shows itself. `reveal()` is called where it is handed to a server, nowhere else."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)
