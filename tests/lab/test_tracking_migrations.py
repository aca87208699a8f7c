"""Migrations on a real MySQL with its binary log: what is refused before anything is touched, races, and kills."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text

from dockyard_tracking.database import choose_supplier, compose_url, install_supplier
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.replay import mend_definitions
from dockyard_tracking.schema import compare_schema, list_schemas, open_scripts
from dockyard_tracking.settings import Database, Settings
from dockyard_tracking.upgrade import apply_revision, list_pending, prepare_unversioned, upgrade_schema
from dockyard_tracking.watch import make_look
from support.lab_servers import MYSQL_IMAGE, connect_mysql, mysql_answers, run_container, wait_until
from support.lab_servers import Database as Account

pytestmark = pytest.mark.lab

ROOT_PASSWORD = "root-of-a-test"
PASSWORD = "Mysql1234#"
CHANGE = re.compile(r"\s*(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
EVERY = 5
LOOKING_BACK = ("0584bdc529eb", "75868b020152", "1bd49d398cd23")
"""Foreign key of datasets; analytics of spans; the secrets' tables with their triggers."""
FAST = ["--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0", "--skip-innodb-doublewrite", "--mysqlx=OFF"]


@pytest.fixture(name="port", scope="module")
def mysql_with_binary_log(lab_engine: str, lab_registry: str) -> Iterator[int]:  # noqa: ARG001 - its image comes from there
    environment = {
        "MYSQL_ROOT_PASSWORD": ROOT_PASSWORD,
        "MYSQL_DATABASE": "mlflow",
        "MYSQL_USER": "mlflow",
        "MYSQL_PASSWORD": PASSWORD,
    }
    with run_container(lab_engine, MYSQL_IMAGE, FAST, environment, 3306) as (port, logs):
        account = Account(host="127.0.0.1", port=port, user="mlflow", password=PASSWORD, name="mlflow")
        wait_until(lambda: mysql_answers(account), "MySQL", logs)
        yield port


@contextmanager
def open_as_root(port: int, name: str) -> Iterator[Engine]:
    """An engine of root's on a database that is made if need be. Every engine of this process signs in as root meanwhile."""
    uninstall = install_supplier(lambda: ROOT_PASSWORD)
    database = Database(host="127.0.0.1", port=port, name="mysql", user="root")
    server = create_engine(compose_url(database))
    with server.begin() as connection:
        connection.execute(text(f"CREATE DATABASE IF NOT EXISTS {name}"))
    engine = create_engine(compose_url(database).set(database=name))
    try:
        yield engine
    finally:
        engine.dispose()
        server.dispose()
        uninstall()


def start_migration(port: int, folder: Path) -> subprocess.Popen[str]:
    """`migrate` as an ordinary user, in a process of its own."""
    (folder / "password").write_text(PASSWORD)
    variables = {"HOST": "127.0.0.1", "PORT": str(port), "PASSWORD_FILE": str(folder / "password")}
    environment = dict(os.environ) | {f"DOCKYARD_TRACKING_DATABASE_{name}": value for name, value in variables.items()}
    command = [sys.executable, "-m", "dockyard_tracking", "migrate"]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def list_tables(port: int, name: str) -> set[str]:
    with open_as_root(port, name) as engine, engine.connect() as connection:
        return {str(row[0]) for row in connection.execute(text("SHOW TABLES"))}


def test_refused_triggers_are_named_before_any_table_is_made(port: int, tmp_path: Path) -> None:
    process = start_migration(port, tmp_path)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 12, said
    assert "log_bin_trust_function_creators" in said
    assert PASSWORD not in said
    assert list_tables(port, "mlflow") == set()


def test_of_two_migrations_one_killed_midway_the_other_ends_at_head(port: int, tmp_path: Path) -> None:
    with open_as_root(port, "mlflow") as engine, engine.begin() as connection:
        connection.execute(text("SET GLOBAL log_bin_trust_function_creators = 1"))
    first = start_migration(port, tmp_path)
    assert first.stderr is not None
    applied = 0
    for line in first.stderr:
        applied += "Schema tracking: " in line
        if applied == 25:
            break
    second = start_migration(port, tmp_path)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    _, said = second.communicate(timeout=240)
    assert second.returncode == 0, said
    with open_as_root(port, "mlflow") as engine, engine.connect() as connection:
        assert compare_schema(connection, list_schemas("none")[0]).state == "at-head"
    third = start_migration(port, tmp_path)
    _, said = third.communicate(timeout=120)
    assert third.returncode == 0
    assert "nothing to do" in said


def test_changed_password_of_every_printable_character_is_taken_without_a_restart(port: int, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    database = Database(host="127.0.0.1", port=port, password_file=file)
    uninstall = install_supplier(choose_supplier(database))
    try:
        look = make_look(Settings(database=database))
        assert [one.state for one in look()] == ["at-head"]
        every_character = "".join(chr(code) for code in range(32, 127))
        change_password(port, every_character)
        with pytest.raises(TrackingError) as raised:
            look()
        assert raised.value.code == "login-refused"
        file.write_text(every_character)
        assert [one.state for one in look()] == ["at-head"]
    finally:
        uninstall()


def change_password(port: int, password: str) -> None:
    """Give the user another password, and end what it has open."""
    root = Account(host="127.0.0.1", port=port, user="root", password=ROOT_PASSWORD, name="mysql")
    with connect_mysql(root) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER USER 'mlflow'@'%%' IDENTIFIED BY %s", (password,))
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'mlflow'")
        for (session,) in cursor.fetchall():
            cursor.execute("KILL %s", (session,))


class KilledError(Exception):
    """Stands for the end of the process: the connection is gone, and what MySQL has committed stays."""


@contextmanager
def killed_after(limit: int) -> Iterator[None]:
    """Within it, the process "ends" after so many changes."""
    done = 0

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        nonlocal done
        if CHANGE.match(statement):
            done += 1
            if done >= limit:
                raise KilledError

    event.listen(Engine, "after_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", count)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of MLflow's models, by SQLAlchemy
def test_migration_that_is_killed_after_any_statement_ends_as_an_undisturbed_one(port: int) -> None:
    """After every fifth; after each in revisions that look back. With DOCKYARD_TEST_EVERY_KILL=true: after each in all."""
    is_whole = os.environ.get("DOCKYARD_TEST_EVERY_KILL") == "true"
    (schema,) = list_schemas("none")
    with open_as_root(port, "whole") as engine:
        with engine.connect() as connection:
            comparison = compare_schema(connection, schema)
        upgrade_schema(engine, comparison, lambda _revision: None)
        with engine.connect() as connection:
            expected = describe_database(connection, "whole")
    kills = 0
    with open_as_root(port, "killed") as engine:
        prepare_unversioned(engine, schema)
        scripts = open_scripts(schema)
        for number, revision in enumerate(list_pending(scripts, None, comparison.head)):
            step = 1 if is_whole or revision in LOOKING_BACK else EVERY
            limit = 1 + number % step
            while True:
                try:
                    with killed_after(limit), mend_definitions(may_have_begun=True):
                        apply_revision(engine, scripts, revision, may_have_begun=True)
                    break
                except KilledError:
                    limit, kills = limit + step, kills + 1
        with engine.connect() as connection:
            assert describe_database(connection, "killed") == expected
    assert kills > (200 if is_whole else 40)


def describe_database(connection: Connection, name: str) -> set[tuple[object, ...]]:
    """Columns, indexes, named constraints, foreign keys, triggers and the rules of checks."""
    queries = (
        "SELECT table_name, column_name, column_type, is_nullable, column_default, extra FROM columns WHERE table_schema = :n",
        "SELECT table_name, index_name, seq_in_index, column_name, non_unique FROM statistics WHERE table_schema = :n",
        "SELECT table_name, constraint_name, constraint_type FROM table_constraints WHERE constraint_schema = :n",
        "SELECT constraint_name, delete_rule, table_name FROM referential_constraints WHERE constraint_schema = :n",
        "SELECT trigger_name, action_statement FROM triggers WHERE trigger_schema = :n",
        "SELECT DISTINCT check_clause FROM check_constraints WHERE constraint_schema = :n",
    )
    found: set[tuple[object, ...]] = set()
    for query in queries:
        qualified = re.sub(r"FROM (\w+)", r"FROM information_schema.\1", query)
        found |= {tuple(row) for row in connection.execute(text(qualified), {"n": name})}
    # A check without a name gets one from MySQL, with a number, and may be there twice.
    return {row for row in found if not any(re.search(r"_chk_[0-9]+$", str(value)) for value in row)}
