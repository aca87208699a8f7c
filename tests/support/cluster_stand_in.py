"""A namespace of a real cluster for one test, and the stand-in scorer as an image that the cluster's nodes can pull."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
from kubernetes import client, config

from dockyard.domain.image import ImageDigest
from support.docker_stand_in import make_context

_SECONDS = 120


def push_stand_in(engine_url: str, registry: str) -> ImageDigest:
    """Build the stand-in, send it to the registry, and say what to pull."""
    repository = f"{registry}/dockyard-tests/stand-in"
    with contextlib.closing(docker.DockerClient(base_url=engine_url, timeout=300)) as engine:
        image, _ = engine.images.build(fileobj=make_context(), custom_context=True, rm=True, forcerm=True, tag=repository)
        try:
            engine.images.push(repository, tag="latest")
            image.reload()
            digests: list[str] = image.attrs["RepoDigests"]
        finally:
            engine.images.remove(str(image.id), force=True, noprune=True)
    return ImageDigest(next(one for one in digests if one.startswith(repository)))


@contextlib.contextmanager
def open_namespace(kubeconfig: Path) -> Iterator[tuple[str, client.CoreV1Api]]:
    """A namespace at Pod Security level `restricted`, which is gone afterwards."""
    name = f"dockyard-test-{secrets.token_hex(3)}"
    with config.new_client_from_config(str(kubeconfig)) as api:
        core = client.CoreV1Api(api)
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        core.create_namespace({"metadata": {"name": name, "labels": labels}})
        try:
            wait_until(lambda: bool(core.list_namespaced_service_account(name).items))
            yield name, core
        finally:
            core.delete_namespace(name)


def wait_until(answers: Callable[[], bool]) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + _SECONDS
    while not answers():
        assert time.monotonic() < deadline, f"not within {_SECONDS} s"
        time.sleep(0.2)
