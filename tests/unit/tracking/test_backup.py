"""A backup brings everything back, is proved before it is used, and a killed one or a killed restore does no harm."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from dockyard_tracking.backup.restore import restore_backup
from dockyard_tracking.backup.take import take_backup
from dockyard_tracking.backup.vault import open_vault
from dockyard_tracking.backup.verify import verify_backup
from dockyard_tracking.command import main
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.migrate import migrate
from dockyard_tracking.settings import Backup, Database, Settings
from dockyard_tracking.watch import make_look

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of MLflow's models, by SQLAlchemy
NOW = datetime(2026, 11, 22, 2, 17, tzinfo=timezone.utc)
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # not a secret: the bytes 0 to 31
STATEMENTS = (
    "INSERT INTO experiments (experiment_id, name, lifecycle_stage, workspace) VALUES (0, 'Default', 'active', 'default')",
    "INSERT INTO registered_models (name, creation_time) VALUES ('Trained \"KNN\" größer', 9007199254740993)",
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES ('rmse', 0.30000000000000004, 1, 'r', 0, 0)",
)


def make_settings(folder: Path, place: Path) -> Settings:
    return Settings(
        database=Database(dialect="sqlite", name=str(folder / "m.db")),
        artifacts=str(folder / "artifacts"),
        backup=Backup(place=str(place), key_file=place.parent / "key"),
        wait_seconds=1,
    )


@pytest.fixture(name="source", scope="module")
def migrated_stack(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A stack with a few rows and three artifacts, two of them equal, and one backup of it."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "key").write_text(KEY)
    settings = make_settings(folder, folder / "place")
    migrate(settings)
    with sqlite3.connect(settings.database.name) as connection:
        for statement in STATEMENTS:
            connection.execute(statement)
    connection.close()
    for name, content in (("0/a", b"one"), ("0/b", b"one"), ("7/model/weights.bin", b"\0" * 2_500_000)):
        file = folder / "artifacts" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    told = take_backup(settings, NOW)
    assert (told["artifacts"], told["added_artifacts"], told["bytes"]) == (3, 2, 2_500_006)
    return settings


@pytest.fixture(name="copied")
def copied_place(source: Settings, tmp_path: Path) -> Settings:
    """The same stack with a copy of its backup, which a test may damage."""
    shutil.copytree(source.backup.place, tmp_path / "place")
    return replace(source, backup=replace(source.backup, place=str(tmp_path / "place")))


def read_all(settings: Settings) -> dict[str, list[object]]:
    connection = sqlite3.connect(settings.database.name)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found = {name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr) for name in names}  # noqa: S608
    connection.close()
    return found


def read_files(folder: str) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in Path(folder).rglob("*") if one.is_file()}


def expect_code(code: str, act: Callable[[], object]) -> TrackingError:
    with pytest.raises(TrackingError) as raised:
        act()
    assert raised.value.code == code, raised.value.message
    return raised.value


class KilledError(Exception):
    """Stands for the end of the process."""


def test_killed_restore_is_begun_again_and_nobody_takes_what_it_left_for_whole(source: Settings, tmp_path: Path) -> None:
    target = replace(make_settings(tmp_path, tmp_path), backup=source.backup)

    def killed_while_copying(stage: str) -> None:
        if stage.startswith("Comparing"):
            raise KilledError

    with pytest.raises(KilledError):
        restore_backup(target, "", killed_while_copying)
    expect_code("restore-unfinished", lambda: migrate(target))
    expect_code("restore-unfinished", make_look(target))
    expect_code("restore-unfinished", lambda: take_backup(target, NOW))
    (tmp_path / "artifacts/0/a").write_bytes(b"half")

    told = restore_backup(target, "")

    assert (told["rows"], told["left_out_tables"]) == (5, [])
    assert read_all(target) == read_all(source)
    assert read_files(target.artifacts) == read_files(source.artifacts)
    assert [one.state for one in make_look(target)()] == ["at-head"]
    expect_code("stack-not-empty", lambda: restore_backup(target, ""))


def test_place_for_artifacts_that_is_not_empty_is_refused_with_the_database_untouched(source: Settings, tmp_path: Path) -> None:
    target = replace(make_settings(tmp_path, tmp_path), backup=source.backup)
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts/somebody's").write_bytes(b"")
    expect_code("stack-not-empty", lambda: restore_backup(target, ""))
    assert read_all(target) == {}


def test_backup_holds_nothing_that_can_be_read_without_the_key(source: Settings) -> None:
    content = b"".join(read_files(source.backup.place).values())
    assert b"weights.bin" not in content
    assert b"alembic_version" not in content


@pytest.mark.parametrize("pattern", ["objects/*/*", "backups/*/tables/metrics.gz", "backups/*/artifacts.gz"])
@pytest.mark.parametrize("damage", ["changed", "cut", "away"])
def test_any_damage_is_found(copied: Settings, pattern: str, damage: str) -> None:
    file = next(Path(copied.backup.place).glob(pattern))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.unlink()
    if damage != "away":
        file.write_bytes(content if damage == "changed" else content[:-20])
    expect_code("backup-damaged", lambda: verify_backup(copied, ""))


def test_without_the_key_or_with_another_the_backup_stays_closed(copied: Settings, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY[:-2] + "g=")
    other = replace(copied, backup=replace(copied.backup, key_file=tmp_path / "key"))
    expect_code("backup-key-wrong", lambda: verify_backup(other, ""))
    expect_code("backup-not-found", lambda: verify_backup(replace(copied, backup=replace(copied.backup, key_file=None)), ""))
    (tmp_path / "key").write_text("too short")
    assert "too short" not in expect_code("bad-setting", lambda: verify_backup(other, "")).message


def test_backup_without_a_manifest_is_not_offered_and_an_unknown_one_is_not_found(copied: Settings) -> None:
    with open_vault(copied.backup) as vault:
        (whole,) = vault.list_backups()
    later = Path(copied.backup.place, "backups/20261123T000000Z-dead/tables")
    later.mkdir(parents=True)
    (later / "metrics.gz").write_bytes(b"half")
    assert verify_backup(copied, "")["backup"] == whole.backup
    expect_code("backup-not-found", lambda: verify_backup(copied, "20261123T000000Z-dead"))


def test_next_backup_copies_what_is_new_and_finds_what_it_has_by_its_checksum(copied: Settings, tmp_path: Path) -> None:
    shutil.copytree(copied.artifacts, tmp_path / "artifacts")  # other times, same contents
    (tmp_path / "artifacts/0/b").write_bytes(b"two")
    told = take_backup(replace(copied, artifacts=str(tmp_path / "artifacts")), NOW + timedelta(hours=1))
    assert (told["artifacts"], told["added_artifacts"], told["removed_backups"]) == (3, 1, [])
    assert verify_backup(copied, "")["backup"] == told["backup"]


def test_backup_within_the_artifacts_is_refused(source: Settings) -> None:
    inside = replace(source, backup=replace(source.backup, place=f"{source.artifacts}/backups"))
    expect_code("bad-setting", lambda: take_backup(inside, NOW))


def test_empty_database_is_nothing_to_back_up(tmp_path: Path) -> None:
    settings = replace(make_settings(tmp_path, tmp_path / "place"), backup=Backup(place=str(tmp_path / "place")))
    expect_code("nothing-to-back-up", lambda: take_backup(settings, NOW))


def test_commands_print_one_object_and_end_with_codes_of_their_own(
    source: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told = {
        "DATABASE_DIALECT": "sqlite",
        "DATABASE_NAME": source.database.name,
        "ARTIFACTS": source.artifacts,
        "BACKUP_PLACE": source.backup.place,
        "BACKUP_KEY_FILE": str(source.backup.key_file),
    }
    for name, value in told.items():
        monkeypatch.setenv(f"DOCKYARD_TRACKING_{name}", value)
    assert main(["backups"]) == 0
    (listed,) = json.loads(capfd.readouterr().out)["backups"]
    assert main(["verify", "--backup", listed["backup"]]) == 0
    assert json.loads(capfd.readouterr().out) == listed
    assert main(["restore"]) == 25
    captured = capfd.readouterr()
    assert (captured.out, "stack-not-empty" in captured.err) == ("", True)
