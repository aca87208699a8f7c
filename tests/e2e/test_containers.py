"""The main job on a real Docker engine and real registries: what `runtime: process` promises, containers promise too."""

from __future__ import annotations

import contextlib
import hashlib
import json
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from support.deployments import Ended, Place, Stage
from support.lab import RegistryLogin
from support.steady_load import SteadyLoad
from support.told_models import ANSWERS, SOUND, print_version

pytestmark = pytest.mark.lab

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = """\
image:
  mirrors: {{docker.io: ["http://{mirror}"]}}
  insecure_registries: ["{mirror}"]
environments:
  local: {{runtime: docker, port: {port}, smoke_requests: 3, grace_seconds: 5}}
"""


@pytest.fixture
def engine(lab_engine: str) -> Iterator[docker.DockerClient]:
    with contextlib.closing(docker.DockerClient(base_url=lab_engine)) as client:
        yield client


@pytest.fixture
def dock(stage: Stage, tmp_path: Path, lab_engine: str, lab_registry: str, engine: docker.DockerClient) -> Iterator[Place]:
    """A place that runs containers. When the test is over, it is proved that nothing is left."""
    place = stage.open_place(tmp_path / "place")
    place.configure(CONFIG.format(mirror=lab_registry, port=place.port))
    place.extra["DOCKER_HOST"] = lab_engine
    try:
        yield place
        place.close()
        assert list_containers(place, engine) == {}
    finally:
        for container in find_containers(place, engine):
            container.remove(force=True)


def find_containers(place: Place, engine: docker.DockerClient) -> list[Container]:
    """This home's containers, whatever their state."""
    home = hashlib.sha256(str(place.home.resolve()).encode()).hexdigest()[:16]
    return engine.containers.list(all=True, filters={"label": f"dockyard.home={home}"}, ignore_removed=True)


def list_containers(place: Place, engine: docker.DockerClient) -> dict[str, str]:
    """The state of this home's containers by revision."""
    return {one.labels["dockyard.revision"]: one.status for one in find_containers(place, engine)}


def test_deploy_update_broken_deploy_rollback_and_delete_of_containers(
    dock: Place, engine: docker.DockerClient, load: Callable[[Place], SteadyLoad]
) -> None:
    assert dock.deploy().expect(0).envelope["status"] == "deployed"
    assert list_containers(dock, engine) == {"1": "running"}
    assert dock.deploy().expect(0).envelope["status"] == "unchanged"

    with load(dock) as running:
        running.wait_for(50)
        dock.deploy(model=f"models:/{SOUND}/2").expect(0)
        assert list_containers(dock, engine) == {"2": "running"}
        running.wait_for(50)

        for told, code in (("TOLD_LOAD=crash", "revision-crashed"), ("TOLD_PREDICT=shift", "wrong-answer")):
            broken = dock.deploy("-e", told, model=f"models:/{SOUND}/1").expect(1)
            assert broken.error["code"] == code
            assert list_containers(dock, engine) == {"2": "running"}
            record = dock.run(SOUND, "1", dock.name, main=print_version).expect(0).document["record"]
            assert (record["status"], record["error_code"]) == ("failed", code)
        hanging = dock.deploy("-e", "TOLD_LOAD=hang", "--timeout", "5", model=f"models:/{SOUND}/1").expect(1)
        assert hanging.error["code"] == "revision-not-ready"

        dock.run("rollback", dock.name, "--json").expect(0)
        assert list_containers(dock, engine) == {"1": "running"}
        running.wait_for(50)
    running.assert_whole()
    assert set(running.answers) == {json.dumps(answer) for answer in ANSWERS[:2]}
    assert [item for item in dock.run("gc", "--plan", "--json").result["items"] if item["kind"] != "image"] == []
    assert "/invocations" in dock.run("logs", dock.name, "--tail", "1000").expect(0).out

    dock.run("delete", dock.name, "--json").expect(0)
    assert list_containers(dock, engine) == {}
    dock.assert_nothing_left()


def test_container_that_was_removed_is_drift_and_the_same_deploy_brings_it_back(
    dock: Place, engine: docker.DockerClient
) -> None:
    dock.deploy().expect(0)
    for container in find_containers(dock, engine):
        container.remove(force=True)
    assert dock.run("drift", dock.name, "--json").expect(4).result["deployments"][0]["plan"]["steps"] != []
    dock.deploy().expect(0)
    assert list_containers(dock, engine) == {"1": "running"}
    dock.run("drift", dock.name, "--json").expect(0)


def test_image_of_the_engine_builder_is_proved_and_serves(dock: Place, engine: docker.DockerClient) -> None:
    deployed = dock.deploy("--builder", "engine").expect(0)
    assert deployed.result["plan"]["steps"][0]["builder"] == "engine"
    assert dock.run("predict", dock.name, "--json").expect(0).result["value"] == ANSWERS[0]
    assert list_containers(dock, engine) == {"1": "running"}


def push(place: Place, address: str, login: tuple[str, str] | None) -> Ended:
    """Build and push to a registry, with a user and the password in PUSH_PASSWORD."""
    config = CONFIG.format(mirror=place.extra["TEST_MIRROR"], port=place.port)
    if login:
        place.extra["PUSH_PASSWORD"] = login[1]
        credentials = f'  credentials: [{{host: "{address}", username: "{login[0]}", password: {{env: PUSH_PASSWORD}}}}]\n'
        config = config.replace("environments:", credentials + "environments:")
    place.configure(config)
    return place.run("build", "-m", f"models:/{SOUND}/1", "--push", "--repository", f"{address}/e2e/told", "--json")


def fetch_manifest(image: str, login: tuple[str, str] | None) -> bytes:
    """The manifest that a registry has under `host/repository@digest`."""
    name, _, digest = image.partition("@")
    host, _, repository = name.partition("/")
    request = urllib.request.Request(f"http://{host}/v2/{repository}/manifests/{digest}", headers={"Accept": MANIFEST})
    if login:
        request.add_header("Authorization", "Basic " + b64encode(":".join(login).encode()).decode())
    with urllib.request.urlopen(request, timeout=30) as response:
        content: bytes = response.read()
    return content


def test_image_is_pushed_to_registries_with_and_without_credentials(
    dock: Place, lab_registry: str, lab_registry_auth: RegistryLogin
) -> None:
    dock.extra["TEST_MIRROR"] = lab_registry
    login = (lab_registry_auth.user, lab_registry_auth.password)
    refused = push(dock, lab_registry_auth.address, (login[0], "not-the-password")).expect(2)
    assert refused.error["code"] == "credentials-refused"
    assert "not-the-password" not in refused.out + refused.err

    for address, who in ((lab_registry, None), (lab_registry_auth.address, login)):
        pushed = push(dock, address, who).expect(0)
        assert pushed.envelope["status"] == "pushed"
        digest = pushed.result["image"].rpartition("@sha256:")[2]
        assert hashlib.sha256(fetch_manifest(pushed.result["image"], who)).hexdigest() == digest
        assert login[1] not in pushed.out + pushed.err
