"""What is missing is applied in order, once; a database from the future is refused; what a kill left is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from dockyard_tracking.database import error_number, open_engine
from dockyard_tracking.errors import EXIT_BY_CODE, HINT_BY_CODE, TrackingError
from dockyard_tracking.lock import hold_lock, name_lock
from dockyard_tracking.migrate import migrate_schemas
from dockyard_tracking.preflight import explain_refusal
from dockyard_tracking.replay import mend_definitions
from dockyard_tracking.schema import Schema, compare_schema, judge_revision, list_schemas
from dockyard_tracking.settings import Database

ENV = """\
from alembic import context
with context.config.attributes["connection"].engine.connect() as connection:
    context.configure(connection=connection, version_table="alembic_version_small")
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """\
from alembic import op
import sqlalchemy as sa
revision, down_revision = "{name}", {before!r}
def upgrade():
    {body}
"""
STEPS = {
    "one": 'op.create_table("wines", sa.Column("id", sa.Integer, primary_key=True))',
    "two": 'op.add_column("wines", sa.Column("taste", sa.Text))',
    "three": 'op.create_table("cellars", sa.Column("id", sa.Integer, primary_key=True))',
}


def write_scripts(folder: Path, steps: dict[str, str]) -> Schema:
    """A history of migrations of our own."""
    versions = folder / "versions"
    versions.mkdir(parents=True)
    (folder / "env.py").write_text(ENV)
    (folder / "alembic.ini").write_text("[alembic]\n")
    before = None
    for name, body in steps.items():
        (versions / f"{name}.py").write_text(REVISION.format(name=name, before=before, body=body))
        before = name
    return Schema(title="small", scripts=folder, version_table="alembic_version_small")


@pytest.fixture(name="engine")
def empty_database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(Database(dialect="sqlite", name=str(tmp_path / "m.db")), connections=2)
    yield engine
    engine.dispose()


def test_empty_database_gets_every_revision_and_the_second_run_has_nothing_to_do(engine: Engine, tmp_path: Path) -> None:
    schema = write_scripts(tmp_path / "scripts", STEPS)
    assert migrate_schemas(engine, [schema])
    assert set(inspect(engine).get_table_names()) == {"wines", "cellars", "alembic_version_small"}
    assert not migrate_schemas(engine, [schema])


def test_older_database_goes_on_where_it_is_with_its_rows(engine: Engine, tmp_path: Path) -> None:
    old = write_scripts(tmp_path / "old", {"one": STEPS["one"]})
    migrate_schemas(engine, [old])
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO wines (id) VALUES (7)"))
    migrate_schemas(engine, [write_scripts(tmp_path / "new", STEPS)])
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, taste FROM wines")).all() == [(7, None)]


def test_database_of_a_newer_server_is_refused_untouched(engine: Engine, tmp_path: Path) -> None:
    migrate_schemas(engine, [write_scripts(tmp_path / "new", STEPS)])
    with pytest.raises(TrackingError, match="at three, which this MLflow does not know") as raised:
        migrate_schemas(engine, [write_scripts(tmp_path / "old", {"one": STEPS["one"], "two": STEPS["two"]})])
    assert raised.value.code == "schema-ahead"


def test_failed_revision_is_named_and_what_came_before_it_stays(engine: Engine, tmp_path: Path) -> None:
    broken = write_scripts(tmp_path / "scripts", STEPS | {"three": 'op.execute("SELECT nothing FROM nowhere")'})
    with pytest.raises(TrackingError, match="Revision three of the small schema failed") as raised:
        migrate_schemas(engine, [broken])
    assert raised.value.code == "migration-failed"
    with engine.connect() as connection:
        assert compare_schema(connection, broken).found == "two"


@pytest.mark.parametrize(("found", "state"), [(None, "missing"), ("b", "at-head"), ("a", "behind"), ("z", "ahead")])
def test_revision_is_judged_against_the_history_that_is_known(found: str | None, state: str) -> None:
    assert judge_revision(found, "b", frozenset({"a", "b"})) == state


def test_users_have_a_schema_of_their_own_with_basic_auth_only() -> None:
    assert [one.version_table for one in list_schemas("none")] == ["alembic_version"]
    assert [one.version_table for one in list_schemas("basic")] == ["alembic_version", "alembic_version_auth"]


def test_every_code_has_a_hint_and_an_exit_code_of_its_own() -> None:
    assert set(HINT_BY_CODE) == set(EXIT_BY_CODE)
    assert len(set(EXIT_BY_CODE.values())) == len(EXIT_BY_CODE)


def refuse(number: int, words: str = "") -> DBAPIError:
    return OperationalError("CREATE", None, Exception(number, words))


class PostgresqlError(Exception):
    pgcode = "42501"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (refuse(1419), "binary-log-refuses-triggers"),
        (refuse(1142), "privilege-missing"),
        (refuse(1290), "database-read-only"),
        (refuse(1064), "migration-failed"),
        (OperationalError("CREATE", None, PostgresqlError("permission denied")), "privilege-missing"),
    ],
)
def test_refusal_of_the_trial_is_called_by_its_cause(error: DBAPIError, code: str) -> None:
    explained = explain_refusal(error, "CREATE  TRIGGER one BEFORE UPDATE")
    assert (explained.code, explained.message[:36]) == (code, "The database refuses CREATE TRIGGER:")


def test_error_without_a_number_has_number_zero() -> None:
    assert error_number(OperationalError("x", None, Exception())) == 0


@dataclass
class TakenLock:
    """A database whose lock is held by somebody else; its clock goes on a second whenever it is looked at."""

    seconds: float = 0.0
    dialect: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(name="mysql"))
    url: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(database="mlflow"))

    def clock(self) -> float:
        self.seconds += 1
        return self.seconds

    def connect(self) -> TakenLock:
        return self

    def execution_options(self, **_options: object) -> TakenLock:
        return self

    def scalar(self, _statement: object, _values: object) -> int:
        return 0

    def __enter__(self) -> TakenLock:  # noqa: PYI034 - Self is not in Python 3.10
        return self

    def __exit__(self, *_error: object) -> None:
        return None


def test_lock_that_another_holds_is_waited_for_until_its_time_is_up() -> None:
    taken = TakenLock()
    with pytest.raises(TrackingError, match="has run for 2 s") as raised, hold_lock(taken, seconds=2, clock=taken.clock):  # type: ignore[arg-type]
        pytest.fail("the lock was not free")
    assert raised.value.code == "lock-timeout"


def test_lock_is_named_after_its_database_within_what_mysql_allows() -> None:
    assert name_lock("a") != name_lock("b")
    assert len(name_lock("a" * 200)) <= 64


class Refusal(Exception):  # noqa: N818 - a driver's error
    """As PyMySQL raises it."""


@contextmanager
def refusing(number: int) -> Iterator[Engine]:
    """A database that refuses every definition that has a name for a foreign key, or is marked, with `number`."""

    class Cursor:
        description = None
        rowcount = -1

        def execute(self, statement: str, _parameters: object = ()) -> None:
            executed.append(statement)
            if "again" in statement or "CONSTRAINT twice FOREIGN KEY" in statement:
                raise Refusal(number, "refused")

        def close(self) -> None:
            pass

    class Connection:
        def cursor(self) -> Cursor:
            return Cursor()

        def rollback(self) -> None:
            pass

        commit = close = rollback

    executed: list[str] = []
    engine = create_engine("sqlite://", creator=Connection, _initialize=False)
    engine.executed = executed  # type: ignore[attr-defined]
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("number", "statement"),
    [
        (1050, "CREATE TABLE again (id INT)"),
        (1060, "ALTER TABLE again ADD COLUMN a INT"),
        (1061, "CREATE UNIQUE INDEX again ON t (a)"),
        (1359, "\nCREATE TRIGGER again BEFORE UPDATE ON t"),
        (1091, "ALTER TABLE again DROP FOREIGN KEY a"),
        (1054, "ALTER TABLE again CHANGE a b INT"),
        (1051, "DROP TABLE again"),
    ],
)
def test_definition_that_is_done_counts_only_in_the_revision_that_may_have_begun(number: int, statement: str) -> None:
    with refusing(number) as engine, engine.connect() as connection:
        with mend_definitions(may_have_begun=True):
            connection.execute(text(statement))
        with pytest.raises(Refusal), mend_definitions(may_have_begun=False):
            connection.execute(text(statement))


@pytest.mark.parametrize(
    ("number", "statement"),
    [(1826, "CREATE TABLE again (id INT)"), (1054, "ALTER TABLE again ADD a INT"), (1062, "INSERT INTO again VALUES (1)")],
)
def test_refusal_that_says_something_else_stays_one(number: int, statement: str) -> None:
    mending = mend_definitions(may_have_begun=True)
    with refusing(number) as engine, engine.connect() as connection, pytest.raises(Refusal), mending:
        connection.execute(text(statement))


def test_foreign_key_whose_name_is_taken_gets_another_one() -> None:
    statement = "CREATE TABLE t (id INT, CONSTRAINT twice FOREIGN KEY(id) REFERENCES users (id), CONSTRAINT u UNIQUE (id))"
    with refusing(1826) as engine, engine.connect() as connection, mend_definitions(may_have_begun=False):
        connection.execute(text(statement))
        assert engine.executed[-1] == statement.replace("CONSTRAINT twice ", "")  # type: ignore[attr-defined]
