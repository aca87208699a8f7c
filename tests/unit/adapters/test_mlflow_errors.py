"""Every error class of MLflow, requests, SQLAlchemy and botocore that is relied on becomes one of ours; secrets stay out."""

from __future__ import annotations

import traceback

import botocore.exceptions
import pytest
import requests
import sqlalchemy.exc
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import ErrorCode

from dockyard.adapters.mlflow_errors import AWS_CODES, CLASSES, MLFLOW_CODES, find_translation, translate_errors
from dockyard.adapters.redaction import Redactor
from dockyard.domain.errors import DockyardError, NotFoundError

CANARY = "canary-4711"
REDACTOR = Redactor([f"http://ann:{CANARY}@mlflow"])


def translate(error: Exception) -> DockyardError:
    """What comes out when `error` goes in."""
    with pytest.raises(DockyardError) as caught, translate_errors("read the record of prod/wine", REDACTOR):
        raise error
    assert caught.value.message.startswith("could not read the record of prod/wine: ")
    return caught.value


def wrapped(error: Exception) -> MlflowException:
    """As MLflow wraps what it does not know: in words only, with the error as context."""
    outer = MlflowException(f"API request to http://ann:{CANARY}@mlflow failed with exception {error}")
    outer.__context__ = error
    return outer


def client_error(code: str) -> botocore.exceptions.ClientError:
    """What boto3 raises for an answer with an error code."""
    return botocore.exceptions.ClientError({"Error": {"Code": code, "Message": "no"}}, "GetObject")


def database_error(number: int, text: str) -> sqlalchemy.exc.OperationalError:
    """What SQLAlchemy raises for an error of MySQL."""
    return sqlalchemy.exc.OperationalError("SELECT 1", {}, Exception(number, text))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (requests.ConnectionError("refused"), "tracking-unreachable"),
        (requests.ConnectTimeout("slow"), "tracking-unreachable"),
        (requests.ReadTimeout("slow"), "tracking-unreachable"),
        (requests.exceptions.RetryError("too many 503 error responses"), "tracking-unreachable"),
        (requests.exceptions.SSLError("certificate verify failed"), "tracking-unreachable"),
        (requests.exceptions.InvalidURL("no host"), "tracking-server-refused"),
        (requests.HTTPError("500"), "tracking-server-refused"),
        (database_error(2003, "Can't connect"), "tracking-unreachable"),
        (database_error(1045, "Access denied for user"), "credentials-refused"),
        (sqlalchemy.exc.OperationalError("", {}, Exception("password authentication failed")), "credentials-refused"),
        (sqlalchemy.exc.DatabaseError("", {}, Exception("file is not a database")), "tracking-server-refused"),
        (botocore.exceptions.NoCredentialsError(), "credentials-refused"),
        (botocore.exceptions.PartialCredentialsError(provider="env", cred_var="key"), "credentials-refused"),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="http://s3"), "tracking-unreachable"),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url="http://s3"), "tracking-unreachable"),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="http://s3"), "tracking-unreachable"),
        (botocore.exceptions.ProfileNotFound(profile="x"), "tracking-server-refused"),
        (client_error("SlowDown"), "tracking-server-refused"),
        (sqlalchemy.exc.NoSuchModuleError("Can't load plugin: sqlalchemy.dialects:oracle"), "dependency-missing"),
        (ModuleNotFoundError("No module named 'sqlalchemy'"), "dependency-missing"),
        (MlflowException("something"), "tracking-server-refused"),
        (RestException({"error_code": "PERMISSION_DENIED", "message": "no"}), "credentials-refused"),
    ],
)
def test_error_class_is_mapped(error: Exception, code: str) -> None:
    assert translate(error).code == code


@pytest.mark.parametrize("code", sorted(MLFLOW_CODES))
def test_every_code_of_mlflow_that_is_mapped_exists_and_is_used(code: str) -> None:
    assert find_translation(MlflowException("no", ErrorCode.Value(code))) is MLFLOW_CODES[code]


@pytest.mark.parametrize("code", sorted(AWS_CODES))
def test_every_code_of_s3_is_mapped(code: str) -> None:
    assert find_translation(client_error(code)) is AWS_CODES[code]


def test_every_class_that_is_mapped_by_name_exists_under_that_name() -> None:
    modules = {"requests.exceptions": requests.exceptions, "sqlalchemy.exc": sqlalchemy.exc}
    modules |= {"botocore.exceptions": botocore.exceptions}
    for name in CLASSES:
        module, _, cls = name.rpartition(".")
        found = getattr(modules[module], cls)
        assert f"{found.__module__}.{found.__qualname__}" == name


@pytest.mark.parametrize(
    "error", [requests.ConnectionError("refused"), botocore.exceptions.EndpointConnectionError(endpoint_url="http://s3")]
)
def test_cause_decides_where_mlflow_says_it_in_words_only(error: Exception) -> None:
    assert translate(wrapped(error)).code == "tracking-unreachable"


def test_mlflows_own_code_decides_over_its_cause() -> None:
    error = MlflowException("Run with id=1 not found", ErrorCode.Value("RESOURCE_DOES_NOT_EXIST"))
    error.__cause__ = sqlalchemy.exc.NoResultFound()
    assert translate(error).code == "model-not-found"


def test_secret_is_in_neither_message_nor_traceback() -> None:
    error = translate(wrapped(requests.ConnectionError(f"http://ann:{CANARY}@mlflow refused")))
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(error.hint)
    assert CANARY not in shown
    assert "***@mlflow" in error.message


def test_cause_stays_attached_where_it_holds_no_secret() -> None:
    cause = requests.ConnectionError("refused")
    assert translate(cause).__cause__ is cause


def test_statement_of_a_database_error_is_not_repeated() -> None:
    error = translate(sqlalchemy.exc.DatabaseError("SELECT everything", {"p": "payload"}, Exception("locked")))
    assert "SELECT" not in error.message
    assert "payload" not in error.message


def test_long_text_is_cut() -> None:
    assert len(translate(MlflowException("x" * 10_000)).message) < 600


def test_our_own_error_passes_as_it_is() -> None:
    ours = NotFoundError("model-not-found", "there is no wine")
    with pytest.raises(NotFoundError) as caught, translate_errors("resolve `wine`", REDACTOR):
        raise ours
    assert caught.value is ours


def test_defect_of_ours_passes_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), translate_errors("resolve `wine`", REDACTOR):
        raise ZeroDivisionError
