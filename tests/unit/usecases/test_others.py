"""The other verbs on a machine in memory: rollback, delete, build, status, history, logs, predict, promote, drift, gc, sync."""

from __future__ import annotations

import dataclasses
from typing import cast

import pytest
from typing_extensions import override

from dockyard.domain.attempt import AttemptKind, AttemptStatus, Failure
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError, NotFoundError, UnavailableError, UsageError
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.image import HOST_BASE, ImageSettings
from dockyard.domain.observed import DeploymentState
from dockyard.domain.record import RecordStatus
from dockyard.domain.reference import parse_model_ref
from dockyard.domain.request import BuildRequest
from dockyard.domain.result import ResultStatus
from dockyard.ports import StaleCache
from dockyard.testing.local import Behaviour
from dockyard.usecases.build import build_image
from dockyard.usecases.delete import delete_deployment
from dockyard.usecases.deploy import deploy
from dockyard.usecases.doctor import examine
from dockyard.usecases.drift import describe_drift
from dockyard.usecases.gc import collect_garbage
from dockyard.usecases.predict import predict
from dockyard.usecases.promote import promote
from dockyard.usecases.rollback import roll_back
from dockyard.usecases.site import Site
from dockyard.usecases.status import describe_history, describe_status, read_logs
from dockyard.usecases.sync import flush_queue, sync_queue
from support.any_bench import OneSite, make_resolved
from support.local_values import KEY, make_model
from support.memory_bench import DELETE, ROLLBACK, MemoryBench, want

GONE = UnavailableError("tracking-unreachable", "the registry is gone")


@pytest.fixture
def bench() -> MemoryBench:
    """Versions 1 and 2 were deployed; 2 serves."""
    made = MemoryBench()
    for version in (1, 2):
        deploy(made.open(), want(version), plan_only=False)
    return made


def test_rollback_brings_the_earlier_revision_back_under_its_number(bench: MemoryBench) -> None:
    result = roll_back(bench.open(), ROLLBACK, plan_only=False)
    assert (result.status, result.revision, result.previous) == (ResultStatus.ROLLED_BACK, 1, 2)
    assert bench.serving_version() == "1"
    assert bench.images.writes.count(f"build {result.plan.steps[0]}") == 0
    one, two = (bench.registry.find_record(KEY, make_model(version)) for version in (1, 2))
    assert one is not None
    assert two is not None
    assert (one.status, two.status) == (RecordStatus.SERVING, RecordStatus.SUPERSEDED)
    assert bench.attempts[-1].kind is AttemptKind.ROLLBACK


def test_rollback_plan_changes_nothing(bench: MemoryBench) -> None:
    before = list(bench.faults.calls)
    assert roll_back(bench.open(), ROLLBACK, plan_only=True).status is ResultStatus.PLANNED
    assert bench.faults.calls == before


def test_rollback_that_does_not_come_up_leaves_what_serves(bench: MemoryBench) -> None:
    spec = bench.machine.describe_deployment(KEY).revisions[0].spec
    bench.machine.behaviours[spec.fingerprint] = Behaviour.CRASHES
    with pytest.raises(DockyardError) as caught:
        roll_back(bench.open(), ROLLBACK, plan_only=False)
    assert caught.value.code == "revision-crashed"
    assert bench.serving_version() == "2"
    assert [one.number for one in bench.machine.describe_deployment(KEY).revisions] == [1, 2]


def test_rollback_without_its_image_says_so(bench: MemoryBench) -> None:
    bench.images.delete_image(bench.machine.describe_deployment(KEY).revisions[0].spec.fingerprint)
    with pytest.raises(DockyardError) as caught:
        roll_back(bench.open(), ROLLBACK, plan_only=False)
    assert caught.value.code == "image-missing"
    assert bench.serving_version() == "2"


def test_rollback_that_cannot_be_recorded_is_partial(bench: MemoryBench) -> None:
    bench.registry.failures["write_entry"] = GONE
    assert roll_back(bench.open(), ROLLBACK, plan_only=False).status is ResultStatus.PARTIAL


def test_delete_takes_all_away_and_says_so_in_the_record(bench: MemoryBench) -> None:
    assert delete_deployment(bench.open(), DELETE, plan_only=True).status is ResultStatus.PLANNED
    assert bench.serving_version() == "2"
    assert delete_deployment(bench.open(), DELETE, plan_only=False).status is ResultStatus.DELETED
    assert not bench.machine.describe_deployment(KEY).exists
    record = bench.registry.find_record(KEY, make_model(2))
    assert record is not None
    assert (record.status, record.endpoint, record.traffic_percent) == (RecordStatus.DELETED, None, 0)
    with pytest.raises(NotFoundError) as caught:
        delete_deployment(bench.open(), DELETE, plan_only=False)
    assert caught.value.code == "deployment-not-found"


def test_delete_of_what_never_served_leaves_nothing(bench: MemoryBench) -> None:
    other = dataclasses.replace(KEY, name="other")
    bench.machine.start_revision(other, 1, bench.machine.describe_deployment(KEY).revisions[0].spec)
    result = delete_deployment(bench.open(), dataclasses.replace(DELETE, key=other), plan_only=False)
    assert result.status is ResultStatus.DELETED
    assert bench.machine.list_deployments() == (KEY,)


def test_deployment_of_another_environment_is_told_where_it_is(bench: MemoryBench) -> None:
    with pytest.raises(NotFoundError) as caught:
        roll_back(
            bench.open(), dataclasses.replace(ROLLBACK, key=dataclasses.replace(KEY, environment="local")), plan_only=False
        )
    assert caught.value.hint == "there is `prod/wine`"


def test_unknown_deployment_is_told_with_those_that_there_are(bench: MemoryBench) -> None:
    with pytest.raises(NotFoundError) as caught:
        predict(bench.open(), dataclasses.replace(KEY, name="beer"), None, "application/json")
    assert "`wine`" in (caught.value.hint or "")
    with pytest.raises(NotFoundError) as caught:
        predict(bench.open(), dataclasses.replace(KEY, environment="nowhere", name="beer"), None, "application/json")
    assert "dockyard status" in (caught.value.hint or "")


def build(bench: MemoryBench, **fields: object) -> ResultStatus:
    request = BuildRequest(ref=parse_model_ref("models:/wine/3"), **{"image": ImageSettings(), **fields})  # type: ignore[arg-type]
    return build_image(bench.open(), request).status


def test_build_makes_an_image_once(bench: MemoryBench) -> None:
    assert [build(bench), build(bench)] == [ResultStatus.BUILT, ResultStatus.UNCHANGED]


def test_build_pushes_where_there_is_a_repository(bench: MemoryBench) -> None:
    settings = ImageSettings(repository="registry.example/wine")
    assert build(bench, image=settings, push=True) is ResultStatus.PUSHED
    assert build(bench, image=settings, push=True, tag="v3") is ResultStatus.PUSHED
    assert "registry.example/wine:v3" in bench.images.pushed
    with pytest.raises(UsageError, match="no repository"):
        build(bench, push=True)


def test_status_tells_each_deployment_and_whether_it_is_recorded(bench: MemoryBench) -> None:
    row = describe_status(bench.open(), None, None).rows[0]
    assert (row.state, row.revision, row.revisions, row.is_recorded) == (DeploymentState.SERVING, 2, (1, 2), True)
    assert describe_status(bench.open(), "elsewhere", None).rows == ()
    assert describe_status(bench.open(), "prod", "beer").rows == ()


@dataclasses.dataclass(kw_only=True)
class WithNowhere(OneSite):
    """A place, and one that is configured wrongly."""

    nowhere: Site

    @override
    def find(self, environment: str) -> Site:
        return self.nowhere if environment == "nowhere" else self.site

    @override
    def list(self) -> tuple[Site, ...]:
        return (self.nowhere, self.site)


class Nowhere:
    """Tells that it is no place."""

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """Never any."""
        raise UsageError("cluster-unknown", "there is no context `nowhere`")


def test_status_of_all_notes_which_place_is_configured_wrongly_and_status_of_it_raises(bench: MemoryBench) -> None:
    sites = WithNowhere(site=bench.site, nowhere=cast("Site", Nowhere()))
    workbench = dataclasses.replace(bench.open(), sites=sites)
    status = describe_status(workbench, None, None)
    assert (len(status.rows), status.notes) == (1, ("there is no context `nowhere`",))
    with pytest.raises(UsageError, match="there is no context"):
        describe_status(workbench, "nowhere", None)


def test_status_after_a_rollback_tells_since_when_the_revision_serves_and_not_when_it_was_made(bench: MemoryBench) -> None:
    bench.clock.sleep(3600)
    roll_back(bench.open(), ROLLBACK, plan_only=False)
    row = describe_status(bench.open(), None, None).rows[0]
    assert (row.revision, (row.since or "")[:13]) == (1, "2026-01-01T01")


def test_status_of_what_died_or_never_served(bench: MemoryBench) -> None:
    bench.machine.kill_forwarder(KEY)
    assert describe_status(bench.open(), None, "wine").rows[0].state is DeploymentState.DOWN
    other = dataclasses.replace(KEY, name="other")
    spec = bench.machine.describe_deployment(KEY).revisions[0].spec
    bench.machine.start_revision(other, 1, spec)
    row = describe_status(bench.open(), None, "other").rows[0]
    assert (row.state, row.model, row.endpoint, row.is_recorded) == (DeploymentState.EMPTY, None, None, None)
    bench.machine.behaviours[spec.fingerprint] = Behaviour.NEVER_READY
    bench.machine.route_traffic(other, 1, 9000)
    bench.machine.stop_revision(other, 1)
    bench.machine.start_revision(other, 1, spec)
    assert describe_status(bench.open(), None, "other").rows[0].state is DeploymentState.STARTING


def test_status_works_without_the_registry(bench: MemoryBench) -> None:
    bench.registry.is_reachable = False
    result = describe_status(bench.open(), None, None)
    assert result.rows[0].is_recorded is None
    assert "could not be asked" in result.notes[0]


def test_history_tells_what_waits_as_well_as_what_is_written(bench: MemoryBench) -> None:
    bench.registry.failures["write_entry"] = GONE
    deploy(bench.open(), want(3), plan_only=False)
    result = describe_history(bench.open(), KEY, 10)
    assert [attempt.model.version for attempt in result.attempts if attempt.model] == ["3", "2", "1"]
    assert "1 of these" in result.notes[0]
    assert len(describe_history(bench.open(), KEY, 1).attempts) == 1


def test_logs_are_those_of_the_serving_revision_or_of_the_one_asked_for(bench: MemoryBench) -> None:
    bench.machine.crash(KEY, 1, "last words")
    assert list(read_logs(bench.open(), KEY, None, follow=False, tail=5)) == ["ready"]
    assert list(read_logs(bench.open(), KEY, 1, follow=False, tail=1)) == ["last words"]


def test_predict_sends_the_example_or_what_it_is_given(bench: MemoryBench) -> None:
    assert predict(bench.open(), KEY, None, "application/json").value == {"predictions": [1]}
    predict(bench.open(), KEY, b"a\n1\n", "text/csv")
    assert (bench.scorer.requests[-1].body, bench.scorer.requests[-1].content_type) == (b"a\n1\n", "text/csv")


def test_predict_without_example_asks_for_a_body(bench: MemoryBench) -> None:
    bench.images.example = None
    with pytest.raises(UsageError) as caught:
        predict(bench.open(), KEY, None, "application/json")
    assert caught.value.hint is not None


def test_predict_without_a_serving_revision_says_so(bench: MemoryBench) -> None:
    bench.machine.route_traffic(KEY, None, 1234)
    with pytest.raises(NotFoundError) as caught:
        predict(bench.open(), KEY, None, "application/json")
    assert caught.value.code == "nothing-serving"


def test_promote_moves_the_alias_to_what_serves_once(bench: MemoryBench) -> None:
    first, second = promote(bench.open(), KEY), promote(bench.open(), KEY)
    assert (first.status, first.version, first.previous_version) == (ResultStatus.PROMOTED, "2", None)
    assert second.status is ResultStatus.UNCHANGED


def test_folder_cannot_be_promoted() -> None:
    bench = MemoryBench()
    deploy(bench.open(), want("./folder"), plan_only=False)
    with pytest.raises(UsageError, match="not registered"):
        promote(bench.open(), KEY)


def test_nothing_has_drifted_after_a_deploy(bench: MemoryBench) -> None:
    before = list(bench.faults.calls)
    result = describe_drift(bench.open(), None)
    assert not result.has_drifted
    assert bench.faults.calls == before


def test_drift_tells_an_alias_that_has_moved(bench: MemoryBench) -> None:
    bench.registry.set_alias("wine", "prod", "1")
    finding = describe_drift(bench.open(), KEY).deployments[0].findings[0]
    assert finding.code == "alias-moved"
    assert "models:/wine@prod" in (finding.remedy or "")
    promote(bench.open(), KEY)
    assert not describe_drift(bench.open(), KEY).has_drifted


def test_drift_tells_what_died(bench: MemoryBench) -> None:
    bench.machine.crash(KEY, 2)
    drift = describe_drift(bench.open(), KEY).deployments[0]
    assert drift.plan is not None
    assert drift.plan.steps[0].type == "StartRevision"


def test_drift_tells_what_serves_nothing_and_what_cannot_be_asked(bench: MemoryBench) -> None:
    bench.registry.is_reachable = False
    assert describe_drift(bench.open(), KEY).deployments[0].findings[0].code == "tracking-unreachable"
    bench.machine.route_traffic(KEY, None, 1234)
    finding = describe_drift(bench.open(), KEY).deployments[0].findings[0]
    assert (finding.code, finding.severity) == ("nothing-serving", Severity.ERROR)


def test_gc_removes_candidates_orphans_and_images_that_nothing_needs(bench: MemoryBench) -> None:
    build(bench)
    spec = bench.machine.describe_deployment(KEY).revisions[0].spec
    candidate = dataclasses.replace(spec, settings=dataclasses.replace(spec.settings, grace_seconds=1))
    bench.machine.start_revision(KEY, 3, candidate)
    bench.machine.orphans.append("container dockyard-old")
    planned = collect_garbage(bench.open(), cache_days=30, plan_only=True)
    assert planned.status is ResultStatus.PLANNED
    assert sorted(item.kind for item in planned.items) == ["image", "orphan", "revision"]
    done = collect_garbage(bench.open(), cache_days=30, plan_only=False)
    assert (done.status, done.items) == (ResultStatus.DONE, planned.items)
    assert done.freed_bytes == 10
    assert collect_garbage(bench.open(), cache_days=30, plan_only=False).status is ResultStatus.UNCHANGED
    assert bench.serving_version() == "2"


def test_gc_removes_downloads_that_nobody_has_used_for_so_long_and_shows_them_with_their_sizes(bench: MemoryBench) -> None:
    old, young = (StaleCache(name=name, entries=3, size_bytes=size) for name, size in (("packages", 100), ("models", 10)))
    bench.caches.unused = {old: 30, young: 29}
    planned = collect_garbage(bench.open(), cache_days=30, plan_only=True)
    (item,) = planned.items
    assert (item.kind, item.name, item.size_bytes) == ("download", "3 packages not used for 30 days", 100)
    assert list(bench.caches.unused) == [old, young]
    done = collect_garbage(bench.open(), cache_days=30, plan_only=False)
    assert (done.status, done.items, done.freed_bytes) == (ResultStatus.DONE, planned.items, 100)
    assert list(bench.caches.unused) == [young]


def test_gc_stops_a_revision_that_serves_no_more(bench: MemoryBench) -> None:
    bench.machine.start_revision(KEY, 1, bench.machine.describe_deployment(KEY).revisions[0].spec)
    collect_garbage(bench.open(), cache_days=30, plan_only=False)
    assert not bench.machine.describe_deployment(KEY).revisions[0].is_running


def test_gc_leaves_a_deployment_alone_that_is_being_changed(bench: MemoryBench) -> None:
    with bench.locks.hold(KEY, "somebody", 0):
        result = collect_garbage(bench.open(), cache_days=30, plan_only=False)
    assert result.status is ResultStatus.PARTIAL
    assert [failure.code for failure in result.failures] == ["lock-held"]


def test_gc_tells_what_it_could_not_remove(bench: MemoryBench) -> None:
    bench.machine.orphans.append("container dockyard-old")
    bench.fail_call(1, DockyardError("docker-failed", "stuck"))
    result = collect_garbage(bench.open(), cache_days=30, plan_only=False)
    assert result.status is ResultStatus.PARTIAL
    assert [failure.code for failure in result.failures] == ["docker-failed"]


def test_gc_keeps_the_image_that_a_running_deploy_has_just_built(bench: MemoryBench) -> None:
    plan = deploy(bench.open(), want(3), plan_only=True).plan
    deploy(bench.open(), want(3), plan_only=False)
    bench.machine.delete_deployment(KEY)
    collect_garbage(bench.open(), cache_days=30, plan_only=False)
    bench.images.build_image(bench.images.describe_recipe(make_resolved(3), ImageSettings(base=HOST_BASE)), make_resolved(3))
    attempt = dataclasses.replace(bench.open().begin_attempt(KEY, AttemptKind.DEPLOY), plan=plan)
    bench.journal.save_attempt(attempt)
    assert collect_garbage(bench.open(), cache_days=30, plan_only=False).status is ResultStatus.UNCHANGED
    bench.journal.save_attempt(dataclasses.replace(attempt, status=AttemptStatus.FAILED))
    assert collect_garbage(bench.open(), cache_days=30, plan_only=False).status is ResultStatus.DONE


def test_sync_sends_what_it_can_and_keeps_the_rest(bench: MemoryBench) -> None:
    bench.registry.failures["write_entry"] = GONE
    deploy(bench.open(), want(3), plan_only=False)
    result = sync_queue(bench.open())
    assert (result.sent, len(result.pending)) == ((), 1)
    assert [failure.code for failure in result.failures] == ["tracking-unreachable"]
    flush_queue(bench.open())
    assert "still wait" in bench.progress.notes[-1]
    bench.registry.failures.clear()
    assert len(sync_queue(bench.open()).sent) == 1


def test_sync_tells_entries_that_cannot_be_read(bench: MemoryBench) -> None:
    damaged = Failure(code="state-corrupt", message="one file cannot be read")
    bench.queue.damaged.append(damaged)
    assert sync_queue(bench.open()).failures == (damaged,)


def test_doctor_tells_what_every_check_found() -> None:
    class Fine:
        def examine(self) -> tuple[Finding, ...]:
            return (Finding(code="disk", severity=Severity.OK, message="fine"),)

    class Bad:
        def examine(self) -> tuple[Finding, ...]:
            return (Finding(code="uv", severity=Severity.ERROR, message="missing", remedy="install it"),)

    result = examine((Fine(), Bad()))
    assert [finding.code for finding in result.findings] == ["disk", "uv"]
    assert result.has_errors
