"""All registries as one user sees them: names, mirrors, credentials, and which hosts speak plain HTTP.

Owns where an image may be had from, and in which order. Must not know stores or layers' meaning. Mirrors serve pulls only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from typing_extensions import Self

from dockyard_image.authorize import Authorizer
from dockyard_image.blobs import Blobs
from dockyard_image.credentials import CredentialProvider, Credentials, DockerConfig, read_user_docker_config
from dockyard_image.digest import digest_bytes, hex_of
from dockyard_image.download import download
from dockyard_image.errors import RegistryError
from dockyard_image.files import lock_file
from dockyard_image.hosts import is_loopback
from dockyard_image.manifest import Descriptor
from dockyard_image.reference import DOCKER_HUB, ImageReference
from dockyard_image.registry_errors import unreachable
from dockyard_image.remote import Endpoint, Repository
from dockyard_image.retry import RetryPolicy, TransientError, with_retries
from dockyard_image.transport import Transport, TransportError

T = TypeVar("T")
_HUB_HOST = "registry-1.docker.io"
_SMALL_BLOB = 8 << 20
_TRY_NEXT = frozenset(
    {"registry-unreachable", "image-not-found", "repository-not-found", "registry-refused", "registry-credentials-refused"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """What a user sets. Keys are hosts as they stand in references (`docker.io`, `registry.example.com:5000`).

    `mirrors` are addresses (a path in one is put before the repository), tried in order before the registry itself.
    `insecure` hosts speak plain HTTP; loopback hosts do anyway. `providers` are asked for hosts without `credentials`, after
    Docker's configuration.
    """

    mirrors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    insecure: frozenset[str] = frozenset()
    credentials: Mapping[str, Credentials] = field(default_factory=dict)
    providers: tuple[CredentialProvider, ...] = ()


class Registries:
    """Connections to registries, made when they are needed. Close it when done."""

    def __init__(
        self,
        settings: RegistrySettings | None = None,
        *,
        docker_config: DockerConfig | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._settings = settings or RegistrySettings()
        self._docker_config = docker_config
        self._policy = policy or RetryPolicy()
        self._transport = Transport()
        self._endpoints: dict[tuple[str, bool], Endpoint] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def repository(self, reference: ImageReference) -> Repository:
        """The repository itself, for pushing."""
        host = _HUB_HOST if reference.host == DOCKER_HUB else reference.host
        secure = not (is_loopback(host) or reference.host in self._settings.insecure)
        return Repository(self._endpoint(host, secure=secure), reference.repository)

    def places(self, reference: ImageReference) -> Iterator[Repository]:
        """Where an image may be pulled from: the mirrors of its host, then its own repository."""
        for address in self._settings.mirrors.get(reference.host, ()):
            parts = urlsplit(address if "://" in address else f"//{address}")
            host = parts.netloc.rpartition("@")[2]
            secure = parts.scheme != "http" and not (parts.scheme == "" and self._is_plain(host))
            name = f"{parts.path.strip('/')}/{reference.repository}".lstrip("/")
            yield Repository(self._endpoint(host, secure=secure), name)
        yield self.repository(reference)

    def read_manifest(self, reference: ImageReference) -> tuple[bytes, str, str]:
        """A manifest or list from the first place that has it: bytes, media type, digest. Raises RegistryError."""
        found = self._first(reference, lambda place: place.read_manifest(reference.selector))
        return found.content, found.media_type, found.digest

    def read_small_blob(self, reference: ImageReference, digest: str) -> bytes:
        """A config from the first place that has it. Raises RegistryError."""

        def read(place: Repository) -> bytes:
            content = self._retry(place, lambda: b"".join(place.open_blob(digest).data))
            if len(content) > _SMALL_BLOB or digest_bytes(content) != digest:
                raise unreachable(place.endpoint.host, TransientError(f"it sent other content than {digest}"))
            return content

        return self._first(reference, read)

    def fetch_blob(self, reference: ImageReference, blob: Descriptor, blobs: Blobs, advance: Callable[[int], None]) -> None:
        """Bring a blob into a store, from the first place that has it. Hold the store meanwhile. Raises RegistryError."""
        target, draft = blobs.path(blob.digest), blobs.temporary / hex_of(blob.digest)
        target.parent.mkdir(parents=True, exist_ok=True)

        def fetch(place: Repository) -> None:
            self._retry(place, lambda: download(draft, blob.digest, lambda at: place.open_blob(blob.digest, at), advance))

        with lock_file(draft.with_suffix(".fetch")):
            if not target.exists():
                self._first(reference, fetch)
                draft.replace(target)

    def stream_blob(self, reference: ImageReference, blob: Descriptor) -> Iterator[bytes]:
        """A blob's content on its way to somewhere else, unchecked: the receiver knows its digest.

        Raises RegistryError; TransientError when it breaks off in the middle.
        """
        chunks = self._first(reference, lambda place: self._retry(place, lambda: place.open_blob(blob.digest)))
        yield from chunks.data

    def _first(self, reference: ImageReference, action: Callable[[Repository], T]) -> T:
        """The first place that answers. The error is that of the registry itself, and says which mirrors failed, too."""
        failures: list[str] = []
        *mirrors, own = self.places(reference)
        for mirror in mirrors:
            try:
                return action(mirror)
            except RegistryError as error:
                if error.code not in _TRY_NEXT:
                    raise
                failures.append(f"{mirror.endpoint.host} ({error.code})")
        try:
            return action(own)
        except RegistryError as error:
            if not failures:
                raise
            message = f"{error.message}; its mirrors failed before: {', '.join(failures)}"
            raise RegistryError(error.code, message, error.hint) from error

    def _retry(self, place: Repository, action: Callable[[], T]) -> T:
        host = place.endpoint.host
        try:
            return with_retries(action, self._policy, lambda error: unreachable(host, error))
        except TransportError as error:
            raise unreachable(host, error) from error

    def _endpoint(self, host: str, *, secure: bool) -> Endpoint:
        with self._lock:
            if (host, secure) not in self._endpoints:
                authorizer = Authorizer(
                    host,
                    secure=secure,
                    credentials=self._find_credentials(host),
                    transport=self._transport,
                    policy=self._policy,
                )
                self._endpoints[host, secure] = Endpoint(
                    host=host, secure=secure, transport=self._transport, authorizer=authorizer, policy=self._policy
                )
            return self._endpoints[host, secure]

    def _find_credentials(self, host: str) -> Iterator[Credentials]:
        """Lazily, so that no helper runs and no SDK is imported for a registry that asks nothing."""
        name = DOCKER_HUB if host == _HUB_HOST else host
        if explicit := self._settings.credentials.get(name):
            yield explicit
            return  # who names a user wants that user, not whoever else may be logged in
        yield from (self._docker_config or read_user_docker_config()).find(name)
        for provider in self._settings.providers:
            if found := provider(name):
                yield found

    def _is_plain(self, host: str) -> bool:
        return is_loopback(host) or host in self._settings.insecure
