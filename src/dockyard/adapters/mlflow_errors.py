"""Owns what the errors of MLflow and of the libraries below it mean to us. Must not contact anything.

MLflow wraps some errors, lets others through, and says some in text only; each is found here by its class or its code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from dockyard.adapters.redaction import Redactor
from dockyard.domain.errors import CredentialsError, DockyardError, NotFoundError, UnavailableError, UsageError

_LONGEST = 500
_REFUSED_BY_DATABASE = re.compile(r"\((?:1044|1045|1698),|authentication failed|Login failed")


def not_found(text: str) -> DockyardError:
    """The thing that was asked for is not there."""
    return NotFoundError("model-not-found", text, hint="is the name right? `dockyard doctor` shows which registry is asked")


def unreachable(text: str) -> DockyardError:
    """The server or store does not answer."""
    hint = "is the server up, and is its address right (MLFLOW_TRACKING_URI, or `registry` in dockyard.yaml)?"
    return UnavailableError("tracking-unreachable", text, hint=hint)


def _refused_credentials(text: str) -> DockyardError:
    hint = (
        "for an MLflow server set MLFLOW_TRACKING_USERNAME and _PASSWORD or _TOKEN; for S3, and for a server that SageMaker "
        "manages, the usual AWS variables"
    )
    return CredentialsError("credentials-refused", text, hint=hint)


def _refused(text: str) -> DockyardError:
    return UnavailableError("tracking-server-refused", text, hint="the server's own log says more")


def _missing(text: str) -> DockyardError:
    hint = "an embedded database store needs `pip install 'dockyard[local]'`; other stores need their own driver"
    return UsageError("dependency-missing", text, hint=hint)


Translation = Callable[[str], DockyardError]

MLFLOW_CODES: Mapping[str, Translation] = MappingProxyType(
    {
        "RESOURCE_DOES_NOT_EXIST": not_found,
        "NOT_FOUND": not_found,
        "PERMISSION_DENIED": _refused_credentials,
        "UNAUTHENTICATED": _refused_credentials,
        "CUSTOMER_UNAUTHORIZED": _refused_credentials,
        "TEMPORARILY_UNAVAILABLE": unreachable,
        "DEADLINE_EXCEEDED": unreachable,
        "REQUEST_LIMIT_EXCEEDED": unreachable,
        "RESOURCE_EXHAUSTED": unreachable,
        "INVALID_PARAMETER_VALUE": _refused,
        "BAD_REQUEST": _refused,
        "ENDPOINT_NOT_FOUND": _refused,
    }
)
"""What the codes of MlflowException mean; one that is not here was refused. INTERNAL_ERROR says nothing: its causes do."""

AWS_CODES: Mapping[str, Translation] = MappingProxyType(
    {
        "NoSuchBucket": not_found,
        "NoSuchKey": not_found,
        "404": not_found,
        "AccessDenied": _refused_credentials,
        "403": _refused_credentials,
        "InvalidAccessKeyId": _refused_credentials,
        "SignatureDoesNotMatch": _refused_credentials,
        "ExpiredToken": _refused_credentials,
    }
)
"""What the codes of botocore's ClientError mean."""


@contextmanager
def translate_errors(what: str, redactor: Redactor) -> Iterator[None]:
    """Turn whatever comes out of the block into a DockyardError; `what` says what was tried, as `read model `wine``.

    The SDK's error stays attached as the cause, unless its text holds a credential.
    """
    try:
        yield
    except DockyardError:
        raise
    except Exception as error:
        # The libraries below MLflow raise what they like; what we do not know is raised again.
        translation = find_translation(error)
        if translation is None:
            raise
        said = redactor.redact(_describe(error))
        translated = translation(f"could not {what}: {said}")
        is_clean = all(redactor.is_clean(str(one)) for one in find_causes(error))
        raise translated from (error if is_clean else None)


def find_translation(error: BaseException) -> Translation | None:
    """Find what an error means: by MLflow's code, else by the first class among its causes that we know; None for neither."""
    code = str(getattr(error, "error_code", "")) if _is_a(error, "mlflow.exceptions.MlflowException") else None
    if code is not None and code != "INTERNAL_ERROR":
        return MLFLOW_CODES.get(code, _refused)
    found = next((meaning for one in find_causes(error) if (meaning := _find_by_class(one)) is not None), None)
    return found or (_refused if code is not None else None)


def _find_by_class(error: BaseException) -> Translation | None:
    if isinstance(error, ImportError):
        return _missing
    if _is_a(error, "botocore.exceptions.ClientError"):
        return AWS_CODES.get(str(getattr(error, "response", {}).get("Error", {}).get("Code")), _refused)
    if _is_a(error, "sqlalchemy.exc.OperationalError") and _REFUSED_BY_DATABASE.search(str(error)):
        return _refused_credentials
    return next((meaning for name, meaning in CLASSES.items() if _is_a(error, name)), None)


CLASSES: Mapping[str, Translation] = MappingProxyType(
    {
        "requests.exceptions.ConnectionError": unreachable,
        "requests.exceptions.Timeout": unreachable,
        "requests.exceptions.RetryError": unreachable,
        "requests.exceptions.RequestException": _refused,
        "sqlalchemy.exc.OperationalError": unreachable,
        "sqlalchemy.exc.NoSuchModuleError": _missing,
        "sqlalchemy.exc.SQLAlchemyError": _refused,
        "botocore.exceptions.NoCredentialsError": _refused_credentials,
        "botocore.exceptions.PartialCredentialsError": _refused_credentials,
        "botocore.exceptions.ConnectionError": unreachable,
        "botocore.exceptions.HTTPClientError": unreachable,
        "botocore.exceptions.BotoCoreError": _refused,
    }
)
"""What classes mean, the special before the general. By name, so that nothing is imported to look at an error."""


def _is_a(error: BaseException, name: str) -> bool:
    return any(f"{cls.__module__}.{cls.__qualname__}" == name for cls in type(error).__mro__)


def find_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was caused by, outermost first."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _describe(error: BaseException) -> str:
    text = " ".join(str(error).partition("[SQL:")[0].split()) or type(error).__name__
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
