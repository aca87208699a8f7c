"""Archives for and from Docker engines: old ones, new ones, and those that are none."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard_image import ImageStore, StoredImage, StoreError
from support.images import build_image, encode, layer_tar, make_base, sha256

LAYERS = [layer_tar({"a": b"1" * 2000}), layer_tar({"b": b"2"})]
CONFIG = encode(
    {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Labels": {"dockyard.model.name": "wine"}},
        "rootfs": {"type": "layers", "diff_ids": [sha256(layer) for layer in LAYERS]},
    }
)


Member = bytes | tuple[bytes, str]


class OneWay(io.RawIOBase):
    """A stream that cannot be sought, as a socket is."""

    def __init__(self, content: bytes = b"") -> None:
        super().__init__()
        self.content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        return self.content.readinto(buffer)

    def write(self, chunk: bytes) -> int:  # type: ignore[override]
        return self.content.write(chunk)


def archive_of(files: Mapping[str, Member]) -> bytes:
    """A tar archive; a pair of kind and target makes a link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, tuple):
                member.type, member.linkname = content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def entry(config: str, layers: list[str]) -> bytes:
    return encode([{"Config": config, "RepoTags": ["wine:1"], "Layers": layers}])


def read(folder: Path, files: Mapping[str, Member]) -> tuple[ImageStore, StoredImage]:
    store = ImageStore(folder / "store")
    return store, store.import_docker_archive(OneWay(archive_of(files)))  # type: ignore[arg-type]


OLD = {
    "1/VERSION": b"1.0",
    "1/json": b"{}",
    "1/layer.tar": LAYERS[0],
    "2/layer.tar": LAYERS[1],
    "c.json": CONFIG,
    "manifest.json": entry("c.json", ["1/layer.tar", "2/layer.tar"]),
}


def test_old_form_is_read(tmp_path: Path) -> None:
    store, image = read(tmp_path, OLD)
    assert [layer.diff_id for layer in image.layers] == [sha256(layer) for layer in LAYERS]
    assert image.labels == {"dockyard.model.name": "wine"}
    assert (image.media, image.base, image.has_base) == ("docker", "", True)
    assert store.read_file(image, "b") == b"2"
    assert store.list() == ()


def test_oci_form_is_read_and_compressed_layers_keep_their_digest(tmp_path: Path) -> None:
    packed = gzip.compress(LAYERS[0], mtime=5)
    blobs = {f"blobs/sha256/{sha256(content)[7:]}": content for content in (packed, LAYERS[1], CONFIG)}
    names = list(blobs)
    files = {**blobs, "index.json": b"{}", "oci-layout": b"{}", "manifest.json": entry(names[2], names[:2])}
    store, image = read(tmp_path, files)
    assert image.layers[0].digest == sha256(packed)
    assert store.read_file(image, "a") == b"1" * 2000
    assert store.read_file(image, "b") == b"2"


@pytest.mark.parametrize("link", [(tarfile.SYMTYPE, "../1/layer.tar"), (tarfile.LNKTYPE, "1/layer.tar")])
def test_equal_layers_that_are_linked_are_followed(tmp_path: Path, link: tuple[bytes, str]) -> None:
    config = json.loads(CONFIG)
    config["rootfs"]["diff_ids"] = [sha256(LAYERS[0])] * 2
    files: dict[str, Member] = {**OLD, "2/layer.tar": link, "c.json": encode(config)}
    _, image = read(tmp_path, files)
    assert image.layers[0] == image.layers[1]


@pytest.mark.parametrize("media", ["oci", "docker"])
def test_written_archive_is_read_back_as_the_same_image(tmp_path: Path, media: str) -> None:
    store = ImageStore(tmp_path / "one")
    image = make_base(store, media=media)  # type: ignore[arg-type]
    written = OneWay()
    store.write_docker_archive(image, written, name="wine")  # type: ignore[arg-type]
    other = ImageStore(tmp_path / "other")
    again = other.import_docker_archive(OneWay(written.content.getvalue()), media=media)  # type: ignore[arg-type]
    assert again == image


def test_archive_names_the_image_as_engines_list_it(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    image = make_base(store)
    for name, tag in {
        "wine": "wine:latest",
        "docker.io/library/wine:2": "wine:2",
        "localhost:5000/a/wine:2": "localhost:5000/a/wine:2",
    }.items():
        written = io.BytesIO()
        store.write_docker_archive(image, written, name=name)
        written.seek(0)
        with tarfile.open(fileobj=written) as archive:
            source = archive.extractfile("manifest.json")
            assert source is not None
            assert json.load(source)[0]["RepoTags"] == [tag]


def test_image_without_a_base_cannot_leave(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    with pytest.raises(StoreError) as caught:
        store.write_docker_archive(image, io.BytesIO())
    assert caught.value.code == "image-has-no-base"


def test_archive_with_a_missing_layer_is_not_begun(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    image = make_base(store)
    store.blobs.remove(image.layers[0].digest)
    written = io.BytesIO()
    with pytest.raises(StoreError) as caught:
        store.write_docker_archive(image, written)
    assert (caught.value.code, written.getvalue()) == ("blob-missing", b"")


@pytest.mark.parametrize(
    "changes",
    [
        {"manifest.json": b""},
        {"manifest.json": b"{}"},
        {"manifest.json": b"[]"},
        {"manifest.json": b"[1]"},
        {"manifest.json": encode([{}, {}])},
        {"manifest.json": entry("absent.json", ["1/layer.tar", "2/layer.tar"])},
        {"manifest.json": entry("c.json", ["1/layer.tar"])},
        {"manifest.json": entry("c.json", ["1/layer.tar", "3/layer.tar"])},
        {"manifest.json": entry("c.json", ["2/layer.tar", "1/layer.tar"])},
        {"2/layer.tar": (tarfile.SYMTYPE, "../2/layer.tar")},
        {"c.json": b"{}"},
        {"c.json": b"no JSON"},
        {"2/layer.tar": b"\x28\xb5\x2f\xfd zstd"},
        {"manifest.json": (tarfile.SYMTYPE, "/etc/passwd")},
    ],
)
def test_archive_that_does_not_add_up_is_refused(tmp_path: Path, changes: Mapping[str, Member]) -> None:
    with pytest.raises(StoreError) as caught:
        read(tmp_path, {**OLD, **changes})
    assert caught.value.code == "archive-invalid"


@pytest.mark.parametrize("content", [b"", b"no archive" * 100, archive_of(OLD)[:5000]])
def test_stream_that_is_no_whole_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StoreError) as caught:
        ImageStore(tmp_path).import_docker_archive(OneWay(content))  # type: ignore[arg-type]
    assert caught.value.code == "archive-invalid"


def test_hostile_names_in_an_archive_touch_no_file(tmp_path: Path) -> None:
    files: dict[str, Member] = {**OLD, "../../evil": b"x", "/evil-absolute": b"x", "../l": (tarfile.SYMTYPE, "/etc")}
    read(tmp_path / "deep" / "deeper", files)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


def test_image_is_a_value(tmp_path: Path) -> None:
    _, image = read(tmp_path, OLD)
    assert replace(image) == image
