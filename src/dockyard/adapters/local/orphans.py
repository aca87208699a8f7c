"""Owns what is left of deployments that nobody remembers: by a command that was killed, or by hands. Finds it and ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dockyard.adapters.local.daemon import end_holder
from dockyard.adapters.local.folders import Folders
from dockyard.adapters.local.gate import Gate
from dockyard.adapters.local.layout import DeploymentFolder, RevisionFolder
from dockyard.adapters.local.runtime import Place
from dockyard.adapters.local.state import DeploymentState, read_state
from dockyard.domain.deployment import Runtime

_GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """One thing that belongs to no deployment, and how to be rid of it."""

    title: str
    remove: Callable[[], None]


class Containers(Protocol):
    """This home's containers on the engine."""

    def name_container(self, place: Place) -> str:
        """The name of a revision's container."""
        ...

    def list_strays(self, known: frozenset[str]) -> tuple[str, ...]:
        """Names of containers that are not among the known ones; nothing where no engine answers."""
        ...

    def remove_stray(self, name: str) -> None:
        """End and remove a container."""
        ...


class Orphans:
    """Looks for orphans of a home. What a command is just making may look like one: hold its deployment's lock."""

    def __init__(self, home: Path, containers: Containers, *, listen_on: str) -> None:
        self._folders = Folders(home)
        self._containers = containers
        self._listen_on = listen_on

    def find(self) -> tuple[Orphan, ...]:
        """All orphans, found now. Raises `state-corrupt` rather than take a deployment for one."""
        return (*self._find_folders(), *self._find_containers())

    def _find_folders(self) -> Iterator[Orphan]:
        for key in self._folders.list_keys():
            folder = self._folders.find(key)
            if folder.state.exists():
                yield from self._find_parts(folder, read_state(folder.state, key))
            else:
                yield Orphan(title=f"folder {folder.path}", remove=self._make_removal(folder))

    def _find_parts(self, folder: DeploymentFolder, state: DeploymentState) -> Iterator[Orphan]:
        gate = Gate(folder, self._listen_on)
        strays = [port for port in gate.list_open() if port != state.port]
        if strays:
            title = f"forwarder of port {', '.join(map(str, strays))} of {state.key}"
            yield Orphan(title=title, remove=lambda: gate.close(but=state.port, grace_seconds=_GRACE_SECONDS))
        known = {str(entry.number) for entry in state.revisions}
        for path in sorted(folder.revisions.glob("*")):
            if path.name not in known:
                yield Orphan(title=f"folder {path}", remove=self._make_revision_removal(RevisionFolder(path=path)))

    def _find_containers(self) -> Iterator[Orphan]:
        for name in self._containers.list_strays(frozenset(self._list_known())):
            yield Orphan(title=f"container {name}", remove=self._make_container_removal(name))

    def _list_known(self) -> Iterator[str]:
        for key in self._folders.list_keys():
            folder = self._folders.find(key)
            for entry in read_state(folder.state, key).revisions:
                if entry.spec.settings.runtime is Runtime.DOCKER:
                    place = Place(key=key, number=entry.number, folder=folder.revision(entry.number), spec=entry.spec)
                    yield self._containers.name_container(place)

    def _make_removal(self, folder: DeploymentFolder) -> Callable[[], None]:
        def remove() -> None:
            Gate(folder, self._listen_on).close(grace_seconds=_GRACE_SECONDS)
            for path in folder.revisions.glob("*"):
                end_holder(RevisionFolder(path=path).pid_file, grace_seconds=_GRACE_SECONDS)
            self._folders.delete(folder)

        return remove

    def _make_revision_removal(self, revision: RevisionFolder) -> Callable[[], None]:
        def remove() -> None:
            end_holder(revision.pid_file, grace_seconds=_GRACE_SECONDS)
            self._folders.delete_tree(revision.path)

        return remove

    def _make_container_removal(self, name: str) -> Callable[[], None]:
        return lambda: self._containers.remove_stray(name)
