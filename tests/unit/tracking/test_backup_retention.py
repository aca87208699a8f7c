"""What is no longer wanted goes, with the contents that nothing else needs; the newest good backup never does."""

from __future__ import annotations

import gzip
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from dockyard_tracking.backup.manifest import (
    ARTIFACTS,
    MANIFEST,
    Artifact,
    Manifest,
    TableFile,
    hash_file,
    name_file,
    name_object,
    name_table,
    parse_manifest,
    render_artifact,
    render_manifest,
)
from dockyard_tracking.backup.retention import prune_backups
from dockyard_tracking.backup.stores import FolderStore
from dockyard_tracking.backup.vault import Vault
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.settings import Backup

NOW = datetime(2026, 11, 22, tzinfo=timezone.utc)


@pytest.fixture(name="vault")
def empty_vault(tmp_path: Path) -> Vault:
    (tmp_path / "scratch").mkdir()
    return Vault(FolderStore(tmp_path / "place"), None, tmp_path / "scratch")


def keep(vault: Vault, days: int, *contents: str) -> str:
    """A backup of so many days ago, of one table and some contents, all as old."""
    made = NOW - timedelta(days=days)
    backup = made.strftime("%Y%m%dT%H%M%SZ-0000")
    file = vault.scratch / "file"
    for content in contents:
        file.write_text(content)
        vault.put(name_object(content), file)
    lines = [Artifact(key=one, size=1, sha256=one, stamp="1") for one in contents]
    file.write_bytes(gzip.compress(b"".join(map(render_artifact, lines))))
    vault.put(name_file(backup, ARTIFACTS), file)
    manifest = Manifest(
        backup=backup,
        made_at=made.isoformat(),
        dialect="sqlite",
        mlflow="3",
        revisions={"tracking": "a"},
        tables=[TableFile(name="runs", columns=["id"], rows=0, digest="0", sha256="")],
        artifacts=len(lines),
        bytes=0,
        artifacts_sha256=hash_file(file),
    )
    vault.put(name_file(backup, name_table("runs")), file)
    file.write_text(render_manifest(manifest))
    vault.put(name_file(backup, MANIFEST), file)
    age(vault, made)
    return backup


def age(vault: Vault, made: datetime) -> None:
    for name in vault.list_names("objects/"):
        os.utime(vault.scratch.parent / "place" / name, (made.timestamp(), made.timestamp()))


def list_kept(vault: Vault) -> list[str]:
    return [one.backup for one in vault.list_backups()]


def test_only_so_many_are_kept_and_contents_go_with_the_last_that_needs_them(vault: Vault) -> None:
    oldest, middle, newest = keep(vault, 9, "aa", "bb"), keep(vault, 5, "bb", "cc"), keep(vault, 2, "cc")
    assert prune_backups(vault, Backup(keep=2), NOW) == [oldest]
    assert list_kept(vault) == [newest, middle]
    assert vault.list_names("objects/") == {name_object("bb"), name_object("cc")}
    assert not [name for name in vault.list_names("backups/") if oldest in name]


def test_newest_good_backup_stays_however_old_it_is(vault: Vault) -> None:
    keep(vault, 90, "aa")
    newest = keep(vault, 60, "bb")
    prune_backups(vault, Backup(days=30), NOW)
    assert list_kept(vault) == [newest]


def test_damaged_backups_do_not_count_so_the_only_good_one_stays(vault: Vault) -> None:
    good = keep(vault, 9, "aa")
    without_content, without_table = keep(vault, 2, "bb"), keep(vault, 1, "cc")
    vault.store.delete_file(name_object("bb"))
    vault.store.delete_file(name_file(without_table, name_table("runs")))
    assert prune_backups(vault, Backup(keep=1), NOW) == []
    assert list_kept(vault) == [without_table, without_content, good]
    assert vault.list_names("objects/") == {name_object("aa"), name_object("cc")}


def test_without_a_good_backup_nothing_is_removed(vault: Vault) -> None:
    backup = keep(vault, 9, "aa")
    vault.store.delete_file(name_file(backup, ARTIFACTS))
    assert prune_backups(vault, Backup(keep=1), NOW) == ()
    assert list_kept(vault) == [backup]


def test_what_was_begun_within_a_day_is_left_alone_and_older_remains_go(vault: Vault) -> None:
    keep(vault, 3)
    file = vault.scratch / "file"
    file.write_text("half")
    for backup in ("20261121T230000Z-0001", "20261120T000000Z-0002"):
        vault.put(name_file(backup, ARTIFACTS), file)
    vault.put(name_object("dd"), file)
    age(vault, NOW - timedelta(hours=1))
    prune_backups(vault, Backup(), NOW)
    left = "".join(vault.list_names(""))
    assert [part in left for part in ("-0001", "-0002", name_object("dd"))] == [True, False, True]


def test_backup_whose_manifest_is_damaged_is_none(vault: Vault) -> None:
    backup = keep(vault, 1)
    file = vault.scratch / "manifest"
    vault.fetch(name_file(backup, MANIFEST), file)
    file.write_text(file.read_text().replace('"rows": 0', '"rows": 1'))
    with pytest.raises(TrackingError, match="manifest is damaged"):
        parse_manifest(file.read_text())
    vault.put(name_file(backup, MANIFEST), file)
    assert list_kept(vault) == []
