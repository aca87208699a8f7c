"""Owns where a deployment's files lie. Standard library only; touches no file.

<home>/local/<environment>/<name>/
  deployment.json            port, next number, revisions: what was meant (state.py)
  route.json                 which revision serves (route.py)
  forwarder-<port>.pid       held by the forwarder of that port; .sock beside it is its control socket
  revisions/<number>/        process runtime only (process.py)
    launch.json status.json  what the supervisor was told, and what it tells
    supervisor.pid           held by the supervisor
    output.log output.log.1  what the scorer printed
    work/                    the scorer's working and temporary folder
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionFolder:
    """The files of one revision that runs as a process."""

    path: Path

    @property
    def launch(self) -> Path:
        """What the supervisor starts."""
        return self.path / "launch.json"

    @property
    def status(self) -> Path:
        """What the supervisor tells."""
        return self.path / "status.json"

    @property
    def pid_file(self) -> Path:
        """Held by the supervisor."""
        return self.path / "supervisor.pid"

    @property
    def log(self) -> Path:
        """What the scorer printed; what was printed long ago is in a second file, `.1`."""
        return self.path / "output.log"

    @property
    def work(self) -> Path:
        """The scorer's working and temporary folder."""
        return self.path / "work"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFolder:
    """The files of one deployment."""

    path: Path

    @property
    def state(self) -> Path:
        """What is remembered."""
        return self.path / "deployment.json"

    @property
    def route(self) -> Path:
        """Which revision serves."""
        return self.path / "route.json"

    @property
    def forwarder_log(self) -> Path:
        """Where a forwarder that cannot start says why."""
        return self.path / "forwarder.log"

    @property
    def revisions(self) -> Path:
        """The folder of the revisions' folders."""
        return self.path / "revisions"

    def revision(self, number: int) -> RevisionFolder:
        """The folder of a revision."""
        return RevisionFolder(path=self.revisions / str(number))

    def forwarder_pid_file(self, port: int) -> Path:
        """Held by the forwarder of the port."""
        return self.path / f"forwarder-{port}.pid"

    def forwarder_socket(self, port: int) -> Path:
        """Where the forwarder of the port answers its host."""
        return self.path / f"forwarder-{port}.sock"

    def list_forwarder_ports(self) -> Iterator[int]:
        """The ports of which there is, or was, a forwarder."""
        for path in sorted(self.path.glob("forwarder-*.pid")):
            yield int(path.stem.removeprefix("forwarder-"))
