"""Images run without an engine: their own layers, this machine's Python, SageMaker's argument and port; nothing is left."""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockyard_image.manifest import encode_json
from dockyard_image.media import DOCKER_LIST, DOCKER_MANIFEST
from dockyard_sandbox.fleet import SharedFleet
from dockyard_sandbox.process_records import end_noted_processes, note_process
from dockyard_sandbox.repositories import Repositories
from dockyard_sandbox.runner import Container, ContainerError, ContainerSpec, ImagePullError
from dockyard_sandbox.unpacked_runner import UnpackedRunner
from support.patience import wait_for
from support.sandbox_images import ARCHITECTURE, build_sandbox_stand_in, open_repositories

pytestmark = pytest.mark.process

ADDRESS = "127.0.0.1:4566"


@dataclass
class Bench:
    """A runner whose registry has the stand-in; what was started is stopped."""

    folder: Path
    repositories: Repositories
    digest: str
    runner: UnpackedRunner
    lines: list[str] = field(default_factory=list)
    started: list[Container] = field(default_factory=list)

    @property
    def image(self) -> str:
        return f"{ADDRESS}/wine@{self.digest}"

    def spec(self, image: str = "", *, model_data: Path | None = None, **environment: str) -> ContainerSpec:
        return ContainerSpec(image=image or self.image, log=self.lines.append, environment=environment, model_data=model_data)

    def start(self, *, model_data: Path | None = None, **environment: str) -> Container:
        container = self.runner.start(self.spec(model_data=model_data, **environment))
        self.started.append(container)
        return container


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    store, image = build_sandbox_stand_in(tmp_path / "build")
    repositories = open_repositories(store, image)
    folder = tmp_path / "containers"
    runner = UnpackedRunner(repositories, address=ADDRESS, folder=folder, cache=tmp_path / "cache", environ=os.environ)
    made = Bench(folder=folder, repositories=repositories, digest=image.digest, runner=runner)
    yield made
    for container in made.started:
        container.stop(0)
    assert [path for path in folder.glob("**/*") if path.name != "pids"] == []


def ask(container: Container, body: Mapping[str, object] | None = None) -> dict[str, object]:
    host, _, port = container.address.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        connection.request("POST", "/invocations", body=json.dumps(body or {}))
        answer: dict[str, object] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


def answers(container: Container) -> Callable[[], bool]:
    def try_once() -> bool:
        try:
            return bool(ask(container))
        except OSError:
            return False

    return try_once


def test_scorer_gets_sagemakers_argument_and_answers_on_loopback(bench: Bench) -> None:
    container = bench.start(STAND_IN_ANSWER="7")
    wait_for(answers(container))
    assert ask(container)["predictions"] == ["7"]
    assert container.address.startswith("127.0.0.1:")
    assert container.exit_code() is None
    assert bench.lines[0] == "loading ['serve']"


def test_scorer_sees_nothing_of_our_environment(bench: Bench) -> None:
    os.environ["SANDBOX_TEST_SECRET"] = "x"
    try:
        container = bench.start()
    finally:
        del os.environ["SANDBOX_TEST_SECRET"]
    wait_for(answers(container))
    variables = ask(container)["variables"]
    assert isinstance(variables, list)
    assert "SANDBOX_TEST_SECRET" not in variables
    assert {"SAGEMAKER_BIND_TO_PORT", "DOCKYARD_MODEL"} <= set(variables)


def test_end_of_a_scorer_is_told_with_its_code_and_its_last_words(bench: Bench) -> None:
    container = bench.start(STAND_IN="crashes")
    wait_for(lambda: container.exit_code() is not None)
    container.stop()
    assert container.exit_code() == 1
    assert bench.lines[-1] == "the model cannot be loaded"


def test_stop_asks_first_and_may_be_repeated(bench: Bench) -> None:
    container = bench.start()
    wait_for(answers(container))
    container.stop(10)
    container.stop(10)
    assert container.exit_code() is not None
    assert answers(container)() is False


def test_scorer_that_does_not_listen_is_killed_after_its_grace(bench: Bench) -> None:
    container = bench.start(STAND_IN="deaf")
    wait_for(answers(container))
    container.stop(0.1)
    assert container.exit_code() == -9


def test_model_data_takes_the_place_of_the_images_model(bench: Bench, tmp_path: Path) -> None:
    container = bench.start(model_data=tmp_path)
    wait_for(answers(container))
    pid = ask(container)["pid"]
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    assert f"DOCKYARD_MODEL={tmp_path}".encode() in environment


def test_tags_are_resolved_to_digests(bench: Bench) -> None:
    assert bench.runner.resolve_digest(f"{ADDRESS}/wine:v1") == bench.digest


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (f"{ADDRESS}/wine:v9", "imageTag:'v9'} does not exist"),
        (f"{ADDRESS}/beer:v1", "The repository with name 'beer' does not exist"),
        ("registry.example.com/wine:v1", "is not in the sandbox's registry"),
        ("no reference!", "is not an image reference"),
    ],
)
def test_image_that_cannot_be_had_is_told(bench: Bench, image: str, reason: str) -> None:
    with pytest.raises(ImagePullError, match=reason):
        bench.runner.resolve_digest(image)
    with pytest.raises(ImagePullError, match=reason):
        bench.runner.start(bench.spec(image))


def test_image_that_dockyard_did_not_build_needs_an_engine(bench: Bench) -> None:
    manifest = bench.repositories.find_image("wine", "v1")
    assert manifest is not None
    document = json.loads(manifest.content)
    config = json.loads(bench.repositories.blobs.read(document["config"]["digest"]))
    config["history"] = []
    content = encode_json(config)
    document["config"]["digest"] = bench.repositories.blobs.put(content)
    bench.repositories.add_blob("wine", document["config"]["digest"])
    bench.repositories.put_image("wine", encode_json(document), DOCKER_MANIFEST, tag="other")
    with pytest.raises(ContainerError, match="a Docker engine built cannot run without one"):
        bench.runner.start(bench.spec(f"{ADDRESS}/wine:other"))


def test_of_a_list_this_machines_image_is_run(bench: Bench) -> None:
    def put(architecture: str) -> str:
        entry = {"mediaType": DOCKER_MANIFEST, "digest": bench.digest, "size": 1}
        chosen = {**entry, "platform": {"os": "linux", "architecture": architecture}}
        document = encode_json({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [chosen]})
        return bench.repositories.put_image("wine", document, DOCKER_LIST).digest

    container = bench.runner.start(bench.spec(f"{ADDRESS}/wine@{put(ARCHITECTURE)}"))
    bench.started.append(container)
    wait_for(answers(container))
    with pytest.raises(ContainerError, match="has no image for linux/"):
        bench.runner.start(bench.spec(f"{ADDRESS}/wine@{put('riscv64')}"))


def test_image_of_another_machine_is_refused(tmp_path: Path) -> None:
    other = {"amd64": "arm64", "arm64": "amd64"}[ARCHITECTURE]
    repositories = open_repositories(*build_sandbox_stand_in(tmp_path / "build", other))
    runner = UnpackedRunner(repositories, address=ADDRESS, folder=tmp_path / "c", cache=tmp_path / "cache", environ=os.environ)
    with pytest.raises(ContainerError, match=f"exec format error: .* is for linux/{other}"):
        runner.start(ContainerSpec(image=f"{ADDRESS}/wine:v1", log=lambda _: None))


def test_fleet_starts_as_many_as_it_may_and_stops_all_when_one_fails(bench: Bench) -> None:
    fleet = SharedFleet(bench.runner, limit=2)
    containers = fleet.start(bench.spec(), 5)
    bench.started += containers
    assert len({container.address for container in containers}) == 2
    assert fleet.start(bench.spec(), 0) == ()

    class OnceOnly:
        """Starts one container and no second one."""

        def __init__(self) -> None:
            self.lock, self.made = threading.Lock(), list[Container]()

        def start(self, spec: ContainerSpec) -> Container:
            with self.lock:
                if self.made:
                    raise ContainerError("no more room")
                self.made.append(bench.runner.start(spec))
                return self.made[0]

        def resolve_digest(self, image: str) -> str:
            return bench.runner.resolve_digest(image)

    runner = OnceOnly()
    with pytest.raises(ContainerError, match="no more room"):
        SharedFleet(runner).start(bench.spec(), 2)
    assert runner.made[0].exit_code() is not None


def test_processes_of_a_sandbox_that_was_killed_are_ended(bench: Bench) -> None:
    container = bench.start(STAND_IN="deaf")
    wait_for(answers(container))
    records = bench.folder / "pids"
    assert end_noted_processes(records) == 1
    wait_for(lambda: container.exit_code() == -9)
    assert list(records.iterdir()) == []


def test_number_that_belongs_to_another_process_by_now_is_left_alone(tmp_path: Path) -> None:
    record = note_process(tmp_path, os.getpid())
    record.write_text("1")
    assert end_noted_processes(tmp_path) == 0
    assert end_noted_processes(tmp_path) == 0
