"""The commands `gc` and `archive-traces`: what users deleted goes for good, and old traces go to the artifact store.

Owns how both run MLflow's own code beside the server, with its database and its artifacts. Decides nothing about what is
deleted: MLflow does, and only what has been in its trash for the time that is set.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import uvicorn

from dockyard_tracking.application import make_application, prepare_environment, render_url
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.front import Application
from dockyard_tracking.logs import describe_logging
from dockyard_tracking.settings import Settings

_LOG = logging.getLogger(__name__)
ARCHIVE = "archived-traces"
"""Folder of the artifact store where traces go."""


def collect_garbage(settings: Settings) -> None:
    """Delete what has been in MLflow's trash for long enough: runs, models and experiments, with their artifacts."""
    if not settings.gc_older_than:
        raise TrackingError("bad-setting", "DOCKYARD_TRACKING_GC_OLDER_THAN is not set.")
    # Runs have addresses such as mlflow-artifacts:/…, which only a server resolves. This one is the process's own, so that
    # neither passwords nor certificates nor the way to the team's server matter.
    with _serve_here(make_application(replace(settings, auth="none", static_prefix=""))) as address:
        from mlflow.cli import gc

        arguments = ["--backend-store-uri", render_url(settings), "--tracking-uri", address]
        gc.main([*arguments, "--older-than", settings.gc_older_than], standalone_mode=False)


def archive_traces(settings: Settings) -> int:
    """Move the spans of old traces out of the database into the artifact store. Returns how many traces were moved."""
    if not settings.archive_after:
        raise TrackingError("bad-setting", "DOCKYARD_TRACKING_ARCHIVE_AFTER is not set.")
    prepare_environment(replace(settings, auth="none"), os.environ, Path(tempfile.gettempdir()))
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(render_url(settings), "mlflow-artifacts:/")
    place = f"{settings.artifacts.rstrip('/')}/{ARCHIVE}"
    moved: int = store.archive_traces(resolved_trace_archival_location=place, broader_retention=settings.archive_after)
    _LOG.info("%d traces were moved to %s.", moved, place)
    return moved


@contextlib.contextmanager
def _serve_here(application: Application) -> Iterator[str]:
    """Serve on a loopback port of its own. Yields the address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_config=dict(describe_logging())))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="own server")
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.05)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
