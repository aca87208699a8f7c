"""Owns what a scorer's HTTP answer means, whichever way it came. Must not send anything.

Messages quote the scorer's own error codes and texts, never a payload.
"""

from __future__ import annotations

import json

from dockyard.domain.errors import UnhealthyError
from dockyard.ports import Answer


def read_answer(who: str, status: int, body: bytes, seconds: float) -> Answer:
    """Return the answer to a request; `who` is the scorer in messages. Raises UnhealthyError `smoke-test-failed` for no 200."""
    if status != 200:
        raise _refused(who, f"answered {status}{_read_error(body)}")
    try:
        return Answer(value=json.loads(body), seconds=seconds)
    except ValueError:
        raise _refused(who, "answered something that is not JSON") from None


def _read_error(body: bytes) -> str:
    """The error's code and text, which the scorer writes without a word of the payload; nothing of anybody else's."""
    try:
        fields = json.loads(body)
        return f" ({fields['error_code']}: {fields['message']})"[:500]
    except (ValueError, KeyError, TypeError):
        return ""


def _refused(who: str, what: str) -> UnhealthyError:
    return UnhealthyError("smoke-test-failed", f"{who} {what}", hint="`dockyard logs` shows what the model says")
