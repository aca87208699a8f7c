"""Owns the history: one MLflow run per attempt in the experiment `dockyard`, written once however often it is tried.

The run's last change is its end. A run that has ended is complete; one that has not was left behind by a kill, and writing
it again adds what is missing: metrics and params are equal to those that are there, artifacts replace themselves.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.adapters.codec import encode
from dockyard.adapters.latency_plot import draw_latencies
from dockyard.adapters.mlflow_history_tags import (
    ATTEMPT_ID,
    RECORD,
    describe_metrics,
    describe_params,
    describe_tags,
    find_latencies,
    read_attempt,
    summarize,
)
from dockyard.adapters.mlflow_registry_resolve import quote
from dockyard.domain.attempt import Attempt, AttemptStatus, RegistryEntry
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.model import ModelDigest
from dockyard.domain.record import DeploymentRecord, decode_tag
from dockyard.planning.recording import redact_plan

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

EXPERIMENT = "dockyard"
_RUN_STATUS: Mapping[AttemptStatus, str] = {
    AttemptStatus.RUNNING: "RUNNING",
    AttemptStatus.SUCCEEDED: "FINISHED",
    AttemptStatus.PARTIAL: "FINISHED",
    AttemptStatus.FAILED: "FAILED",
    AttemptStatus.INTERRUPTED: "KILLED",
}


def write_run(client: MlflowClient, entry: RegistryEntry, *, artifact_location: str | None) -> str:
    """Write the run of an attempt and return its id; a run that is there already is left alone.

    `artifact_location` is where the experiment's files go if it has to be made; None leaves it to the server.
    """
    attempt = entry.attempt
    experiment_id = _require_experiment(client, artifact_location)
    run = _find_run(client, experiment_id, attempt.id) or client.create_run(
        experiment_id, start_time=_milliseconds(attempt.started), tags=dict(describe_tags(entry)), run_name=name_run(attempt)
    )
    run_id = str(run.info.run_id)
    if run.info.end_time is None:
        _fill_run(client, attempt, run_id)
        end = _milliseconds(attempt.finished or attempt.started)
        client.set_terminated(run_id, status=_RUN_STATUS[attempt.status], end_time=end)
    return run_id


def list_runs(client: MlflowClient, key: DeploymentKey, limit: int) -> tuple[Attempt, ...]:
    """The newest attempts of a deployment, newest first."""
    runs = _search(client, _of_deployment(key), limit)
    read = (read_attempt(run.data.tags, str(run.info.run_id)) for run in runs)
    return tuple(attempt for attempt in read if attempt is not None)


def find_record_of_run(client: MlflowClient, key: DeploymentKey, digest: ModelDigest) -> DeploymentRecord | None:
    """The newest record of a deployment of a model that is in no registry, from its history run."""
    conditions = f"{_of_deployment(key)} AND tags.`dockyard.model-digest` = {quote(digest)} AND tags.`{RECORD}` LIKE '{{%'"
    return next((decode_tag(run.data.tags[RECORD]) for run in _search(client, conditions, 1)), None)


def name_run(attempt: Attempt) -> str:
    """What the run is called on MLflow's pages."""
    revision = f" r{attempt.revision}" if attempt.revision is not None else ""
    return f"{attempt.key}{revision} {attempt.status.value}"


def _fill_run(client: MlflowClient, attempt: Attempt, run_id: str) -> None:
    from mlflow.entities import Metric, Param

    # One time for all, so that writing the same metrics again changes nothing.
    time = _milliseconds(attempt.finished or attempt.started)
    metrics = [Metric(one.key, one.value, time, one.step) for one in describe_metrics(attempt)]
    params = [Param(name, value) for name, value in describe_params(attempt).items()]
    client.log_batch(run_id, metrics=metrics, params=params)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in _describe_files(attempt).items():
            (Path(folder) / name).write_bytes(content)
        client.log_artifacts(run_id, folder)


def _describe_files(attempt: Attempt) -> Mapping[str, bytes]:
    """The run's artifacts. The model's environment may hold secrets, so its values stay behind."""
    plan = redact_plan(attempt.plan) if attempt.plan else None
    files = {"attempt.json": encode(dataclasses.replace(attempt, plan=plan))}
    if plan is not None:
        files["plan.json"] = encode(plan)
    if attempt.outcomes:
        files["outcomes.json"] = b"[\n" + b",".join(encode(one) for one in attempt.outcomes) + b"]\n"
    latencies = find_latencies(attempt.outcomes)
    if latencies:
        numbers = dict(summarize(latencies))
        title = f"Smoke test of {attempt.key}, revision {attempt.revision}"
        files["latency.png"] = draw_latencies(latencies, median=numbers["p50"], p95=numbers["p95"], title=title)
    return files


def _require_experiment(client: MlflowClient, artifact_location: str | None) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        try:
            return str(client.create_experiment(EXPERIMENT, artifact_location=artifact_location))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = client.get_experiment_by_name(EXPERIMENT)  # somebody else was faster
    if found.lifecycle_stage == "deleted":
        # Its name is taken until it is gone for good, so history would be lost from now on.
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _find_run(client: MlflowClient, experiment_id: str, attempt_id: str) -> Run | None:
    found = client.search_runs([experiment_id], f"tags.`{ATTEMPT_ID}` = {quote(attempt_id)}", max_results=1)
    return found[0] if found else None


def _search(client: MlflowClient, conditions: str, limit: int) -> list[Run]:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None or limit < 1:
        return []
    order = ["attributes.start_time DESC"]
    return list(client.search_runs([experiment.experiment_id], conditions, max_results=limit, order_by=order))


def _of_deployment(key: DeploymentKey) -> str:
    return (
        f"tags.`dockyard.environment` = {quote(key.environment)} AND tags.`dockyard.deployment` = {quote(key.name)}"
        f" AND tags.`dockyard.target` = {quote(key.target.value)}"
    )


def _milliseconds(time: str) -> int:
    return int(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000)
