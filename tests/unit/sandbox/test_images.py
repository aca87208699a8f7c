"""An image's architecture is read off the registry; of an image elsewhere nothing is said."""

from __future__ import annotations

from pathlib import Path

from dockyard_sandbox.images import RepositoryImages
from support.sandbox_images import ARCHITECTURE, build_sandbox_stand_in, open_repositories


def test_image_says_for_which_machines_it_is(tmp_path: Path) -> None:
    store, image = build_sandbox_stand_in(tmp_path)
    images = RepositoryImages(open_repositories(store, image))
    for reference in ("127.0.0.1:1/wine:v1", f"127.0.0.1:1/wine@{image.digest}"):
        assert images.find_architectures(reference) == {ARCHITECTURE}


def test_nothing_is_known_of_an_image_that_is_not_there(tmp_path: Path) -> None:
    images = RepositoryImages(open_repositories(*build_sandbox_stand_in(tmp_path)))
    for reference in ("127.0.0.1:1/wine:v2", "127.0.0.1:1/beer:v1", "not a reference"):
        assert images.find_architectures(reference) == frozenset()
