"""Whatever is done in whatever order, and whatever goes wrong: only live endpoints have containers."""

from __future__ import annotations

from contextlib import ExitStack, suppress

from botocore.exceptions import ClientError, HTTPClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dockyard_sandbox.endpoint_state import Endpoint
from dockyard_sandbox.faults import Rule
from dockyard_sandbox.testing import FakeImage, FakeRunner
from support.patience import wait_for
from support.sandbox_control import ControlBench, open_control_bench

NAMES = st.sampled_from(["a", "b"])
MODELS = st.sampled_from(["good", "broken"])
FAULTS = st.sampled_from(
    [
        "throttle",
        "error-before",
        "error-after",
        "reset-before",
        "reset-after",
        "capacity",
        "ping-failure",
        "rollback-empty-reason",
        "update-rollback-failed",
        "changed-by-someone",
    ]
)
SETTLED = {"InService", "Failed", "UpdateRollbackFailed"}


class AnySequence(RuleBasedStateMachine):
    """Calls in any order. Refusals are part of it."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        runner = FakeRunner(images={"broken": FakeImage(ping=500)})
        self.bench: ControlBench = self.stack.enter_context(open_control_bench(runner, speed=100_000))

    @initialize()
    def make_models(self) -> None:
        for name in ("good", "broken"):
            self.bench.make_model(name, f"127.0.0.1:1/models/{name}:v1")
        for name in ("a", "b"):
            self.bench.make_config(name, "good")
        self._try("CreateEndpoint", EndpointName="a", EndpointConfigName="a")

    @rule(name=NAMES, model=MODELS, variant=st.sampled_from(["AllTraffic", "Other"]))
    def create_config(self, name: str, model: str, variant: str) -> None:
        with suppress(ClientError, HTTPClientError):
            self.bench.make_config(name, model, variant=variant)

    @rule(name=NAMES, operation=st.sampled_from(["DeleteEndpointConfig"]))
    def delete_config(self, name: str, operation: str) -> None:
        self._try(operation, EndpointConfigName=name)

    @rule(name=NAMES, config=NAMES, operation=st.sampled_from(["CreateEndpoint", "UpdateEndpoint"]))
    def change_endpoint(self, name: str, config: str, operation: str) -> None:
        self._try(operation, EndpointName=name, EndpointConfigName=config)

    @rule(name=NAMES, count=st.integers(0, 3))
    def scale(self, name: str, count: int) -> None:
        scales = [{"VariantName": "AllTraffic", "DesiredInstanceCount": count}]
        self._try("UpdateEndpointWeightsAndCapacities", EndpointName=name, DesiredWeightsAndCapacities=scales)

    @rule(name=NAMES)
    def delete_endpoint(self, name: str) -> None:
        self._try("DeleteEndpoint", EndpointName=name)

    @rule(name=NAMES)
    def describe(self, name: str) -> None:
        self._try("DescribeEndpoint", EndpointName=name)

    @rule(kind=FAULTS, nth=st.integers(1, 2))
    def script(self, kind: str, nth: int) -> None:
        self.bench.script(Rule(kind=kind, nth=nth))

    @invariant()
    def containers_are_those_of_the_live_endpoints(self) -> None:
        wait_for(self._is_settled)
        endpoints = self._list()
        replicas = [
            replica.container
            for endpoint in endpoints
            for fleet in (endpoint.live, endpoint.pending)
            if fleet
            for variant in fleet.all_variants
            for replica in variant.replicas
        ]
        assert sorted(one.address for one in replicas) == sorted(one.address for one in self.bench.runner.running)
        for endpoint in endpoints:
            assert bool(endpoint.live.variants[0].replicas) == (endpoint.status != "Failed")
            assert (endpoint.pending is not None) == (endpoint.status == "UpdateRollbackFailed")

    def teardown(self) -> None:
        self.stack.close()

    def _try(self, operation: str, **request: object) -> None:
        with suppress(ClientError, HTTPClientError):
            self.bench.call(operation, **request)

    def _list(self) -> list[Endpoint]:
        world = self.bench.sandbox.worlds.in_region("us-east-1")
        with world.lock:
            return list(world.endpoints.values())

    def _is_settled(self) -> bool:
        return all(endpoint.status in SETTLED for endpoint in self._list())


AnySequence.TestCase.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnySequence = AnySequence.TestCase
