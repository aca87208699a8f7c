"""Owns a deployment's forwarders as its host sees them: start, switch, close. Must not forward itself (forwarder.py does)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

from dockyard.adapters.files import delete_file
from dockyard.adapters.local.control import ask_forwarder
from dockyard.adapters.local.daemon import end_holder, find_holder
from dockyard.adapters.local.layout import DeploymentFolder
from dockyard.adapters.local.ports import take_port
from dockyard.adapters.local.programs import start_program
from dockyard.domain.errors import UnavailableError

_PROGRAM = "dockyard.adapters.local.forwarder"
_POLL_SECONDS = 0.02
_ANSWER_SECONDS = 10.0


class Gate:
    """The forwarders of one deployment. There is one, but for a moment while the port changes."""

    def __init__(self, folder: DeploymentFolder, host: str) -> None:
        """`host` is the address that ports are opened on."""
        self._folder = folder
        self._host = host

    def is_open(self, port: int) -> bool:
        """Whether a forwarder listens on the port."""
        return find_holder(self._folder.forwarder_pid_file(port)) is not None

    def take(self, port: int) -> socket.socket | None:
        """Take the port, so that from now on connections wait instead of being refused; None when we have it already.

        Raises UsageError `port-in-use`, and has changed nothing then.
        """
        return None if self.is_open(port) else take_port(self._host, port)

    def open(self, port: int, listener: socket.socket) -> None:
        """Start the forwarder of a port that was taken. Raises UnavailableError `forwarder-failed`."""
        with listener:
            descriptor = listener.fileno()
            stands = start_program(
                _PROGRAM,
                (str(self._folder.path), str(port), str(descriptor)),
                folder=self._folder.path,
                log=self._folder.forwarder_log,
                descriptors=(descriptor,),
            )
        if not stands:
            raise self._failed(port, "does not start")

    def settle(self, port: int, revision: int, timeout_seconds: float) -> None:
        """Wait until the revision has all the traffic of the deployment, or the time is up.

        What is still under way then to another revision is cut off when that one is stopped and its grace is over.
        Raises UnavailableError `forwarder-failed` when the port's forwarder does not answer.
        """
        deadline = time.monotonic() + timeout_seconds
        for each in (port, *self._others(port)):
            answer_by = time.monotonic() + _ANSWER_SECONDS
            while time.monotonic() < deadline:
                status = ask_forwarder(self._folder.forwarder_socket(each))
                if status is not None and status.is_settled(revision):
                    break
                if status is None and not self.is_open(each) and each != port:
                    break
                if status is None and time.monotonic() >= answer_by:
                    raise self._failed(each, "does not answer")
                time.sleep(_POLL_SECONDS)

    def close(self, *, but: int | None = None, grace_seconds: float) -> None:
        """Close every port but one: listen no more, let what is under way finish, end."""
        for port in self._others(but):
            end_holder(self._folder.forwarder_pid_file(port), grace_seconds=grace_seconds)
            self._folder.forwarder_socket(port).unlink(missing_ok=True)
            delete_file(self._folder.forwarder_pid_file(port))

    def list_open(self) -> tuple[int, ...]:
        """The ports that forwarders listen on."""
        return tuple(port for port in self._folder.list_forwarder_ports() if self.is_open(port))

    def _others(self, port: int | None) -> Iterator[int]:
        return (one for one in tuple(self._folder.list_forwarder_ports()) if one != port)

    def _failed(self, port: int, what: str) -> UnavailableError:
        log = self._folder.forwarder_log
        lines = log.read_text(errors="replace").splitlines()[-20:] if log.exists() else []
        return UnavailableError(
            "forwarder-failed",
            f"the forwarder of port {port} {what}",
            hint="try again; the lines above are what it says",
            details=tuple(lines),
        )
