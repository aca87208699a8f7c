"""The registry's data plane keeps what is pushed, refuses what ECR refuses, and lets nobody in without a token."""

from __future__ import annotations

import base64
import io
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from dockyard_image.blobs import Blobs
from dockyard_image.digest import digest_bytes
from dockyard_image.manifest import Descriptor, Manifest, encode_json, encode_manifest
from dockyard_image.media import DOCKER_LIST, media_types
from dockyard_sandbox.registry import Registry
from dockyard_sandbox.registry_tokens import RegistryTokens
from dockyard_sandbox.repositories import Repositories, RepositorySettings
from dockyard_sandbox.routes import HttpRequest, HttpResponse

ADDRESS = "127.0.0.1:4566"
TYPES = media_types("docker")


class Bench:
    """A registry with the repository `wine`, and a client that has signed in."""

    def __init__(self, folder: Path) -> None:
        self.now = datetime(2026, 3, 4, tzinfo=timezone.utc)
        self.blobs = Blobs(folder)
        self.repositories = Repositories(self.blobs, account="123456789012", clock=lambda: self.now)
        self.tokens = RegistryTokens(lambda: self.now)
        self.registry = Registry(self.repositories, self.tokens, address=ADDRESS)
        self.token = self.tokens.issue()[0]
        self.repositories.create("wine", RepositorySettings(), {})

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> HttpResponse:
        path, _, query = path.partition("?")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.registry.answer(
            HttpRequest(
                method=method,
                path=path,
                query=query,
                headers={"authorization": f"Basic {self.token}", **named},
                stream=io.BytesIO(body),
            )
        )

    def push_blob(self, content: bytes, name: str = "wine") -> str:
        digest = digest_bytes(content)
        assert self.send("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", content).status == 201
        return digest

    def make_manifest(self, layer: bytes = b"layer", name: str = "wine") -> bytes:
        config = Descriptor(media_type=TYPES.config, digest=self.push_blob(b"{}", name), size=2)
        descriptor = Descriptor(media_type=TYPES.layer_tar, digest=self.push_blob(layer, name), size=len(layer))
        return encode_manifest(Manifest(media_type=TYPES.manifest, config=config, layers=(descriptor,)))

    def push(self, tag: str, layer: bytes = b"layer", name: str = "wine") -> HttpResponse:
        manifest = self.make_manifest(layer, name)
        return self.send("PUT", f"/v2/{name}/manifests/{tag}", manifest, content_type=TYPES.manifest)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def read(answer: HttpResponse) -> bytes:
    return b"".join(answer.chunks or ()) or answer.body


def code_of(answer: HttpResponse) -> str:
    return str(json.loads(answer.body)["errors"][0]["code"])


def test_pushed_image_is_read_back_by_tag_and_by_digest(bench: Bench) -> None:
    pushed = bench.push("v1")
    assert pushed.status == 201
    digest = pushed.headers["Docker-Content-Digest"]
    for selector in ("v1", digest):
        answer = bench.send("GET", f"/v2/wine/manifests/{selector}")
        assert (answer.status, digest_bytes(answer.body)) == (200, digest)
        assert answer.headers["Content-Type"] == TYPES.manifest
    layer = bench.send("GET", f"/v2/wine/blobs/{digest_bytes(b'layer')}")
    assert (layer.headers["Content-Length"], read(layer)) == ("5", b"layer")
    assert json.loads(bench.send("GET", "/v2/wine/tags/list").body) == {"name": "wine", "tags": ["v1"]}


def test_head_of_a_blob_tells_its_length_and_sends_nothing(bench: Bench) -> None:
    answer = bench.send("HEAD", f"/v2/wine/blobs/{bench.push_blob(b'layer')}")
    assert (answer.status, answer.headers["Content-Length"], read(answer)) == (200, "5", b"")


@pytest.mark.parametrize(
    ("wanted", "status", "content"), [("bytes=2-", 206, b"yer"), ("bytes=1-2", 206, b"ay"), ("bytes=9-", 416, None)]
)
def test_part_of_a_blob_is_sent_when_a_range_is_asked_for(
    bench: Bench, wanted: str, status: int, content: bytes | None
) -> None:
    answer = bench.send("GET", f"/v2/wine/blobs/{bench.push_blob(b'layer')}", range=wanted)
    assert answer.status == status
    assert content is None or read(answer) == content


def test_blob_in_pieces_is_put_together_in_order(bench: Bench) -> None:
    started = bench.send("POST", "/v2/wine/blobs/uploads/")
    where = started.headers["Location"]
    assert bench.send("PATCH", where, b"first ", content_range="0-5").headers["Range"] == "0-5"
    out_of_order = bench.send("PATCH", where, b"x", content_range="9-9")
    assert (out_of_order.status, code_of(out_of_order)) == (416, "BLOB_UPLOAD_INVALID")
    assert bench.send("GET", where).headers["Range"] == "0-5"
    digest = digest_bytes(b"first last")
    assert bench.send("PUT", f"{where}?digest={digest}", b"last").status == 201
    assert read(bench.send("GET", f"/v2/wine/blobs/{digest}")) == b"first last"
    assert code_of(bench.send("PATCH", where, b"more")) == "BLOB_UPLOAD_UNKNOWN"


def test_upload_that_is_not_what_it_says_leaves_nothing(bench: Bench) -> None:
    answer = bench.send("POST", f"/v2/wine/blobs/uploads/?digest={digest_bytes(b'other')}", b"content")
    assert (answer.status, code_of(answer)) == (400, "DIGEST_INVALID")
    assert bench.blobs.list_digests() == []
    assert list(bench.blobs.temporary.iterdir()) == []


def test_cancelled_upload_leaves_nothing(bench: Bench) -> None:
    where = bench.send("POST", "/v2/wine/blobs/uploads/").headers["Location"]
    assert bench.send("DELETE", where).status == 204
    assert list(bench.blobs.temporary.iterdir()) == []


def test_blob_is_mounted_from_a_repository_that_has_it_and_uploaded_otherwise(bench: Bench) -> None:
    bench.repositories.create("beer", RepositorySettings(), {})
    digest = bench.push_blob(b"layer")
    assert bench.send("HEAD", f"/v2/beer/blobs/{digest}").status == 404
    assert bench.send("POST", f"/v2/beer/blobs/uploads/?mount={digest}&from=wine").status == 201
    assert bench.send("HEAD", f"/v2/beer/blobs/{digest}").status == 200
    assert bench.send("POST", f"/v2/beer/blobs/uploads/?mount={digest_bytes(b'no')}&from=wine").status == 202


def test_manifest_whose_layers_never_came_is_refused(bench: Bench) -> None:
    bench.repositories.create("beer", RepositorySettings(), {})
    manifest = bench.make_manifest(name="beer")
    answer = bench.send("PUT", "/v2/wine/manifests/v1", manifest, content_type=TYPES.manifest)
    assert (answer.status, code_of(answer)) == (400, "MANIFEST_BLOB_UNKNOWN")
    assert digest_bytes(b"layer") in json.loads(answer.body)["errors"][0]["message"]


@pytest.mark.parametrize("content", [b"no json", b"[]", b'{"mediaType": "text/plain"}', b'{"layers": 3}'])
def test_manifest_that_is_none_is_refused(bench: Bench, content: bytes) -> None:
    answer = bench.send("PUT", "/v2/wine/manifests/v1", content, content_type=TYPES.manifest)
    assert (answer.status, code_of(answer)) == (400, "MANIFEST_INVALID")


def test_manifest_under_another_digest_is_refused(bench: Bench) -> None:
    where = f"/v2/wine/manifests/{digest_bytes(b'other')}"
    answer = bench.send("PUT", where, bench.make_manifest(), content_type=TYPES.manifest)
    assert (answer.status, code_of(answer)) == (400, "DIGEST_INVALID")


def test_list_of_images_needs_them_all(bench: Bench) -> None:
    digest = bench.push("amd64").headers["Docker-Content-Digest"]
    entry = {"mediaType": TYPES.manifest, "digest": digest, "size": 9, "platform": {"os": "linux", "architecture": "amd64"}}

    def put(*entries: object) -> HttpResponse:
        document = encode_json({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": list(entries)})
        return bench.send("PUT", "/v2/wine/manifests/all", document, content_type=DOCKER_LIST)

    assert code_of(put(entry, {**entry, "digest": digest_bytes(b"none")})) == "MANIFEST_BLOB_UNKNOWN"
    assert put(entry).status == 201
    still_needed = bench.send("DELETE", f"/v2/wine/manifests/{digest}")
    assert (still_needed.status, code_of(still_needed)) == (400, "DENIED")


def test_repository_that_nobody_made_is_unknown(bench: Bench) -> None:
    for method, path in (("POST", "/v2/beer/blobs/uploads/"), ("GET", "/v2/beer/manifests/v1"), ("GET", "/v2/beer/tags/list")):
        answer = bench.send(method, path)
        assert (answer.status, code_of(answer)) == (404, "NAME_UNKNOWN")
        assert "name 'beer' does not exist in the registry with id '123456789012'" in answer.body.decode()


def test_image_that_is_not_there_is_unknown(bench: Bench) -> None:
    for selector in ("v9", digest_bytes(b"none")):
        answer = bench.send("GET", f"/v2/wine/manifests/{selector}")
        assert (answer.status, code_of(answer)) == (404, "MANIFEST_UNKNOWN")


def test_immutable_tag_stays_where_it_is(bench: Bench) -> None:
    bench.repositories.create("beer", RepositorySettings(mutability="IMMUTABLE"), {})
    first = bench.push("v1", name="beer").headers["Docker-Content-Digest"]
    moved = bench.push("v1", b"other", name="beer")
    assert (moved.status, code_of(moved)) == (400, "TAG_INVALID")
    assert "cannot be overwritten because the tag is immutable" in moved.body.decode()
    assert bench.push("v1", name="beer").status == 201
    assert bench.send("HEAD", "/v2/beer/manifests/v1").headers["Docker-Content-Digest"] == first


def test_tags_that_are_excluded_from_immutability_move(bench: Bench) -> None:
    settings = RepositorySettings(mutability="IMMUTABLE_WITH_EXCLUSION", exclusions=("live-*",))
    bench.repositories.create("beer", settings, {})
    assert [bench.push("live-1", layer, name="beer").status for layer in (b"a", b"b")] == [201, 201]
    assert [bench.push("v1", layer, name="beer").status for layer in (b"a", b"b")] == [201, 400]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic ???",
        "Basic " + base64.b64encode(b"AWS:guessed").decode(),
        "Bearer " + base64.b64encode(b"AWS:x").decode(),
    ],
)
def test_nobody_comes_in_without_a_token(bench: Bench, authorization: str) -> None:
    answer = bench.send("GET", "/v2/", authorization=authorization)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == f'Basic realm="http://{ADDRESS}/",service="ecr.amazonaws.com"'


def test_token_is_of_no_use_to_another_user(bench: Bench) -> None:
    password = base64.b64decode(bench.token).decode().partition(":")[2]
    other = base64.b64encode(f"admin:{password}".encode()).decode()
    assert bench.send("GET", "/v2/").status == 200
    assert bench.send("GET", "/v2/", authorization=f"Basic {other}").status == 401


def test_token_is_good_for_twelve_hours(bench: Bench) -> None:
    bench.now += timedelta(hours=12) - timedelta(seconds=1)
    assert bench.send("GET", "/v2/").status == 200
    bench.now += timedelta(seconds=1)
    answer = bench.send("GET", "/v2/")
    assert (answer.status, code_of(answer)) == (403, "DENIED")
    assert "Your authorization token has expired" in answer.body.decode()


def test_blobs_go_with_the_last_repository_that_has_them(bench: Bench) -> None:
    bench.repositories.create("beer", RepositorySettings(), {})
    bench.push("v1")
    bench.push("v1", name="beer")
    bench.push("v2", b"only here", name="beer")
    bench.repositories.delete("beer", force=True)
    assert sorted(bench.blobs.list_digests()) == sorted((digest_bytes(b"{}"), digest_bytes(b"layer")))
    assert read(bench.send("GET", f"/v2/wine/blobs/{digest_bytes(b'layer')}")) == b"layer"


def test_what_the_protocol_does_not_know_is_an_honest_error(bench: Bench) -> None:
    assert bench.send("POST", "/v2/wine/manifests/v1").status == 405
    assert bench.send("GET", "/v2/wine/tags/other").status == 405
    assert bench.send("GET", "/v2/_catalog").status == 404
