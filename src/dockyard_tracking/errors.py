"""Why the tracking server or its migration cannot go on: stable codes, exit codes, hints.

Owns the catalogue. A message names hosts, databases and users, never a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EXIT_BY_CODE: Mapping[str, int] = MappingProxyType(
    {
        "bad-setting": 2,
        "database-unreachable": 10,
        "login-refused": 11,
        "binary-log-refuses-triggers": 12,
        "privilege-missing": 13,
        "database-read-only": 14,
        "lock-timeout": 15,
        "schema-ahead": 16,
        "migration-failed": 17,
        "nothing-to-back-up": 20,
        "store-unreachable": 21,
        "backup-not-found": 22,
        "backup-damaged": 23,
        "backup-key-wrong": 24,
        "stack-not-empty": 25,
        "restore-unfinished": 26,
        "restore-failed": 27,
    }
)
"""What a process ends with. 0: done; 1: a mistake of ours, with its trace in the log."""

HINT_BY_CODE: Mapping[str, str] = MappingProxyType(
    {
        "bad-setting": "See docs/how-to/run-the-tracking-stack.md for every variable.",
        "database-unreachable": "Is it running, and may this machine reach that host and port?",
        "login-refused": "Do user, password and database name fit together? Each connection reads the password from its file.",
        "binary-log-refuses-triggers": (
            "Set log_bin_trust_function_creators=1 (RDS: in the parameter group), or give the user SUPER; "
            "then run the migration again."
        ),
        "privilege-missing": "Grant the user ALL on its own database; then run the migration again.",
        "database-read-only": "Name the primary, not a replica.",
        "lock-timeout": "Another migration runs. Wait until it has ended; if none does, end the session that holds the lock.",
        "schema-ahead": "A newer server has migrated this database. Use its image, or restore the backup from before.",
        "migration-failed": "Nothing is lost: run the migration again once the cause is gone; it goes on where it stopped.",
        "nothing-to-back-up": "Run `migrate` first: the database has no tables of MLflow's.",
        "store-unreachable": "Does the folder or bucket exist, and may this process read and write it?",
        "backup-not-found": "`backups` lists those that are complete.",
        "backup-damaged": "`verify` names what is damaged. Take another backup, or restore an older one.",
        "backup-key-wrong": "Name the file with the key that the backup was sealed with.",
        "stack-not-empty": "Restore into an empty database and an empty place for artifacts; nothing is ever overwritten.",
        "restore-unfinished": "A restore was begun here and has not ended: run `restore` again, it begins anew.",
        "restore-failed": "Run `restore` again once the cause is gone; it begins anew.",
    }
)


class TrackingError(Exception):
    """Something that an operator can mend; `code` is a key of EXIT_BY_CODE."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return EXIT_BY_CODE[self.code]

    @property
    def hint(self) -> str:
        """How to mend it."""
        return HINT_BY_CODE[self.code]
