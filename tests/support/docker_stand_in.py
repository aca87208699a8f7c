"""The stand-in scorer as a real container image: built by the lab's engine, kept in a local store, gone from the engine."""

from __future__ import annotations

import contextlib
import io
import tarfile
from pathlib import Path
from typing import cast

import docker

from dockyard.adapters.images.library import ImageLibrary
from dockyard_image import ImageStore
from support.local_kit import FINGERPRINT, STAND_IN, open_library

_DOCKERFILE = """\
FROM python:3.11-slim
COPY scorer /opt/dockyard/scorer
WORKDIR /opt/dockyard
USER 65532:65532
ENV HOME=/tmp PYTHONUNBUFFERED=1
EXPOSE 8080/tcp
ENTRYPOINT ["python3", "-s", "/opt/dockyard/scorer"]
CMD ["serve"]
"""


def build_docker_stand_in(engine_url: str, folder: Path) -> ImageLibrary:
    """A store below `folder` that holds the image, as the engine builder leaves it."""
    with contextlib.closing(docker.DockerClient(base_url=engine_url)) as engine:
        image, _ = engine.images.build(fileobj=make_context(), custom_context=True, rm=True, forcerm=True)
        try:
            content = io.BytesIO(b"".join(image.save()))
        finally:
            engine.images.remove(str(image.id), force=True, noprune=True)
    store = ImageStore(folder / "store")
    store.add(store.import_docker_archive(content), fingerprint=FINGERPRINT)
    return open_library(store, folder / "unpacked")


def list_containers(engine_url: str, home_id: str) -> list[str]:
    """Names of the containers of a home, running or not."""
    with contextlib.closing(docker.DockerClient(base_url=engine_url)) as engine:
        found = engine.containers.list(all=True, filters={"label": f"dockyard.home={home_id}"}, ignore_removed=True)
        return [cast("str", one.name) for one in found]


def make_context() -> io.BytesIO:
    """What the engine builds the stand-in from."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name, content in {"Dockerfile": _DOCKERFILE.encode(), "scorer/__main__.py": STAND_IN.read_bytes()}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    context.seek(0)
    return context
