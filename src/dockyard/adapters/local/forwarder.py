"""The program that owns a deployment's public port: `python -m dockyard.adapters.local.forwarder FOLDER PORT FD`.

It lives on when its starter ends, takes the listening socket over from it (descriptor FD), and passes requests on until
SIGTERM; then it closes the port, lets what is under way finish, and ends. It ends too when its folder is gone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from dockyard.adapters.local.control import start_control
from dockyard.adapters.local.daemon import detach, hold_pid_file, holds
from dockyard.adapters.local.forwarding import Forwarding
from dockyard.adapters.local.layout import DeploymentFolder
from dockyard.adapters.local.route import RouteReader
from dockyard_scorer.listener import take_no_more

_BACKLOG = 2048
_PATIENCE_SECONDS = 15.0
# Longer than clients keep idle connections, so that it is seldom we who close one that a request is just coming on.
_KEEP_ALIVE_SECONDS = 120
_LOOK_SECONDS = 2
_QUIET_SECONDS = 1.0


class LeavingServer(uvicorn.Server):
    """uvicorn, but SIGTERM begins a farewell instead of closing connections that a request may be coming on."""

    def __init__(self, config: uvicorn.Config, app: Forwarding, listener: socket.socket) -> None:
        super().__init__(config)
        self._app = app
        self._listener = listener

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  uvicorn's own signature
        """Take no new connections but those that wait already, and let every answer ask its client to close."""
        take_no_more(self._listener)
        self._app.is_leaving = True

    async def on_tick(self, counter: int) -> bool:
        """End when nobody is connected, or those who are have been silent for a while; uvicorn ends what is under way."""
        if self._app.is_leaving and (not self.server_state.connections or self._app.quiet_seconds >= _QUIET_SECONDS):
            self.should_exit = True
        return await super().on_tick(counter)


async def forward(listener: socket.socket, app: Forwarding, *, control: str, is_needed: Callable[[], bool]) -> None:
    """Serve until a signal comes or nobody needs it; `control` names the control socket in the working folder."""
    config = make_config(app)
    server = LeavingServer(config, app, listener)

    async def look() -> None:
        server.should_exit = server.should_exit or not is_needed()

    config.callback_notify = look
    async with await start_control(control, app.describe):
        await server.serve(sockets=[listener])


def make_config(app: Forwarding) -> uvicorn.Config:
    """How uvicorn serves the forwarder: no logs, no headers of its own, no limit on how long a drain takes."""
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_notify=_LOOK_SECONDS,
    )


def main(arguments: list[str]) -> int:
    """Become a daemon and forward."""
    folder, port, descriptor = DeploymentFolder(path=Path(arguments[0])), int(arguments[1]), int(arguments[2])
    say_ready = detach()
    # uvicorn takes the signal over while it serves, and raises it once more when it is done.
    told_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_end.set())
    pid_file = folder.forwarder_pid_file(port)
    held = hold_pid_file(pid_file)
    if held is None:
        return 1
    os.chdir(folder.path)
    app = Forwarding(RouteReader(folder.route), patience_seconds=_PATIENCE_SECONDS)

    def is_needed() -> bool:
        return holds(pid_file, held) and not told_to_end.is_set()

    with socket.socket(fileno=descriptor) as listener:
        listener.listen(_BACKLOG)
        say_ready()
        asyncio.run(forward(listener, app, control=folder.forwarder_socket(port).name, is_needed=is_needed))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
