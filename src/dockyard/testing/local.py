"""Owns the in-memory machine: revisions that run because it says so, ports that are numbers. For tests, ours and users'."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from dockyard.domain.deployment import DeploymentKey, LocalRevision, LocalSpec, ProofFailure, RevisionStatus, Runtime
from dockyard.domain.errors import BuildError, ConflictError, NotFoundError, UnavailableError, UnhealthyError, UsageError
from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard.domain.observed import ObservedLocal
from dockyard.ports import Clock
from dockyard.testing.faults import Faults
from dockyard.testing.surroundings import ManualClock

_FIRST_ADDRESS = 20_000
_FIRST_PORT = 1234


class Behaviour(Enum):
    """What a revision of an image does when it is started."""

    READY = "ready"
    NEVER_READY = "never ready"
    CRASHES = "crashes"
    FAILS_PROOF = "fails proof"
    DIFFERS = "differs"


@dataclass(kw_only=True)
class MemoryMachine:
    """LocalHost, LocalInventory and LocalMachine in memory."""

    faults: Faults = field(default_factory=Faults)
    behaviours: dict[Fingerprint, Behaviour] = field(default_factory=dict)
    """By image; READY where nothing is said."""
    missing_images: set[Fingerprint] = field(default_factory=set)
    ports_in_use: set[int] = field(default_factory=set)
    """Ports that other programs listen on."""
    has_engine: bool = False
    orphans: list[str] = field(default_factory=list)
    clock: Clock = field(default_factory=ManualClock)
    _deployments: dict[DeploymentKey, ObservedLocal] = field(default_factory=dict)
    _logs: dict[tuple[DeploymentKey, int], list[str]] = field(default_factory=dict)
    _addresses: int = _FIRST_ADDRESS

    def describe_deployment(self, key: DeploymentKey) -> ObservedLocal:
        """As it was left."""
        found = self._find(key)
        return dataclasses.replace(found, free_port=self._find_free_port() if found.port is None else None)

    def start_revision(self, key: DeploymentKey, number: int, spec: LocalSpec) -> None:
        """Let a revision run, and be what its behaviour says at once."""
        with self.faults.watch(f"start_revision {number}"):
            if spec.fingerprint in self.missing_images:
                raise BuildError("image-missing", f"the image with fingerprint {spec.fingerprint} is not in the local store")
            deployment = self._find(key)
            revision = deployment.find_revision(number) or _make_revision(number, spec, self._tell_time())
            if revision.spec.spec_hash != spec.spec_hash:
                raise ConflictError("plan-stale", f"revision {number} of {key} is there already, and is another one")
            if revision.status not in {RevisionStatus.STARTING, RevisionStatus.READY}:
                revision = self._run(key, revision)
            next_number = max(deployment.next_number, number + 1)
            self._put(dataclasses.replace(_with(deployment, revision), next_number=next_number))

    def stop_revision(self, key: DeploymentKey, number: int) -> None:
        """Let it run no more."""
        with self.faults.watch(f"stop_revision {number}"):
            revision = self._find(key).find_revision(number)
            if revision is not None:
                stopped = dataclasses.replace(revision, status=RevisionStatus.STOPPED, address=None, proof_failure=None)
                self._put(_with(self._find(key), stopped))

    def remove_revision(self, key: DeploymentKey, number: int) -> None:
        """Forget it."""
        with self.faults.watch(f"remove_revision {number}"):
            deployment = self._find(key)
            revisions = tuple(one for one in deployment.revisions if one.number != number)
            self._logs.pop((key, number), None)
            if deployment.serving == number:
                deployment = dataclasses.replace(deployment, serving=None, serving_since=None)
            self._put(dataclasses.replace(deployment, revisions=revisions))

    def route_traffic(self, key: DeploymentKey, number: int | None, port: int) -> None:
        """Move the port's traffic at once."""
        with self.faults.watch(f"route_traffic {number} {port}"):
            deployment = self._find(key)
            if number is None:
                self._put(dataclasses.replace(deployment, serving=None, serving_since=None, port=None, is_forwarding=False))
                return
            revision = deployment.find_revision(number)
            if revision is None:
                raise NotFoundError("no-revision", f"{key} has no revision {number}")
            if revision.address is None:
                raise UnhealthyError("revision-crashed", f"revision {number} of {key} does not run")
            if not self._has_port(deployment, port) and not self.is_port_free(port):
                raise UsageError("port-in-use", f"another program listens on port {port}")
            served = _with(deployment, dataclasses.replace(revision, has_served=True))
            since = deployment.serving_since if deployment.serving == number else self._tell_time()
            self._put(dataclasses.replace(served, serving=number, serving_since=since, port=port, is_forwarding=True))

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All that there are, sorted."""
        return tuple(sorted(self._deployments, key=str))

    def delete_deployment(self, key: DeploymentKey) -> None:
        """Forget all of it."""
        with self.faults.watch(f"delete_deployment {key}"):
            self._deployments.pop(key, None)

    def read_logs(self, key: DeploymentKey, number: int, *, follow: bool, tail: int) -> Iterator[str]:
        """What a revision was made to log; nothing is ever added, so following ends at once."""
        del follow
        lines = self._logs.get((key, number), [])
        return iter(lines[max(len(lines) - tail, 0) :])

    def list_orphans(self) -> tuple[str, ...]:
        """Those that were put there."""
        return tuple(self.orphans)

    def delete_orphans(self) -> None:
        """Forget them."""
        with self.faults.watch("delete_orphans"):
            self.orphans.clear()

    def choose_runtime(self, wanted: Runtime) -> Runtime:
        """As `has_engine` says."""
        if wanted is Runtime.DOCKER and not self.has_engine:
            raise UnavailableError("docker-unavailable", "no Docker engine answers")
        return (Runtime.DOCKER if self.has_engine else Runtime.PROCESS) if wanted is Runtime.AUTO else wanted

    def is_port_free(self, port: int) -> bool:
        """Whether neither another program nor a forwarder has it."""
        return port not in self.ports_in_use and not any(self._has_port(one, port) for one in self._deployments.values())

    def crash(self, key: DeploymentKey, number: int, *lines: str) -> None:
        """Let a revision end by itself, with its last words."""
        revision = self._find(key).find_revision(number)
        if revision is not None:
            self._logs.setdefault((key, number), []).extend(lines)
            self._put(_with(self._find(key), dataclasses.replace(revision, status=RevisionStatus.FAILED, address=None)))

    def kill_forwarder(self, key: DeploymentKey) -> None:
        """Let nobody listen on a deployment's port."""
        self._put(dataclasses.replace(self._find(key), is_forwarding=False))

    def _run(self, key: DeploymentKey, revision: LocalRevision) -> LocalRevision:
        self._addresses += 1
        address = f"127.0.0.1:{self._addresses}"
        log = self._logs.setdefault((key, revision.number), [])
        match self.behaviours.get(revision.spec.fingerprint, Behaviour.READY):
            case Behaviour.READY:
                log.append("ready")
                return dataclasses.replace(revision, status=RevisionStatus.READY, address=address, proof_failure=None)
            case Behaviour.NEVER_READY:
                log.append("loading")
                return dataclasses.replace(revision, status=RevisionStatus.STARTING, address=address, proof_failure=None)
            case Behaviour.CRASHES:
                log.append("the model cannot be loaded")
                return _fail(revision, None)
            case Behaviour.FAILS_PROOF:
                log.append("the model does not answer the proof")
                return _fail(revision, ProofFailure.RAISES)
            case Behaviour.DIFFERS:
                log.append("the answer differs from the one at build time")
                return _fail(revision, ProofFailure.DIFFERS)

    def _tell_time(self) -> str:
        return self.clock.now().isoformat(timespec="seconds")

    def _find(self, key: DeploymentKey) -> ObservedLocal:
        return self._deployments.get(key, ObservedLocal(key=key))

    def _put(self, deployment: ObservedLocal) -> None:
        if deployment.exists:
            self._deployments[deployment.key] = deployment
        else:
            self._deployments.pop(deployment.key, None)

    def _find_free_port(self) -> int:
        return next(port for port in range(_FIRST_PORT, _FIRST_PORT + 1000) if self._is_unclaimed(port))

    def _is_unclaimed(self, port: int) -> bool:
        return self.is_port_free(port) and all(one.port != port for one in self._deployments.values())

    @staticmethod
    def _has_port(deployment: ObservedLocal, port: int) -> bool:
        return deployment.is_forwarding and deployment.port == port


def _make_revision(number: int, spec: LocalSpec, now: str) -> LocalRevision:
    return LocalRevision(
        number=number,
        spec=spec,
        image=ImageDigest(f"sha256:{spec.fingerprint}"),
        status=RevisionStatus.STOPPED,
        has_served=False,
        created=now,
    )


def _fail(revision: LocalRevision, proof_failure: ProofFailure | None) -> LocalRevision:
    return dataclasses.replace(revision, status=RevisionStatus.FAILED, address=None, proof_failure=proof_failure)


def _with(deployment: ObservedLocal, revision: LocalRevision) -> ObservedLocal:
    others = [one for one in deployment.revisions if one.number != revision.number]
    return dataclasses.replace(deployment, revisions=tuple(sorted((*others, revision), key=lambda one: one.number)))
