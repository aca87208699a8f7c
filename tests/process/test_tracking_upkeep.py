"""Upkeep of a store with proxied artifacts: deleted runs go with their files, old traces move, nothing else is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.entities import TraceInfo, TraceLocation, TraceState
from mlflow.entities.span import Span
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

from dockyard_tracking.upkeep import ARCHIVE

pytestmark = pytest.mark.process


def run_upkeep(command: str, store: str, artifacts: Path) -> str:
    variables = {
        "DATABASE_DIALECT": "sqlite",
        "DATABASE_NAME": store.removeprefix("sqlite:///"),
        "ARTIFACTS": artifacts.as_uri(),
        "GC_OLDER_THAN": "1s",
        "ARCHIVE_AFTER": "1m",
    }
    environment = dict(os.environ) | {f"DOCKYARD_TRACKING_{name}": value for name, value in variables.items()}
    ended = subprocess.run(
        [sys.executable, "-m", "dockyard_tracking", command], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def test_deleted_run_goes_with_its_files_and_old_trace_with_its_spans(sqlite_store: str, tmp_path: Path) -> None:
    store = SqlAlchemyStore(sqlite_store, "mlflow-artifacts:/")
    experiment = store.create_experiment(f"upkeep of {tmp_path}")
    deleted, kept = (store.create_run(experiment, "ann", 0, [], name).info for name in ("deleted", "kept"))
    files = [tmp_path / str(info.artifact_uri).removeprefix("mlflow-artifacts:/") / "w" for info in (deleted, kept)]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_text("weights")
    store.delete_run(deleted.run_id)
    trace = f"tr-{kept.run_id}"
    place = TraceLocation.from_experiment_id(experiment)
    store.start_trace(TraceInfo(trace_id=trace, trace_location=place, request_time=1000, state=TraceState.OK))
    store.log_spans(experiment, [make_span(trace)])

    archived = run_upkeep("archive-traces", sqlite_store, tmp_path)
    collected = run_upkeep("gc", sqlite_store, tmp_path)

    assert f"Run with ID {deleted.run_id} has been permanently deleted" in collected
    assert kept.run_id not in collected
    assert [file.exists() for file in files] == [False, True]
    assert '"1 traces were moved' in archived
    (spans,) = [file for file in (tmp_path / ARCHIVE).rglob("*") if file.is_file()]
    assert trace in str(spans)
    assert [span.name for span in store.get_trace(trace).data.spans] == ["root"]


def make_span(trace: str) -> Span:
    """A finished root span of long ago."""
    context = SpanContext(trace_id=1, span_id=2, is_remote=False, trace_flags=TraceFlags(1))
    attributes = {"mlflow.traceRequestId": f'"{trace}"', "mlflow.spanType": '"LLM"'}
    return Span(ReadableSpan(name="root", context=context, start_time=1000, end_time=2000, attributes=attributes))
