"""Bad input: a code and a hint, exit code 2, and nothing contacted or changed."""

from __future__ import annotations

import hashlib
import shutil
import socket
from pathlib import Path

import pytest

from dockyard_image import ImageStore
from dockyard_image.push import push
from dockyard_image.testing import FakeRegistry, Fault
from support.deployments import Ended, Place, Stage
from support.images import make_base, open_registries
from support.raw_server import answer, run_raw_server
from support.told_models import FOLDERS, SOUND, WITHOUT_PYFUNC

pytestmark = pytest.mark.process


@pytest.fixture
def visited(stage: Stage, shared_place: Place, tmp_path: Path) -> Place:
    """A folder of this test's own, and a home that tests share, for it is changed by none of them."""
    return stage.visit_home(shared_place.home, tmp_path / "visit")


def list_state(place: Place) -> dict[str, str]:
    """Every file of home, store and records with its digest, but for what is only looked up."""
    files = [path for path in place.home.rglob("*") if "unpacked" not in path.parts] + list(place.folder.glob("mlflow.db"))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}


def assert_refused(ended: Ended, code: str) -> None:
    """It ended as bad input does."""
    ended.expect(2)
    assert ended.error["code"] == code
    assert ended.error["hint"]
    assert ended.envelope["status"] == "failed"


def make_folder(place: Place, name: str) -> Path:
    """A copy of a sound model's folder."""
    return Path(shutil.copytree(place.cache.parent / FOLDERS[0], place.folder / name))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("-m", "models:/"), "model-ref-invalid"),
        (("-m", "told", "--name", "Not A Name!"), "name-invalid"),
        (("-m", "told", "--env", "nowhere"), "environment-unknown"),
        (("-m", "./nothing-here"), "model-not-found"),
        (("-m", "./no-mlmodel"), "model-invalid"),
        (("-m", "./unreadable"), "model-invalid"),
        (("-m", "./without-pyfunc"), "model-without-pyfunc"),
        (("-m", "told", "-e", "9=x"), "usage"),
        (("-m", "told", "--port", "99999"), "usage"),
        (("-m", "told", "--config", "none.yaml"), "config-not-found"),
    ],
)
def test_bad_argument_is_refused_before_anything_is_contacted(visited: Place, arguments: tuple[str, ...], code: str) -> None:
    (make_folder(visited, "no-mlmodel") / "MLmodel").unlink()
    (make_folder(visited, "unreadable") / "MLmodel").write_text("flavors: [unclosed\n")
    without = make_folder(visited, "without-pyfunc") / "MLmodel"
    without.write_text(without.read_text().replace("python_function:", "something_else:"))
    before = list_state(visited)
    with run_raw_server(answer("{}")) as witness:
        visited.extra["MLFLOW_TRACKING_URI"] = f"http://{witness.address}"
        assert_refused(visited.run("deploy", "local", "--json", *arguments), code)
    assert witness.requests == []
    assert list_state(visited) == before


def test_unknown_key_is_refused_with_the_nearest_one_before_anything_is_contacted(visited: Place) -> None:
    visited.configure("environments: {local: {runtme: process}}\n")
    before = list_state(visited)
    with run_raw_server(answer("{}")) as witness:
        visited.extra["MLFLOW_TRACKING_URI"] = f"http://{witness.address}"
        ended = visited.deploy()
    assert_refused(ended, "config-invalid")
    assert "runtime" in ended.out
    assert witness.requests == []
    assert list_state(visited) == before


def test_port_of_another_program_is_refused_before_anything_is_contacted(visited: Place) -> None:
    before = list_state(visited)
    with socket.create_server(("127.0.0.1", 0)) as taken, run_raw_server(answer("{}")) as witness:
        visited.extra["MLFLOW_TRACKING_URI"] = f"http://{witness.address}"
        assert_refused(visited.deploy("--port", str(taken.getsockname()[1])), "port-in-use")
    assert witness.requests == []
    assert list_state(visited) == before


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("nobody-knows-it", "model-not-found"),
        (f"models:/{SOUND}/99", "model-not-found"),
        (f"models:/{SOUND}@nowhere", "alias-not-found"),
        ("runs:/0123456789abcdef0123456789abcdef/model", "model-not-found"),
        (WITHOUT_PYFUNC, "model-without-pyfunc"),
    ],
)
def test_model_that_cannot_be_served_is_refused_and_nothing_is_changed(visited: Place, model: str, code: str) -> None:
    before = list_state(visited)
    assert_refused(visited.deploy(model=model), code)
    assert list_state(visited) == before


class Pushing:
    """A place whose images stand on a base from one registry and go to another that wants to know who is there."""

    password = "correct-horse-battery"

    def __init__(self, place: Place, base: FakeRegistry, wanted: FakeRegistry) -> None:
        self.place = place
        self.target = wanted
        store = ImageStore(place.folder / "base")
        push(store, make_base(store), f"{base.host}/python:3.11", open_registries(place.folder))
        self.configure(f"{base.host}/python:{{python}}", wanted.host)

    def configure(self, base: str, host: str) -> None:
        """Write a configuration that pushes to `host`."""
        credentials = f'[{{host: "{host}", username: pusher, password: {{env: PUSH_PASSWORD}}}}]'
        self.place.configure(f'image: {{base: "{base}", repository: "{host}/team/told", credentials: {credentials}}}\n')

    def push(self, password: str | None) -> Ended:
        """Build and push, with this password in the environment."""
        if password is not None:
            self.place.extra["PUSH_PASSWORD"] = password
        return self.place.run("build", "-m", f"models:/{SOUND}/1", "--push", "--json")

    def assert_unwritten(self, ended: Ended, password: str) -> None:
        """The password is in no output and no file."""
        assert password not in ended.out + ended.err
        for path in (*self.place.home.rglob("*"), *self.place.folder.rglob("*")):
            if path.is_file() and "unpacked" not in path.parts:
                assert password.encode() not in path.read_bytes(), path


def test_push_is_refused_for_wrong_credentials_which_stay_unprinted(place: Place) -> None:
    with FakeRegistry() as base, FakeRegistry(auth="basic", login=("pusher", Pushing.password)) as wanted:
        pushing = Pushing(place, base, wanted)
        assert_refused(pushing.push(None), "secret-unavailable")
        assert wanted.requests == []

        wrong = pushing.push("wrong-staple-horse")
        assert_refused(wrong, "credentials-refused")
        pushing.assert_unwritten(wrong, "wrong-staple-horse")
        assert wanted.contents.manifests == {}

        wanted.fail(Fault(method="POST", path="/blobs/uploads/", status=403, times=100))
        assert_refused(pushing.push(Pushing.password), "registry-refused")
        wanted.faults.clear()

        right = pushing.push(Pushing.password).expect(0)
        pushing.assert_unwritten(right, Pushing.password)
        assert right.envelope["status"] == "pushed"
        assert right.result["image"].startswith(f"{wanted.host}/team/told@sha256:")
        assert right.result["image"].partition("@")[2] in wanted.contents.manifests["team/told"]
    unreachable = pushing.push(Pushing.password).expect(1)
    assert unreachable.error["code"] == "registry-unreachable"
    assert unreachable.error["hint"]
