"""`deploy local` on a machine in memory: what it does, what it leaves alone, and what it writes down."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.domain.attempt import AttemptStatus
from dockyard.domain.deployment import DeploymentKey, Runtime
from dockyard.domain.errors import BuildError, ConflictError, DockyardError, TransientError, UnavailableError, UsageError
from dockyard.domain.image import DEFAULT_BASE, HOST_BASE, ImageSettings
from dockyard.domain.plan import OutcomeStatus
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import ResultStatus
from dockyard.testing.attempts import MemoryScorer
from dockyard.testing.local import Behaviour, MemoryMachine
from dockyard.usecases.deploy import deploy as deploy_request
from dockyard.usecases.site_local import choose_base
from dockyard.usecases.sync import sync_queue
from support.local_values import KEY, make_model
from support.memory_bench import MemoryBench, want


@pytest.fixture
def bench() -> MemoryBench:
    return MemoryBench()


def deploy(bench: MemoryBench, version: int | str = 1, **fields: object) -> ResultStatus:
    return deploy_request(bench.open(), want(version, **fields), plan_only=False).status


def test_first_deploy_serves_and_is_recorded(bench: MemoryBench) -> None:
    result = deploy_request(bench.open(), want(1), plan_only=False)
    assert result.status is ResultStatus.DEPLOYED
    assert (result.revision, result.previous, result.endpoint) == (1, None, "http://127.0.0.1:1234")
    assert [outcome.step for outcome in result.outcomes] == [step.type for step in result.plan.steps]
    record = bench.registry.find_record(KEY, make_model(1))
    assert record is not None
    assert (record.status, record.revision, record.endpoint, record.image) == (
        RecordStatus.SERVING,
        1,
        "http://127.0.0.1:1234",
        result.image,
    )
    assert (record.actor, record.git_revision, record.run_id) == ("ann@laptop", "c0ffee", "run-1")
    assert [attempt.status for attempt in bench.attempts] == [AttemptStatus.SUCCEEDED]
    assert bench.serving_version() == "1"


def test_second_deploy_of_the_same_changes_nothing(bench: MemoryBench) -> None:
    deploy(bench)
    before = (list(bench.faults.calls), list(bench.registry.writes), list(bench.images.writes))
    assert deploy(bench) is ResultStatus.UNCHANGED
    assert (bench.faults.calls, bench.registry.writes, bench.images.writes) == before


def test_plan_changes_nothing_and_holds_no_lock(bench: MemoryBench) -> None:
    deploy(bench)
    before = (list(bench.faults.calls), list(bench.registry.writes), list(bench.images.writes))
    with bench.locks.hold(KEY, "somebody", 0):
        result = deploy_request(bench.open(), want(2), plan_only=True)
    assert result.status is ResultStatus.PLANNED
    assert result.plan.steps
    assert (bench.faults.calls, bench.registry.writes, bench.images.writes) == before


def test_update_replaces_the_old_revision_and_marks_its_record(bench: MemoryBench) -> None:
    deploy(bench, 1)
    result = deploy_request(bench.open(), want(2), plan_only=False)
    assert (result.revision, result.previous) == (2, 1)
    old, new = (bench.registry.find_record(KEY, make_model(version)) for version in (1, 2))
    assert old is not None
    assert new is not None
    assert (old.status, old.traffic_percent, old.endpoint) == (RecordStatus.SUPERSEDED, 0, None)
    assert (new.status, new.traffic_percent) == (RecordStatus.SERVING, 100)
    assert not bench.machine.describe_deployment(KEY).revisions[0].is_running


def test_promote_points_the_alias_once(bench: MemoryBench) -> None:
    deploy(bench, 1, promote=True)
    assert bench.registry.find_alias("wine", "prod") == "1"
    assert deploy(bench, 1, promote=True) is ResultStatus.UNCHANGED
    assert bench.registry.writes.count("alias wine@prod -> 1") == 1


def test_folder_is_recorded_by_its_digest(bench: MemoryBench) -> None:
    deploy(bench, "./folder")
    record = bench.registry.find_record(KEY, make_model(9, name=None))
    assert record is not None
    assert record.status is RecordStatus.SERVING
    assert deploy(bench, "./folder") is ResultStatus.UNCHANGED


def test_port_in_use_is_refused_before_anything_is_looked_up(bench: MemoryBench) -> None:
    bench.machine.ports_in_use.add(8080)
    bench.registry.is_reachable = False
    with pytest.raises(UsageError) as caught:
        deploy(bench, 1, port=8080)
    assert caught.value.code == "port-in-use"
    assert bench.faults.calls == []


def test_own_port_is_no_port_in_use(bench: MemoryBench) -> None:
    deploy(bench, 1, port=8080)
    assert deploy(bench, 2, port=8080) is ResultStatus.DEPLOYED


@dataclasses.dataclass(kw_only=True)
class BusyMachine(MemoryMachine):
    """Another program takes the port in the moment before it is used, the first `times` times."""

    times: int

    def route_traffic(self, key: DeploymentKey, number: int | None, port: int) -> None:
        if number is not None and self.times > 0:
            self.times -= 1
            self.ports_in_use.add(port)
        super().route_traffic(key, number, port)


@pytest.mark.parametrize(("times", "port"), [(1, 1235), (2, 1236)])
def test_port_that_was_chosen_and_taken_meanwhile_is_replaced_by_another(times: int, port: int) -> None:
    bench = MemoryBench()
    bench.machine = BusyMachine(times=times)
    bench.scorer = MemoryScorer(host=bench.machine, inventory=bench.machine)
    assert deploy_request(bench.open(), want(1), plan_only=False).endpoint == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(("times", "asked"), [(3, None), (1, 8080)])
def test_port_that_is_always_taken_or_was_asked_for_is_an_error(times: int, asked: int | None) -> None:
    bench = MemoryBench()
    bench.machine = BusyMachine(times=times)
    bench.scorer = MemoryScorer(host=bench.machine, inventory=bench.machine)
    with pytest.raises(UsageError, match="port"):
        deploy(bench, 1, port=asked)
    assert not bench.machine.describe_deployment(KEY).exists


def test_locked_deployment_is_left_alone(bench: MemoryBench) -> None:
    with bench.locks.hold(KEY, "somebody", 0), pytest.raises(ConflictError) as caught:
        deploy(bench)
    assert caught.value.code == "lock-held"
    assert bench.faults.calls == []


@pytest.mark.parametrize(
    ("behaviour", "code", "last_line"),
    [
        (Behaviour.NEVER_READY, "revision-not-ready", "loading"),
        (Behaviour.CRASHES, "revision-crashed", "the model cannot be loaded"),
        (Behaviour.FAILS_PROOF, "smoke-test-failed", "the model does not answer the proof"),
        (Behaviour.DIFFERS, "wrong-answer", "the answer differs from the one at build time"),
    ],
)
def test_revision_that_does_not_come_up_leaves_the_old_one_serving(
    bench: MemoryBench, behaviour: Behaviour, code: str, last_line: str
) -> None:
    deploy(bench, 1)
    spec = deploy_request(bench.open(), want(2), plan_only=True).plan.steps[1]
    bench.machine.behaviours[spec.spec.fingerprint] = behaviour  # type: ignore[union-attr]
    with pytest.raises(DockyardError) as caught:
        deploy(bench, 2)
    assert caught.value.code == code
    assert caught.value.exit_code == 1
    assert caught.value.details == (last_line,)
    assert caught.value.hint
    assert_failed_cleanly(bench, code)


@pytest.mark.parametrize("method", ["build_image", "describe_recipe"])
def test_image_that_cannot_be_made_leaves_the_old_revision_serving(bench: MemoryBench, method: str) -> None:
    deploy(bench, 1)
    bench.images.failures[method] = BuildError("requirements-unsatisfiable", "they contradict each other")
    with pytest.raises(BuildError):
        deploy(bench, 2)
    assert_failed_cleanly(bench, "requirements-unsatisfiable")


def test_wrong_answer_leaves_the_old_revision_serving(bench: MemoryBench) -> None:
    deploy(bench, 1)
    bench.scorer.difference = "predictions[0]"
    with pytest.raises(DockyardError, match=r"predictions\[0\]") as caught:
        deploy(bench, 2)
    assert caught.value.code == "wrong-answer"
    assert_failed_cleanly(bench, "wrong-answer")


def test_answer_with_an_error_leaves_the_old_revision_serving(bench: MemoryBench) -> None:
    deploy(bench, 1)
    bench.scorer.failures["invoke"] = UnavailableError("scorer-unreachable", "gone")
    with pytest.raises(DockyardError):
        deploy(bench, 2)
    assert_failed_cleanly(bench, "scorer-unreachable")


def assert_failed_cleanly(bench: MemoryBench, code: str) -> None:
    """Version 1 serves as before, nothing of version 2 is left, and the record of version 2 says why."""
    local = bench.machine.describe_deployment(KEY)
    assert bench.serving_version() == "1"
    assert [one.number for one in local.revisions] == [1]
    failed = bench.registry.find_record(KEY, make_model(2))
    assert failed is not None
    assert (failed.status, failed.error_code, failed.traffic_percent) == (RecordStatus.FAILED, code, 0)
    serving = bench.registry.find_record(KEY, make_model(1))
    assert serving is not None
    assert serving.status is RecordStatus.SERVING
    assert bench.attempts[-1].status is AttemptStatus.FAILED
    assert bench.attempts[-1].failure is not None
    assert bench.attempts[-1].failure.code == code


def test_failed_change_of_settings_leaves_the_record_of_what_serves(bench: MemoryBench) -> None:
    deploy(bench, 1)
    bench.scorer.difference = "predictions"
    with pytest.raises(DockyardError):
        deploy(bench, 1, env=(("A", "1"),))
    record = bench.registry.find_record(KEY, make_model(1))
    assert record is not None
    assert record.status is RecordStatus.SERVING
    assert bench.attempts[-1].status is AttemptStatus.FAILED


def test_model_without_example_is_deployed_and_the_smoke_test_is_skipped_with_the_reason(bench: MemoryBench) -> None:
    bench.images.example = None
    result = deploy_request(bench.open(), want(1), plan_only=False)
    smoke = next(outcome for outcome in result.outcomes if outcome.step == "SmokeTest")
    assert smoke.status is OutcomeStatus.SKIPPED
    assert bench.attempts[-1].status is AttemptStatus.SUCCEEDED
    assert any("without an input example" in note for note in bench.progress.notes)
    assert "without an input example" in str(dict(smoke.facts)["reason"])
    assert bench.scorer.requests == []


def test_latencies_of_the_smoke_test_go_into_the_history(bench: MemoryBench) -> None:
    deploy(bench, 1, smoke_requests=3)
    smoke = next(outcome for outcome in bench.attempts[0].outcomes if outcome.step == "SmokeTest")
    assert dict(smoke.facts)["latencies"] == (0.001, 0.001, 0.001)


def test_registry_that_goes_away_makes_the_deploy_partial_and_sync_sends_the_record(bench: MemoryBench) -> None:
    bench.registry.failures["write_entry"] = UnavailableError("tracking-unreachable", "gone")
    result = deploy_request(bench.open(), want(1), plan_only=False)
    assert result.status is ResultStatus.PARTIAL
    assert [failure.code for failure in result.failures] == ["record-pending"]
    assert bench.serving_version() == "1"
    assert deploy(bench, 1) is ResultStatus.UNCHANGED  # what waits counts as written
    bench.registry.failures.clear()
    synced = sync_queue(bench.open())
    assert [entry.run_id for entry in synced.sent] == ["run-1"]
    assert bench.queue.list_entries() == ()
    record = bench.registry.find_record(KEY, make_model(1))
    assert record is not None
    assert record.status is RecordStatus.SERVING


def test_failure_whose_record_must_wait_is_still_told_as_the_failure(bench: MemoryBench) -> None:
    bench.registry.failures["write_entry"] = UnavailableError("tracking-unreachable", "gone")
    bench.images.failures["build_image"] = BuildError("build-failed", "no")
    with pytest.raises(BuildError, match="no"):
        deploy(bench, 1)
    assert len(bench.queue.list_entries()) == 1
    assert any("sync" in note for note in bench.progress.notes)


def test_old_revision_that_cannot_be_stopped_makes_the_deploy_partial(bench: MemoryBench) -> None:
    deploy(bench, 1)
    plan = deploy_request(bench.open(), want(2), plan_only=True).plan
    calls = [step.type for step in plan.steps].index("StopRevision")
    assert calls > 0
    bench.faults.calls.clear()
    bench.faults.error, bench.faults.at = DockyardError("docker-failed", "stuck"), find_call(bench, "stop_revision 1")
    result = deploy_request(bench.open(), want(2), plan_only=False)
    assert result.status is ResultStatus.PARTIAL
    assert [failure.code for failure in result.failures] == ["cleanup-failed"]
    assert bench.serving_version() == "2"
    assert bench.attempts[-1].status is AttemptStatus.PARTIAL


def find_call(bench: MemoryBench, call: str) -> int:
    """Which changing call of an update that is, counted from 1: found by doing one on a bench of its own."""
    twin = MemoryBench()
    deploy(twin, 1)
    twin.faults.calls.clear()
    deploy(twin, 2)
    assert bench is not twin
    return twin.faults.calls.index(call) + 1


def test_transient_trouble_of_the_machine_is_got_over(bench: MemoryBench) -> None:
    bench.fail_call(3, TransientError("docker-failed", "busy"))
    assert deploy(bench, 1) is ResultStatus.DEPLOYED
    assert bench.faults.calls.count("start_revision 1") == 2


def test_journal_that_cannot_be_written_takes_everything_back(bench: MemoryBench) -> None:
    deploy(bench, 1)
    bench.fail_call(find_call(bench, "start_revision 2") + 1, OSError("no space left"))
    with pytest.raises(OSError, match="no space"):
        deploy(bench, 2)
    assert bench.serving_version() == "1"
    assert [one.number for one in bench.machine.describe_deployment(KEY).revisions] == [1]


def test_interrupt_takes_everything_back_and_is_recorded(bench: MemoryBench) -> None:
    deploy(bench, 1)
    bench.fail_call(find_call(bench, "start_revision 2"), KeyboardInterrupt(), has_effect=True)
    with pytest.raises(DockyardError) as caught:
        deploy(bench, 2)
    assert caught.value.exit_code == 130
    assert bench.serving_version() == "1"
    assert [one.number for one in bench.machine.describe_deployment(KEY).revisions] == [1]
    assert bench.attempts[-1].status is AttemptStatus.INTERRUPTED


@pytest.mark.parametrize(
    ("given", "runtime", "base"),
    [
        (None, Runtime.PROCESS, HOST_BASE),
        (None, Runtime.DOCKER, DEFAULT_BASE),
        (None, None, DEFAULT_BASE),
        ("debian:12", Runtime.PROCESS, "debian:12"),
    ],
)
def test_base_follows_from_the_runtime_unless_it_is_named(given: str | None, runtime: Runtime | None, base: str) -> None:
    assert choose_base(ImageSettings(base=given), runtime).base == base


@pytest.mark.parametrize("base", ["dlc:pytorch@2.6", "dlc:nothing of the kind"])
def test_base_that_instances_of_sagemaker_decide_is_refused_before_anything_is_looked_up(bench: MemoryBench, base: str) -> None:
    bench.registry.is_reachable = False
    with pytest.raises(UsageError) as caught:
        deploy_request(bench.open(), dataclasses.replace(want(1), image=ImageSettings(base=base)), plan_only=False)
    assert caught.value.code == "setting-invalid"
    with pytest.raises(UsageError, match="dlc:"):
        choose_base(ImageSettings(base=base), None)
