"""Which backups go, and which contents of artifacts with them.

Owns that rule. The newest good backup never goes, whatever its age, and what cannot be read is never taken for good.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from dockyard_tracking.backup.manifest import ARTIFACTS, MANIFEST, Manifest, name_file, name_object, name_table, parse_time
from dockyard_tracking.backup.vault import Vault
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.settings import Backup

_LOG = logging.getLogger(__name__)
_UNFINISHED = timedelta(days=1)
"""A backup that takes longer is given up; contents that nothing names are left alone for as long."""


def prune_backups(vault: Vault, rule: Backup, now: datetime) -> Sequence[str]:
    """Remove what the rule no longer wants. Returns the backups that went. Says and removes nothing where it is not sure."""
    backups = vault.list_backups()
    names = vault.list_names("backups/")
    objects = vault.list_names("objects/")
    good: list[Manifest] = []
    needed: set[str] = set()
    for one in backups:
        found = _find_objects(vault, one, names)
        if found is not None and found <= objects and _is_wanted(one, good, rule, now):
            good.append(one)
            needed |= found
    if not good:
        return ()
    kept = {one.backup for one in good}
    removed = [one.backup for one in backups if one.backup not in kept and one.time < good[0].time]
    left = [one for one in backups if one.backup not in kept and one.backup not in removed]
    for backup in (*removed, *_list_given_up(names, now)):
        _remove(vault, backup, names)
    if not left:
        _remove_objects(vault, needed, now)
    return removed


def _is_wanted(one: Manifest, newer: Sequence[Manifest], rule: Backup, now: datetime) -> bool:
    if not newer:
        return True
    return len(newer) < rule.keep and (rule.days is None or one.time >= now - timedelta(days=rule.days))


def _find_objects(vault: Vault, one: Manifest, names: set[str]) -> set[str] | None:
    """The contents that a backup needs; None where files of its own are missing or damaged."""
    own = {name_file(one.backup, name_table(table.name)) for table in one.tables} | {name_file(one.backup, ARTIFACTS)}
    if not own <= names:
        return None
    try:
        with vault.open_artifacts(one) as artifacts:
            return {name_object(artifact.sha256) for artifact in artifacts}
    except TrackingError as error:
        _LOG.warning("Backup %s does not count as good: %s", one.backup, error.message)
        return None


def _list_given_up(names: set[str], now: datetime) -> Iterator[str]:
    """Backups that were begun long ago and have no manifest."""
    for backup in sorted({name.split("/")[1] for name in names}):
        if name_file(backup, MANIFEST) not in names and parse_time(backup) < now - _UNFINISHED:
            yield backup


def _remove(vault: Vault, backup: str, names: set[str]) -> None:
    _LOG.info("Backup %s is removed.", backup)
    manifest = name_file(backup, MANIFEST)
    vault.store.delete_file(manifest)  # first, so that half a backup is never offered
    for name in sorted(names):
        if name.startswith(name_file(backup, "")) and name != manifest:
            vault.store.delete_file(name)


def _remove_objects(vault: Vault, needed: set[str], now: datetime) -> None:
    for entry in vault.store.list_entries("objects/"):
        if entry.key not in needed and entry.time < (now - _UNFINISHED).timestamp():
            vault.store.delete_file(entry.key)
