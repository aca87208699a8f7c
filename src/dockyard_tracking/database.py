"""The way to the database: an address without a password, and the password of each new connection.

Owns how a connection signs in. The address that MLflow is given holds no password; each connection reads it when it is made,
so a changed one counts at once, and any character may be in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from dockyard_tracking.errors import TrackingError
from dockyard_tracking.settings import Database

CONNECT_SECONDS = 5
_DRIVERS = {"mysql": "mysql+pymysql", "postgresql": "postgresql+psycopg2", "sqlite": "sqlite"}
_LOGIN_REFUSED = frozenset({1044, 1045, 1049, 1698, 3118, 3955})
Supplier = Callable[[], str]


def compose_url(database: Database) -> URL:
    """The address of `database`, without a password."""
    if database.dialect == "sqlite":
        return URL.create("sqlite", database=database.name)
    query: dict[str, str] = {}
    if database.tls_ca and database.dialect == "mysql":
        query = {"ssl_ca": str(database.tls_ca)}
    elif database.tls_ca:
        query = {"sslmode": "verify-full", "sslrootcert": str(database.tls_ca)}
    return URL.create(
        _DRIVERS[database.dialect],
        username=database.user,
        host=database.host,
        port=database.port,
        database=database.name,
        query=query,
    )


def choose_supplier(database: Database) -> Supplier | None:
    """What gives a new connection its password; None where there is none (SQLite)."""
    if database.dialect == "sqlite":
        return None
    if database.login == "iam":
        return lambda: make_rds_token(database)
    file = database.password_file
    if file is None:
        raise TrackingError("bad-setting", "The file with the database's password is not named.")
    return lambda: read_secret(file)


def read_secret(file: Path) -> str:
    """What a file holds, without the newline that editors and `kubectl` leave at its end."""
    try:
        return file.read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        raise TrackingError("bad-setting", f"{file} cannot be read: {error.strerror}.") from error


def make_rds_token(database: Database) -> str:
    """A token of 15 minutes, which RDS takes for a password while a connection is made. Nothing is contacted."""
    import boto3

    client = boto3.client("rds")
    token: str = client.generate_db_auth_token(DBHostname=database.host, Port=database.port, DBUsername=database.user)
    return token


def install_supplier(supplier: Supplier | None) -> Callable[[], None]:
    """Let every engine of this process, MLflow's own too, ask `supplier` for each connection. Returns how to undo it."""
    if supplier is None:
        return lambda: None

    def sign_in(dialect: object, _record: object, _arguments: object, parameters: dict[str, object]) -> None:
        if getattr(dialect, "name", "") in {"mysql", "postgresql"}:
            parameters["password"] = supplier()
            parameters.setdefault("connect_timeout", CONNECT_SECONDS)

    event.listen(Engine, "do_connect", sign_in)
    return lambda: event.remove(Engine, "do_connect", sign_in)


def open_engine(database: Database, *, answer_seconds: int | None = None, connections: int = 1) -> Engine:
    """An engine of so many connections. `answer_seconds`: how long an answer may take (None: as long as it likes)."""
    arguments: Mapping[str, object] = {}
    if answer_seconds and database.dialect == "mysql":
        arguments = {"read_timeout": answer_seconds, "write_timeout": answer_seconds}
    elif answer_seconds and database.dialect == "postgresql":
        arguments = {"options": f"-c statement_timeout={answer_seconds * 1000}"}
    url = compose_url(database)
    return create_engine(url, pool_pre_ping=True, pool_size=connections, max_overflow=0, connect_args=dict(arguments))


def error_number(error: DBAPIError) -> int:
    """MySQL's number of an error; 0 for other databases'."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def explain_connection(error: DBAPIError, database: Database) -> TrackingError:
    """Why there is no connection, in our words."""
    place = f"{database.user}@{database.host}:{database.port}/{database.name}"
    if error_number(error) in _LOGIN_REFUSED or _is_refused_by_postgresql(error):
        return TrackingError("login-refused", f"The database refuses {place}: {error.orig}")
    return TrackingError("database-unreachable", f"No answer from {place}: {error.orig}")


def _is_refused_by_postgresql(error: DBAPIError) -> bool:
    # While a connection is made there is no SQLSTATE, only the server's words after "FATAL:".
    text = str(error.orig)
    return "FATAL:" in text and any(
        part in text for part in ("authentication failed", "does not exist", "no pg_hba.conf entry")
    )
