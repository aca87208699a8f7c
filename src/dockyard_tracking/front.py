"""What stands before MLflow's application: probes, the gate, and where artifacts are fetched.

Owns `/health` (this process answers), `/ready` (the database does too), 503 for everything else until MLflow's application is
there, and that clients are not sent to a store which they cannot reach. Touches no database: `dockyard_tracking.watch` does.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from dockyard_tracking.settings import Settings
from dockyard_tracking.watch import Condition

_LOG = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
_DIRECT_PATHS = ("/api/2.0/mlflow-artifacts/presigned/", "/api/2.0/mlflow-artifacts/mpu/")
_ARTIFACT_PATHS = ("/api/2.0/mlflow-artifacts/artifacts", "/ajax-api/2.0/mlflow-artifacts/artifacts")
_INFO_PATHS = ("/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info")


class Watcher(Protocol):
    """What the front asks and runs."""

    @property
    def condition(self) -> Condition:
        """The newest answer."""

    def start(self) -> None:
        """Begin to ask."""

    def stop(self) -> None:
        """Ask no more."""


class Front:
    """An ASGI application around MLflow's, which `application` gives once it is there."""

    def __init__(self, settings: Settings, watch: Watcher, application: Callable[[], Application | None]) -> None:
        self._prefix = settings.static_prefix
        self._is_proxy = settings.artifact_access == "proxied"
        self._watch = watch
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or go through the server's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path = str(scope["path"]).removeprefix(self._prefix)
        if path == "/health":
            await _answer(send, 200, {"status": "ok"})
        elif path == "/ready":
            condition = self._watch.condition  # its message is for the log: it names the database
            await _answer(send, 200 if condition.is_ready else 503, {"status": condition.code})
        else:
            await self._pass_on(path, scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._watch.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                self._watch.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _pass_on(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        application = self._application()
        if application is None and scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1013})
        elif application is None:
            await _refuse(send, 503, "TEMPORARILY_UNAVAILABLE", f"Not ready: {self._watch.condition.code}.")
        elif self._is_proxy and path.startswith(_DIRECT_PATHS):
            await _refuse(send, 501, "NOT_IMPLEMENTED", "Artifacts go through this server.")
        elif self._is_proxy and path in _INFO_PATHS:
            await application(scope, receive, _ServerInfo(send))
        elif path.startswith(_ARTIFACT_PATHS):
            await _pass_artifact(application, scope, receive, send)
        else:
            await application(scope, receive, send)


class _ServerInfo:
    """Passes on MLflow's answer about itself, without the offer of direct ways to the store."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish()

    async def _finish(self) -> None:
        body = self._body
        if self._start["status"] == 200:
            said = json.loads(body)
            body = json.dumps(said | {"multipart_uploads_enabled": False, "multipart_downloads_enabled": False}).encode()
        headers = [(name, value) for name, value in self._start["headers"] if name.lower() != b"content-length"]
        await self._send({**self._start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


class _Held:
    """Keeps an answer of 500 back until it is known what it is about."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._kept: list[Message] = []
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if self._kept or message.get("status") == 500:
            self._kept.append(message)
        else:
            self.has_begun = True
            await self._send(message)

    async def release(self) -> None:
        for message in self._kept:
            await self._send(message)


async def _pass_artifact(application: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """Say so, in MLflow's form and so that its clients ask again, where the artifact store cannot be reached."""
    from botocore.exceptions import ConnectionError as NoConnectionError
    from botocore.exceptions import HTTPClientError

    held = _Held(send)
    try:
        await application(scope, receive, held)
    except (NoConnectionError, HTTPClientError) as error:
        if held.has_begun:
            raise
        _LOG.error("The artifact store does not answer: %s", error)
        await _refuse(send, 503, "TEMPORARILY_UNAVAILABLE", f"The artifact store does not answer: {error}")
    except BaseException:
        await held.release()
        raise
    else:
        await held.release()


async def _refuse(send: Send, status: int, code: str, message: str) -> None:
    # MLflow's own form of an error, which its clients read; 503 they ask again.
    await _answer(send, status, {"error_code": code, "message": message})


async def _answer(send: Send, status: int, content: dict[str, str]) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
