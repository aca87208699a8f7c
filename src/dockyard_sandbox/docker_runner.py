"""Runs any image in a Docker engine, as SageMaker would: pulled by digest, argument `serve`, limits, isolation.

Owns the containers, the network and the pulled images of one sandbox, told from all others by a label. Ports are published on
loopback. An isolated container is on an internal network of its sandbox, where this machine reaches it and it reaches nobody.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import cast

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container as EngineContainer
from docker.models.networks import Network
from docker.types import LogConfig
from requests.exceptions import RequestException

from dockyard_image.errors import ImageError
from dockyard_image.reference import ImageReference, parse_reference
from dockyard_sandbox.repositories import EcrError, Repositories
from dockyard_sandbox.runner import MODEL_FOLDER, Container, ContainerError, ContainerSpec, ImagePullError, RunnerError

LABEL = "dockyard.sandbox"
_HOST = "127.0.0.1"
_NOWHERE = f"{_HOST}:1"
"""The address of a container that ended before it had one."""
_LOG_BYTES = 10 * 1024 * 1024
_TMPFS = {"/tmp": "rw,exec,nosuid,nodev,mode=1777"}  # noqa: S108  the one writable folder of a read-only container
_NO_EXIT_CODE = 137
_REMOVAL_SECONDS = 30.0
_POLL_SECONDS = 0.1


class DockerRunner:
    """Runs the containers of one sandbox. `address` is its registry's, `login` gives a user and a password for it."""

    def __init__(
        self,
        engine: docker.DockerClient,
        repositories: Repositories,
        *,
        address: str,
        sandbox_id: str,
        login: Callable[[], tuple[str, str]],
    ) -> None:
        self._engine = engine
        self._repositories = repositories
        self._address = address
        self._sandbox_id = sandbox_id
        self._login = login
        self._lock = threading.Lock()

    def resolve_digest(self, image: str) -> str:
        """The digest of an image in the own registry, or of whatever the engine can reach. Raises ImagePullError."""
        reference = _parse(image)
        if reference.host != self._address:
            with _telling(ImagePullError, f"look up {image}"):
                return str(self._engine.images.get_registry_data(image).id)
        try:
            found = self._repositories.find_image(reference.repository, reference.selector)
            if found is None:
                tag = "" if reference.digest else reference.selector
                raise self._repositories.missing_image(reference.repository, digest=reference.digest, tag=tag)
        except EcrError as error:
            raise ImagePullError(error.message) from error
        return found.digest

    def start(self, spec: ContainerSpec) -> Container:
        """Pull the image if the engine does not have it, and start a container. Raises ImagePullError, ContainerError."""
        image = self._pull(spec.image)
        with _telling(ContainerError, f"start a container of {spec.image}"):
            made = self._create(spec, image)
            try:
                made.start()
                made.reload()
            except BaseException:
                made.remove(force=True, v=True)
                raise
        return _EngineContainer(made, _find_address(made, spec), spec.log)

    def _pull(self, image: str) -> str:
        reference = _parse(image)
        pinned = f"{reference.name}@{reference.digest or self.resolve_digest(image)}"
        with _telling(ImagePullError, f"pull {image}"):
            with suppress(ImageNotFound):
                return str(self._engine.images.get(pinned).id)
            user, password = self._login() if reference.host == self._address else ("", "")
            credentials = {"username": user, "password": password} if user else None
            return str(self._engine.images.pull(pinned, auth_config=credentials).id)

    def _create(self, spec: ContainerSpec, image: str) -> EngineContainer:
        network = None if spec.network else self._make_internal_network().name
        ports = {f"{spec.port}/tcp": (_HOST,)} if spec.network else {}
        volumes = {str(spec.model_data): {"bind": MODEL_FOLDER, "mode": "ro"}} if spec.model_data else {}
        memory = f"{spec.memory_mb}m" if spec.memory_mb else None
        return self._engine.containers.create(
            image,
            command=[spec.argument],
            name=f"dockyard-sandbox-{self._sandbox_id}-{secrets.token_hex(4)}",
            labels={LABEL: self._sandbox_id},
            environment=dict(spec.environment),
            ports=ports,  # type: ignore[arg-type]  # the stubs know no address without a port: the engine chooses one
            volumes=volumes,
            mem_limit=memory,
            memswap_limit=memory,
            nano_cpus=int(spec.cpus * 1e9) if spec.cpus else None,
            user=spec.user,
            read_only=spec.read_only,
            tmpfs=_TMPFS if spec.read_only else None,
            log_config=LogConfig(type="json-file", config={"max-size": f"{_LOG_BYTES}", "max-file": "2"}),
            detach=True,
            network=network,
        )

    def _make_internal_network(self) -> Network:
        name = f"dockyard-sandbox-{self._sandbox_id}"
        with self._lock:
            found = self._engine.networks.list(filters={"label": f"{LABEL}={self._sandbox_id}"})
            if found:
                return found[0]
            options = {"com.docker.network.bridge.enable_icc": "false"}
            return self._engine.networks.create(name, internal=True, options=options, labels={LABEL: self._sandbox_id})


def remove_leftovers(
    engine: docker.DockerClient, sandbox_id: str, address: str, patience_seconds: float = _REMOVAL_SECONDS
) -> int:
    """Remove containers, network and images of a sandbox that is gone; returns how many things that were.

    A container keeps its image, and the engine takes its time to remove one: then it looks again. After `patience_seconds`
    an image that some container still has loses its name, by which nothing can be pulled any more.
    """
    removed = 0
    deadline = time.monotonic() + patience_seconds
    while True:
        is_last = time.monotonic() >= deadline
        outcomes = [_remove(one) for one in _list_removals(engine, sandbox_id, address, force=is_last)]
        removed += outcomes.count(True)
        if is_last or None not in outcomes:
            return removed
        time.sleep(_POLL_SECONDS)


def _remove(remove: Callable[[], object]) -> bool | None:
    """Whether it was there to be removed; None where something holds it, or it is being removed."""
    try:
        remove()
    except (NotFound, ImageNotFound):
        return False
    except APIError as error:
        if error.status_code != HTTPStatus.CONFLICT:
            raise
        return None
    return True


def _list_removals(
    engine: docker.DockerClient, sandbox_id: str, address: str, *, force: bool
) -> Iterator[Callable[[], object]]:
    mine = {"label": f"{LABEL}={sandbox_id}"}
    for container in engine.containers.list(all=True, filters={**mine}, ignore_removed=True):
        yield partial(container.remove, force=True, v=True)
    for network in engine.networks.list(filters=mine):
        yield network.remove
    for image in engine.api.images():  # engine.images.list() asks for each of them, and others remove theirs meanwhile
        for name in image.get("RepoDigests") or ():
            if name.startswith(f"{address}/"):
                yield partial(engine.images.remove, name, force=force)


class _EngineContainer:
    """A container that was started."""

    def __init__(self, container: EngineContainer, address: str, log: Callable[[str], None]) -> None:
        self._container = container
        self._address = address
        self._ended: int | None = None
        self._lock = threading.Lock()
        self._pump = threading.Thread(target=self._pass_lines, args=(log,), name=f"log-{container.name}", daemon=True)
        self._pump.start()

    @property
    def address(self) -> str:
        """Where it answers."""
        return self._address

    def exit_code(self) -> int | None:
        """How it ended; a container that somebody removed was killed."""
        if self._ended is None:
            try:
                self._container.reload()
            except NotFound:
                self._ended = _NO_EXIT_CODE
            except (DockerException, RequestException):
                return None
            else:
                state = self._container.attrs["State"]
                self._ended = None if state["Running"] else int(state["ExitCode"])
        return self._ended

    def stop(self, grace_seconds: float = 30) -> None:
        """SIGTERM, SIGKILL after the grace, and remove it."""
        with self._lock, suppress(NotFound):
            self._container.stop(timeout=int(grace_seconds))
            self.exit_code()
            self._pump.join()
            self._container.remove(force=True, v=True)

    def _pass_lines(self, log: Callable[[str], None]) -> None:
        with suppress(DockerException, RequestException):
            for line in _split_lines(cast("Iterator[bytes]", self._container.logs(stream=True, follow=True))):
                log(line)


@contextmanager
def _telling(kind: type[RunnerError], doing: str) -> Iterator[None]:
    """Raise a RunnerError of a kind where the engine refuses or does not answer."""
    try:
        yield
    except APIError as error:
        raise kind(f"the Docker engine could not {doing}: {error.explanation or error}") from error
    except (DockerException, RequestException) as error:
        raise kind(f"no Docker engine answers to {doing}") from error


def _parse(image: str) -> ImageReference:
    try:
        return parse_reference(image)
    except ImageError as error:
        raise ImagePullError(error.message) from error


def _find_address(container: EngineContainer, spec: ContainerSpec) -> str:
    networks = container.attrs["NetworkSettings"]
    if not spec.network:
        inside = next((one["IPAddress"] for one in networks["Networks"].values()), "")
        return f"{inside}:{spec.port}" if inside else _NOWHERE
    published = (networks.get("Ports") or {}).get(f"{spec.port}/tcp")
    return f"{_HOST}:{published[0]['HostPort']}" if published else _NOWHERE


def _split_lines(parts: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        yield from (line.rstrip(b"\r").decode("utf-8", "replace") for line in lines)
    if rest:
        yield rest.decode("utf-8", "replace")
