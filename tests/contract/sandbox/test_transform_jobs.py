"""Transform jobs: their states, whatever runs them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import pytest
from botocore.exceptions import ClientError

from dockyard_sandbox.fields import Fields
from dockyard_sandbox.health import passes_ping
from dockyard_sandbox.surroundings import Surroundings, TransformError, TransformOrder
from dockyard_sandbox.testing import FakeImage, FakeRunner
from support.sandbox_control import ControlBench, open_control_bench, read_error


@dataclass
class TransformsInTests:
    """Starts the container, asks it for its health, and waits for `release`."""

    release: threading.Event = field(default_factory=threading.Event)
    healthy: bool = False
    failure: str = ""

    def run(self, order: TransformOrder) -> None:
        container = order.start_container()
        try:
            self.healthy = passes_ping(container.address)
            while not self.release.wait(0.01) and not order.is_stopping():
                continue
            if self.failure:
                raise TransformError(self.failure)
        finally:
            container.stop()


def start_job(bench: ControlBench, name: str = "job") -> None:
    """A job."""
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in/"}}, "ContentType": "text/csv"}
    bench.call(
        "CreateTransformJob",
        TransformJobName=name,
        ModelName="m",
        TransformInput=source,
        TransformOutput={"S3OutputPath": "s3://b/out/"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        Environment={"A": "1"},
    )


def wait(bench: ControlBench, *statuses: str) -> Fields:
    """The job once it is in one of these states."""
    deadline = time.monotonic() + 10
    while (job := bench.call("DescribeTransformJob", TransformJobName="job")).text("TransformJobStatus") not in statuses:
        assert time.monotonic() < deadline, job
        time.sleep(0.01)
    return job


def test_job_is_in_progress_until_it_has_completed() -> None:
    transforms = TransformsInTests()
    with open_control_bench(surroundings=Surroundings(transforms=transforms)) as bench:
        bench.make_model()
        start_job(bench)
        assert wait(bench, "InProgress")["ModelName"] == "m"
        transforms.release.set()
        job = wait(bench, "Completed")
        assert job["TransformEndTime"]
        assert transforms.healthy
        assert bench.runner.started[0].environment["A"] == "1"
        listed = bench.call("ListTransformJobs", StatusEquals="Completed").items_of("TransformJobSummaries")
        assert [one.text("TransformJobName") for one in listed] == ["job"]


def test_failed_job_says_why() -> None:
    transforms = TransformsInTests(failure="ClientError: no objects under s3://b/in/")
    transforms.release.set()
    with open_control_bench(surroundings=Surroundings(transforms=transforms)) as bench:
        bench.make_model()
        start_job(bench)
        assert wait(bench, "Failed").text("FailureReason") == transforms.failure


def test_job_whose_container_is_broken_fails() -> None:
    runner = FakeRunner(images={"demo": FakeImage(ping=500)})
    with open_control_bench(runner, surroundings=Surroundings(transforms=TransformsInTests())) as bench:
        bench.make_model()
        start_job(bench)
        assert "ping" in wait(bench, "Failed").text("FailureReason")


def test_stopped_job_stops_and_is_not_stopped_again() -> None:
    with open_control_bench(surroundings=Surroundings(transforms=TransformsInTests())) as bench:
        bench.make_model()
        start_job(bench)
        bench.call("StopTransformJob", TransformJobName="job")
        wait(bench, "Stopped")
        with pytest.raises(ClientError):
            bench.call("StopTransformJob", TransformJobName="job")


def test_job_without_what_runs_it_fails_and_names_are_used_once(bench: ControlBench) -> None:
    bench.make_model()
    start_job(bench)
    assert "without S3" in wait(bench, "Failed").text("FailureReason")
    with pytest.raises(ClientError) as caught:
        start_job(bench)
    assert read_error(caught.value)[0] == "ResourceInUse"
    with pytest.raises(ClientError) as caught:
        bench.call("DescribeTransformJob", TransformJobName="gone")
    assert "Could not find requested job with name: gone" in read_error(caught.value)[1]
