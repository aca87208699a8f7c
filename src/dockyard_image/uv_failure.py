"""Why uv could not lock: its explanation, told apart by what the user can do about it.

Owns reading uv's error text. Must not run uv. Addresses are removed from what is shown: they may hold passwords.
"""

from __future__ import annotations

import re

from dockyard_image.errors import LockError
from dockyard_image.lockfile import no_wheel

_LONGEST = 700
_ADDRESS = re.compile(r"[a-z+]+://[^\s`'\"),]+")
_NO_WHEEL = (
    re.compile(r"Wheels are required for `([^`]+)`"),
    re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?(?:[=<>!~]=?\S*)? (?:has|have) no (?:usable )?wheels"),
    re.compile(r"Failed to (?:download and )?build `([A-Za-z0-9][\w.-]*)"),
)
_REFUSED = re.compile(r"40[13] (?:Unauthorized|Forbidden)")
_UNREACHABLE = re.compile(
    r"Failed to fetch|error sending request|Request failed|client error \(Connect\)|dns error|timed out|"
    r"status server error|network connectivity is disabled"
)
_DRAWING = re.compile(r"^\s*(?:error:|cause:|[\u00d7╰├│─▶]+)+\s*", re.MULTILINE)


def explain_failure(stderr: str) -> LockError:
    """The error for a failed uv run, from what it wrote to stderr."""
    text = _shorten(stderr)
    if _REFUSED.search(stderr):
        return LockError(
            "index-refused",
            "the package index refused the credentials, or wants some",
            "Give uv or pip credentials for the index: in its address, in ~/.netrc, or as UV_INDEX_<NAME>_PASSWORD.",
        )
    for pattern in _NO_WHEEL:
        if match := pattern.search(text):
            return no_wheel(match.group(1).split("==")[0])
    if _UNREACHABLE.search(stderr):
        return LockError(
            "index-unreachable",
            f"the package index cannot be reached: {text}",
            "Check the network and the index that uv or pip is set to use.",
        )
    return LockError(
        "requirements-unsatisfiable",
        f"the requirements cannot be met: {text}",
        "Change the model's requirements so that a fitting version of every package exists.",
    )


def _shorten(stderr: str) -> str:
    plain = _ADDRESS.sub("<address>", _DRAWING.sub("", stderr))
    text = " ".join(plain.split())
    text = text.removeprefix("No solution found when resolving dependencies").lstrip(": ")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
