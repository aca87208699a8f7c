"""The command `serve`: the front behind uvicorn, and MLflow's application behind it once the database allows.

Owns how a process of the server is put together. Each worker is one, with a watch of its own.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable

import uvicorn

from dockyard_tracking.application import make_application
from dockyard_tracking.certificate import make_context
from dockyard_tracking.database import choose_supplier, install_supplier
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.front import Application, Front
from dockyard_tracking.logs import describe_logging
from dockyard_tracking.settings import Settings, read_settings
from dockyard_tracking.watch import Watch, make_look


def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM, then end what is under way."""
    uvicorn.run(
        "dockyard_tracking.server:make_front",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        timeout_graceful_shutdown=settings.grace_seconds,
        log_config=dict(describe_logging()),
        server_header=False,
        ssl_context_factory=make_tls if settings.tls else None,
    )


def make_tls(_config: object, _default: object) -> ssl.SSLContext:
    """The TLS context of one worker, by the settings of its environment."""
    folder = read_settings(os.environ).tls
    if folder is None:
        raise TrackingError("bad-setting", "DOCKYARD_TRACKING_TLS is not set.")
    return make_context(folder)


def make_front() -> Front:
    """The application of one worker, by the settings of its environment."""
    settings = read_settings(os.environ)
    install_supplier(choose_supplier(settings.database))
    return assemble(settings, make_application)


def assemble(settings: Settings, make: Callable[[Settings], Application]) -> Front:
    """A front with its watch; `make` is called once, when the schema is at its head."""
    made: list[Application] = []
    watch = Watch(make_look(settings), lambda: made.append(make(settings)))
    return Front(settings, watch, lambda: made[0] if made else None)
