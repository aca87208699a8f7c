"""Owns the Docker runtime: a revision is a container, with as few rights as the image's contract promises to need.

A container has a name that follows from its revision, and labels that lead back to it. A stopped revision has no container:
its log is kept in a file, and the image stays in the engine. Ports are published on loopback only.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from dockyard.adapters.local.engine import open_engine, translated_engine
from dockyard.adapters.local.logfile import RotatingLog, read_log
from dockyard.adapters.local.ports import find_any_port
from dockyard.adapters.local.process import scorer_variables
from dockyard.adapters.local.runtime import Look, Place, RevisionImages, look_at_failed
from dockyard.adapters.scorer_client import is_ready
from dockyard.domain.deployment import RevisionStatus
from dockyard.domain.errors import DockyardError
from dockyard.domain.image import Fingerprint
from dockyard.domain.names import DOCKER_CONTAINER, derive_name

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

LABEL_HOME = "dockyard.home"
LABEL_ENVIRONMENT = "dockyard.environment"
LABEL_DEPLOYMENT = "dockyard.deployment"
LABEL_REVISION = "dockyard.revision"
_LABEL_SPEC = "dockyard.spec-hash"
_REPOSITORY = "dockyard-revision"
_HOST = "127.0.0.1"
_INSIDE = "8080/tcp"
_LOOK_SECONDS = 2.0
_ENGINE_SECONDS = 600
"""Loading a large image takes its time, and the engine is silent meanwhile."""
_MARGIN_SECONDS = 2
_LOG_BYTES = 10 * 1024 * 1024
_MANY_RESTARTS = 3
_PORT_ATTEMPTS = 5


class ContainerRuntime:
    """Runs revisions as containers."""

    def __init__(self, images: RevisionImages, home_id: str) -> None:
        """`home_id` tells this home's containers from those of others on the same engine."""
        self._images = images
        self._home_id = home_id
        self._connected: DockerClient | None = None

    def look(self, place: Place) -> Look:
        """Look at the container, and ask the scorer in it whether it is ready."""
        with translated_engine(f"look at {place}"):
            container = self._find(place)
            return Look(status=RevisionStatus.STOPPED) if container is None else _look_at(container)

    def start(self, place: Place) -> None:
        """Start a container. Raises `image-missing`, `docker-unavailable`, `docker-failed`."""
        self.stop(place)
        image = self._load_image(place.spec.fingerprint)
        with translated_engine(f"start {place}"):
            if not any(self._run_unless_port_is_taken(place, image) for _ in range(_PORT_ATTEMPTS)):
                raise DockyardError(
                    "docker-failed", f"{place} found no free port in {_PORT_ATTEMPTS} attempts", hint="try again"
                )

    def keep(self, place: Place) -> None:
        """Have the engine start it again when it crashes, and after the machine was restarted; before, a crash is final."""
        with translated_engine(f"update {place}"):
            container = self._find(place)
            if container is not None:
                policy = {"Name": "unless-stopped", "MaximumRetryCount": 0}
                container.update(restart_policy=policy)  # type: ignore[arg-type]  # the stubs do not know this policy

    def stop(self, place: Place) -> None:
        """Stop the container within its grace, keep its log, and remove it."""
        with translated_engine(f"stop {place}"):
            container = self._find(place)
            if container is None:
                return
            container.stop(timeout=place.settings.grace_seconds + _MARGIN_SECONDS)
            self._keep_log(place, container)
            self._remove(place)

    def forget(self, place: Place) -> None:
        """Remove the image from the engine, if no other revision runs from it; the local store keeps it."""
        from docker.errors import APIError

        with translated_engine("remove an image"), suppress(APIError):
            self._engine().images.remove(_tag(place.spec.fingerprint))

    def read_logs(self, place: Place, *, follow: bool, tail: int) -> Iterator[str]:
        """What earlier containers of the revision printed, then the present one."""
        with translated_engine(f"read the log of {place}"):
            container = self._find(place)
            if container is None:
                yield from read_log(place.folder.log, tail=tail)
                return
            present = list(_split_lines(container.logs(stream=True, follow=False, tail=tail)))
            if len(present) < tail:
                yield from read_log(place.folder.log, tail=tail - len(present))
            yield from _split_lines(container.logs(stream=True, follow=True, tail=tail)) if follow else present

    def list_strays(self, known: frozenset[str]) -> tuple[str, ...]:
        """Names of this home's containers that are not among the known ones; nothing where no engine answers."""
        try:
            with translated_engine("list containers"):
                mine = {"label": f"{LABEL_HOME}={self._home_id}"}
                found = self._engine().containers.list(all=True, filters={**mine}, ignore_removed=True)
                return tuple(sorted(str(container.name) for container in found if container.name not in known))
        except DockyardError:
            return ()

    def remove_stray(self, name: str) -> None:
        """End and remove a container that `list_strays` named."""
        from docker.errors import NotFound

        with translated_engine(f"remove container {name}"), suppress(NotFound):
            self._engine().containers.get(name).remove(force=True)

    def name_container(self, place: Place) -> str:
        """The name of a revision's container. Our names have no dots, so no two revisions meet in one."""
        parts = ("dockyard", place.key.environment, place.key.name, f"r{place.number}", self._home_id)
        return derive_name(DOCKER_CONTAINER, ".".join(parts))

    def _engine(self) -> DockerClient:
        if self._connected is None:
            self._connected = open_engine(_ENGINE_SECONDS)
        return self._connected

    def _find(self, place: Place) -> Container | None:
        from docker.errors import NotFound

        try:
            return self._engine().containers.get(self.name_container(place))
        except NotFound:
            return None

    def _run_unless_port_is_taken(self, place: Place, image: str) -> bool:
        """Run it on a port that was free a moment ago; False where somebody else was faster."""
        try:
            self._run(place, image, find_any_port(_HOST))
        except Exception as error:
            self._remove(place)
            if _says_port_is_taken(error):
                return False
            raise
        return True

    def _run(self, place: Place, image: str, port: int) -> None:
        from docker.types import LogConfig

        self._engine().containers.run(
            image,
            detach=True,
            name=self.name_container(place),
            labels=self._make_labels(place),
            environment={**dict(place.settings.env), **scorer_variables(place)},
            ports={_INSIDE: (_HOST, port)},
            read_only=True,
            tmpfs={"/tmp": "rw,exec,nosuid,nodev,mode=1777"},  # noqa: S108  the image's contract: only /tmp is written to
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            log_config=LogConfig(type="json-file", config={"max-size": f"{_LOG_BYTES}", "max-file": "2"}),
        )

    def _make_labels(self, place: Place) -> dict[str, str]:
        return {
            LABEL_HOME: self._home_id,
            LABEL_ENVIRONMENT: place.key.environment,
            LABEL_DEPLOYMENT: place.key.name,
            LABEL_REVISION: str(place.number),
            _LABEL_SPEC: place.spec.spec_hash,
        }

    def _remove(self, place: Place) -> None:
        container = self._find(place)
        if container is not None:
            container.remove(force=True)

    def _keep_log(self, place: Place, container: Container) -> None:
        place.folder.path.mkdir(parents=True, exist_ok=True)
        log = RotatingLog(place.folder.log, max_bytes=_LOG_BYTES)
        try:
            for part in container.logs(stream=True, follow=False):
                log.write(part)
        finally:
            log.close()

    def _load_image(self, fingerprint: Fingerprint) -> str:
        """Bring the image into the engine if it is not there, under a tag that follows from the fingerprint."""
        from docker.errors import ImageNotFound

        tag, config = _tag(fingerprint), self._images.find_config_digest(fingerprint)
        with translated_engine("look for an image"), suppress(ImageNotFound):
            if self._engine().images.get(tag).id == config:
                return tag
        with tempfile.TemporaryFile() as archive:
            self._images.write_archive(fingerprint, archive, tag)
            archive.seek(0)
            with translated_engine("load an image"):
                self._engine().images.load(archive)
        return tag


def _tag(fingerprint: Fingerprint) -> str:
    return f"{_REPOSITORY}:{fingerprint.removeprefix('sha256:')}"


def _look_at(container: Container) -> Look:
    state, exit_code = container.attrs["State"]["Status"], container.attrs["State"]["ExitCode"]
    if state == "created":  # an earlier start was killed before it ran
        return Look(status=RevisionStatus.STOPPED)
    if state in {"exited", "dead", "removing"}:
        return look_at_failed(exit_code)
    address = f"{_HOST}:{container.attrs['HostConfig']['PortBindings'][_INSIDE][0]['HostPort']}"
    if is_ready(address, _LOOK_SECONDS):
        return Look(status=RevisionStatus.READY, address=address)
    if container.attrs["RestartCount"] >= _MANY_RESTARTS:
        return look_at_failed(exit_code, address)
    return Look(status=RevisionStatus.STARTING, address=address)


def _split_lines(parts: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        yield from (line.rstrip(b"\r").decode("utf-8", "replace") for line in lines)
    if rest:
        yield rest.decode("utf-8", "replace")


def _says_port_is_taken(error: Exception) -> bool:
    return any(words in str(error) for words in ("port is already allocated", "address already in use"))
