"""The process that serves: port, model, signals, end.

Owns the order of things from the bound port to the exit code. Computes no answer.

* The port is bound first, so that /health answers while the model loads.
* A model that cannot be loaded or proved ends the process at once: supervisors and kubelets see it. Exit code 3 when it
  raised for its proof, 5 when it answered otherwise than at build time, else 1.
* SIGTERM drains: /ready says 503, every answer says `Connection: close`, the port stays open until requests stop
  coming, then it closes, connections without a request close a second later, and requests under way get the rest of
  the grace. Exit code 0; 1 when some had to be cut off.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TypeVar

import uvicorn

from dockyard_scorer.app import Parts, ScorerApp
from dockyard_scorer.errors import EXIT_UNUSABLE, ModelError
from dockyard_scorer.health import Health, Phase
from dockyard_scorer.identity import read_identity
from dockyard_scorer.listener import open_listener, take_no_more
from dockyard_scorer.logs import EventLog, LibraryLogHandler
from dockyard_scorer.metrics import Metrics
from dockyard_scorer.predictions import PredictionPool
from dockyard_scorer.settings import Settings
from dockyard_scorer.startup import Readied, ready_model
from dockyard_scorer.traces import describe_exception

_T = TypeVar("_T")
# Longer than the idle time of the load balancers in front, so that it is never us who closes a connection on which a
# request is just coming (AWS: 60 s; nginx: 60 s).
_KEEP_ALIVE_SECONDS = 75
_TICK_SECONDS = 0.1
_LAST_TICKS = 10


class DrainingServer(uvicorn.Server):
    """uvicorn, but a signal begins a drain instead of closing the port at once, and the process exits 0 after it."""

    def __init__(self, config: uvicorn.Config, begin_drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._begin_drain = begin_drain
        self._signals = 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  uvicorn's own signature
        """Begin to drain; a second Ctrl-C does not wait."""
        self._signals += 1
        if sig == signal.SIGINT and self._signals > 1:
            self.force_exit = self.should_exit = True
        self._begin_drain()


def serve(settings: Settings, *, log: EventLog, library_logs: LibraryLogHandler) -> int:
    """Serve until told to end. Returns the exit code."""
    try:
        listener = open_listener(settings.host, settings.port)
    except OSError as error:
        log.error("port-unusable", port=settings.port, reason=error.strerror or "unknown")
        return 1
    with listener:
        log.info("listening", host=settings.host, port=listener.getsockname()[1])
        code = Service(settings, log=log, library_logs=library_logs).run(listener)
    log.info("ended", code=code)
    return code


class Service:
    """One run of the server."""

    def __init__(self, settings: Settings, *, log: EventLog, library_logs: LibraryLogHandler) -> None:
        self._parts = _assemble(settings, log)
        self._library_logs = library_logs
        self._server = DrainingServer(_configure(ScorerApp(self._parts)), self.begin_drain)
        self._told_to_end = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failed_with = EXIT_UNUSABLE

    def run(self, listener: socket.socket) -> int:
        """Serve on `listener` until told to end. Returns the exit code."""
        return asyncio.run(self._run(listener))

    def begin_drain(self) -> None:
        """Tell the service to end. May be called from a signal handler or another thread."""
        self._parts.health.begin_drain()
        if self._loop is not None:
            _tell(self._loop, self._told_to_end.set)

    async def _run(self, listener: socket.socket) -> int:
        self._loop = asyncio.get_running_loop()
        tasks = (asyncio.create_task(self._ready()), asyncio.create_task(self._drain(listener)))
        await self._server.serve(sockets=[listener])
        for task in tasks:
            task.cancel()
        return self._find_exit_code()

    async def _ready(self) -> None:
        """Bring the model from nothing to ready, or the process to its end."""
        parts = self._parts
        try:
            readied = await _run_in_daemon(self._ready_model)
        except ModelError as error:
            parts.log.error(error.code, message=error.message, where=error.where or None)
            return self._give_up(error.exit_code)
        except Exception as error:  # noqa: BLE001  whatever it is, a service that will never be ready must end
            parts.log.error("internal-error", where=describe_exception(error))
            return self._give_up(EXIT_UNUSABLE)
        parts.metrics.load_seconds.set(readied.load_seconds)
        parts.metrics.proof_seconds.set(readied.proof_seconds)
        parts.health.open(readied.model)
        parts.log.info("ready")
        return None

    def _ready_model(self) -> Readied:
        """Runs in a thread of its own."""
        parts, loop = self._parts, self._loop

        def begin_proof() -> None:
            if loop is not None:
                _tell(loop, parts.health.begin_proof)

        return ready_model(parts.settings, log=parts.log, library_logs=self._library_logs, on_loaded=begin_proof)

    def _give_up(self, exit_code: int) -> None:
        self._failed_with = exit_code
        self._parts.health.fail()
        self._server.should_exit = True

    async def _drain(self, listener: socket.socket) -> None:
        """Once told to end: keep the port open while requests may come, then let uvicorn finish what is under way."""
        health, settings = self._parts.health, self._parts.settings
        if not health.is_draining:
            await self._told_to_end.wait()
        self._parts.log.info("draining", in_flight=health.in_flight)
        wanted = {"quiet": settings.quiet_seconds, "grace": settings.grace_seconds}
        while (wait := health.seconds_until_close(**wanted)) > 0:  # noqa: ASYNC110  time is what is awaited
            await asyncio.sleep(wait)
        await self._run_dry(listener)
        remaining = health.remaining_grace(settings.grace_seconds)
        self._server.config.timeout_graceful_shutdown = max(1, int(remaining))
        self._server.should_exit = True

    async def _run_dry(self, listener: socket.socket) -> None:
        """Accept what the kernel holds, and give new connections the time to bring their first request."""
        take_no_more(listener)
        for _ in range(_LAST_TICKS):
            await asyncio.sleep(_TICK_SECONDS)
            if not self._server.server_state.connections:
                break

    def _find_exit_code(self) -> int:
        self._parts.pool.close()
        health = self._parts.health
        if health.phase is Phase.FAILED:
            return self._failed_with
        if lost := health.in_flight + health.cut_off:
            self._parts.log.error("drain-incomplete", requests=lost)
            return 1
        return 0


def _assemble(settings: Settings, log: EventLog) -> Parts:
    identity = read_identity(settings.image_json, settings.revision)
    metrics = Metrics()
    metrics.set_model_info(identity.metric_labels())
    pool = PredictionPool(threads=settings.threads, timeout=settings.request_timeout_seconds)
    return Parts(settings=settings, health=Health(), identity=identity, log=log, metrics=metrics, pool=pool)


def _configure(app: ScorerApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )


async def _run_in_daemon(work: Callable[[], _T]) -> _T:
    """Run `work` in a thread that a process on its way out does not wait for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def settle(settle_it: Callable[[], None]) -> None:
        _tell(loop, lambda: None if done.done() else settle_it())

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  it is raised again where it is awaited
            failure = error
            settle(lambda: done.set_exception(failure))
        else:
            settle(lambda: done.set_result(result))

    threading.Thread(target=run, name="ready-model", daemon=True).start()
    return await done


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is over, and with it whatever the callback was for
        loop.call_soon_threadsafe(callback)


def exit_now(code: int) -> None:
    """End the process without waiting for threads that cannot be stopped: a stuck prediction, a model still loading."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
