"""A sandbox whose containers are small servers in the test's process, and boto3 clients that talk to it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import boto3
from botocore.config import Config

from dockyard_sandbox.faults import Rule
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.sandbox import Sandbox, SandboxSettings
from dockyard_sandbox.surroundings import Surroundings
from dockyard_sandbox.testing import FakeRunner, make_fake_parts

ROLE = "arn:aws:iam::123456789012:role/execution"
IMAGE = "127.0.0.1:1/models/demo:v1"
UNSEEN_SECONDS = 2.0
"""For scripts in which what is new is not seen at once: longer than calls take that must not see it, on a busy machine too."""


class ApiCaller:
    """Calls operations by their API names. Raises botocore's ClientError."""

    def __init__(self, service: str, url: str, *, attempts: int = 1, region: str = "us-east-1") -> None:
        self._client = boto3.client(
            service,
            endpoint_url=url,
            region_name=region,
            aws_access_key_id="TEST-ACCESS-KEY",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
        )
        self._methods = {operation: method for method, operation in self._client.meta.method_to_api_mapping.items()}

    def __call__(self, operation: str, **request: object) -> Fields:
        method = getattr(self._client, self._methods[operation])
        return Fields(cast("dict[str, object]", method(**request)))

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


@dataclass
class AlarmsInTests:
    """CloudWatch's alarms: those in `alarming` are in ALARM."""

    alarming: set[str] = field(default_factory=set)

    def find_alarming(self, region: str, names: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(name for name in names if name in self.alarming)


@dataclass
class ControlBench:
    """A sandbox with a client, and ways to make what most tests begin with."""

    sandbox: Sandbox
    runner: FakeRunner
    call: ApiCaller

    def make_model(self, name: str = "m", image: str = IMAGE, **more: object) -> str:
        answer = self.call("CreateModel", ModelName=name, PrimaryContainer={"Image": image}, ExecutionRoleArn=ROLE, **more)
        return answer.text("ModelArn")

    def make_config(self, name: str = "c", model: str = "m", *, variant: str = "AllTraffic", count: int = 1) -> str:
        variants = [{"VariantName": variant, "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": count}]
        return self.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=variants).text("EndpointConfigArn")

    def make_endpoint(self, name: str = "e", config: str = "c") -> Fields:
        self.make_model()
        self.make_config(config)
        self.call("CreateEndpoint", EndpointName=name, EndpointConfigName=config)
        return self.wait(name)

    def describe(self, name: str = "e") -> Fields:
        return self.call("DescribeEndpoint", EndpointName=name)

    def wait(self, name: str = "e", *, seconds: float = 10.0) -> Fields:
        """The endpoint once nothing goes on with it any more."""
        deadline = time.monotonic() + seconds
        while True:
            endpoint = self.describe(name)
            if endpoint.text("EndpointStatus") not in {"Creating", "Updating", "RollingBack", "Deleting"}:
                return endpoint
            assert time.monotonic() < deadline, endpoint
            time.sleep(0.01)

    def wait_until_gone(self, name: str = "e", *, seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while any(one.text("EndpointName") == name for one in self.call("ListEndpoints").items_of("Endpoints")):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def script(self, *rules: Rule) -> None:
        self.sandbox.faults.script(rules)

    def statuses(self, name: str = "e") -> list[str]:
        """The states that an endpoint went through, out of the events."""
        texts = [event.text for event in self.sandbox.events.list_events() if event.resource.endswith(f"endpoint/{name}")]
        return [text.partition(" -> ")[2].partition(":")[0] or text for text in texts]


@contextmanager
def open_control_bench(
    runner: FakeRunner | None = None, *, surroundings: Surroundings | None = None, speed: float = 5000
) -> Iterator[ControlBench]:
    """A bench for as long as a block lasts; nothing runs after it."""
    runner = runner or FakeRunner()
    parts = make_fake_parts(runner, surroundings=surroundings)
    with Sandbox(SandboxSettings(make_parts=parts, speed=speed, startup_speed=480)) as sandbox:
        call = ApiCaller("sagemaker", sandbox.url)
        try:
            yield ControlBench(sandbox=sandbox, runner=runner, call=call)
        finally:
            call.close()
    assert not [event for event in sandbox.events.list_events() if event.kind == "defect"], sandbox.events.as_json()
    assert not runner.running


def read_error(error: BaseException) -> tuple[str, str]:
    """The code and message of botocore's ClientError."""
    response = cast("Mapping[str, Mapping[str, str]]", error.response)  # type: ignore[attr-defined]  # botocore has no types
    return response["Error"]["Code"], response["Error"]["Message"]
