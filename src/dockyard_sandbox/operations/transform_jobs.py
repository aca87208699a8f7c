"""CreateTransformJob, DescribeTransformJob, StopTransformJob, ListTransformJobs.

Owns the states of a job. Must not read or write objects: `surroundings.Transforms` runs the job.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from dockyard_sandbox.endpoint_runs import Tools
from dockyard_sandbox.errors import ApiError, refuse_existing
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.launch import LaunchError, LaunchOrder
from dockyard_sandbox.models import find_model_container
from dockyard_sandbox.operations.call import ApiCall, Operations
from dockyard_sandbox.operations.listing import Listed, list_page
from dockyard_sandbox.runner import Container
from dockyard_sandbox.surroundings import TransformError, TransformOrder, Transforms
from dockyard_sandbox.workers import Workers
from dockyard_sandbox.world import Record, World

_DESCRIBED = (
    "ModelName",
    "MaxConcurrentTransforms",
    "ModelClientConfig",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "TransformInput",
    "TransformOutput",
    "DataCaptureConfig",
    "TransformResources",
    "DataProcessing",
    "ExperimentConfig",
)
_TIMES = ("TransformStartTime", "TransformEndTime")
_MAX_REASON = 1024


class TransformJobOperations:
    """The operations."""

    def __init__(self, tools: Tools, workers: Workers, transforms: Transforms) -> None:
        self._tools = tools
        self._workers = workers
        self._transforms = transforms

    def offer(self) -> Operations:
        """The operations by name."""
        return {
            "CreateTransformJob": self._create,
            "DescribeTransformJob": describe_job,
            "StopTransformJob": stop_job,
            "ListTransformJobs": list_jobs,
        }

    def _create(self, call: ApiCall) -> Mapping[str, object]:
        name = call.request.text("TransformJobName")
        if call.world.table("transform-job").holds(name):
            raise refuse_existing("transform job", call.world.place.name_resource("transform-job", name))
        call.world.table("model").require(call.request.text("ModelName"))
        record = call.world.table("transform-job").add(name, call.request, Fields({"Status": "InProgress"}))
        self._workers.run(f"transform {name}", lambda: self._run(call.world, record))
        return {"TransformJobArn": record.arn}

    def _run(self, world: World, record: Record) -> None:
        table = world.table("transform-job")
        self._tools.pace.sleep(self._tools.pace.durations.job)
        table.change(record.name, TransformStartTime=time.time())
        try:
            if not self._is_stopping(world, record.name):
                self._transforms.run(self._order(world, record))
        except TransformError as error:
            self._end(world, record, Status="Failed", FailureReason=error.reason[:_MAX_REASON])
            return
        self._end(world, record, Status="Stopped" if self._is_stopping(world, record.name) else "Completed")

    def _end(self, world: World, record: Record, **state: object) -> None:
        world.table("transform-job").change(record.name, TransformEndTime=time.time(), **state)
        self._tools.events.tell("transform-job", record.arn, str(state["Status"]))

    def _is_stopping(self, world: World, name: str) -> bool:
        record = world.table("transform-job").find(name)
        return self._tools.pace.is_closed or record is None or record.state.text("Status") == "Stopping"

    def _order(self, world: World, record: Record) -> TransformOrder:
        return TransformOrder(
            name=record.name,
            region=world.place.region,
            request=record.request,
            start_container=lambda: self._start_container(world, record),
            is_stopping=lambda: self._is_stopping(world, record.name),
        )

    def _start_container(self, world: World, record: Record) -> Container:
        request = record.request
        try:
            order = LaunchOrder(
                model=find_model_container(world, request.text("ModelName")).with_environment(request.text_map("Environment")),
                label=f"transform job {record.name}",
                region=world.place.region,
                log_group="/aws/sagemaker/TransformJobs",
                stream=record.name,
                count=1,
                definition=request.child("TransformResources"),
            )
            return self._tools.launcher.launch(order).replicas[0].container
        except LaunchError as error:
            raise TransformError(error.reason) from error


def describe_job(call: ApiCall) -> Mapping[str, object]:
    """DescribeTransformJob."""
    record = call.world.table("transform-job").require(call.request.text("TransformJobName"))
    return {
        "TransformJobName": record.name,
        "TransformJobArn": record.arn,
        "TransformJobStatus": record.state.text("Status"),
        "CreationTime": record.created,
        **record.state.only(*_TIMES, "FailureReason"),
        **record.request.only(*_DESCRIBED),
    }


def stop_job(call: ApiCall) -> Mapping[str, object]:
    """StopTransformJob. Raises ApiError for a job that has ended."""
    with call.world.lock:
        table = call.world.table("transform-job")
        record = table.require(call.request.text("TransformJobName"))
        status = record.state.text("Status")
        if status not in {"InProgress", "Stopping"}:
            raise ApiError("ValidationException", f"The request was rejected because the transform job is in status {status}.")
        table.change(record.name, Status="Stopping")
    return {}


def list_jobs(call: ApiCall) -> Mapping[str, object]:
    """ListTransformJobs."""
    items = (
        Listed(
            name=record.name,
            created=record.created,
            modified=record.modified,
            status=record.state.text("Status"),
            summary={
                "TransformJobName": record.name,
                "TransformJobArn": record.arn,
                "CreationTime": record.created,
                "LastModifiedTime": record.modified,
                "TransformJobStatus": record.state.text("Status"),
                **record.state.only("TransformEndTime", "FailureReason"),
            },
        )
        for record in call.world.table("transform-job").list_records()
    )
    return list_page(items, call.request, "TransformJobSummaries")
