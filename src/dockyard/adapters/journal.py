"""Owns the Journal port: one file a deployment, replaced whole and durably at every save."""

from __future__ import annotations

from pathlib import Path

from dockyard.adapters.codec import decode, encode
from dockyard.adapters.files import write_file
from dockyard.domain.attempt import Attempt, AttemptStatus
from dockyard.domain.deployment import DeploymentKey


class FileJournal:
    """Attempts as JSON files in one folder, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save_attempt(self, attempt: Attempt) -> None:
        """Save it so that it survives a kill at any moment."""
        write_file(self._path(attempt.key), encode(attempt))

    def find_attempt(self, key: DeploymentKey) -> Attempt | None:
        """The attempt that was saved last. Raises `state-corrupt`."""
        try:
            content = self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        return decode(Attempt, content, what=f"the journal of {key}")

    def list_running(self) -> tuple[Attempt, ...]:
        """The attempts of all deployments that run, or were killed and not closed since. Raises `state-corrupt`."""
        paths = sorted(path for path in self._folder.glob("*.json") if not path.name.startswith("."))
        attempts = (decode(Attempt, path.read_bytes(), what=f"the journal `{path}`") for path in paths)
        return tuple(attempt for attempt in attempts if attempt.status is AttemptStatus.RUNNING)

    def _path(self, key: DeploymentKey) -> Path:
        # Names hold no dots, so no two keys meet in one file name.
        return self._folder / f"{key.target.value}.{key.environment}.{key.name}.json"
