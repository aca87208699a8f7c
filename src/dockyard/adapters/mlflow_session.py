"""Owns the way to one MLflow tracking server and registry: opened late, checked first, quiet, errors translated.

MLflow retries for minutes what is simply not there, prints to stdout, and makes an empty database where there was none;
none of that happens here.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dockyard.adapters.mlflow_errors import find_causes, translate_errors, unreachable
from dockyard.adapters.mlflow_managed import check_managed, find_host, is_managed, use_for_process
from dockyard.adapters.redaction import Redactor, strip_credentials

if TYPE_CHECKING:
    from mlflow import MlflowClient

_CONNECT_SECONDS = 5.0
_SQLITE = "sqlite:///"
_DATABASES = {"mysql": 3306, "postgresql": 5432, "mssql": 1433}
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }
)
"""Variables that MLflow reads at every call, set for this process where the user has not set them."""


class MlflowSession:
    """An MlflowClient that is made when first needed. None for an address: what MLflow itself would take."""

    def __init__(self, tracking_uri: str | None, registry_uri: str | None) -> None:
        self._tracking_uri = tracking_uri
        self._registry_uri = registry_uri
        self._client: MlflowClient | None = None

    @property
    def tracking_uri(self) -> str:
        """Where runs are."""
        return absolute_uri(self._tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or _default_uri())

    @property
    def registry_uri(self) -> str:
        """Where registered models are."""
        return absolute_uri(self._registry_uri or os.environ.get("MLFLOW_REGISTRY_URI") or self.tracking_uri)

    @property
    def name(self) -> str:
        """The registry's address without credentials."""
        return strip_credentials(self.registry_uri)

    @property
    def redactor(self) -> Redactor:
        """Knows the credentials of this session."""
        return Redactor((self.tracking_uri, self.registry_uri), (os.environ[name] for name in _SECRETS if name in os.environ))

    def find_missing_store(self) -> str | None:
        """The address of a database file that does not exist; MLflow would make an empty one."""
        for uri in (self.tracking_uri, self.registry_uri):
            if uri.startswith(_SQLITE) and not Path(_database_path(uri)).exists():
                return strip_credentials(uri)
        return None

    def translate(self, what: str) -> AbstractContextManager[None]:
        """Translate errors of a block that does `what` without the server: artifact stores are reached directly."""
        prepare_environment()
        return translate_errors(what, self.redactor)

    @contextmanager
    def open_client(self, what: str) -> Iterator[MlflowClient]:
        """Lend the client to a block that does `what`. Raises `tracking-unreachable` within seconds, and translates errors."""
        with translate_errors(what, self.redactor):
            missing = self.find_missing_store()
            if missing is not None:
                raise unreachable(f"could not {what}: there is no store {missing}")
            check_managed(self.tracking_uri, self.registry_uri, what)
            for uri in sorted({self.tracking_uri, self.registry_uri}):
                _check_answering(uri, what)
            if self._client is None:
                self._client = _make_client(self.tracking_uri, self.registry_uri)
            yield self._client


def absolute_uri(uri: str) -> str:
    """Return the address with a relative SQLite file made absolute, so that it means the same in every folder."""
    if uri.startswith(_SQLITE) and not _database_path(uri).startswith("/"):
        return _SQLITE + str(Path.cwd() / _database_path(uri))
    return uri


def prepare_environment() -> None:
    """Set what makes MLflow quiet and quick to give up. Called before MLflow is imported."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _default_uri() -> str:
    prepare_environment()
    import mlflow

    return str(mlflow.get_tracking_uri())


def _database_path(uri: str) -> str:
    return unquote(uri.removeprefix(_SQLITE).partition("?")[0])


def _make_client(tracking_uri: str, registry_uri: str) -> MlflowClient:
    prepare_environment()
    for uri in sorted({tracking_uri, registry_uri}):
        _log_in(uri)
    from mlflow import MlflowClient

    if is_managed(tracking_uri):
        use_for_process(tracking_uri)
    client = MlflowClient(tracking_uri, registry_uri)
    prepare_environment()  # importing MLflow has set its own log level
    return client


def _check_answering(uri: str, what: str) -> None:
    """Ask for a sign of life: MLflow itself would try a closed port, or a server that hangs, for minutes."""
    kind = urlsplit(uri).scheme.partition("+")[0]
    try:
        if kind in {"http", "https"}:
            _ask_health(uri)
        elif is_managed(uri):
            _ask_health(find_host(uri))
        elif kind in _DATABASES and urlsplit(uri).hostname:
            address = urlsplit(uri).hostname, urlsplit(uri).port or _DATABASES[kind]
            socket.create_connection(address, timeout=_CONNECT_SECONDS).close()
    except OSError as error:  # requests' own errors are among them
        reason = next((text for one in find_causes(error) if (text := _explain(one))), "no answer")
        raise unreachable(f"could not {what}: {strip_credentials(uri)} does not answer ({reason})") from None


def _ask_health(uri: str) -> None:
    """Any answer will do, even a refusal: what matters is that somebody answers. Proxies are used as MLflow uses them."""
    import requests

    verify: bool | str = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or True
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in {"true", "1"}:
        verify = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about TLS that the user wants unchecked
        requests.get(f"{uri.rstrip('/')}/health", timeout=_CONNECT_SECONDS, verify=verify, stream=True).close()


def _explain(error: BaseException) -> str | None:
    if isinstance(error, socket.gaierror):
        return "unknown host"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason}"
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return f"nothing within {_CONNECT_SECONDS:.0f} s"
    return error.strerror if isinstance(error, OSError) and error.errno else None


def _log_in(uri: str) -> None:
    """Log in to a database server once: MLflow would try a wrong password for nearly two minutes.

    Without SQLAlchemy, which mlflow-skinny does not bring, MLflow says that it does not know the address; here the import
    fails first, and what is missing is told.
    """
    kind = urlsplit(uri).scheme.partition("+")[0]
    if kind not in {"sqlite", *_DATABASES}:
        return
    import sqlalchemy

    if kind in _DATABASES:
        engine = sqlalchemy.create_engine(uri)
        try:
            engine.connect().close()
        finally:
            engine.dispose()
