"""Images run in a Docker engine as SageMaker runs them: pushed and pulled by digest, limited, isolated; nothing is left."""

from __future__ import annotations

import contextlib
import http.client
import json
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError

from dockyard_sandbox.docker_runner import LABEL, DockerRunner, remove_leftovers
from dockyard_sandbox.local_cloud import clean_up
from dockyard_sandbox.runner import Container, ContainerError, ContainerSpec, ImagePullError
from support.patience import wait_for
from support.sandbox_cloud import CloudBench, open_cloud
from support.sandbox_images import list_pulled

pytestmark = pytest.mark.lab

_SCORER = """
import http.server, json, os, pathlib, signal, socket, sys

def try_out(action):
    try:
        return str(action())
    except Exception as error:
        return type(error).__name__

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply({})
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.reply({
            "arguments": sys.argv[1:],
            "user": [os.getuid(), os.getgid()],
            "variable": os.environ.get("GREETING"),
            "model": sorted(path.name for path in pathlib.Path("/opt/ml/model").glob("*")),
            "writes_model": try_out(lambda: open("/opt/ml/model/new", "w")),
            "writes_root": try_out(lambda: open("/new", "w").close()),
            "writes_tmp": try_out(lambda: open("/tmp/new", "w").close()),
            "limit": try_out(read_limit),
            "reaches": try_out(lambda: socket.create_connection(("172.17.0.1", 22), 2)),
        })
    def reply(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

def read_limit():
    for name in ("memory/memory.limit_in_bytes", "memory.max"):
        if (path := pathlib.Path("/sys/fs/cgroup", name)).exists():
            return path.read_text().strip()

if os.environ.get("GREETING") == "fail":
    sys.exit("no model")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("listening", flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""
_DOCKERFILE = """\
FROM python:3.11-slim
COPY scorer.py /scorer.py
ENTRYPOINT ["python3", "/scorer.py"]
CMD ["something-else"]
"""


@pytest.fixture(scope="module")
def engine(lab_engine: str) -> Iterator[docker.DockerClient]:
    with contextlib.closing(docker.DockerClient(base_url=lab_engine)) as client:
        yield client


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, lab_engine: str) -> Iterator[CloudBench]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", lab_engine)
        with open_cloud(tmp_path_factory.mktemp("cloud"), "docker") as opened:
            yield opened


@pytest.fixture(scope="module")
def image(cloud: CloudBench, engine: docker.DockerClient) -> str:
    """The image's address by digest, after `docker push` and without a copy in the engine."""
    context = BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name, content in {"Dockerfile": _DOCKERFILE.encode(), "scorer.py": _SCORER.encode()}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, BytesIO(content))
    context.seek(0)
    uri = cloud.client("ecr").create_repository(repositoryName="team/scorer")["repository"]["repositoryUri"]
    built, _ = engine.images.build(fileobj=context, custom_context=True, rm=True, forcerm=True, tag=f"{uri}:v1")
    pushed = list(engine.images.push(uri, tag="v1", auth_config=cloud.login(), stream=True, decode=True))
    assert [step for step in pushed if "error" in step] == []
    engine.images.remove(str(built.id), force=True)
    detail = cloud.client("ecr").describe_images(repositoryName="team/scorer")["imageDetails"][0]
    assert detail["imageDigest"] in {step["aux"]["Digest"] for step in pushed if "aux" in step}
    return f"{uri}@{detail['imageDigest']}"


@pytest.fixture
def runner(cloud: CloudBench, engine: docker.DockerClient) -> Iterator[DockerRunner]:
    def login() -> tuple[str, str]:
        return cloud.login()["username"], cloud.login()["password"]

    made = DockerRunner(engine, cloud.cloud.repositories, address=cloud.address, sandbox_id="runner-test", login=login)
    yield made
    assert engine.containers.list(all=True, filters={"label": f"{LABEL}=runner-test"}, ignore_removed=True) == []
    remove_leftovers(engine, "runner-test", "nowhere:1")


@contextlib.contextmanager
def running(runner: DockerRunner, image: str, **spec: object) -> Iterator[tuple[Container, list[str]]]:
    lines: list[str] = []
    container = runner.start(ContainerSpec(image=image, log=lines.append, **spec))  # type: ignore[arg-type]
    try:
        yield container, lines
    finally:
        container.stop(5)


def ask(container: Container) -> dict[str, Any]:
    def try_once() -> dict[str, Any]:
        host, _, port = container.address.partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        try:
            connection.request("POST", "/invocations", body="{}")
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer
        except (OSError, http.client.HTTPException):
            return {}
        finally:
            connection.close()

    wait_for(lambda: try_once() != {}, seconds=30)
    return try_once()


def test_image_is_pulled_by_digest_and_started_as_sagemaker_does(runner: DockerRunner, image: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    with running(runner, image, environment={"GREETING": "hello"}, model_data=tmp_path, memory_mb=512) as (container, lines):
        answer = ask(container)
        assert container.address.startswith("127.0.0.1:")
        assert container.exit_code() is None
        assert lines == ["listening"]
    assert (answer["arguments"], answer["user"], answer["variable"]) == (["serve"], [0, 0], "hello")
    assert (answer["model"], answer["writes_model"], answer["writes_root"]) == (["MLmodel"], "OSError", "None")
    assert answer["limit"] == str(512 << 20)
    assert container.exit_code() == 7


def test_serverless_like_container_has_another_user_and_a_read_only_root(runner: DockerRunner, image: str) -> None:
    with running(runner, image, user="1000:1000", read_only=True, cpus=0.5) as (container, _):
        answer = ask(container)
    assert (answer["user"], answer["writes_root"], answer["writes_tmp"]) == ([1000, 1000], "OSError", "None")


def test_isolated_container_is_reached_and_reaches_nobody(runner: DockerRunner, image: str) -> None:
    with running(runner, image) as (free, _):
        assert ask(free)["reaches"] == "ConnectionRefusedError"
    with running(runner, image, network=False) as (container, _):
        assert not container.address.startswith("127.0.0.1:")
        assert ask(container)["reaches"] == "OSError"  # Network is unreachable: there is no way out


def test_end_of_a_container_is_told_with_its_code_and_last_words(runner: DockerRunner, image: str) -> None:
    with running(runner, image, environment={"GREETING": "fail"}) as (container, lines):
        wait_for(lambda: container.exit_code() == 1)
        wait_for(lambda: lines == ["no model"])


def test_stop_may_be_repeated_and_a_removed_container_counts_as_killed(
    runner: DockerRunner, image: str, engine: docker.DockerClient
) -> None:
    with running(runner, image) as (container, _):
        engine.containers.list(filters={"label": f"{LABEL}=runner-test"})[0].remove(force=True)
        assert container.exit_code() == 137
        container.stop(1)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("team/scorer:v9", "imageTag:'v9'} does not exist"),
        ("team/none:v1", "The repository with name 'team/none' does not exist"),
    ],
)
def test_image_that_cannot_be_had_is_told(runner: DockerRunner, cloud: CloudBench, name: str, reason: str) -> None:
    with pytest.raises(ImagePullError, match=reason):
        runner.start(ContainerSpec(image=f"{cloud.address}/{name}", log=lambda _: None))


def test_registry_that_nobody_runs_is_told(runner: DockerRunner) -> None:
    for failing in (runner.resolve_digest, lambda image: runner.start(ContainerSpec(image=image, log=lambda _: None))):
        with pytest.raises(ImagePullError, match=r"could not (look up|pull) 127\.0\.0\.1:1/wine"):
            failing(f"127.0.0.1:1/wine@sha256:{'0' * 64}")


def test_container_that_cannot_be_started_leaves_nothing(runner: DockerRunner, image: str) -> None:
    with pytest.raises(ContainerError, match="could not start a container"):
        runner.start(ContainerSpec(image=image, log=lambda _: None, memory_mb=1))


def test_nobody_pulls_without_a_token(image: str, engine: docker.DockerClient) -> None:
    for credentials in ({"username": "AWS", "password": "guessed"}, {"username": "", "password": ""}):
        with pytest.raises(APIError, match=r"no basic auth credentials|[Uu]nauthorized|Not Authorized"):
            engine.images.pull(image.partition("@")[0], tag="v1", auth_config=credentials)


def test_endpoint_serves_from_a_real_container_and_leaves_nothing(
    engine: docker.DockerClient, image: str, cloud: CloudBench
) -> None:
    cloud.deploy(image, "scorer")
    answer = cloud.invoke(name="scorer")
    assert answer["Body"]["arguments"] == ["serve"]
    cloud.client("sagemaker").delete_endpoint(EndpointName="scorer")
    mine = {"label": f"{LABEL}={cloud.cloud.settings.sandbox_id}"}
    wait_for(lambda: engine.containers.list(all=True, filters={**mine}, ignore_removed=True) == [], seconds=30)


def test_what_a_killed_sandbox_has_left_in_the_engine_is_removed(
    engine: docker.DockerClient, cloud: CloudBench, image: str, tmp_path: Path
) -> None:
    login = cloud.login()
    lost = DockerRunner(
        engine,
        cloud.cloud.repositories,
        address=cloud.address,
        sandbox_id="killed",
        login=lambda: (login["username"], login["password"]),
    )
    lost.start(ContainerSpec(image=image, log=lambda _: None, network=False))
    clean_up(tmp_path / "gone", "killed", cloud.address, has_engine=True)
    assert engine.containers.list(all=True, filters={"label": f"{LABEL}=killed"}, ignore_removed=True) == []
    assert engine.networks.list(filters={"label": f"{LABEL}=killed"}) == []
    assert list_pulled(engine, cloud.address) == []


def test_image_that_somebodys_own_container_runs_loses_its_name_and_nothing_else(
    engine: docker.DockerClient, cloud: CloudBench, image: str
) -> None:
    pulled = str(engine.images.pull(image, auth_config=cloud.login()).id)
    own = engine.containers.run(pulled, ["serve"], detach=True)
    try:
        remove_leftovers(engine, "nobody", cloud.address, patience_seconds=0)
        own.reload()
        assert own.status == "running"
        assert engine.images.get(pulled).attrs["RepoDigests"] == []
    finally:
        own.remove(force=True)
        engine.images.remove(pulled, force=True)
