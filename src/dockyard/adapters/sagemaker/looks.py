"""Owns looking at one thing at a time before anything is deployed: what it needs to know.

A look changes nothing. What it may not look at is a warning, never a failure: the deployment itself may still be allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dockyard.adapters.sagemaker.clients import DENIED, Clients, describe_failure, list_failures
from dockyard.adapters.sagemaker.errors import read_code
from dockyard.domain.finding import Finding, warn
from dockyard.domain.sagemaker import Account, SageMakerSettings

GUIDE = "docs/how-to/sagemaker-permissions.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is looked at, with whose eyes."""

    clients: Clients
    account: Account
    caller: str
    """ARN of who calls."""
    endpoint: str
    settings: SageMakerSettings
    package_group: str | None = None
    """The model package group that revisions are registered in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look."""

    code: str
    """Of its findings."""
    what: str
    """What it looks at, as `the execution role`."""
    action: str
    """The permission that it takes."""
    see: Callable[[Scene], Iterator[Finding]]
    """Raises what the SDK raises."""


def take_look(look: Look, scene: Scene) -> tuple[Finding, ...]:
    """What a look finds; that nothing could be seen is a finding as well."""
    failures = list_failures()
    seen: list[Finding] = []
    try:
        seen.extend(look.see(scene))  # keeps what was seen before a failure
    except failures as error:
        seen.append(_tell_unseen(look, error))
    return tuple(seen)


def _tell_unseen(look: Look, error: Exception) -> Finding:
    if read_code(error) in DENIED:
        remedy = f"allow {look.action}, see {GUIDE}; or deploy without this look"
        return warn(look.code, f"{look.what} may not be looked at", remedy)
    message = f"{look.what} cannot be looked at: {describe_failure(error)}"
    return warn(look.code, message, "try again, or deploy without this look")
