"""What holds on SageMaker whatever is done in whatever order, and whatever goes wrong meanwhile: a state machine in memory.

* what an endpoint runs is never deleted, and what serves goes on serving until something else does
* a command that ends well leaves the record and the world in agreement, and its repetition changes nothing
* what is left over by one that did not, `gc` removes
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dockyard.domain.errors import DockyardError, TransientError
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import DeleteResult, DeployResult, ResultStatus
from dockyard.domain.sagemaker import AlarmPolicy, EndpointStatus, SageMakerPolicy, Scaling
from dockyard.testing.endpoints import Course, Ending
from dockyard.testing.faults import KilledError
from dockyard.usecases.delete import delete_deployment
from dockyard.usecases.deploy import deploy
from dockyard.usecases.gc import collect_garbage
from dockyard.usecases.rollback import roll_back
from support.local_values import make_model
from support.sagemaker_bench import DELETE, NO_WAIT, ROLLBACK, SageMakerBench, want
from support.sagemaker_values import ENDPOINT, KEY

LAST_CALL = 30
POLICIES = (SageMakerPolicy(), SageMakerPolicy(alarms=AlarmPolicy(), scaling=Scaling(minimum=1, maximum=2)))

versions = st.integers(1, 3)
environments = st.sampled_from([(), (("A", "1"),)])
policies = st.sampled_from(POLICIES)
causes = st.one_of(
    st.builds(KilledError),
    st.builds(KeyboardInterrupt),
    st.builds(DockyardError, st.just("aws-refused"), st.just("not allowed")),
    st.builds(TransientError, st.just("aws-throttled"), st.just("Rate exceeded")),
)
courses = st.builds(
    Course, ending=st.sampled_from(Ending), reason=st.just("because"), looks=st.integers(0, 3), hidden=st.integers(0, 2)
)
Act = Callable[[], DeployResult | DeleteResult]


class Operations(RuleBasedStateMachine):
    """Commands in any order, any of them hit by any fault at any call."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = SageMakerBench()

    @rule(version=versions, env=environments, policy=policies)
    def deploy(self, version: int, env: tuple[tuple[str, str], ...], policy: SageMakerPolicy) -> None:
        request = want(version, env=env, policy=policy)
        assert self.run(lambda: deploy(self.bench.open(), request, plan_only=False)) is not ResultStatus.PARTIAL
        assert self.bench.serving_version() == str(version)
        self.check_record(version)
        calls = list(self.bench.faults.calls)
        assert deploy(self.bench.open(), request, plan_only=False).status is ResultStatus.UNCHANGED
        assert self.bench.faults.calls == calls

    @rule(version=versions, policy=policies, call=st.integers(1, LAST_CALL), cause=causes, has_effect=st.booleans())
    def deploy_and_fail(
        self, version: int, policy: SageMakerPolicy, call: int, cause: BaseException, *, has_effect: bool
    ) -> None:
        self.bench.fail_call(call, cause, has_effect=has_effect)
        self.run(lambda: deploy(self.bench.open(), want(version, policy=policy), plan_only=False))

    @rule(version=versions, course=courses)
    def deploy_on_a_bad_day(self, version: int, course: Course) -> None:
        self.bench.account.next_courses.append(course)
        self.run(lambda: deploy(self.bench.open(), want(version), plan_only=False), may_fail=True)
        self.bench.account.next_courses.clear()

    @rule(version=versions, looks=st.integers(1, 100))
    def deploy_without_waiting(self, version: int, looks: int) -> None:
        self.bench.account.next_courses.append(Course(looks=looks))
        self.run(lambda: deploy(self.bench.open(), want(version, policy=NO_WAIT), plan_only=False))
        self.bench.account.next_courses.clear()

    @rule(version=versions)
    def deploy_what_answers_wrongly(self, version: int) -> None:
        self.bench.scorer.is_wrong = True
        assert self.run(lambda: deploy(self.bench.open(), want(version, env=(("B", "2"),)), plan_only=False)) is None
        self.bench.scorer.is_wrong = False

    @rule()
    def roll_back(self) -> None:
        if self.run(lambda: roll_back(self.bench.open(), ROLLBACK, plan_only=False)) is ResultStatus.ROLLED_BACK:
            self.check_record(int(self.bench.serving_version() or 0))

    @rule(call=st.integers(1, LAST_CALL), cause=causes, has_effect=st.booleans())
    def roll_back_and_fail(self, call: int, cause: BaseException, *, has_effect: bool) -> None:
        self.bench.fail_call(call, cause, has_effect=has_effect)
        self.run(lambda: roll_back(self.bench.open(), ROLLBACK, plan_only=False))

    @rule()
    def delete(self) -> None:
        if self.run(lambda: delete_deployment(self.bench.open(), DELETE, plan_only=False), may_fail=True):
            assert self.bench.account.list_deployments() == ()
        assert self.bench.list_recorded() == []

    @rule(call=st.integers(1, LAST_CALL), cause=causes, has_effect=st.booleans())
    def delete_and_fail(self, call: int, cause: BaseException, *, has_effect: bool) -> None:
        self.bench.fail_call(call, cause, has_effect=has_effect)
        self.run(lambda: delete_deployment(self.bench.open(), DELETE, plan_only=False), may_fail=True)

    @rule()
    def collect(self) -> None:
        assert collect_garbage(self.bench.open(), cache_days=30, plan_only=False).failures == ()
        for endpoint in self.bench.account.endpoints.values():
            endpoint.settle()
        self.bench.site.describe(KEY)
        assert collect_garbage(self.bench.open(), cache_days=30, plan_only=False).failures == ()
        assert collect_garbage(self.bench.open(), cache_days=30, plan_only=True).status is ResultStatus.UNCHANGED
        assert (self.bench.account.list_orphans(), self.bench.site.plan_cleanup(KEY)) == ((), ())

    @rule(looks=st.integers(1, 20))
    def wait(self, looks: int) -> None:
        for _ in range(looks):
            self.bench.site.describe(KEY)

    @rule(data=st.data())
    def be_moved_by_somebody_else(self, data: st.DataObject) -> None:
        endpoint = self.bench.account.endpoints.get(ENDPOINT)
        state = endpoint.state if endpoint else None
        if state is not None and state.status is EndpointStatus.IN_SERVICE:
            config = data.draw(st.sampled_from(sorted(self.bench.account.configs)))
            images = (self.bench.account.models[config].image,)
            self.bench.account.put_endpoint(dataclasses.replace(state, config=config, images=images))

    def run(self, act: Act, *, may_fail: bool = False) -> ResultStatus | None:
        """Do it, while what serves goes on serving unless it is taken away or `may_fail`; None where it fails."""
        served = self.bench.serving_version()
        self.bench.account.history.clear()
        try:
            return act().status
        except (DockyardError, KilledError, KeyboardInterrupt):
            return None
        finally:
            self.bench.heal()
            if served is not None and not may_fail:
                assert all(state.serving_config for state in self.bench.account.history)

    def check_record(self, version: int) -> None:
        """The record of what serves says so, and no other does."""
        assert self.bench.list_recorded() == [str(version)]
        seen = self.bench.account.describe_deployment(KEY)
        there = {int(one.spec.model.version or 0) for one in seen.revisions}
        assert all(self.bench.record_status(one) is not RecordStatus.DEPLOYING for one in there)
        record = self.bench.registry.find_record(KEY, make_model(version))
        assert record is not None
        assert (record.revision, record.endpoint) == (seen.serving, ENDPOINT)
        assert [record.image] == list(self.bench.endpoint.images)

    @invariant()
    def what_an_endpoint_runs_is_there(self) -> None:
        account = self.bench.account
        for endpoint in account.endpoints.values():
            for name in {endpoint.state.config, endpoint.state.pending_config} - {None} if endpoint.state else ():
                assert name in account.configs
                assert account.models[name].image in self.bench.images.pushed.values()
                assert account.models[name].spec.settings.role.rpartition("/")[2] in account.roles

    @invariant()
    def numbers_of_revisions_are_their_own(self) -> None:
        numbers = [one.number for one in self.bench.account.describe_deployment(KEY).revisions]
        assert len(numbers) == len(set(numbers))

    @invariant()
    def locks_are_free(self) -> None:
        assert self.bench.locks.holders == {}


TestOperations = Operations.TestCase
TestOperations.settings = settings(max_examples=200, stateful_step_count=15, deadline=None)
