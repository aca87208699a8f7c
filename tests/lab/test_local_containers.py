"""The Docker runtime on a real engine: what a container may do, how it comes back, and that no request is lost."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from dockyard.adapters.images.library import ImageLibrary
from dockyard.adapters.local.runtime import Place
from dockyard.domain.deployment import RevisionStatus, Runtime
from support.docker_stand_in import build_docker_stand_in, list_containers
from support.local_kit import LocalKit, ask, ask_version, leaving_nothing, open_kit
from support.local_values import KEY
from support.patience import wait_for
from support.switch_load import load_on

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def library(lab_engine: str, lab_registry: str, tmp_path_factory: pytest.TempPathFactory) -> ImageLibrary:  # noqa: ARG001 - the base image comes from there
    return build_docker_stand_in(lab_engine, tmp_path_factory.mktemp("docker-image"))


@pytest.fixture
def kit(lab_engine: str, library: ImageLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalKit]:
    monkeypatch.setenv("DOCKER_HOST", lab_engine)
    home_id = secrets.token_hex(4)
    opened = open_kit(tmp_path, library, Runtime.DOCKER, home_id=home_id)
    with leaving_nothing(opened):
        yield opened
    assert list_containers(lab_engine, home_id) == []


@pytest.fixture
def engine(lab_engine: str) -> Iterator[docker.DockerClient]:
    with contextlib.closing(docker.DockerClient(base_url=lab_engine)) as client:
        yield client


def container_of(kit: LocalKit, engine: docker.DockerClient, number: int) -> Container:
    place = Place(key=KEY, number=number, folder=kit.folder.revision(number), spec=kit.make_spec(number))
    return engine.containers.get(kit.containers.name_container(place))


def test_no_request_is_lost_over_redeploys(kit: LocalKit) -> None:
    port = kit.serve(1)
    with load_on(port) as load:
        for number in (2, 3, 4):
            kit.serve(number)
            before = load.answers.total()
            kit.host.remove_revision(KEY, number - 1)
            wait_for(lambda count=before: load.answers.total() > count + 50)  # type: ignore[misc]
    assert (load.failures, load.farewells, load.refused) == ([], 0, 0)
    assert set(load.answers) == {"1", "2", "3", "4"}


def test_container_has_few_rights_and_listens_on_loopback_only(kit: LocalKit, engine: docker.DockerClient) -> None:
    kit.start(1)
    container = container_of(kit, engine, 1)
    config = container.attrs["HostConfig"]
    assert (config["ReadonlyRootfs"], config["CapDrop"], config["CapAdd"]) == (True, ["ALL"], None)
    assert config["SecurityOpt"] == ["no-new-privileges:true"]
    assert list(config["Tmpfs"]) == ["/tmp"]  # noqa: S108
    assert config["RestartPolicy"]["Name"] in {"", "no"}
    assert [one["HostIp"] for one in container.attrs["NetworkSettings"]["Ports"]["8080/tcp"]] == ["127.0.0.1"]
    assert container.labels["dockyard.deployment"] == KEY.name
    assert container.exec_run(["python3", "-c", "import os; os.mkdir('/opt/new')"]).exit_code != 0
    assert container.exec_run(["python3", "-c", "open('/tmp/new', 'w')"]).exit_code == 0


def test_crash_after_traffic_is_mended_by_the_engine_on_the_same_port(kit: LocalKit) -> None:
    port = kit.serve(1)
    before = kit.find(1).address
    with pytest.raises(AssertionError, match="not-serving"):
        ask(port, {"crash": True})
    wait_for(lambda: kit.find(1).status is RevisionStatus.READY)
    assert kit.find(1).address == before
    assert ask_version(port) == "1"


def test_crash_before_traffic_is_final(kit: LocalKit, engine: docker.DockerClient) -> None:
    kit.host.start_revision(KEY, 1, kit.make_spec(1, "crashes"))
    wait_for(lambda: kit.find(1).status is RevisionStatus.FAILED)
    assert container_of(kit, engine, 1).attrs["RestartCount"] == 0


def test_log_of_a_stopped_container_is_kept_before_that_of_the_next(kit: LocalKit) -> None:
    kit.start(1)
    kit.host.stop_revision(KEY, 1)
    kit.start(1)
    lines = list(kit.inventory.read_logs(KEY, 1, follow=False, tail=100))
    assert [line for line in lines if line in {"ready", "ended"}] == ["ready", "ended", "ready"]
    assert list(kit.inventory.read_logs(KEY, 1, follow=False, tail=2))[-1] == "ready"


def test_container_of_no_deployment_is_an_orphan_of_its_own_home_only(kit: LocalKit, library: ImageLibrary) -> None:
    kit.start(1)
    kit.folder.state.unlink()
    other = open_kit(kit.home / "other", library, Runtime.DOCKER, home_id=secrets.token_hex(4))
    assert other.inventory.list_orphans() == ()
    titles = kit.inventory.list_orphans()
    assert sorted(title.split()[0] for title in titles) == ["container", "folder"]
    kit.inventory.delete_orphans()
    assert kit.inventory.list_orphans() == ()
