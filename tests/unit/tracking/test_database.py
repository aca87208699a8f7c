"""A connection signs in with the password of its moment, whatever characters it has; addresses hold none."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from dockyard_tracking.database import (
    choose_supplier,
    compose_url,
    explain_connection,
    install_supplier,
    make_rds_token,
    open_engine,
    read_secret,
)
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.settings import Database, Dialect

EVERY_CHARACTER = "".join(chr(code) for code in range(32, 127))


class FakeDriver:
    """A driver that keeps what it is given, and connects to nothing."""

    class Refused(Exception):  # noqa: N818 - stands for all of a driver's errors
        pass

    paramstyle = "pyformat"
    __version__ = "2.9.13"
    Error = InternalError = OperationalError = ProgrammingError = InterfaceError = Refused

    def __init__(self) -> None:
        self.seen: list[dict[str, object]] = []

    def connect(self, **parameters: object) -> None:
        self.seen.append(parameters)
        raise self.Refused(2003, "no server")


def sign_in(database: Database, *passwords: str) -> list[dict[str, object]]:
    """What the driver gets for each connection, each made after the file was given the next of `passwords`."""
    driver = FakeDriver()
    uninstall = install_supplier(choose_supplier(database))
    try:
        for password in passwords:
            assert database.password_file is not None
            database.password_file.write_text(password)
            with pytest.raises(DBAPIError):
                create_engine(compose_url(database), module=driver).connect()
    finally:
        uninstall()
    return driver.seen


def test_password_of_every_printable_character_reaches_the_driver_and_no_address(tmp_path: Path) -> None:
    assert len(EVERY_CHARACTER) == 95
    database = Database(host="db", password_file=tmp_path / "password")
    (seen,) = sign_in(database, EVERY_CHARACTER)
    assert (seen["password"], seen["connect_timeout"]) == (EVERY_CHARACTER, 5)
    assert compose_url(database).password is None


def test_changed_password_is_taken_by_the_next_connection(tmp_path: Path) -> None:
    database = Database(host="db", password_file=tmp_path / "password")
    seen = sign_in(database, "Mysql1234#", "rotated/@:\n")
    assert [one["password"] for one in seen] == ["Mysql1234#", "rotated/@:"]


def test_only_one_newline_at_the_end_is_not_part_of_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(" two spaces  \n\n")
    assert read_secret(file) == " two spaces  \n"


def test_secret_that_is_not_there_is_named_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match=r"secret cannot be read: No such file") as raised:
        read_secret(tmp_path / "secret")
    assert raised.value.code == "bad-setting"


def test_sqlite_is_left_alone(tmp_path: Path) -> None:
    database = Database(dialect="sqlite", name=str(tmp_path / "m.db"))
    assert choose_supplier(database) is None
    uninstall = install_supplier(lambda: "secret")
    try:
        with open_engine(database).connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
    finally:
        uninstall()


def test_password_login_without_a_file_is_refused() -> None:
    with pytest.raises(TrackingError, match="not named"):
        choose_supplier(Database(host="db"))


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("mysql", "mysql+pymysql://us%40er@db:3306/mlflow?ssl_ca=%2Fca.pem"),
        ("postgresql", "postgresql+psycopg2://us%40er@db:3306/mlflow?sslmode=verify-full&sslrootcert=%2Fca.pem"),
    ],
)
def test_certificates_make_the_driver_verify_the_server(dialect: Dialect, expected: str) -> None:
    database = Database(dialect=dialect, host="db", user="us@er", tls_ca=Path("/ca.pem"))
    assert compose_url(database).render_as_string(hide_password=False) == expected


def test_iam_gives_each_connection_a_token_of_its_host_and_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "example")  # not a secret: nothing is signed in with it
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    database = Database(host="db.example.test", user="mlflow", login="iam", tls_ca=Path("/ca.pem"))
    supplier = choose_supplier(database)
    assert supplier is not None
    token = supplier()
    assert token.startswith("db.example.test:3306/?")
    assert "DBUser=mlflow" in token
    assert "X-Amz-Expires=900" in make_rds_token(database)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((1045, "Access denied for user 'mlflow'@'%' (using password: YES)"), "login-refused"),
        ((1049, "Unknown database 'mlflow'"), "login-refused"),
        ((2003, "Can't connect to MySQL server on 'db'"), "database-unreachable"),
        (('FATAL:  password authentication failed for user "mlflow"',), "login-refused"),
        (('FATAL:  database "mlflow" does not exist',), "login-refused"),
        (("FATAL:  the database system is starting up",), "database-unreachable"),
    ],
)
def test_refused_connection_is_told_from_an_unreachable_one(words: tuple[object, ...], code: str) -> None:
    error: DBAPIError = OperationalError("connect", None, Exception(*words))
    explained = explain_connection(error, Database(host="db"))
    assert explained.code == code
    assert "mlflow@db:3306/mlflow" in explained.message
