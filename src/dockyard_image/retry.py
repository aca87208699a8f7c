"""Trying again: how often, how long to wait, and what to say when it did not help.

Owns the retry policy that wheels and registries share. Must not know the protocol.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from dockyard_image.errors import ImageError

T = TypeVar("T")
_LONGEST_WAIT = 30.0


class TransientError(Exception):
    """A failure that may be over soon; `retry_after` is the wait in seconds that the server asked for."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Up to `attempts` tries with doubling waits that start at `first_wait` seconds."""

    attempts: int = 5
    first_wait: float = 0.25
    sleep: Callable[[float], None] = time.sleep


def with_retries(action: Callable[[], T], policy: RetryPolicy, give_up: Callable[[TransientError], ImageError]) -> T:
    """Call `action` until it does not raise TransientError; raise what `give_up` makes of the last one."""
    for attempt in range(1, policy.attempts + 1):
        try:
            return action()
        except TransientError as error:
            if attempt == policy.attempts:
                raise give_up(error) from error
            asked = error.retry_after if error.retry_after is not None else policy.first_wait * 2 ** (attempt - 1)
            policy.sleep(min(asked, _LONGEST_WAIT))
    raise AssertionError("a policy allows at least one attempt")
