"""Owns what the use cases need of a tracking stack, wherever it runs. Must not implement any of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from dockyard.domain.stack import StackLook, StackWish


class StackHost(Protocol):
    """One stack. All raise DockyardError families only."""

    def start(self) -> None:
        """Bring it to what is wished, with its database migrated; return when it is ready. One that is so already stays."""
        ...

    def look(self) -> StackLook:
        """How it is."""
        ...

    def run(self, command: str, backup: str) -> Mapping[str, object]:
        """Run a command of the server's image beside it: `migrate`, `backup`, `backups`, `verify`, `restore`; what it told."""
        ...

    def read_logs(self, tail: int) -> tuple[str, ...]:
        """The last lines of its servers."""
        ...

    def remove(self, *, with_data: bool) -> None:
        """Stop it. Its data go `with_data` only, and its backups never."""
        ...


class StackBook(Protocol):
    """What was wished for the stacks of this user."""

    def find(self, name: str) -> StackWish | None:
        """The wish for a stack, if there is one of that name."""
        ...

    def write(self, wish: StackWish) -> None:
        """Keep a wish."""
        ...

    def forget(self, name: str) -> None:
        """There is no such stack any more."""
        ...


OpenHost = Callable[[StackWish], StackHost]
SettleWish = Callable[[StackWish], StackWish]
"""Decides what a wish for a new local stack leaves open: how it runs, and by which image."""
