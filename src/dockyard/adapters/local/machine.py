"""Owns the LocalMachine port: what this machine can do."""

from __future__ import annotations

from collections.abc import Callable

from dockyard.adapters.local.engine import engine_answers
from dockyard.adapters.local.ports import is_port_free
from dockyard.domain.deployment import Runtime
from dockyard.domain.errors import UnavailableError


class Machine:
    """This machine."""

    def __init__(self, *, listen_on: str, has_engine: Callable[[], bool] = engine_answers) -> None:
        self._listen_on = listen_on
        self._has_engine = has_engine

    def choose_runtime(self, wanted: Runtime) -> Runtime:
        """DOCKER where an engine answers and PROCESS otherwise, for AUTO; else what is wanted. Raises `docker-unavailable`."""
        if wanted is Runtime.PROCESS or not self._has_engine():
            if wanted is Runtime.DOCKER:
                raise UnavailableError(
                    "docker-unavailable",
                    "no Docker engine answers",
                    hint="start one, set DOCKER_HOST, or use `--runtime process`",
                )
            return Runtime.PROCESS
        return Runtime.DOCKER

    def is_port_free(self, port: int) -> bool:
        """Whether the forwarder could listen on the port."""
        return is_port_free(self._listen_on, port)
