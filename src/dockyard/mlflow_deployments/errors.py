"""Owns how a failure of Dockyard becomes an exception of MLflow, with our code and hint in its text."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from click import ClickException
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2 as codes

from dockyard.domain.errors import (
    ConflictError,
    CredentialsError,
    DockyardError,
    NotFoundError,
    UnavailableError,
    UsageError,
)

P = ParamSpec("P")
R = TypeVar("R")

_CODES: tuple[tuple[type[DockyardError], int], ...] = (
    (UsageError, codes.INVALID_PARAMETER_VALUE),
    (NotFoundError, codes.RESOURCE_DOES_NOT_EXIST),
    (CredentialsError, codes.PERMISSION_DENIED),
    (ConflictError, codes.RESOURCE_CONFLICT),
    (UnavailableError, codes.TEMPORARILY_UNAVAILABLE),
)


class DeploymentError(MlflowException, ClickException):  # type: ignore[misc]  # MLflow has no types
    """A failure, for programs MLflow's exception; its command line shows the text and ends with our exit code."""

    def __init__(self, error: DockyardError) -> None:
        lines = [f"{error.code}: {error.message}", *error.details]
        lines += [f"hint: {error.hint}"] if error.hint else []
        MlflowException.__init__(self, "\n".join(lines), error_code=_choose_code(error))
        self.code = error.code
        """Stable; docs/reference/errors.md has them all."""
        self.hint = error.hint
        self.exit_code = error.exit_code  # type: ignore[misc]  # click reads it of the instance


def told_as_mlflow_does(call: Callable[P, R]) -> Callable[P, R]:
    """Raise DeploymentError for what Dockyard reports; anything else is a defect and passes."""

    @wraps(call)
    def translated(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return call(*arguments, **named)
        except DockyardError as error:
            raise DeploymentError(error) from error

    return translated


def _choose_code(error: DockyardError) -> int:
    found: int = next((code for kind, code in _CODES if isinstance(error, kind)), codes.INTERNAL_ERROR)
    return found
