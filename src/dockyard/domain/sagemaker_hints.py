"""Owns what usually lies behind a failed endpoint: words of the service or of a container's log, and what to do about them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"proof-differs|wrong-answer",
        "the model answers differently here: does it depend on an environment variable, a service or the clock?",
    ),
    (
        r"proof-fails|does not answer its own input example",
        "the model raises an error for its own input example; the log above tells which",
    ),
    (
        r"OutOfMemory|OOM|out of memory|Killed",
        "the instance has too little memory for the model: choose a larger `instance` (or `memory_mb`)",
    ),
    (
        r"exec format error|architecture",
        "the image is for another processor than the instance's: set `image.platform`, or choose another instance",
    ),
    (
        r"ping health check|health check",
        "it did not answer /ping in time; its log tells why (above may be the old one's). Try more `startup_timeout_seconds`",
    ),
    (
        r"image .*(?:not found|does not exist|pull)|CannotPull|ImagePull|ecr:",
        "the image cannot be pulled: is it in this region, and may the execution role read the repository?",
    ),
    (
        r"capacity|InsufficientInstanceCapacity",
        "there are no free instances of that type in that zone now: choose another type, or try again later",
    ),
    (
        r"ResourceLimitExceeded|quota|service limit",
        "the account's quota for that instance type is used up: ask for more under Service Quotas, or choose another type",
    ),
    (
        r"Could not access model data|NoSuchKey|s3:",
        "the execution role cannot read the model data: check its policy, the bucket's and the key's",
    ),
    (
        r"assume role|sts:AssumeRole",
        "the service may not assume the execution role: its trust policy must name sagemaker.amazonaws.com",
    ),
    (
        r"alarm",
        "an alarm went off during the rollout: the service's reason says which, the log above what the endpoint said meanwhile",
    ),
)


def find_hint(reason: str, lines: Sequence[str]) -> str:
    """Return what to do about a failure: what the service says counts before what the container logged."""
    for text in (reason, "\n".join(lines)):
        for pattern, hint in _HINTS:
            if re.search(pattern, text, re.IGNORECASE):
                return hint
    return "the service gives no reason; its log above may. The old revision serves where there was one"
