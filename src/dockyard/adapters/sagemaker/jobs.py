"""Owns batch transform jobs: starting, stopping, what they are, and what their containers have logged. Must not wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockyard.adapters.sagemaker import batch_requests, requests
from dockyard.adapters.sagemaker.endpoints import list_tags
from dockyard.adapters.sagemaker.errors import eventually, read_code, read_message, translated, unless_missing
from dockyard.adapters.sagemaker.session import Session
from dockyard.adapters.sagemaker.tags import read_owner
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError
from dockyard.domain.sagemaker_batch import JobStatus, SeenJob, TransformJob

_STREAMS = 10


class SageMakerJobs:
    """The jobs of an account and region."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def start_job(self, key: DeploymentKey, job: TransformJob) -> None:
        """Start a job; where it is there already and is the same, an answer was lost or somebody was faster."""
        from botocore.exceptions import ClientError

        client, params = self._session.client("sagemaker"), batch_requests.create_transform_job(key, job)
        with translated("sagemaker:CreateTransformJob"):
            try:
                eventually(lambda: client.create_transform_job(**params), _is_late)
            except ClientError as error:
                if read_code(error) != "ResourceInUse" and "already exist" not in read_message(error):
                    raise
                there = client.describe_transform_job(TransformJobName=job.name)
                owner = read_owner(list_tags(self._session, str(there["TransformJobArn"])))
                wanted = {name: value for name, value in params.items() if name != "Tags"}
                if owner is None or owner.key != key or requests.differs(wanted, there) is not None:
                    raise ConflictError(
                        "name-taken",
                        f"there is a transform job {job.name}, and it is another one",
                        hint="names of jobs are never free again; the same command with another `--name` makes other ones",
                    ) from error

    def find_job(self, name: str) -> SeenJob | None:
        """How a job is now."""
        client = self._session.client("sagemaker")
        found = unless_missing("sagemaker:DescribeTransformJob", lambda: client.describe_transform_job(TransformJobName=name))
        return _read_job(found) if found is not None else None

    def list_jobs(self, stem: str) -> tuple[SeenJob, ...]:
        """All jobs whose names have that in them."""
        with translated("sagemaker:ListTransformJobs"):
            pages = self._session.client("sagemaker").get_paginator("list_transform_jobs").paginate(NameContains=stem)
            return tuple(_read_job(one) for page in pages for one in page["TransformJobSummaries"])

    def list_models_in_use(self, stem: str) -> frozenset[str]:
        """The names of the models of those jobs that are not over."""
        client = self._session.client("sagemaker")
        names = [job.name for job in self.list_jobs(stem) if not job.status.is_over]
        with translated("sagemaker:DescribeTransformJob"):
            return frozenset(str(client.describe_transform_job(TransformJobName=name)["ModelName"]) for name in names)

    def stop_job(self, name: str) -> None:
        """Begin to stop a job; the service refuses that for one that is over."""
        from botocore.exceptions import ClientError

        job = self.find_job(name)
        if job is None or job.status.is_over:
            return
        with translated("sagemaker:StopTransformJob"):
            try:
                self._session.client("sagemaker").stop_transform_job(TransformJobName=name)
            except ClientError:
                job = self.find_job(name)
                if job is not None and not job.status.is_over:
                    raise

    def read_logs(self, name: str, *, tail: int) -> tuple[str, ...]:
        """The last lines of its containers; none where there are no logs or they may not be read."""
        from botocore.exceptions import BotoCoreError, ClientError

        client, group = self._session.client("logs"), batch_requests.LOG_GROUP
        lines: list[tuple[int, str]] = []
        try:
            found = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=name, limit=_STREAMS)
            for stream in found["logStreams"]:
                events = client.get_log_events(
                    logGroupName=group, logStreamName=stream["logStreamName"], limit=tail, startFromHead=False
                )
                lines += [(int(event["timestamp"]), str(event["message"]).rstrip("\n")) for event in events["events"]]
        except (BotoCoreError, ClientError):
            return ()
        return tuple(text for _, text in sorted(lines, key=lambda line: line[0])[-tail:])


def _is_late(error: Exception) -> bool:
    """Whether a model that was just made is not to be seen yet."""
    return read_message(error).startswith("Could not find model")


def _read_job(found: Mapping[str, Any]) -> SeenJob:
    return SeenJob(
        name=str(found["TransformJobName"]),
        status=JobStatus(found["TransformJobStatus"]),
        failure_reason=str(found.get("FailureReason", "")),
    )
