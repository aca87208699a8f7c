"""Credentials are found where the Docker command line finds them, and never print."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from dockyard_image import Credentials, DockerConfig, Secret, open_docker_config
from support.images import encode

HELPER = """#!/bin/sh
read server
echo "$server" >> "$0.asked"
case "$server" in
  registry.example.com) echo '{"ServerURL":"x","Username":"anna","Secret":"from-helper"}' ;;
  token.example.com) echo '{"ServerURL":"x","Username":"<token>","Secret":"identity"}' ;;
  https://index.docker.io/v1/) echo '{"ServerURL":"x","Username":"hub","Secret":"hub-secret"}' ;;
  odd.example.com) echo 'no JSON' ;;
  *) echo "credentials not found in native keychain"; exit 1 ;;
esac
"""


def pair(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    helper = tmp_path / "bin" / "docker-credential-test"
    helper.parent.mkdir()
    helper.write_text(HELPER)
    helper.chmod(0o755)
    return tmp_path


def find(folder: Path, document: object, host: str) -> list[tuple[str, str, bool]]:
    (folder / "config.json").write_bytes(encode(document))
    environ = {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    found = DockerConfig(folder, environ).find(host)
    return [(one.user, one.secret.reveal(), one.is_identity_token) for one in found]


@pytest.mark.parametrize(
    "key",
    ["registry.example.com", "https://registry.example.com", "https://registry.example.com/v1/", "registry.example.com/v2/"],
)
def test_login_in_the_file_is_found_under_every_form_of_the_host(folder: Path, key: str) -> None:
    document = {"auths": {"other.example.com": {"auth": pair("x", "y")}, key: {"auth": pair("anna", "s:cret")}}}
    assert find(folder, document, "registry.example.com") == [("anna", "s:cret", False)]


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io"])
def test_docker_hub_goes_by_several_names(folder: Path, key: str) -> None:
    assert find(folder, {"auths": {key: {"auth": pair("h", "p")}}}, "docker.io") == [("h", "p", False)]


def test_user_and_password_may_stand_apart(folder: Path) -> None:
    document = {"auths": {"r:5000": {"username": "anna", "password": "pw"}}}
    assert find(folder, document, "r:5000") == [("anna", "pw", False)]
    assert find(folder, document, "r:5001") == []


def test_identity_token_is_told_from_a_password(folder: Path) -> None:
    document = {"auths": {"r.example": {"auth": pair("00000000", ""), "identitytoken": "abc"}}}
    assert find(folder, document, "r.example") == [("<token>", "abc", True)]


def test_helper_of_the_host_comes_before_the_general_one_and_the_file(folder: Path) -> None:
    document = {
        "credHelpers": {"registry.example.com": "test"},
        "credsStore": "absent",
        "auths": {"registry.example.com": {"auth": pair("file", "pw")}},
    }
    expected = [("anna", "from-helper", False), ("file", "pw", False)]
    assert find(folder, document, "registry.example.com") == expected


def test_general_helper_is_asked_for_every_host(folder: Path) -> None:
    assert find(folder, {"credsStore": "test"}, "token.example.com") == [("<token>", "identity", True)]
    assert find(folder, {"credsStore": "test"}, "docker.io") == [("hub", "hub-secret", False)]
    asked = (folder / "bin" / "docker-credential-test.asked").read_text().split()
    assert asked == ["token.example.com", "https://index.docker.io/v1/"]


@pytest.mark.parametrize("host", ["unknown.example.com", "odd.example.com"])
@pytest.mark.parametrize("helper", ["test", "not-installed"])
def test_helper_that_knows_nothing_leaves_the_file(folder: Path, host: str, helper: str) -> None:
    document = {"credsStore": helper, "auths": {host: {"auth": pair("file", "pw")}}}
    assert find(folder, document, host) == [("file", "pw", False)]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"auths": []},
        {"auths": {"r": 1}},
        {"auths": {"r": {}}},
        {"auths": {"r": {"auth": "!!"}}},
        {"auths": {"r": {"auth": "YQ=="}}},
    ],
)
def test_configuration_that_says_nothing_gives_nobody(folder: Path, document: object) -> None:
    assert find(folder, document, "r") == []


def test_absent_and_unreadable_configurations_give_nobody(tmp_path: Path) -> None:
    assert list(DockerConfig(tmp_path / "none", {}).find("r")) == []
    (tmp_path / "config.json").write_bytes(b"{")
    assert list(DockerConfig(tmp_path, {}).find("r")) == []


def test_folder_is_the_one_docker_would_use(tmp_path: Path) -> None:
    for place in (tmp_path / ".docker", tmp_path / "named"):
        place.mkdir()
        place.joinpath("config.json").write_text(json.dumps({"auths": {"r": {"auth": pair(place.name, "pw")}}}))
    assert [one.user for one in open_docker_config({}, tmp_path).find("r")] == [".docker"]
    assert [one.user for one in open_docker_config({"DOCKER_CONFIG": str(tmp_path / "named")}, tmp_path).find("r")] == ["named"]


def test_secret_does_not_print() -> None:
    credentials = Credentials(user="anna", secret=Secret("hunter2"))
    for text in (repr(credentials), str(credentials.secret), f"{credentials.secret}", "%s" % credentials.secret):  # noqa: UP031
        assert "hunter2" not in text
        assert "***" in text
    assert credentials.secret == Secret("hunter2")
    assert credentials.secret != Secret("other")
    assert len({Secret("a"), Secret("a")}) == 1
