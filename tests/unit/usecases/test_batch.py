"""`batch` on an account in memory: what it makes, what it leaves, and what becomes of jobs that do not complete."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from dockyard.domain.attempt import AttemptKind, AttemptStatus
from dockyard.domain.errors import ConflictError, DockyardError, UnavailableError, UsageError
from dockyard.domain.request import BatchRequest
from dockyard.domain.result import BatchResult, ResultStatus
from dockyard.domain.sagemaker import Instances
from dockyard.domain.sagemaker_batch import BatchSettings, JobStatus
from dockyard.testing.faults import KilledError
from dockyard.testing.sagemaker_jobs import COMPLETES, FAILS, RUNS_ON, MemoryJobs
from dockyard.usecases.batch import BatchDesk, run_batch
from support.sagemaker_bench import ActingClock, SageMakerBench, list_without_images, press_control_c, run, want
from support.sagemaker_values import GIVEN_ROLE, KEY

SUPPLIES = ["repository dockyard/wine", "role dockyard-wine"]


@dataclass(kw_only=True)
class BatchBench(SageMakerBench):
    """With jobs."""

    jobs: MemoryJobs = field(init=False)

    def __post_init__(self) -> None:
        SageMakerBench.__post_init__(self)
        self.jobs = MemoryJobs(account=self.account)

    def batch(self, version: int = 1, *, waits: bool = True, plan_only: bool = False, **fields: object) -> BatchResult:
        settings = fields.pop("batch", BatchSettings())
        assert isinstance(settings, BatchSettings)
        request = BatchRequest(
            deploy=want(version, **fields), input="s3://bucket/in/", output="s3://bucket/out", settings=settings, waits=waits
        )
        desk = BatchDesk(site=self.site, jobs=self.jobs, supplies=self.jobs)
        return run_batch(self.open(), desk, request, plan_only=plan_only)


def assert_nothing_of_jobs(bench: BatchBench) -> None:
    assert (bench.jobs.models, bench.jobs.access, bench.account.refusals) == ({}, set(), [])


def test_job_completes_and_leaves_its_answers_its_history_and_nothing_else() -> None:
    bench = BatchBench()
    result = bench.batch()
    assert (result.status, result.output, result.failures) == (ResultStatus.DONE, "s3://bucket/out", ())
    assert bench.jobs.jobs[result.job].course == [JobStatus.COMPLETED]
    assert list_without_images(bench) == SUPPLIES
    assert bench.images.pushed == {}
    assert_nothing_of_jobs(bench)
    (attempt,) = bench.attempts
    assert (attempt.kind, attempt.status, attempt.revision) == (AttemptKind.BATCH, AttemptStatus.SUCCEEDED, None)
    assert [one.step for one in attempt.outcomes] == [step.type for step in result.plan.steps]
    assert bench.record_status(1) is None


def test_plan_changes_nothing() -> None:
    bench = BatchBench()
    result = bench.batch(plan_only=True)
    assert (result.status, len(result.plan.steps)) == (ResultStatus.PLANNED, 9)
    assert (bench.faults.calls, bench.attempts, bench.jobs.jobs) == ([], [], {})


def test_cost_is_told_before_and_after_but_not_where_no_job_is_started() -> None:
    bench = BatchBench()
    bench.preflight.cost, bench.jobs.course = "about $0.115 an hour", RUNS_ON
    assert bench.batch(plan_only=True).plan.notes == ("about $0.115 an hour",)
    started = bench.batch(waits=False)
    assert (started.notes[-1], started.plan.notes[-1]) == ("about $0.115 an hour", "about $0.115 an hour")
    assert "about $0.115 an hour" not in bench.batch(waits=False).plan.notes


def test_model_of_a_deployment_is_used_and_stays() -> None:
    bench = BatchBench()
    run(bench)
    before = bench.list_things()
    result = bench.batch()
    assert bench.jobs.jobs[result.job].job.model in bench.account.models
    assert bench.list_things() == before
    assert_nothing_of_jobs(bench)
    assert bench.serving_version() == "1"


def test_job_of_another_version_leaves_the_deployment_alone() -> None:
    bench = BatchBench()
    run(bench)
    before = bench.list_things()
    bench.batch(2)
    assert bench.list_things() == before
    assert_nothing_of_jobs(bench)


def test_failed_job_is_told_with_its_reason_and_log_and_taken_back() -> None:
    bench = BatchBench()
    bench.jobs.course, bench.jobs.failure_reason, bench.jobs.logs = FAILS, "ClientError: no objects", ("a line",)
    with pytest.raises(DockyardError) as caught:
        bench.batch()
    assert (caught.value.code, caught.value.details) == ("batch-failed", ("a line",))
    assert "ClientError: no objects" in caught.value.message
    assert_nothing_of_jobs(bench)
    assert [one.status for one in bench.attempts] == [AttemptStatus.FAILED]


def test_job_that_takes_too_long_is_stopped() -> None:
    bench = BatchBench()
    bench.jobs.course = RUNS_ON
    with pytest.raises(DockyardError, match="not over after 60 s"):
        bench.batch(batch=BatchSettings(timeout_seconds=60))
    assert [one.course for one in bench.jobs.jobs.values()] == [[JobStatus.STOPPED]]
    assert_nothing_of_jobs(bench)


def test_job_that_is_not_waited_for_is_joined_by_the_same_command() -> None:
    bench = BatchBench()
    bench.jobs.course = RUNS_ON
    started = bench.batch(waits=False)
    assert started.status is ResultStatus.STARTED
    assert started.notes
    assert bench.batch(waits=False).status is ResultStatus.UNCHANGED
    assert len(bench.jobs.models) == 1
    bench.jobs.jobs[started.job].course[:] = [JobStatus.IN_PROGRESS, JobStatus.COMPLETED]
    joined = bench.batch()
    assert (joined.status, joined.job, len(bench.jobs.jobs)) == (ResultStatus.DONE, started.job, 1)
    assert_nothing_of_jobs(bench)
    bench.jobs.course = COMPLETES
    assert bench.batch().job != started.job


def test_model_stays_while_another_job_needs_it() -> None:
    bench = BatchBench()
    bench.jobs.course = RUNS_ON
    bench.batch(waits=False)
    bench.jobs.course = (JobStatus.COMPLETED,)
    bench.batch(batch=BatchSettings(instances=Instances(count=2)))
    assert len(bench.jobs.models) == 1
    assert len(bench.jobs.access) == 1


def test_control_c_stops_waiting_and_not_the_job() -> None:
    clock = ActingClock()
    bench = BatchBench(clock=clock)
    bench.jobs.course = RUNS_ON
    clock.sleeps, clock.act = 3, press_control_c
    with pytest.raises(DockyardError, match="goes on") as caught:
        bench.batch()
    assert caught.value.exit_code == 130
    assert [one.course for one in bench.jobs.jobs.values()] == [list(RUNS_ON)]
    assert len(bench.jobs.models) == 1
    assert [one.status for one in bench.attempts] == [AttemptStatus.INTERRUPTED]


def list_points() -> list[tuple[int, str]]:
    bench = BatchBench()
    bench.batch()
    return list(enumerate((call.split()[0] for call in bench.faults.calls), start=1))


POINTS = list_points()
"""The changing calls of a job, numbered from 1 on."""


@pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("number", "call"), POINTS, ids=str)
def test_refused_call_leaves_no_model_no_access_and_no_running_job(number: int, call: str, has_effect: bool) -> None:
    bench = BatchBench()
    bench.fail_call(number, DockyardError("aws-refused", "it says so"), has_effect=has_effect)
    if call in {"clean_up", "delete_image"}:
        assert bench.batch().status is ResultStatus.PARTIAL
    else:
        with pytest.raises(DockyardError, match="it says so"):
            bench.batch()
        assert_nothing_of_jobs(bench)
    bench.heal()
    assert bench.batch().status is ResultStatus.DONE
    assert_nothing_of_jobs(bench)
    assert list_without_images(bench) == SUPPLIES


@pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("number", "call"), POINTS, ids=str)
def test_batch_killed_at_any_call_is_completed_by_the_same_command(number: int, call: str, has_effect: bool) -> None:
    bench = kill(number, has_effect=has_effect)
    assert bench.batch().status is ResultStatus.DONE
    assert all(one.is_over for one in bench.jobs.jobs.values())
    assert_nothing_of_jobs(bench)
    assert (list_without_images(bench), bench.images.pushed, bench.queue.list_entries()) == (SUPPLIES, {}, ())
    told = [one.status for one in bench.attempts]
    is_journalled = (number, has_effect) != (1, False)
    first = AttemptStatus.SUCCEEDED if number == len(POINTS) else AttemptStatus.INTERRUPTED
    assert told == [*([first] if is_journalled else []), AttemptStatus.SUCCEEDED], call


@pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("number", "call"), POINTS, ids=str)
def test_what_a_killed_batch_left_is_taken_away_by_the_next_one(number: int, call: str, has_effect: bool) -> None:
    bench = kill(number, has_effect=has_effect)
    for one in bench.jobs.jobs.values():
        one.course[:] = [JobStatus.COMPLETED]
    assert bench.batch(2).status is ResultStatus.DONE
    assert_nothing_of_jobs(bench)
    assert list_without_images(bench) == SUPPLIES, call


def kill(number: int, *, has_effect: bool) -> BatchBench:
    """A bench where a batch was killed at that call."""
    bench = BatchBench()
    bench.fail_call(number, KilledError(), has_effect=has_effect)
    with pytest.raises(KilledError):
        bench.batch()
    bench.heal()
    return bench


def test_job_that_somebody_waits_for_on_this_machine_is_not_begun_again() -> None:
    clock = ActingClock()
    bench = BatchBench(clock=clock)
    bench.jobs.course = RUNS_ON
    caught: list[str] = []

    def ask_again() -> None:
        with pytest.raises(ConflictError) as refused:
            bench.batch()
        caught.append(refused.value.code)
        assert run(bench).status is ResultStatus.DEPLOYED  # the deployment itself is free
        next(iter(bench.jobs.jobs.values())).course[:] = [JobStatus.COMPLETED]

    clock.sleeps, clock.act = 2, ask_again
    assert bench.batch().status is ResultStatus.DONE
    assert caught == ["lock-held"]
    assert {one.kind for one in bench.attempts} == {AttemptKind.DEPLOY, AttemptKind.BATCH}
    assert bench.journal.list_running() == ()


def test_history_that_cannot_be_written_waits() -> None:
    bench = BatchBench()
    bench.registry.failures["write_entry"] = UnavailableError("tracking-unreachable", "the server is away")
    result = bench.batch()
    assert result.status is ResultStatus.PARTIAL
    assert [one.code for one in result.failures] == ["record-pending"]
    assert [one.attempt.kind for one in bench.queue.list_entries()] == [AttemptKind.BATCH]
    assert_nothing_of_jobs(bench)


def test_job_that_can_no_longer_be_looked_at_is_stopped_and_taken_back() -> None:
    bench = BatchBench()
    bench.jobs.course = RUNS_ON
    bench.jobs.blind_after = 2
    with pytest.raises(DockyardError, match="may not be looked at"):
        bench.batch()
    assert [one.course[-1] for one in bench.jobs.jobs.values()] == [JobStatus.STOPPED]


def test_given_role_is_not_touched_and_bad_settings_are_refused_first() -> None:
    bench = BatchBench()
    bench.batch(role=GIVEN_ROLE)
    assert not bench.account.roles
    bench.jobs.invalid = UsageError("setting-invalid", "no S3 URI")
    bench.faults.calls.clear()
    with pytest.raises(UsageError, match="no S3 URI"):
        bench.batch()
    assert bench.faults.calls == []
    assert KEY.name == "wine"
