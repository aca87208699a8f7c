"""The registry's data plane below /v2/: what `docker push` and `docker pull` talk to.

Owns the distribution protocol, with ECR's words where it refuses. State and rules are in `repositories`. Must not make
repositories: ECR does not, either. https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from dockyard_image.digest import is_digest
from dockyard_sandbox.registry_tokens import RegistryTokens
from dockyard_sandbox.repositories import EcrError, Repositories
from dockyard_sandbox.routes import HttpRequest, HttpResponse, answer_json
from dockyard_sandbox.uploads import UploadError, Uploads

_ROUTE = re.compile(r"/v2/(?P<name>.+?)/(?P<kind>manifests|blobs/uploads|blobs|tags)/(?P<tail>[^/]*)")
_READ = 1 << 20
_MAX_MANIFEST = 4 << 20
_STATUS_AND_CODE: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
        "ImageNotFoundException": (404, "MANIFEST_UNKNOWN"),
        "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
        "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID"),
        "LayersNotFoundException": (400, "MANIFEST_BLOB_UNKNOWN"),
        "ReferencedImagesNotFoundException": (400, "MANIFEST_BLOB_UNKNOWN"),
        "ImageReferencedByManifestList": (400, "DENIED"),
    }
)


class Registry:
    """The service `registry`. `address` is the `host:port` where clients find it."""

    def __init__(self, repositories: Repositories, tokens: RegistryTokens, *, address: str) -> None:
        self._repositories = repositories
        self._tokens = tokens
        self._address = address
        self._uploads = Uploads(repositories.blobs)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request of the protocol."""
        refusal = self._refuse_stranger(request)
        if refusal is not None:
            return refusal
        if request.path == "/v2/":
            return answer_json({}, headers={"Docker-Distribution-Api-Version": "registry/2.0"})
        route = _ROUTE.fullmatch(request.path)
        action = self._find_action(request.method, route["kind"], route["tail"]) if route else None
        if route is None or action is None:
            return _refuse(404 if route is None else 405, "UNSUPPORTED", "the operation is unsupported")
        try:
            self._repositories.find(route["name"])
            return action(request, route["name"], route["tail"])
        except EcrError as error:
            status, code = _STATUS_AND_CODE.get(error.code, (400, "MANIFEST_INVALID"))
            return _refuse(status, code, error.message)
        except UploadError as error:
            return _refuse(error.status, error.code, error.message)

    def _find_action(self, method: str, kind: str, tail: str) -> Callable[[HttpRequest, str, str], HttpResponse] | None:
        method = "GET" if method == "HEAD" else method
        actions = {
            ("GET", "manifests"): self._send_manifest,
            ("PUT", "manifests"): self._take_manifest,
            ("DELETE", "manifests"): self._delete_manifest,
            ("GET", "blobs"): self._send_blob,
            ("POST", "blobs/uploads"): self._start_upload,
            ("GET", "blobs/uploads"): self._tell_upload,
            ("PATCH", "blobs/uploads"): self._take_piece,
            ("PUT", "blobs/uploads"): self._finish_upload,
            ("DELETE", "blobs/uploads"): self._cancel_upload,
            ("GET", "tags"): self._list_tags,
        }
        return None if kind == "tags" and tail != "list" else actions.get((method, kind))

    def _refuse_stranger(self, request: HttpRequest) -> HttpResponse | None:
        verdict = self._tokens.check(request.headers.get("authorization", ""))
        if verdict == "expired":
            return _refuse(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
        if verdict == "good":
            return None
        challenge = f'Basic realm="http://{self._address}/",service="ecr.amazonaws.com"'
        return HttpResponse(status=401, headers={"WWW-Authenticate": challenge}, body=b"Not Authorized\n")

    # Manifests

    def _send_manifest(self, _: HttpRequest, name: str, selector: str) -> HttpResponse:
        image = self._repositories.find_image(name, selector)
        if image is None:
            is_exact = is_digest(selector)
            raise self._repositories.missing_image(name, digest=selector if is_exact else "", tag="" if is_exact else selector)
        headers = {"Content-Type": image.media_type, "Docker-Content-Digest": image.digest}
        return HttpResponse(headers=headers, body=image.content)

    def _take_manifest(self, request: HttpRequest, name: str, selector: str) -> HttpResponse:
        content = request.stream.read(_MAX_MANIFEST + 1)
        if len(content) > _MAX_MANIFEST:
            return _refuse(413, "MANIFEST_INVALID", "the manifest is larger than 4 MiB")
        kind = {"digest": selector} if is_digest(selector) else {"tag": selector}
        image = self._repositories.put_image(name, content, request.headers.get("content-type", ""), **kind)
        return self._created(f"/v2/{name}/manifests/{image.digest}", image.digest)

    def _delete_manifest(self, _: HttpRequest, name: str, selector: str) -> HttpResponse:
        with self._repositories.lock:
            repository = self._repositories.find(name)
            if selector not in repository.images:
                raise self._repositories.missing_image(name, digest=selector)
            self._repositories.delete_image(name, selector)
        return HttpResponse(status=202)

    def _list_tags(self, _: HttpRequest, name: str, __: str) -> HttpResponse:
        return answer_json({"name": name, "tags": sorted(self._repositories.find(name).tags)})

    # Blobs

    def _send_blob(self, request: HttpRequest, name: str, digest: str) -> HttpResponse:
        if digest not in self._repositories.find(name).blobs:
            return _refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
        size = self._repositories.blobs.path(digest).stat().st_size
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        first = int(match[1]) if match else 0
        last = min(int(match[2]), size - 1) if match and match[2] else size - 1
        if match and first > last:
            return _refuse(416, "RANGE_INVALID", "the range lies outside of the blob")
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(last - first + 1),
            "Docker-Content-Digest": digest,
            **({"Content-Range": f"bytes {first}-{last}/{size}"} if match else {}),
        }
        chunks = iter(()) if request.method == "HEAD" else self._read(digest, first, last - first + 1)
        return HttpResponse(status=206 if match else 200, headers=headers, chunks=chunks)

    def _read(self, digest: str, start: int, count: int) -> Iterator[bytes]:
        with self._repositories.blobs.open(digest) as file:
            file.seek(start)
            while count > 0 and (piece := file.read(min(_READ, count))):
                count -= len(piece)
                yield piece

    def _start_upload(self, request: HttpRequest, name: str, _: str) -> HttpResponse:
        asked = request.parameters
        mounted, source = asked.get("mount", ""), asked.get("from", "")
        if mounted and self._repositories.mount_blob(name, mounted, source):
            return self._created(f"/v2/{name}/blobs/{mounted}", mounted)
        session = self._uploads.start()
        if "digest" in asked:
            return self._finish_upload(request, name, session)
        return self._accepted(name, session)

    def _tell_upload(self, _: HttpRequest, name: str, session: str) -> HttpResponse:
        return self._accepted(name, session, status=204)

    def _take_piece(self, request: HttpRequest, name: str, session: str) -> HttpResponse:
        first = request.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
        self._uploads.append(session, request.stream, start=int(first) if first.isdigit() else None)
        return self._accepted(name, session)

    def _finish_upload(self, request: HttpRequest, name: str, session: str) -> HttpResponse:
        digest = request.parameters.get("digest", "")
        self._uploads.append(session, request.stream)
        with self._repositories.lock:  # or somebody who deletes the last repository with this blob might delete it, too
            self._uploads.finish(session, digest)
            self._repositories.add_blob(name, digest)
        return self._created(f"/v2/{name}/blobs/{digest}", digest)

    def _cancel_upload(self, _: HttpRequest, __: str, session: str) -> HttpResponse:
        self._uploads.cancel(session)
        return HttpResponse(status=204)

    def _accepted(self, name: str, session: str, *, status: int = 202) -> HttpResponse:
        size = self._uploads.size(session)
        headers = {
            "Location": f"/v2/{name}/blobs/uploads/{session}",
            "Docker-Upload-UUID": session,
            "Range": f"0-{max(size - 1, 0)}",
        }
        return HttpResponse(status=status, headers=headers)

    def _created(self, location: str, digest: str) -> HttpResponse:
        return HttpResponse(status=201, headers={"Location": location, "Docker-Content-Digest": digest})


def _refuse(status: int, code: str, message: str) -> HttpResponse:
    return answer_json({"errors": [{"code": code, "message": message}]}, status=status)
