"""Owns what the looks need of a session with AWS, and how its refusals are read. Must not make clients."""

from __future__ import annotations

from typing import Any, Protocol

from dockyard.domain.errors import DockyardError
from dockyard.domain.sagemaker import Account

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"})

_LONGEST = 160
"""Of what a failure says of itself: a proxy's page of HTML helps nobody."""


class Clients(Protocol):
    """A session with AWS in one region."""

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 makes its classes at run time
        """A boto3 client; `pricing` is one of a region that has the price list."""
        ...

    def account(self) -> Account:
        """Whose credentials they are, and where. Raises CredentialsError `credentials-refused`, `aws-unreachable`."""
        ...


def list_failures() -> tuple[type[Exception], ...]:
    """What calls raise."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    return (BotoCoreError, ClientError, ResponseParserError, DockyardError)


def read_code(error: Exception) -> str:
    """The service's code of an error; empty for errors that are no answer of a service."""
    answer = getattr(error, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


def describe_failure(error: Exception) -> str:
    """What went wrong, in one line."""
    answer = getattr(error, "response", None)
    told = answer.get("Error", {}).get("Message") if isinstance(answer, dict) else None
    text = " ".join(str(told or error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
