"""The ASGI application: which request gets which answer.

Owns routes, limits, the log line and the metrics of every request. Must not know how the model computes, nor when the
process starts and ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from dockyard_scorer import metrics as exposition
from dockyard_scorer.errors import ScorerError
from dockyard_scorer.health import Health, Phase
from dockyard_scorer.http import (
    Receive,
    Request,
    Response,
    Scope,
    Send,
    error_response,
    json_response,
    read_body,
    read_request,
    send_response,
)
from dockyard_scorer.identity import Identity
from dockyard_scorer.logs import EventLog
from dockyard_scorer.metrics import Metrics
from dockyard_scorer.predictions import PredictionPool
from dockyard_scorer.settings import Settings
from dockyard_scorer.traces import describe_exception

_INVOCATIONS = "/invocations"
_DRAINING = "draining"
_STUCK = "predictions-stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the application is made of."""

    settings: Settings
    health: Health
    identity: Identity
    log: EventLog
    metrics: Metrics
    pool: PredictionPool


class ScorerApp:
    """The scorer as an ASGI 3 application."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._health = parts.health
        self._gets: dict[str, Callable[[], Response]] = {
            "/health": self._tell_alive,
            "/ready": partial(self._tell_ready, ok_while_draining=False),
            "/ping": partial(self._tell_ready, ok_while_draining=True),
            "/version": lambda: json_response(200, parts.identity.describe()),
            "/metrics": self._tell_metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        request = read_request(scope)
        counter = _Counted(receive)
        if request.path == _INVOCATIONS and request.method == "POST":
            response = await self._while_counted(partial(self._invoke, request, counter))
        else:
            response = self._look_up(request)
        await self._send(request, response, receive, send)
        self._note(request, response, seconds=time.perf_counter() - began, received=counter.received)

    async def _while_counted(self, invoke: Callable[[], Awaitable[Response]]) -> Response:
        self._health.begin_request()
        try:
            return await invoke()
        except ScorerError as error:
            return error_response(error)
        except Exception as error:  # noqa: BLE001  a fault of ours must not reach uvicorn, which logs exceptions' words
            fault = ScorerError("internal-error", "The scorer failed.", where=describe_exception(error))
            return error_response(fault)
        except asyncio.CancelledError:
            self._health.cut_off += 1
            raise
        finally:
            self._health.end_request()

    async def _invoke(self, request: Request, receive: Receive) -> Response:
        settings, model = self._parts.settings, self._health.model
        if model is None:
            raise ScorerError("not-ready", f"The model is not ready: {self._health.phase.code}.")
        if self._health.in_flight > settings.max_requests:
            raise ScorerError("overloaded", f"More than {settings.max_requests} requests are under way.")
        try:
            body = await asyncio.wait_for(
                read_body(request, receive, settings.max_body_bytes), settings.request_timeout_seconds
            )
        except asyncio.TimeoutError as error:
            raise ScorerError("body-timeout", "The body took too long to arrive.") from error
        content_type = request.headers.get("content-type", "")
        answer = await self._parts.pool.run(partial(model.answer, body, content_type))
        return Response(status=200, body=answer.encode())

    def _look_up(self, request: Request) -> Response:
        tell = self._gets.get(request.path)
        if tell is not None and request.method in {"GET", "HEAD"}:
            return tell()
        if tell is None and request.path != _INVOCATIONS:
            return error_response(ScorerError("not-found", "There is nothing at this path."))
        allowed = "GET, HEAD" if tell is not None else "POST"
        refusal = error_response(ScorerError("method-not-allowed", f"This path takes {allowed}."))
        return replace(refusal, headers={"allow": allowed})

    def _tell_alive(self) -> Response:
        return json_response(200, {"status": "alive"})

    def _tell_ready(self, *, ok_while_draining: bool) -> Response:
        reason = self._find_reason(ok_while_draining=ok_while_draining)
        if reason is None:
            return json_response(200, {"status": "ready"})
        return json_response(503, {"error_code": reason, "message": f"Not ready: {reason}."})

    def _find_reason(self, *, ok_while_draining: bool) -> str | None:
        if self._health.phase is not Phase.READY:
            return self._health.phase.code
        if self._health.is_draining and not ok_while_draining:
            return _DRAINING
        return _STUCK if self._parts.pool.is_stuck else None

    def _tell_metrics(self) -> Response:
        metrics = self._parts.metrics
        metrics.in_flight.set(self._health.in_flight)
        metrics.overdue.set(self._parts.pool.overdue)
        metrics.ready.set(self._find_reason(ok_while_draining=False) is None)
        return Response(status=200, body=metrics.render(), content_type=exposition.CONTENT_TYPE)

    async def _send(self, request: Request, response: Response, receive: Receive, send: Send) -> None:
        body_is_unread = response.code in {"body-too-large", "body-timeout", "overloaded", "not-ready"}
        headers = {**response.headers, "x-request-id": request.request_id}
        if self._health.is_draining or body_is_unread:
            headers["connection"] = "close"
        if response.status == 503:
            headers["retry-after"] = "1"
        await send_response(send, replace(response, headers=headers), linger=receive if body_is_unread else None)

    def _note(self, request: Request, response: Response, *, seconds: float, received: int) -> None:
        metrics = self._parts.metrics
        is_invocation = request.path == _INVOCATIONS
        route = request.path if is_invocation or request.path in self._gets else "other"
        metrics.count_request(route=route, status=response.status, seconds=seconds)
        if is_invocation and response.code:
            metrics.count_error(response.code)
        if route in self._gets:
            return  # probes and scrapes would drown the rest
        write = self._parts.log.error if response.status in {500, 504} else self._parts.log.info
        write(
            "request",
            request_id=request.request_id,
            route=route,
            status=response.status,
            duration_ms=round(seconds * 1000, 3),
            bytes_in=received,
            bytes_out=len(response.body),
            **({"code": response.code} if response.code else {}),
            **({"where": response.where} if response.where else {}),
        )


class _Counted:
    """Receives and counts the bytes of the body."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.received = 0

    async def __call__(self) -> Scope:
        message = await self._receive()
        self.received += len(message.get("body", b""))
        return message
