"""The stand-in scorer as an image in the sandbox's registry, put there without HTTP."""

from __future__ import annotations

import platform
from pathlib import Path

import docker

from dockyard_image import ImageStore, StoredImage, host_base
from dockyard_image.unpacked import PYTHON_LABEL
from dockyard_sandbox.repositories import Repositories, RepositorySettings
from support import images
from support.local_kit import PYTHON, STAND_IN

ACCOUNT = "123456789012"
REPOSITORY = "wine"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]


def list_pulled(engine: docker.DockerClient, registry: str) -> list[str]:
    """What an engine has of a registry, in one call: `images.list()` asks for each, and others remove theirs meanwhile."""
    names = (name for image in engine.api.images() for name in image["RepoDigests"] or ())
    return [name for name in names if name.startswith(f"{registry}/")]


def build_sandbox_stand_in(folder: Path, architecture: str = ARCHITECTURE) -> tuple[ImageStore, StoredImage]:
    """The image of the stand-in, layer by layer as the direct builder makes it."""
    return images.build_image(
        folder,
        base=host_base(PYTHON, f"linux/{architecture}"),
        python=PYTHON,
        platform=f"linux/{architecture}",
        scorer_files={"__main__.py": STAND_IN.read_bytes()},
        labels={PYTHON_LABEL: PYTHON},
        media="docker",
    )


def open_repositories(store: ImageStore, image: StoredImage, tag: str = "v1") -> Repositories:
    """Repositories over the store's own blobs, with the image in the repository `wine`."""
    repositories = Repositories(store.blobs, account=ACCOUNT)
    repositories.create(REPOSITORY, RepositorySettings(), {})
    for digest in (image.config_digest, *(layer.digest for layer in image.layers)):
        repositories.add_blob(REPOSITORY, digest)
    repositories.put_image(REPOSITORY, store.blobs.read(image.digest), "", tag=tag)
    return repositories
