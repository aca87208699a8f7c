"""Owns failures on demand: fakes count the calls that change something, and one of them fails where a test wants it to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class KilledError(BaseException):
    """The process ends here and now: nobody handles it, and no call after it has an effect."""


@dataclass(kw_only=True)
class Faults:
    """Shared by any number of fakes. With a KilledError every call after the one that fails fails as well."""

    calls: list[str] = field(default_factory=list)
    """Every call so far that changes something, in order."""
    error: BaseException | None = None
    at: int = 0
    """Which call fails, counted from 1 on; 0: none."""
    has_effect: bool = False
    """Whether the call that fails has done its work before."""

    @contextmanager
    def watch(self, call: str) -> Iterator[None]:
        """Count a call around its work, and fail before or after it if it is its turn."""
        self.calls.append(call)
        if self._is_dead():
            raise KilledError
        is_due = self.error is not None and len(self.calls) == self.at
        if is_due and self.error is not None and not self.has_effect:
            raise self.error
        yield
        if is_due and self.error is not None:
            raise self.error

    def _is_dead(self) -> bool:
        """Whether the process has been killed: whatever it still tries, undoing included, does not happen."""
        return isinstance(self.error, KilledError) and len(self.calls) > self.at
