"""Owns the LocalInventory port: everything of Dockyard's on this machine, what belongs to nothing included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from dockyard.adapters.local.folders import Folders
from dockyard.adapters.local.orphans import Orphans
from dockyard.adapters.local.runtime import Place, RevisionLogs
from dockyard.adapters.local.state import read_state
from dockyard.domain.deployment import DeploymentKey, Runtime
from dockyard.ports import LocalHost


class Inventory:
    """All deployments of a home."""

    def __init__(self, home: Path, *, host: LocalHost, logs: Mapping[Runtime, RevisionLogs], orphans: Orphans) -> None:
        self._folders = Folders(home)
        self._host = host
        self._logs = logs
        self._orphans = orphans

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All deployments that are remembered, sorted."""
        return tuple(key for key in self._folders.list_keys() if self._folders.find(key).state.exists())

    def delete_deployment(self, key: DeploymentKey) -> None:
        """Stop and forget all of a deployment: forwarder, revisions, logs."""
        folder = self._folders.find(key)
        state = read_state(folder.state, key)
        self._host.route_traffic(key, None, state.port or 0)
        for entry in state.revisions:
            self._host.remove_revision(key, entry.number)
        self._folders.delete(folder)

    def read_logs(self, key: DeploymentKey, number: int, *, follow: bool, tail: int) -> Iterator[str]:
        """Lines that a revision has logged, without line ends; none for a revision that is not there."""
        folder = self._folders.find(key)
        entry = read_state(folder.state, key).find(number)
        if entry is None:
            return iter(())
        place = Place(key=key, number=number, folder=folder.revision(number), spec=entry.spec)
        return self._logs[entry.spec.settings.runtime].read_logs(place, follow=follow, tail=tail)

    def list_orphans(self) -> tuple[str, ...]:
        """Containers, processes and folders of Dockyard's that belong to no deployment, as a person would name them."""
        return tuple(orphan.title for orphan in self._orphans.find())

    def delete_orphans(self) -> None:
        """End and remove all orphans."""
        for orphan in self._orphans.find():
            orphan.remove()
