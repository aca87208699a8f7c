"""Looking base images up: once for each tag, and with words about the base where that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.adapters.images.bases import Bases
from dockyard.domain.errors import DockyardError, NotFoundError
from dockyard.domain.image import ImageSettings
from dockyard_image import ImageStore, RegistrySettings, push
from dockyard_image.testing import FakeRegistry
from support.images import make_base, open_registries


def test_base_is_looked_up_once_and_then_meant_by_digest(tmp_path: Path) -> None:
    with FakeRegistry() as registry, open_registries(tmp_path) as registries:
        store = ImageStore(tmp_path / "images")
        push(store, make_base(store), f"{registry.host}/library/python:3.11-slim-bookworm", registries)
        mirrored = RegistrySettings(mirrors={"docker.io": [f"http://{registry.host}"]})
        with open_registries(tmp_path, mirrored) as asked:
            bases = Bases(asked, tmp_path / "bases")
            first = bases.resolve(ImageSettings(), "3.11")
            registry.requests.clear()

            assert bases.resolve(ImageSettings(), "3.11") == first
            assert registry.requests == []


def test_base_that_is_not_there_is_named_with_the_ways_around_it(tmp_path: Path) -> None:
    with FakeRegistry() as registry, open_registries(tmp_path) as registries:
        reference = f"{registry.host}/python"

        with pytest.raises(NotFoundError) as caught:
            Bases(registries, tmp_path / "bases").resolve(ImageSettings(base=reference + ":{python}"), "3.11")

    assert caught.value.code == "base-not-found"
    assert caught.value.message.startswith(f"the base image {reference}:3.11 cannot be looked up: ")
    assert "`image.mirrors`" in str(caught.value.hint)
    assert "`deploy local --runtime process`" in str(caught.value.hint)


def test_registry_that_does_not_answer_is_told_from_a_base_that_is_not_there(tmp_path: Path) -> None:
    with FakeRegistry() as registry:
        host = registry.host
    with open_registries(tmp_path) as registries, pytest.raises(DockyardError) as caught:
        Bases(registries, tmp_path / "bases").resolve(ImageSettings(base=f"{host}/python"), "3.11")

    assert caught.value.code == "registry-unreachable"
    assert "needs no base" in str(caught.value.hint)
