"""A base is resolved to one digest for one platform, and refused where it does not fit."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dockyard_image import ImageReference, RecipeError, RegistryError, ResolvedBase, host_base, resolve_base
from dockyard_image.media import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_LAYER, OCI_MANIFEST
from support.images import encode, sha256


class Shelf:
    """Manifests and blobs by tag and digest."""

    def __init__(self) -> None:
        self.manifests: dict[str, tuple[bytes, str]] = {}
        self.blobs: dict[str, bytes] = {}

    def put(self, document: object, media_type: str, *tags: str) -> str:
        content = encode(document)
        self.manifests |= dict.fromkeys((sha256(content), *tags), (content, media_type))
        return sha256(content)

    def put_blob(self, document: object) -> dict[str, object]:
        content = encode(document)
        self.blobs[sha256(content)] = content
        return {"mediaType": "x", "digest": sha256(content), "size": len(content)}

    def put_image(
        self, architecture: str, *tags: str, media_type: str = OCI_MANIFEST, changes: Mapping[str, object] | None = None
    ) -> str:
        settings = {
            "os": "linux",
            "architecture": architecture,
            "config": {"Env": ["PATH=/bin", "PYTHON_VERSION=3.11.9"]},
            "rootfs": {"diff_ids": ["sha256:" + "d" * 64]},
            **(changes or {}),
        }
        layer = {"mediaType": OCI_LAYER + "+gzip", "digest": "sha256:" + "a" * 64, "size": 5}
        document = {"schemaVersion": 2, "mediaType": media_type, "config": self.put_blob(settings), "layers": [layer]}
        return self.put(document, media_type, *tags)

    def read_manifest(self, reference: ImageReference) -> tuple[bytes, str, str]:
        content, media_type = self.manifests[reference.selector]
        return content, media_type, sha256(content)

    def read_small_blob(self, reference: ImageReference, digest: str) -> bytes:
        assert reference.repository == "library/python"
        return self.blobs[digest]


def listed(digest: str, architecture: str, variant: str = "", system: str = "linux") -> Mapping[str, object]:
    platform = {"os": system, "architecture": architecture, **({"variant": variant} if variant else {})}
    return {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1, "platform": platform}


def test_single_image_is_taken_as_it_is() -> None:
    shelf = Shelf()
    digest = shelf.put_image("amd64", "3.11")
    base = resolve_base("python:3.11", "linux/amd64", shelf)
    assert (base.digest, base.python, base.platform) == (digest, "3.11", "linux/amd64")
    assert base.name == "docker.io/library/python:3.11"
    assert base.source == f"docker.io/library/python:3.11@{digest}"
    assert [layer.size for layer in base.layers] == [5]


@pytest.mark.parametrize("kind", [OCI_INDEX, DOCKER_LIST])
@pytest.mark.parametrize(("platform", "index"), [("linux/amd64", 0), ("linux/arm64", 1)])
def test_manifest_of_the_platform_is_chosen_from_a_list(kind: str, platform: str, index: int) -> None:
    shelf = Shelf()
    digests = [shelf.put_image("amd64"), shelf.put_image("arm64", media_type=DOCKER_MANIFEST)]
    entries = [
        listed("sha256:" + "e" * 64, "unknown", system="unknown"),
        listed("sha256:" + "f" * 64, "amd64", system="windows"),
        listed("sha256:" + "f" * 64, "arm64", variant="v9"),
        listed(digests[0], "amd64"),
        listed(digests[1], "arm64", variant="v8"),
    ]
    shelf.put({"schemaVersion": 2, "mediaType": kind, "manifests": entries}, kind, "3.11")
    assert resolve_base("python:3.11", platform, shelf).digest == digests[index]


def test_reference_pinned_to_a_list_is_resolved_through_it() -> None:
    shelf = Shelf()
    digest = shelf.put_image("amd64")
    pinned = shelf.put({"schemaVersion": 2, "manifests": [listed(digest, "amd64")]}, OCI_INDEX)
    assert resolve_base(f"python@{pinned}", "linux/amd64", shelf).digest == digest


def test_platform_that_a_base_lacks_is_named() -> None:
    shelf = Shelf()
    shelf.put_image("amd64", "single")
    shelf.put({"manifests": [listed("sha256:" + "e" * 64, "amd64")]}, OCI_INDEX, "list")
    for tag in ("single", "list"):
        with pytest.raises(RegistryError, match="linux/arm64") as caught:
            resolve_base(f"python:{tag}", "linux/arm64", shelf)
        assert caught.value.code == "image-not-found"


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"layers": [], "mediaType": "application/vnd.docker.distribution.manifest.v1+prettyjws"},
        {"mediaType": OCI_MANIFEST},
        {"mediaType": OCI_MANIFEST, "layers": []},
        {"mediaType": OCI_MANIFEST, "layers": [{"digest": "sha256:12", "size": 1}], "config": {}},
        {"mediaType": OCI_MANIFEST, "layers": [1], "config": {}},
        {"mediaType": OCI_MANIFEST, "layers": [], "config": {"digest": "sha256:" + "a" * 64, "size": -1}},
        {"mediaType": OCI_INDEX},
        {"mediaType": OCI_INDEX, "manifests": [1]},
    ],
)
def test_document_that_is_no_manifest_is_refused(document: object) -> None:
    shelf = Shelf()
    shelf.put(document, "text/plain", "odd")
    with pytest.raises(RegistryError) as caught:
        resolve_base("python:odd", "linux/amd64", shelf)
    assert caught.value.code == "manifest-invalid"


@pytest.mark.parametrize(
    "config",
    [
        {"rootfs": {}},
        {"rootfs": {"diff_ids": ["x"]}},
        {"rootfs": {"diff_ids": []}},
        {"rootfs": {"diff_ids": ["sha256:" + "d" * 64] * 2}},
    ],
)
def test_config_that_does_not_fit_its_manifest_is_refused(config: Mapping[str, object]) -> None:
    shelf = Shelf()
    shelf.put_image("amd64", "odd", changes=config)
    with pytest.raises(RegistryError) as caught:
        resolve_base("python:odd", "linux/amd64", shelf)
    assert caught.value.code == "manifest-invalid"


@pytest.mark.parametrize("config", [{}, {"Env": None}, {"Env": ["PYTHON_VERSION=3"]}, None])
def test_base_that_does_not_tell_its_python_is_taken_at_the_users_word(config: object) -> None:
    shelf = Shelf()
    shelf.put_image("amd64", "quiet", changes={"config": config})
    assert resolve_base("python:quiet", "linux/amd64", shelf).python == ""


def test_host_base_is_named_after_its_python() -> None:
    assert host_base("3.12") == ResolvedBase(name="host-python-3.12", digest="host-python-3.12", platform="linux/amd64")
    with pytest.raises(RecipeError):
        host_base("three")
