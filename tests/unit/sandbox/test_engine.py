"""Only an engine on this machine is taken."""

from __future__ import annotations

import pytest

from dockyard_sandbox.engine import is_on_this_machine


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("", True),
        ("unix:///var/run/docker.sock", True),
        ("tcp://127.0.0.1:2375", True),
        ("tcp://localhost:2375", True),
        ("tcp://build.example.com:2376", False),
        ("ssh://me@build.example.com", False),
    ],
)
def test_engine_is_where_docker_host_says(host: str, is_here: bool) -> None:
    assert is_on_this_machine({"DOCKER_HOST": host}) is is_here
    assert is_on_this_machine({})
