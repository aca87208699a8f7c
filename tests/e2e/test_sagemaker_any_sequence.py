"""Any sequence of commands and faults on SageMaker: what serves is whole, nothing is left over, and the record tells of it."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from dockyard.domain.errors import DockyardError, NotFoundError
from dockyard_sandbox.faults import Rule
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_things import SUPPLIES, Eyes, count_things

FAULTS = st.sampled_from(
    [
        (),
        (Rule(kind="throttle", operation="*", times=2),),
        (Rule(kind="reset-after", operation="Create*"),),
        (Rule(kind="error-after", operation="UpdateEndpoint"),),
        (Rule(kind="access-denied", operation="CreateEndpointConfig", times=0),),
        (Rule(kind="quota", operation="CreateEndpoint", times=0),),
        (Rule(kind="ping-failure", operation="*Endpoint"),),
        (Rule(kind="capacity", operation="*Endpoint"),),
        (Rule(kind="error-after", operation="DeleteModel"),),
        (Rule(kind="expired-token", operation="AddTags", times=0),),
    ]
)


class Operations(RuleBasedStateMachine):
    """Deploys, rollbacks and deletions of one deployment; `is_done` is false where the last command was not done."""

    cloud: SageMakerCloud

    def __init__(self) -> None:
        super().__init__()
        self.cloud.script()
        self.scene = self.cloud.make_scene()
        self.eyes = Eyes(session=self.cloud.eyes, endpoint=self.scene.endpoint)
        self.is_done = True

    @rule(version=st.integers(1, 3), faults=FAULTS)
    def deploy(self, version: int, faults: tuple[Rule, ...]) -> None:
        self._call(faults, lambda: self.scene.deploy(version, history_limit=2))

    @rule(faults=FAULTS)
    def roll_back(self, faults: tuple[Rule, ...]) -> None:
        self._call(faults, self.scene.roll_back)

    @rule(faults=FAULTS)
    def delete(self, faults: tuple[Rule, ...]) -> None:
        self._call(faults, self.scene.delete)

    @invariant()
    def what_serves_is_whole_and_nothing_is_over(self) -> None:
        things = self.eyes.list_things()
        count = count_things(things)
        if "endpoint" in count:
            endpoint = self.eyes.describe()
            assert endpoint["EndpointStatus"] == "InService"
            self.eyes.read_image(endpoint["EndpointConfigName"], things)
        if not self.is_done:
            return
        revisions = count.get("model", 0)
        assert [count.get(kind, 0) for kind in ("config", "image", "data")] == [revisions] * 3, count
        assert {kind: count.get(kind, 0) for kind in SUPPLIES} == (SUPPLIES if revisions else dict.fromkeys(SUPPLIES, 0)), count

    @precondition(lambda self: self.is_done)
    @invariant()
    def record_tells_how_it_is(self) -> None:
        seen = self.scene.observe()
        assert self.scene.list_claiming(seen) == ([seen.serving] if seen.serving else [])

    def teardown(self) -> None:
        self._call((), self.scene.delete)
        assert self.eyes.list_things() == []

    def _call(self, faults: tuple[Rule, ...], command: Callable[[], object]) -> None:
        self.cloud.script(*faults)
        try:
            result = command()
            self.is_done = not getattr(result, "failures", ())
        except NotFoundError:
            return
        except DockyardError as error:
            # What was refused was taken back; a session that expired could not take anything back.
            self.is_done = self.is_done and "expired" not in error.message
        finally:
            self.cloud.script()


def test_whatever_happens_in_whatever_order(sagemaker_cloud: SageMakerCloud) -> None:
    operations = type("OperationsOnTheCloud", (Operations,), {"cloud": sagemaker_cloud})
    run_state_machine_as_test(
        operations,
        settings=settings(
            max_examples=8,
            stateful_step_count=6,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
