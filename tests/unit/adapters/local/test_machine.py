"""What the machine can do: ports, runtimes, Pythons, engines; and what it says when it cannot."""

from __future__ import annotations

import socket
import stat
import sys
from pathlib import Path

import docker
import pytest
import requests
from docker.errors import APIError, DockerException

from dockyard.adapters.local.engine import engine_answers, open_engine, translated_engine
from dockyard.adapters.local.machine import Machine
from dockyard.adapters.local.ports import find_any_port, find_free_port, is_port_free, take_port
from dockyard.adapters.local.pythons import Pythons
from dockyard.domain.deployment import Runtime
from dockyard.domain.errors import DockyardError, UnavailableError, UsageError

HOST = "127.0.0.1"
OURS = f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_port_that_somebody_listens_on_is_not_free_and_is_named() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        assert not is_port_free(HOST, port)
        assert not Machine(listen_on=HOST).is_port_free(port)
        with pytest.raises(UsageError, match=f"listens on port {port} of 127.0.0.1") as refused:
            take_port(HOST, port)
    assert refused.value.code == "port-in-use"
    assert is_port_free(HOST, port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match="ports go from 1 to 65535"):
        take_port(HOST, port)


def test_address_of_another_machine_is_refused() -> None:
    with pytest.raises(UsageError, match=r"port 80 of 192\.0\.2\.1 cannot be used") as refused:
        take_port("192.0.2.1", 80)
    assert refused.value.code == "port-in-use"


def test_taken_port_lets_connections_wait() -> None:
    with take_port(HOST, 0) as taken, socket.create_connection(taken.getsockname(), timeout=5) as waiting:
        assert waiting.getpeername() == taken.getsockname()


def test_free_port_is_neither_used_nor_reserved() -> None:
    first = find_free_port(HOST)
    assert first is not None
    with socket.create_server((HOST, first)):
        second = find_free_port(HOST)
        assert second is not None
        assert second > first
        third = find_free_port(HOST, {second})
    assert third is not None
    assert third > second
    assert find_free_port(HOST, range(65536)) is None
    assert is_port_free(HOST, find_any_port(HOST))


@pytest.mark.parametrize(
    ("wanted", "has_engine", "chosen"),
    [
        (Runtime.AUTO, True, Runtime.DOCKER),
        (Runtime.AUTO, False, Runtime.PROCESS),
        (Runtime.DOCKER, True, Runtime.DOCKER),
        (Runtime.PROCESS, True, Runtime.PROCESS),
        (Runtime.PROCESS, False, Runtime.PROCESS),
    ],
)
def test_runtime_is_docker_where_an_engine_answers(wanted: Runtime, has_engine: bool, chosen: Runtime) -> None:
    assert Machine(listen_on=HOST, has_engine=lambda: has_engine).choose_runtime(wanted) is chosen


def test_docker_without_engine_is_refused() -> None:
    with pytest.raises(UnavailableError) as refused:
        Machine(listen_on=HOST, has_engine=lambda: False).choose_runtime(Runtime.DOCKER)
    assert refused.value.code == "docker-unavailable"


def test_no_engine_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    assert not engine_answers()
    with pytest.raises(UnavailableError) as missing:
        open_engine()
    assert missing.value.code == "docker-unavailable"


def test_engine_that_is_silent_is_given_up_after_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as silent:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://{HOST}:{silent.getsockname()[1]}")
        assert not engine_answers()


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (APIError("conflict", explanation="name in use"), "docker-failed"),
        (docker.errors.ImageNotFound("no such image"), "docker-failed"),
        (docker.errors.ImageLoadError("no tag"), "docker-unavailable"),
        (DockerException("gone"), "docker-unavailable"),
        (requests.exceptions.ConnectionError("gone"), "docker-unavailable"),
        (requests.exceptions.ReadTimeout("slow"), "docker-unavailable"),
    ],
)
def test_every_error_of_the_engines_package_is_translated(raised: Exception, code: str) -> None:
    with pytest.raises(DockyardError) as told, translated_engine("do it"):
        raise raised
    assert told.value.code == code
    assert "do it" in told.value.message
    assert told.value.__cause__ is raised


def test_our_own_version_is_found_without_a_path() -> None:
    found = Pythons({"PATH": ""}).find(OURS)
    assert Path(found).exists()
    assert "venv" not in Path(found).parts


def make_python(folder: Path, minor: str, says: str) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / f"python{minor}"
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_python_on_path_counts_if_it_is_what_its_name_says(tmp_path: Path) -> None:
    make_python(tmp_path / "a", "3.99", "exit 1")
    make_python(tmp_path / "b", "3.99", f"echo 3.98; echo {sys.executable}")
    make_python(tmp_path / "c", "3.99", "echo 3.99; echo /nowhere/python")
    make_python(tmp_path / "d", "3.99", f"echo 3.99; echo {sys.executable}")
    path = ":".join(str(tmp_path / name) for name in "abcd")
    assert Pythons({"PATH": path}).find("3.99") == sys.executable


def test_no_python_of_that_version_is_told_with_a_way_out() -> None:
    with pytest.raises(UnavailableError, match=r"no Python 3\.98") as missing:
        Pythons({"PATH": "/nowhere"}).find("3.98")
    assert missing.value.code == "no-matching-python"
    assert "uv python install 3.98" in (missing.value.hint or "")
