"""Owns the LocalHost port: deployments as folders, revisions in runtimes, a forwarder in front.

Intent is written before the act, and names follow from it, so that a call that was killed at any moment is completed by the
same call again. What is described is looked at, not remembered.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockyard.adapters.files import delete_file
from dockyard.adapters.local.folders import Folders
from dockyard.adapters.local.gate import Gate
from dockyard.adapters.local.layout import DeploymentFolder
from dockyard.adapters.local.ports import FIRST_PORT, find_free_port
from dockyard.adapters.local.route import Route, read_route, write_route
from dockyard.adapters.local.runtime import Place, RevisionImages, RevisionRuntime
from dockyard.adapters.local.state import DeploymentState, RevisionEntry, read_state, write_state
from dockyard.domain.deployment import DeploymentKey, LocalRevision, LocalSpec, RevisionStatus, Runtime
from dockyard.domain.errors import ConflictError, DockyardError, NotFoundError, UnhealthyError
from dockyard.domain.observed import ObservedLocal
from dockyard.ports import Clock

LOOPBACK = "127.0.0.1"
_MARGIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a host stands on."""

    home: Path
    """Dockyard's folder; deployments lie in `local` below it."""
    runtimes: Mapping[Runtime, RevisionRuntime]
    images: RevisionImages
    clock: Clock
    listen_on: str = LOOPBACK
    """The address that deployments' ports are opened on."""
    first_port: int = FIRST_PORT
    """New deployments are offered the first free port from here on."""


class Host:
    """This machine."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._folders = Folders(surroundings.home)

    def describe_deployment(self, key: DeploymentKey) -> ObservedLocal:
        """How a deployment is, looked at now. Changes nothing. Raises `state-corrupt`, `docker-unavailable`."""
        folder, state = self._open(key)
        route = _read_route(folder)
        port = state.port
        return ObservedLocal(
            key=key,
            revisions=tuple(self._describe_revision(folder, state, entry) for entry in state.revisions),
            serving=route.revision if route else None,
            serving_since=route.since if route else None,
            port=port,
            is_forwarding=port is not None and self._gate(folder).is_open(port),
            next_number=state.next_number,
            free_port=self._find_free_port() if port is None else None,
        )

    def start_revision(self, key: DeploymentKey, number: int, spec: LocalSpec) -> None:
        """Start a revision on a port of its own, without traffic; one that runs is left alone.

        Raises `image-missing`, `no-matching-python`, `revision-crashed`, `docker-unavailable`, `docker-failed`.
        """
        folder, state = self._open(key)
        entry = state.find(number)
        if entry is None:
            image = self._around.images.find_digest(spec.fingerprint)
            entry = RevisionEntry(number=number, spec=spec, image=image, created=self._tell_time())
            self._folders.make(folder)
            write_state(folder.state, state.with_revision(entry))
        elif entry.spec.spec_hash != spec.spec_hash:
            raise ConflictError(
                "plan-stale", f"revision {number} of {key} is there already, and is another one", hint="run the command again"
            )
        self._run(folder, _place(folder, key, entry))

    def stop_revision(self, key: DeploymentKey, number: int) -> None:
        """Drain and stop a revision and keep what starting it again needs."""
        folder, state = self._open(key)
        entry = state.find(number)
        if entry is not None:
            self._runtime(entry.spec).stop(_place(folder, key, entry))

    def remove_revision(self, key: DeploymentKey, number: int) -> None:
        """Stop a revision and forget it; the last trace of a deployment goes with its last revision."""
        self.stop_revision(key, number)
        folder, state = self._open(key)
        route = _read_route(folder)
        if route is not None and route.revision == number:
            delete_file(folder.route)
        entry = state.find(number)
        if entry is not None:
            self._runtime(entry.spec).forget(_place(folder, key, entry))
        self._folders.delete_revision(folder, number)
        if entry is not None:
            self._save(folder, state.without_revision(number))

    def route_traffic(self, key: DeploymentKey, number: int | None, port: int) -> None:
        """Send the port's traffic to a revision, starting the forwarder where it is not running; None closes the port.

        Requests that are under way finish where they are; none is lost. Returns when the new route is in force and
        nothing is under way to the old one any more. Raises `port-in-use` before anything has changed,
        `no-revision`, `revision-crashed`, `forwarder-failed`.
        """
        folder, state = self._open(key)
        if number is None:
            self._gate(folder).close(grace_seconds=_patience(state))
            delete_file(folder.route)
            self._save(folder, state.with_port(None))
            return
        entry = state.find(number)
        if entry is None:
            raise NotFoundError("no-revision", f"{key} has no revision {number}", hint="`dockyard history` shows which it has")
        self._serve(folder, state, entry, port)

    def _serve(self, folder: DeploymentFolder, state: DeploymentState, entry: RevisionEntry, port: int) -> None:
        place, gate = _place(folder, state.key, entry), self._gate(folder)
        address = self._require_address(place)
        listener = gate.take(port)
        try:
            served = dataclasses.replace(entry, has_served=True)
            write_state(folder.state, state.with_revision(served).with_port(port))
            self._runtime(entry.spec).keep(place)
            write_route(folder.route, self._make_route(folder, entry.number, address))
            if listener is not None:
                gate.open(port, listener)
        finally:
            if listener is not None:
                listener.close()
        gate.settle(port, entry.number, _patience(state))
        gate.close(but=port, grace_seconds=_patience(state))

    def _run(self, folder: DeploymentFolder, place: Place) -> None:
        runtime = self._runtime(place.spec)
        if runtime.look(place).status not in {RevisionStatus.STARTING, RevisionStatus.READY}:
            runtime.start(place)
        route, address = _read_route(folder), runtime.look(place).address
        if route is not None and route.revision == place.number and address is not None and route.address != address:
            write_route(folder.route, dataclasses.replace(route, address=address))

    def _make_route(self, folder: DeploymentFolder, number: int, address: str) -> Route:
        """A revision that has the traffic already has had it since then."""
        route = _read_route(folder)
        is_same = route is not None and route.revision == number
        return Route(revision=number, address=address, since=route.since if route and is_same else self._tell_time())

    def _tell_time(self) -> str:
        return self._around.clock.now().isoformat(timespec="seconds")

    def _require_address(self, place: Place) -> str:
        address = self._runtime(place.spec).look(place).address
        if address is None:
            raise UnhealthyError("revision-crashed", f"{place} does not run", hint="run the command again")
        return address

    def _describe_revision(self, folder: DeploymentFolder, state: DeploymentState, entry: RevisionEntry) -> LocalRevision:
        look = self._runtime(entry.spec).look(_place(folder, state.key, entry))
        return LocalRevision(
            number=entry.number,
            spec=entry.spec,
            image=entry.image,
            status=look.status,
            has_served=entry.has_served,
            created=entry.created,
            address=look.address,
            proof_failure=look.proof_failure,
        )

    def _save(self, folder: DeploymentFolder, state: DeploymentState) -> None:
        if state.is_empty:
            self._folders.delete(folder)
        else:
            write_state(folder.state, state)

    def _find_free_port(self) -> int | None:
        return find_free_port(self._around.listen_on, self._folders.list_ports(), first=self._around.first_port)

    def _open(self, key: DeploymentKey) -> tuple[DeploymentFolder, DeploymentState]:
        folder = self._folders.find(key)
        return folder, read_state(folder.state, key)

    def _gate(self, folder: DeploymentFolder) -> Gate:
        return Gate(folder, self._around.listen_on)

    def _runtime(self, spec: LocalSpec) -> RevisionRuntime:
        return self._around.runtimes[spec.settings.runtime]


def _place(folder: DeploymentFolder, key: DeploymentKey, entry: RevisionEntry) -> Place:
    return Place(key=key, number=entry.number, folder=folder.revision(entry.number), spec=entry.spec)


def _patience(state: DeploymentState) -> float:
    """How long a request may be under way: as long as a scorer takes at most to answer one."""
    longest = max((entry.spec.settings.request_timeout_seconds for entry in state.revisions), default=0)
    return longest + _MARGIN_SECONDS


def _read_route(folder: DeploymentFolder) -> Route | None:
    try:
        return read_route(folder.route)
    except ValueError as error:
        raise DockyardError(
            "state-corrupt", f"{folder.route} is not a route", hint="move the file away and deploy again"
        ) from error
