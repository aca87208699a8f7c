"""What is unpacked goes with the last image that has it, and with nothing else."""

from __future__ import annotations

from pathlib import Path

from dockyard_image import ImageStore, StoredImage
from dockyard_image.build import append_layer
from support.images import build_image


def unpack_all(store: ImageStore, image: StoredImage, folder: Path) -> None:
    for layer in image.layers:
        store.unpack_layer(image, layer, folder)


def test_layers_of_listed_images_stay_and_the_others_go(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    store.add(image, fingerprint="one")
    other = store.add(append_layer(store, image, {"opt/extra": b"12345"}), fingerprint="two")
    folder = tmp_path / "unpacked"
    unpack_all(store, other, folder)
    (folder / ".partial-of-a-dead-one").mkdir()
    assert len(list(folder.glob("[0-9a-f]*"))) == len(other.layers)

    store.remove(other.digest)
    assert store.collect_unpacked(folder) == 5
    left = {path.name for path in folder.iterdir() if path.is_dir()}
    assert left == {layer.diff_id.removeprefix("sha256:") for layer in image.layers}
    assert store.collect_unpacked(folder) == 0


def test_nothing_was_ever_unpacked(tmp_path: Path) -> None:
    store, _ = build_image(tmp_path)
    assert store.collect_unpacked(tmp_path / "unpacked") == 0
    assert not (tmp_path / "unpacked").exists()
