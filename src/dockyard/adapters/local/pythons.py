"""Owns the interpreters of this machine as its runtimes want them: looked for once, and told of in our own errors."""

from __future__ import annotations

from collections.abc import Mapping

from dockyard.domain.errors import UnavailableError
from dockyard_image.pythons import NoPythonError, find_python


class Pythons:
    """The interpreters of this machine: our own, those on PATH, those that uv knows."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` is where PATH is looked up."""
        self._environ = environ
        self._found: dict[str, str] = {}

    def find(self, minor: str) -> str:
        """The path of an interpreter of a minor version such as `3.11`. Raises UnavailableError `no-matching-python`."""
        if minor not in self._found:
            try:
                self._found[minor] = find_python(minor, self._environ)
            except NoPythonError as error:
                raise UnavailableError(error.code, error.message, hint=error.hint) from error
        return self._found[minor]
