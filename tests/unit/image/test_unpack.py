"""Layers may come from anybody: nothing in one gets out of its own folder."""

from __future__ import annotations

import io
import os
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockyard_image import ImageStore, StoredImage, StoredLayer, StoreError
from dockyard_image.layer import store_layer
from support.images import build_image, layer_tar, sha256


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644, size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode, made.size = kind, link, mode, size
    return made


def image_of(store: ImageStore, *layers: bytes) -> StoredImage:
    """An image of some tar streams; nothing but its layers counts here."""
    stored = [store_layer([content], store.blobs) for content in layers]
    described = tuple(StoredLayer(digest=one.digest, diff_id=one.diff_id, size=one.size, media_type="") for one in stored)
    return StoredImage(digest="", config_digest="", size=0, media="oci", layers=described)


def tar_of(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for one in members:
            archive.addfile(one, io.BytesIO(b"x" * one.size))
    return buffer.getvalue()


def unpack(folder: Path, content: bytes) -> Path:
    store = ImageStore(folder / "store")
    image = image_of(store, content)
    return store.unpack_layer(image, image.layers[0], folder / "unpacked")


SYM, LNK, DIR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
ATTACKS = {
    "parent": tar_of(member("../evil")),
    "parent in the middle": tar_of(member("a/../../evil")),
    "absolute": tar_of(member("/etc/evil")),
    "absolute link": tar_of(member("l", SYM, "/etc")),
    "climbing link": tar_of(member("a/l", SYM, "../../x")),
    "link that climbs later": tar_of(member("a/b/up", SYM, "../.."), member("z", SYM, "a/b/up/../x")),
    "empty link": tar_of(member("l", SYM, "")),
    "write through a link": tar_of(member("d", DIR), member("l", SYM, "d"), member("l/f", size=1)),
    "write over a link": tar_of(member("f", size=1), member("l", SYM, "f"), member("l", size=1)),
    "folder over a link": tar_of(member("d", DIR), member("l", SYM, "d"), member("l", DIR)),
    "link over a folder": tar_of(member("d", DIR), member("d", SYM, "x")),
    "file over a folder": tar_of(member("d/f"), member("d", size=1)),
    "folder below a file": tar_of(member("f", size=1), member("f/g", size=1)),
    "hard link out": tar_of(member("h", LNK, "../../etc/passwd")),
    "hard link to an absolute path": tar_of(member("h", LNK, "/etc/passwd")),
    "hard link to nothing": tar_of(member("h", LNK, "absent")),
    "hard link through a link": tar_of(member("d/f", size=1), member("l", SYM, "d"), member("h", LNK, "l/f")),
    "hard link to a link": tar_of(member("l", SYM, "f"), member("h", LNK, "l")),
    "device": tar_of(member("dev", tarfile.CHRTYPE)),
    "block device": tar_of(member("dev", tarfile.BLKTYPE)),
    "pipe": tar_of(member("pipe", tarfile.FIFOTYPE)),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_is_refused_and_leaves_nothing(tmp_path: Path, attack: str) -> None:
    with pytest.raises(StoreError) as caught:
        unpack(tmp_path, ATTACKS[attack])
    assert caught.value.code == "layer-unsafe"
    assert [path.name for path in (tmp_path / "unpacked").iterdir()] == ["unpack.lock"]
    assert not (tmp_path / "evil").exists()


names = st.sampled_from(["a", "b", "a/b", "b/a", "a/b/c", "../a", "/a", "..", ".", "a/..", "b/../a", "c"])
kinds = st.sampled_from([tarfile.REGTYPE, SYM, LNK, DIR])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.builds(member, names, kinds, names), max_size=7))
def test_no_archive_reaches_out_of_its_folder(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    content = tar_of(*members)
    outside = {path for path in tmp_path.rglob("*") if "unpacked" not in path.parts and "store" not in path.parts}
    try:
        folder = unpack(tmp_path, content)
    except StoreError as error:
        assert error.code == "layer-unsafe"
    else:
        for path in folder.rglob("*"):
            assert Path(os.path.realpath(path)).is_relative_to(folder)
    assert {path for path in tmp_path.rglob("*") if "unpacked" not in path.parts and "store" not in path.parts} == outside


def test_harmless_links_are_kept(tmp_path: Path) -> None:
    content = tar_of(
        member("./lib/libx.so.1", mode=0o755, size=3),
        member("lib/libx.so", SYM, "libx.so.1"),
        member("bin/x", SYM, "../lib/libx.so"),
        member("lib/copy", LNK, "./lib/libx.so.1"),
    )
    folder = unpack(tmp_path, content)
    assert (folder / "bin/x").read_bytes() == b"xxx"
    assert (folder / "lib/copy").read_bytes() == b"xxx"
    assert (folder / "lib/libx.so").is_symlink()


def test_modes_are_reduced_to_what_running_needs(tmp_path: Path) -> None:
    folder = unpack(tmp_path, tar_of(member("suid", mode=0o4777, size=1), member("plain", mode=0o600, size=1)))
    assert oct((folder / "suid").stat().st_mode & 0o7777) == "0o755"
    assert oct((folder / "plain").stat().st_mode & 0o7777) == "0o644"


@pytest.mark.parametrize(("said", "kept"), [("86400", 86400), ("-1", 0), ("1e300", 0), ("nan", 0)])
def test_files_have_the_time_that_the_layer_says_where_it_is_one(tmp_path: Path, said: str, kept: int) -> None:
    one = member("f", size=1)
    one.pax_headers = {"mtime": said}
    assert (unpack(tmp_path, tar_of(one)) / "f").stat().st_mtime == kept


def test_whiteouts_do_not_become_files(tmp_path: Path) -> None:
    folder = unpack(tmp_path, tar_of(member(".wh.gone"), member("d/.wh..wh..opq"), member("f", size=1)))
    assert [path.name for path in folder.iterdir()] == ["f"]


def test_folder_is_named_by_content_and_made_once(tmp_path: Path) -> None:
    content = layer_tar({"a/b": b"1"})
    first = unpack(tmp_path, content)
    assert first.name == sha256(content).removeprefix("sha256:")
    (first / "a/b").write_bytes(b"touched")
    assert (unpack(tmp_path, content) / "a/b").read_bytes() == b"touched"


def test_left_overs_of_a_killed_process_go_with_the_next_unpacking(tmp_path: Path) -> None:
    (tmp_path / "unpacked/.partial-killed/deep").mkdir(parents=True)
    folder = unpack(tmp_path, layer_tar({"a": b"1"}))
    assert sorted(path.name for path in folder.parent.iterdir()) == sorted([folder.name, "unpack.lock"])


def test_many_at_once_get_the_same_folder(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store")
    image = image_of(store, layer_tar({f"f{number}": b"1" * 1000 for number in range(50)}))
    results: list[Path] = []
    threads = [
        threading.Thread(target=lambda: results.append(store.unpack_layer(image, image.layers[0], tmp_path / "u")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert len(set(results)) == 1
    assert len(list(results[0].iterdir())) == 50


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    return content[:-30] + bytes([content[-30] ^ 1]) + content[-29:]


@pytest.mark.parametrize("damage", [cut, flip, lambda _: b"", lambda _: b"\x1f\x8bno", lambda _: b"no archive" * 100])
def test_damaged_layer_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    store = ImageStore(tmp_path / "store")
    image = image_of(store, layer_tar({"a": os.urandom(100_000)}))
    blob = store.blobs.path(image.layers[0].digest)
    blob.write_bytes(damage(blob.read_bytes()))
    with pytest.raises(StoreError) as caught:
        store.unpack_layer(image, image.layers[0], tmp_path / "u")
    assert caught.value.code == "blob-damaged"


def test_layer_with_other_content_than_its_config_says_is_refused(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store")
    image = image_of(store, layer_tar({"a": b"1"}))
    lying = replace(image.layers[0], diff_id="sha256:" + "0" * 64)
    with pytest.raises(StoreError) as caught:
        store.unpack_layer(replace(image, layers=(lying,)), lying, tmp_path / "u")
    assert caught.value.code == "blob-damaged"


def test_layer_of_another_image_is_not_unpacked(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    with pytest.raises(StoreError) as caught:
        store.unpack_layer(replace(image, layers=()), image.layers[0], tmp_path / "u")
    assert caught.value.code == "blob-missing"


def test_upper_layer_decides_what_a_file_holds(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store")
    image = image_of(store, layer_tar({"a/f": b"old", "b/f": b"old", "c": b"old"}), layer_tar({"a/f": b"new"}))
    assert store.read_file(image, "a/f") == b"new"
    assert store.read_file(image, "/c") == b"old"
    assert store.read_file(image, "a") is None


@pytest.mark.parametrize("whiteout", ["a/.wh.f", ".wh.a", "a/.wh..wh..opq", ".wh..wh..opq"])
def test_file_that_an_upper_layer_removes_is_gone(tmp_path: Path, whiteout: str) -> None:
    store = ImageStore(tmp_path / "store")
    image = image_of(store, layer_tar({"a/f": b"old"}), layer_tar({whiteout: b""}))
    assert store.read_file(image, "a/f") is None
    assert store.read_file(image, "a/g") is None


def test_unpacked_dependencies_can_be_imported(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    folder = store.unpack_layer(image, image.layers[0], tmp_path / "u")
    assert (folder / "opt/dockyard/site-packages/alpha/__init__.py").read_text() == "name = 'alpha'\n"
    assert os.access(folder / "opt/dockyard/site-packages/beta_native.so", os.X_OK)
