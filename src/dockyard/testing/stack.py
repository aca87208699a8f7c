"""Owns a tracking stack in memory, and the book of stacks: for tests of ours and of users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockyard.domain.errors import UnavailableError
from dockyard.domain.stack import StackLook, StackWish


@dataclass(slots=True, kw_only=True)
class FakeStackHost:
    """A stack that does at once what it is told, and remembers it."""

    is_up: bool = False
    has_data: bool = True
    failing: str = ""
    """The command that fails, or `start`."""
    calls: list[str] = field(default_factory=list)

    def start(self) -> None:
        """As StackHost."""
        self._note("start")
        self.is_up = True

    def look(self) -> StackLook:
        """As StackHost."""
        if not self.is_up:
            return StackLook(is_up=False, is_ready=False)
        url = "http://127.0.0.1:5050"
        return StackLook(is_up=True, is_ready=True, url=url, environment={"MLFLOW_TRACKING_URI": url})

    def run(self, command: str, backup: str) -> Mapping[str, object]:
        """As StackHost."""
        self._note(f"{command} {backup}".strip())
        return {"backup": backup or "newest"}

    def read_logs(self, tail: int) -> tuple[str, ...]:
        """As StackHost."""
        return ("one", "two", "three")[-tail:]

    def remove(self, *, with_data: bool) -> None:
        """As StackHost."""
        self._note("remove")
        self.is_up = False
        self.has_data = self.has_data and not with_data

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if self.failing and call.startswith(self.failing):
            raise UnavailableError("stack-failed", f"`{self.failing}` failed")


@dataclass(slots=True, kw_only=True)
class FakeStackBook:
    """Wishes in memory."""

    wishes: dict[str, StackWish] = field(default_factory=dict)

    def find(self, name: str) -> StackWish | None:
        """As StackBook."""
        return self.wishes.get(name)

    def write(self, wish: StackWish) -> None:
        """As StackBook."""
        self.wishes[wish.name] = wish

    def forget(self, name: str) -> None:
        """As StackBook."""
        self.wishes.pop(name, None)
