"""One repository in one registry: the requests of the distribution API.

Owns requests, retries and the way content goes up. Must not know images, stores or mirrors. The specification is OCI's
distribution-spec 1.1; what registries do beyond or beside it is said where it is handled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from dockyard_image.authorize import Authorizer, Scopes
from dockyard_image.digest import digest_bytes, is_digest
from dockyard_image.download import Chunks
from dockyard_image.errors import RegistryError
from dockyard_image.manifest import Descriptor, invalid_manifest
from dockyard_image.media import INDEX_TYPES, MANIFEST_TYPES
from dockyard_image.registry_errors import explain_refusal, unreachable
from dockyard_image.retry import RetryPolicy, TransientError, with_retries
from dockyard_image.transport import Body, Response, Transport, TransportError, read_all, stream

T = TypeVar("T")
OpenBody = Callable[[], Iterable[bytes]]
"""Opens the content from its start; called again for every try."""

_ACCEPT = ", ".join((*MANIFEST_TYPES, *INDEX_TYPES))
_MANIFEST_LIMIT = 8 << 20
_ERROR_LIMIT = 1 << 16
_PIECE = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteManifest:
    """A manifest as it came, with the digest that its bytes have."""

    content: bytes
    media_type: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A registry host: how to reach it, and how it knows us."""

    host: str
    secure: bool
    transport: Transport
    authorizer: Authorizer
    policy: RetryPolicy

    @property
    def address(self) -> str:
        """Scheme and host."""
        return f"{'https' if self.secure else 'http'}://{self.host}"


class Repository:
    """A repository at an endpoint."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self.endpoint = endpoint
        self.name = name

    def read_manifest(self, selector: str) -> RemoteManifest:
        """A manifest or a list by tag or digest. Raises RegistryError: `image-not-found`, `manifest-invalid`, …"""
        what = f"{self.name}@{selector}" if is_digest(selector) else f"{self.name}:{selector}"

        def read() -> tuple[Response, bytes]:
            response = self._send("GET", self._url(f"manifests/{selector}"), {"Accept": _ACCEPT}, scopes=self._scopes())
            return response, read_all(response, _MANIFEST_LIMIT)

        response, content = self._retry(read)
        if response.status != 200:
            raise explain_refusal(self.endpoint.host, what, response.status, content)
        digest = digest_bytes(content)
        if is_digest(selector) and digest != selector:
            raise invalid_manifest(f"{self.endpoint.host} sent other content than {selector}")
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
        return RemoteManifest(content=content, media_type=media_type, digest=digest)

    def find_manifest(self, selector: str) -> str:
        """The digest that a tag or digest stands for now; empty when there is none."""
        response = self._ask("HEAD", self._url(f"manifests/{selector}"), {"Accept": _ACCEPT})
        if response.status != 200:
            return ""
        return selector if is_digest(selector) else response.headers.get("Docker-Content-Digest", "")

    def put_manifest(self, selector: str, content: bytes, media_type: str) -> None:
        """Store a manifest under a tag or its digest. Raises RegistryError."""
        headers = {"Content-Type": media_type}
        url = self._url(f"manifests/{selector}")
        status, body = self._exchange("PUT", url, headers, content, self._scopes(push=True))
        if status not in {200, 201, 202}:
            raise explain_refusal(self.endpoint.host, f"{self.name}:{selector}", status, body)

    def has_blob(self, digest: str) -> bool:
        """Whether a blob is there. Registries that do not tell are taken to lack it."""
        return self._ask("HEAD", self._url(f"blobs/{digest}"), {}).status == 200

    def open_blob(self, digest: str, offset: int = 0) -> Chunks:
        """Start reading a blob at `offset`, or at 0 where the registry cannot. One try; raises TransientError."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        response = self._send("GET", self._url(f"blobs/{digest}"), headers, scopes=self._scopes())
        if response.status == 416:
            response.drain_conn()
            return self.open_blob(digest)
        if response.status not in {200, 206}:
            content = read_all(response, _ERROR_LIMIT)
            raise explain_refusal(self.endpoint.host, f"{self.name}@{digest}", response.status, content)
        return Chunks(offset=offset if response.status == 206 else 0, data=stream(response))

    def mount_blob(self, digest: str, source: str) -> bool:
        """Have the registry link a blob from another of its repositories; False when it would not."""
        url = self._url("blobs/uploads/") + "?" + urlencode({"mount": digest, "from": source})
        scopes = (*self._scopes(push=True), f"repository:{source}:pull")
        try:
            status, _ = self._exchange("POST", url, {}, None, scopes)
        except RegistryError:
            return False  # not being allowed to read the source only means that the content has to be sent
        return status == 201

    def upload_blob(self, blob: Descriptor, open_body: OpenBody) -> None:
        """Send a blob, as one stream or, to registries and proxies that refuse that, in pieces. Raises RegistryError."""
        self._retry(partial(self._upload_once, blob, open_body))

    def _upload_once(self, blob: Descriptor, open_body: OpenBody) -> None:
        location = self._start_upload(blob.digest)
        response = self._send_stream(blob, _with_digest(location, blob.digest), open_body())
        if response.status in {405, 411, 413, 415, 501}:
            response.drain_conn()
            location = self._start_upload(blob.digest)
            response = self._send_pieces(blob, location, open_body())
        self._require(response, {201, 204}, blob.digest)

    def _start_upload(self, digest: str) -> str:
        url = self._url("blobs/uploads/")
        response = self._send("POST", url, {"Content-Length": "0"}, scopes=self._scopes(push=True))
        self._require(response, {201, 202}, digest)
        return self._location(url, response)

    def _send_stream(self, blob: Descriptor, url: str, body: Iterable[bytes]) -> Response:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        return self._send("PUT", url, headers, body, scopes=self._scopes(push=True))

    def _send_pieces(self, blob: Descriptor, location: str, body: Iterable[bytes]) -> Response:
        start = 0
        for piece in _cut_pieces(body):
            end = start + len(piece) - 1
            headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{start}-{end}"}
            response = self._send("PATCH", location, headers, piece, scopes=self._scopes(push=True))
            self._require(response, {201, 202, 204}, blob.digest)
            location, start = self._location(location, response), end + 1
        headers = {"Content-Length": "0"}
        return self._send("PUT", _with_digest(location, blob.digest), headers, scopes=self._scopes(push=True))

    def _location(self, url: str, response: Response) -> str:
        """Where an upload goes on. Behind a proxy that ends TLS, registries tend to name http here."""
        parts = urlsplit(urljoin(url, response.headers.get("Location", "")))
        scheme = urlsplit(url).scheme if parts.netloc == urlsplit(url).netloc else parts.scheme
        return urlunsplit((scheme, *parts[1:]))

    def _ask(self, method: str, url: str, headers: Mapping[str, str]) -> Response:
        """A question on the way to a push, whose answer has no body that counts. Statuses below 500 are answers."""

        def ask() -> Response:
            response = self._send(method, url, headers, scopes=self._scopes(push=True))
            response.drain_conn()
            return response

        return self._retry(ask)

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, scopes: Scopes
    ) -> tuple[int, bytes]:
        def exchange() -> tuple[int, bytes]:
            response = self._send(method, url, headers, body, scopes=scopes)
            return response.status, read_all(response, _ERROR_LIMIT)

        return self._retry(exchange)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: Body = None, *, scopes: Scopes) -> Response:
        """One request with credentials, repeated only to answer a 401. Other hosts get no credentials."""
        authorizer, transport = self.endpoint.authorizer, self.endpoint.transport
        if urlsplit(url).netloc != self.endpoint.host:
            return transport.send(method, url, headers, body)
        header, fresh = authorizer.header(scopes), False
        while True:
            response = transport.send(method, url, {**headers, "Authorization": header} if header else headers, body)
            if response.status != 401:
                return response
            response.drain_conn()
            challenge = response.headers.get("WWW-Authenticate", "")
            header, fresh = authorizer.renew(challenge, scopes, header, fresh=fresh), True
            if body is not None and not isinstance(body, bytes):
                raise TransientError("its token ran out during an upload", 0)

    def _retry(self, action: Callable[[], T]) -> T:
        host = self.endpoint.host
        try:
            return with_retries(action, self.endpoint.policy, lambda error: unreachable(host, error))
        except TransportError as error:
            raise unreachable(host, error) from error

    def _require(self, response: Response, good: set[int], what: str) -> None:
        content = read_all(response, _ERROR_LIMIT)
        if response.status not in good:
            raise explain_refusal(self.endpoint.host, f"{self.name}@{what}", response.status, content)

    def _url(self, path: str) -> str:
        return f"{self.endpoint.address}/v2/{self.name}/{path}"

    def _scopes(self, *, push: bool = False) -> Scopes:
        return (f"repository:{self.name}:{'pull,push' if push else 'pull'}",)


def _with_digest(location: str, digest: str) -> str:
    return f"{location}{'&' if urlsplit(location).query else '?'}{urlencode({'digest': digest})}"


def _cut_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
