"""Readiness follows the database: down and up again, behind, ahead; MLflow is opened once, when the schema is there."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockyard_tracking.errors import TrackingError
from dockyard_tracking.schema import Comparison, Schema, State
from dockyard_tracking.settings import Database, Settings
from dockyard_tracking.watch import Watch, make_look

SCHEMA = Schema(title="tracking", scripts=Path("scripts"), version_table="alembic_version")
AWAY = TrackingError("database-unreachable", "No answer from mlflow@db:3306/mlflow")


@dataclass
class World:
    """What the database says, one after the other, and how often MLflow was opened."""

    says: list[State | TrackingError]
    opened: int = 0
    fails: bool = False
    asked: threading.Event = field(default_factory=threading.Event)

    def look(self) -> Sequence[Comparison]:
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        self.asked.set()
        if isinstance(said, TrackingError):
            raise said
        return [Comparison(schema=SCHEMA, found="a", head="b", state=said)]

    def open_up(self) -> None:
        if self.fails:
            raise ConnectionResetError
        self.opened += 1


def ask_all(world: World) -> list[str]:
    watch = Watch(world.look, world.open_up)
    codes = []
    for _ in range(len(world.says)):
        watch.ask()
        codes.append(watch.condition.code)
    return codes


def test_server_waits_for_a_schema_and_opens_mlflow_once() -> None:
    world = World(["missing", "behind", "at-head", "at-head"])
    assert ask_all(world) == ["schema-missing", "schema-behind", "ready", "ready"]
    assert world.opened == 1


def test_database_that_comes_back_makes_it_ready_again_without_a_restart() -> None:
    world = World(["at-head", AWAY, AWAY, "at-head"])
    assert ask_all(world) == ["ready", "database-unreachable", "database-unreachable", "ready"]
    assert world.opened == 1


def test_server_that_serves_stays_ready_while_a_newer_one_migrates() -> None:
    assert ask_all(World(["at-head", "ahead"])) == ["ready", "ready"]


def test_server_that_starts_on_a_newer_schema_does_not_serve() -> None:
    world = World(["ahead"])
    assert ask_all(world) == ["schema-ahead"]
    assert world.opened == 0


def test_log_has_a_line_when_the_condition_changes_and_none_while_it_lasts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "dockyard_tracking"):
        ask_all(World([AWAY, AWAY, "at-head", "at-head"]))
    assert [record.message.split(":")[0] for record in caplog.records] == ["database-unreachable", "ready"]


def test_watching_goes_on_after_mlflow_could_not_be_opened() -> None:
    world = World(["at-head"], fails=True)
    watch = Watch(world.look, world.open_up, interval=0.001)
    watch.start()
    while watch.condition.code != "server-failed":
        assert world.asked.wait(10)
    world.fails = False
    while not watch.condition.is_ready:
        assert world.asked.wait(10)
    watch.stop()
    assert world.opened == 1


def test_empty_database_file_is_a_missing_schema(tmp_path: Path) -> None:
    settings = Settings(database=Database(dialect="sqlite", name=str(tmp_path / "m.db")))
    (comparison,) = make_look(settings)()
    assert (comparison.state, comparison.found) == ("missing", None)


def test_database_that_cannot_be_opened_is_explained(tmp_path: Path) -> None:
    settings = Settings(database=Database(dialect="sqlite", name=str(tmp_path / "no folder" / "m.db")))
    with pytest.raises(TrackingError) as raised:
        make_look(settings)()
    assert raised.value.code == "database-unreachable"
