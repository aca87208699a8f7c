"""What holds whatever is killed when: a state machine over deploy, rollback, delete and gc in memory.

A kill is a KilledError at any changing call of machine or journal, before or after its effect, after which nothing that the
command still tries has any. After every command, killed or not: what served still serves or what was wanted does; and the
same command again completes.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dockyard.domain.attempt import AttemptStatus
from dockyard.domain.errors import DockyardError
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import ResultStatus
from dockyard.testing.faults import KilledError
from dockyard.usecases.delete import delete_deployment
from dockyard.usecases.deploy import deploy
from dockyard.usecases.gc import collect_garbage
from dockyard.usecases.rollback import roll_back
from support.local_values import KEY, make_model
from support.memory_bench import DELETE, ROLLBACK, MemoryBench, want

UPDATE_CALLS = 12


def count_update_calls() -> int:
    bench = MemoryBench()
    deploy(bench.open(), want(1), plan_only=False)
    bench.faults.calls.clear()
    deploy(bench.open(), want(2), plan_only=False)
    return len(bench.faults.calls)


@pytest.mark.parametrize("has_effect", [False, True])
@pytest.mark.parametrize("call", range(1, UPDATE_CALLS + 1))
def test_update_killed_at_any_call_is_completed_by_the_same_command(call: int, *, has_effect: bool) -> None:
    assert count_update_calls() == UPDATE_CALLS
    bench = MemoryBench()
    deploy(bench.open(), want(1), plan_only=False)
    bench.fail_call(call, KilledError(), has_effect=has_effect)
    with pytest.raises(KilledError):
        deploy(bench.open(), want(2), plan_only=False)
    bench.heal()
    assert bench.serving_version() in {"1", "2"}
    again = deploy(bench.open(), want(2), plan_only=False)
    assert again.status in {ResultStatus.DEPLOYED, ResultStatus.UNCHANGED}
    local = bench.machine.describe_deployment(KEY)
    assert bench.serving_version() == "2"
    assert [(one.number, one.is_running) for one in local.revisions] == [(1, False), (2, True)]
    assert collect_garbage(bench.open(), cache_days=30, plan_only=True).status is ResultStatus.UNCHANGED
    statuses = [attempt.status for attempt in bench.attempts]
    assert AttemptStatus.RUNNING not in statuses
    assert bench.queue.list_entries() == ()


def make_bench_of_three() -> MemoryBench:
    bench = MemoryBench()
    for version in (1, 2, 3):
        deploy(bench.open(), want(version), plan_only=False)
    bench.faults.calls.clear()
    return bench


def count_rollback_calls() -> int:
    bench = make_bench_of_three()
    roll_back(bench.open(), ROLLBACK, plan_only=False)
    return len(bench.faults.calls)


@pytest.mark.parametrize("has_effect", [False, True])
@pytest.mark.parametrize("call", range(1, count_rollback_calls() + 1))
def test_rollback_killed_at_any_call_is_completed_and_goes_no_further(call: int, *, has_effect: bool) -> None:
    bench = make_bench_of_three()
    bench.fail_call(call, KilledError(), has_effect=has_effect)
    with pytest.raises(KilledError):
        roll_back(bench.open(), ROLLBACK, plan_only=False)
    bench.heal()
    is_over = all(attempt.status is not AttemptStatus.RUNNING for attempt in (bench.journal.find_attempt(KEY),) if attempt)
    if not is_over or bench.serving_version() == "3":
        roll_back(bench.open(), ROLLBACK, plan_only=False)
    assert bench.serving_version() == "2"
    record = bench.registry.find_record(KEY, make_model(2))
    assert record is not None
    assert record.status is RecordStatus.SERVING


class Operations(RuleBasedStateMachine):
    """Commands in any order, any of them killed at any call."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = MemoryBench()
        self.served: str | None = None
        self.may_serve: set[str | None] = {None}
        self.killed = 0
        """Commands since the last that came to its end."""

    @initialize()
    def start(self) -> None:
        deploy(self.bench.open(), want(1), plan_only=False)
        self.may_serve = {"1"}

    @rule(version=st.integers(1, 3), env=st.sampled_from([(), (("A", "1"),)]))
    def deploy(self, version: int, env: tuple[tuple[str, str], ...]) -> None:
        deploy(self.bench.open(), want(version, env=env), plan_only=False)
        self.may_serve, self.killed = {str(version)}, 0
        assert deploy(self.bench.open(), want(version, env=env), plan_only=False).status is ResultStatus.UNCHANGED

    @rule(version=st.integers(1, 3), call=st.integers(1, UPDATE_CALLS), has_effect=st.booleans())
    def deploy_and_die(self, version: int, call: int, has_effect: bool) -> None:
        self.bench.fail_call(call, KilledError(), has_effect=has_effect)
        try:
            deploy(self.bench.open(), want(version), plan_only=False)
        except KilledError:
            self.may_serve = {*self.may_serve, str(version)}
            self.killed += 1
        else:
            self.may_serve, self.killed = {str(version)}, 0
        self.bench.heal()

    @rule(version=st.integers(1, 3))
    def deploy_wrongly(self, version: int) -> None:
        self.bench.scorer.difference = "predictions"
        try:
            deploy(self.bench.open(), want(version, env=(("B", "2"),)), plan_only=False)
        except DockyardError as error:
            assert error.code == "wrong-answer"
        self.bench.scorer.difference = None

    @rule()
    def roll_back(self) -> None:
        try:
            result = roll_back(self.bench.open(), ROLLBACK, plan_only=False)
        except DockyardError as error:
            assert error.code in {"no-revision", "deployment-not-found"}
        else:
            self.may_serve = {result.model.version}

    @rule()
    def delete(self) -> None:
        try:
            delete_deployment(self.bench.open(), DELETE, plan_only=False)
        except DockyardError as error:
            assert error.code == "deployment-not-found"
        self.may_serve = {None}

    @rule()
    def collect(self) -> None:
        collect_garbage(self.bench.open(), cache_days=30, plan_only=False)
        assert collect_garbage(self.bench.open(), cache_days=30, plan_only=True).status is ResultStatus.UNCHANGED

    @invariant()
    def something_that_was_wanted_serves(self) -> None:
        assert self.bench.serving_version() in self.may_serve

    @invariant()
    def beside_what_serves_each_killed_command_has_left_one_at_most(self) -> None:
        local = self.bench.machine.describe_deployment(KEY)
        assert sum(one.is_running for one in local.revisions) <= 1 + self.killed

    @invariant()
    def locks_are_free(self) -> None:
        assert self.bench.locks.holders == {}


TestOperations = Operations.TestCase
TestOperations.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
