"""Owns what the looks need of a session with AWS, and which of its failures they survive. Must not make clients."""

from __future__ import annotations

from typing import Any, Protocol

from dockyard.adapters.sagemaker.errors import read_message
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


def describe_failure(error: Exception) -> str:
    """What went wrong, in one line."""
    text = " ".join((read_message(error) or str(error)).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
