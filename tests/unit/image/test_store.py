"""The store keeps what is listed, lets many processes work at once, and loses nothing when one of them is killed."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard_image import Collected, ImageStore, StoreError, append_layer
from dockyard_image.files import lock_file
from support.images import build_image, make_base, sha256

ROOT = Path(__file__).parents[3]


def run_python(script: str, *arguments: str) -> subprocess.Popen[str]:
    search = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": search}
    return subprocess.Popen([sys.executable, "-c", script, *arguments], env=environment, stdout=subprocess.PIPE, text=True)


def test_listed_image_is_found_by_its_fingerprint(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    assert store.find("f1") is None
    listed = store.add(image, fingerprint="f1", name="wine:1")
    assert ImageStore(store.path).find("f1") == listed
    assert (listed.digest, listed.fingerprint, listed.name, listed.base) == (image.digest, "f1", "wine:1", "host-python-3.11")
    assert store.list() == (listed,)
    assert store.load(image.digest) == listed


def test_image_is_not_listed_before_it_is_added(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    assert store.list() == ()
    assert replace(store.load(image.digest), base=image.base) == image


def test_empty_store_has_nothing_and_is_no_error(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "none")
    assert (store.list(), store.find("x")) == ((), None)
    assert store.collect_garbage() == Collected(images=0, blobs=0, bytes=0)


def test_layout_is_what_the_specification_says(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    store.add(image, fingerprint="f1", name="wine")
    assert json.loads((store.path / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((store.path / "index.json").read_text())
    assert index["schemaVersion"] == 2
    (entry,) = index["manifests"]
    assert entry["annotations"] == {
        "dockyard.base": "host-python-3.11", "dockyard.fingerprint": "f1", "org.opencontainers.image.ref.name": "wine",
    }  # fmt: skip
    assert entry["digest"] == image.digest
    assert entry["size"] == store.blobs.path(image.digest).stat().st_size
    for digest in store.blobs.list_digests():
        assert sha256(store.blobs.path(digest).read_bytes()) == digest


def test_new_image_takes_over_fingerprint_and_name(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    store.add(image, fingerprint="f1", name="wine")
    proved = store.add(append_layer(store, image, {"p": b"1"}), fingerprint="f1")
    assert store.list() == (proved,)
    other = store.add(append_layer(store, image, {"p": b"2"}), fingerprint="f2", name="wine")
    again = store.add(append_layer(store, image, {"p": b"3"}), fingerprint="f3", name="wine")
    assert [(one.fingerprint, one.name) for one in store.list()] == [("f1", ""), ("f2", ""), ("f3", "wine")]
    assert (other.name, again.name) == ("wine", "wine")


def test_adding_twice_lists_once(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    store.add(image, fingerprint="f1")
    assert store.add(store.list()[0], name="wine").fingerprint == "f1"
    assert len(store.list()) == 1


def test_removed_image_goes_with_the_next_collection(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    store.add(image, fingerprint="f1")
    store.remove(image.digest)
    assert store.find("f1") is None
    collected = store.collect_garbage()
    assert (collected.images, collected.blobs) == (0, 5)
    assert collected.bytes == image.size
    assert store.blobs.list_digests() == []


def test_collection_keeps_what_listed_images_share(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    kept = store.add(append_layer(store, image, {"p": b"1"}), fingerprint="f1")
    dropped = store.add(append_layer(store, image, {"p": b"2"}), fingerprint="f2")
    assert store.collect_garbage(keep={kept.digest}).images == 1
    assert store.list() == (kept,)
    assert {layer.digest for layer in kept.layers} <= set(store.blobs.list_digests())
    assert dropped.layers[-1].digest not in store.blobs.list_digests()
    assert store.read_file(kept, "p") == b"1"


def test_collection_of_nothing_listed_keeps_nothing(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    store.add(image, fingerprint="f1")
    assert store.collect_garbage(keep=()).images == 1
    assert store.blobs.list_digests() == []


def test_collection_waits_for_a_build_to_end(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    done: list[Collected] = []
    with store.hold():
        collector = threading.Thread(target=lambda: done.append(store.collect_garbage()))
        collector.start()
        collector.join(0.2)
        assert collector.is_alive()
        store.add(image, fingerprint="f1")
    collector.join(10)
    assert [one.blobs for one in done] == [0]
    assert store.find("f1") is not None


def test_store_that_stays_in_use_is_said_to_be_busy(tmp_path: Path) -> None:
    with (
        lock_file(tmp_path / "l", shared=True),
        lock_file(tmp_path / "l", shared=True),
        pytest.raises(StoreError) as caught,
        lock_file(tmp_path / "l", wait_seconds=0.1),
    ):
        pytest.fail("the lock was given twice")
    assert caught.value.code == "store-busy"


def test_image_whose_blob_was_collected_cannot_be_listed(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    store.blobs.remove(image.layers[1].digest)
    with pytest.raises(StoreError) as caught:
        store.add(image, fingerprint="f1")
    assert caught.value.code == "blob-missing"
    assert store.list() == ()


@pytest.mark.parametrize("part", ["manifest", "config", "layer"])
def test_listed_image_that_lost_a_blob_is_not_found_and_is_collected(tmp_path: Path, part: str) -> None:
    store, image = build_image(tmp_path)
    store.add(image, fingerprint="f1")
    store.blobs.remove({"manifest": image.digest, "config": image.config_digest, "layer": image.layers[0].digest}[part])
    assert store.find("f1") is None
    assert store.list() == ()
    assert store.collect_garbage().images == 1
    assert store.blobs.list_digests() == []


def test_damaged_config_is_noticed(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    store.blobs.path(image.config_digest).write_bytes(b"{}")
    with pytest.raises(StoreError) as caught:
        store.load(image.digest)
    assert caught.value.code == "blob-damaged"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"manifests": [{}]}', b'{"manifests": [{"digest": "../x", "mediaType": "", "size": 1}]}']
)
def test_damaged_index_is_said_so(tmp_path: Path, content: bytes) -> None:
    store = ImageStore(tmp_path)
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(StoreError) as caught:
        store.list()
    assert caught.value.code == "store-damaged"


def test_pushes_are_remembered_up_to_a_number(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    store.add(image, fingerprint="f1")
    for number in (*range(10), 9):
        store.note_push(image.digest, f"r.example/wine{number}")
    assert store.list()[0].pushed == tuple(f"r.example/wine{number}" for number in range(9, 1, -1))


def test_image_of_several_layers_without_ours_has_no_kinds(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    assert {layer.kind for layer in make_base(store).layers} == {""}


LIST_MANY = """
import sys
from pathlib import Path
from dockyard_image import ImageStore, append_layer
store = ImageStore(Path(sys.argv[1]))
for number in range(10):
    with store.hold():
        image = append_layer(store, store.load(sys.argv[2]), {"who": f"{sys.argv[3]}-{number}".encode()})
        store.add(image, fingerprint=f"{sys.argv[3]}-{number}", name=f"n{sys.argv[3]}")
    if number == 5:
        store.collect_garbage()
"""


def test_processes_that_list_and_collect_at_once_lose_nothing(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    store.add(image)
    workers = [run_python(LIST_MANY, str(store.path), image.digest, str(number)) for number in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    for worker in workers:
        worker.communicate()
    listed = ImageStore(store.path).list()
    assert {one.fingerprint for one in listed} == {"", *(f"{who}-{number}" for who in range(3) for number in range(10))}
    for one in listed[1:]:
        assert store.read_file(one, "who") == one.fingerprint.encode()


HANG_IN = """
import os, sys, time
from pathlib import Path
from dockyard_image import ImageStore
from dockyard_image.files import write_atomically
store = ImageStore(Path(sys.argv[1]))
def hang():
    print("there", flush=True)
    time.sleep(60)
match sys.argv[2]:
    case "blob":
        with store.hold(), store.blobs.create() as blob:
            blob.write(b"half")
            hang()
    case "unlisted":
        with store.hold():
            store.blobs.put(b"whole but not listed")
            hang()
    case "index":
        store._index.change(lambda entries: hang())
"""


@pytest.mark.parametrize("moment", ["blob", "unlisted", "index"])
def test_killed_process_leaves_a_store_that_works(tmp_path: Path, moment: str) -> None:
    store, image = build_image(tmp_path)
    listed = store.add(image, fingerprint="f1")
    before = store.blobs.list_digests()
    victim = run_python(HANG_IN, str(store.path), moment)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "there\n"
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    assert store.list() == (listed,)
    store.collect_garbage()
    assert store.blobs.list_digests() == before
    assert list((store.path / "tmp").iterdir()) == []
    assert store.add(append_layer(store, listed, {"p": b"1"}), fingerprint="f2") in store.list()


def test_two_writers_of_the_same_blob_do_not_disturb_each_other(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    with store.blobs.create() as one, store.blobs.create() as other:
        one.write(b"same")
        other.write(b"same")
    assert store.blobs.list_digests() == [one.digest] == [other.digest]


def test_failed_writer_leaves_no_blob(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)

    def write() -> None:
        with store.blobs.create() as blob:
            blob.write(b"half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write()
    assert store.blobs.list_digests() == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_digest_that_is_none_never_becomes_a_path(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    for digest in ("sha256:../../etc/passwd", "", "sha512:" + "a" * 64, "sha256:" + "A" * 64):
        with pytest.raises(ValueError, match="not a sha256 digest"):
            store.open_blob(digest)


def test_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="file/tmp cannot be written") as caught:
        ImageStore(tmp_path / "file").blobs.put(b"1")
    assert caught.value.code == "store-unwritable"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_full_disk_is_told_and_leaves_no_blob(tmp_path: Path, number: int) -> None:
    def write() -> None:
        with ImageStore(tmp_path).blobs.create() as blob:
            blob.write(b"half")
            raise OSError(number, os.strerror(number))

    with pytest.raises(StoreError, match=os.strerror(number)) as caught:
        write()
    assert caught.value.code == "store-unwritable"
    assert list((tmp_path / "tmp").iterdir()) == []
