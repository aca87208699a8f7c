"""Owns what botocore's errors mean here. A message of AWS names resources and never holds a secret."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from dockyard.domain.errors import (
    ConflictError,
    CredentialsError,
    DockyardError,
    TransientError,
    UsageError,
)

T = TypeVar("T")

_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess", "403"})
_LIMITS = frozenset({"ResourceLimitExceeded", "LimitExceeded", "LimitExceededException"})
_REFUSED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_MEANINGS: tuple[tuple[frozenset[str], type[DockyardError], str, str], ...] = (
    (_THROTTLED, TransientError, "aws-throttled", "AWS takes no more of these calls for the moment; try again later"),
    (_DENIED, CredentialsError, "credentials-refused", "docs/how-to/sagemaker-permissions.md has the policies that are needed"),
    (_REFUSED, CredentialsError, "credentials-refused", "sign in again, as `aws sso login` does"),
    (_LIMITS, DockyardError, "quota-exceeded", "ask for more under Service Quotas, or choose another instance type"),
)
_LATE_SECONDS = 30.0
_PAUSE_SECONDS = 0.5


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise what botocore raises as errors of ours; `what` is the call, as `sagemaker:CreateModel`."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _translate_answer(what, error.response) from error
    except (BotoCoreError, ResponseParserError) as error:
        raise _translate_failure(what, error) from error


def read_code(error: Exception) -> str:
    """The code of a ClientError; empty for errors that are no answer of a service."""
    return str(_read(error, "Code"))


def read_message(error: Exception) -> str:
    """The message of a ClientError, likewise."""
    return str(_read(error, "Message"))


def is_missing(error: Exception) -> bool:
    """Whether a ClientError says that what was asked for is not there. SageMaker says so in words only."""
    code, message = read_code(error), read_message(error)
    says_so = message.startswith(("Could not find", "Requested resource")) or _NO_PACKAGE.match(message) is not None
    return code in _MISSING or (code == "ValidationException" and says_so)


_NO_PACKAGE = re.compile(r"ModelPackage(Group)? \S+ does not exist")
_MISSING = {
    "404",
    "NoSuchEntity",
    "NoSuchKey",
    "NoSuchBucket",
    "ImageNotFoundException",
    "ObjectNotFoundException",
    "RepositoryNotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
}


def unless_missing(what: str, call: Callable[[], T]) -> T | None:
    """What a call gives; None where AWS says that what it is about is not there. Raises as `translated` does."""
    from botocore.exceptions import ClientError

    with translated(what):
        try:
            return call()
        except ClientError as error:
            if not is_missing(error):
                raise
    return None


def eventually(call: Callable[[], T], is_late: Callable[[Exception], bool], seconds: float = _LATE_SECONDS) -> T:
    """Call until it no longer fails for what AWS shows late: a name just made, a role just made."""
    from botocore.exceptions import ClientError

    end = time.monotonic() + seconds
    while True:
        try:
            return call()
        except ClientError as error:
            if not is_late(error) or time.monotonic() >= end:
                raise
        time.sleep(_PAUSE_SECONDS)


def _read(error: Exception, key: str) -> object:
    response = getattr(error, "response", None)
    return response.get("Error", {}).get(key, "") if isinstance(response, dict) else ""


def _translate_answer(what: str, response: Mapping[str, object]) -> DockyardError:
    details, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, message = str(_get(details, "Code")), str(_get(details, "Message"))
    for codes, kind, ours, hint in _MEANINGS:
        if code in codes:
            return kind(ours, f"{what}: {message or code}", hint=hint)
    if "in-progress" in message:
        return ConflictError("endpoint-busy", f"{what}: {message}", hint="the same command again, when it has settled")
    if int(str(_get(meta, "HTTPStatusCode") or 0)) >= 500:
        return TransientError("aws-unreachable", f"{what} failed inside AWS: {code} {message}", hint="try again later")
    return DockyardError("aws-refused", f"AWS refused {what}: {message or code}")


def _get(mapping: object, key: str) -> object:
    return mapping.get(key, "") if isinstance(mapping, dict) else ""


def _translate_failure(what: str, error: Exception) -> DockyardError:
    name = type(error).__name__
    if name in _NO_CREDENTIALS or "SSO" in name:
        hint = "`aws sts get-caller-identity` must work"
        return CredentialsError("credentials-refused", f"there are no AWS credentials for {what}: {error}", hint=hint)
    if name in {"NoRegionError", "InvalidRegionError", "InvalidConfigError", "ParamValidationError"}:
        return UsageError("setting-invalid", f"{what}: {error}")
    hint = "is the network there, and the region right?"
    return TransientError("aws-unreachable", f"AWS does not answer {what}: {error}", hint=hint)


_NO_CREDENTIALS = frozenset({"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"})
