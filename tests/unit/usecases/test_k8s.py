"""`deploy k8s` on a cluster in memory: what it does, what it leaves alone, what it takes back, and what it writes down."""

from __future__ import annotations

from itertools import islice

import pytest

from dockyard.apply.k8s import K8sHandlers
from dockyard.domain.attempt import AttemptKind
from dockyard.domain.errors import (
    ConflictError,
    DockyardError,
    NotFoundError,
    TransientError,
    UnhealthyError,
    UsageError,
)
from dockyard.domain.image import DEFAULT_BASE, HOST_BASE, Fingerprint, ImageSettings
from dockyard.domain.k8s import K8sPod, K8sPolicy
from dockyard.domain.k8s_exposure import HttpRoute, Ingress
from dockyard.domain.k8s_scaling import Autoscaling
from dockyard.domain.plan import OutcomeStatus, RemoveRevision, SmokeTest, StopRevision
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker_steps import PushImage
from dockyard.testing.faults import KilledError
from dockyard.testing.images import EXAMPLE
from dockyard.testing.k8s import CRASHES, DIFFERS, NEVER_READY
from dockyard.usecases.delete import delete_deployment
from dockyard.usecases.deploy import deploy
from dockyard.usecases.drift import describe_drift
from dockyard.usecases.execute import Execution, make_recorder
from dockyard.usecases.gc import collect_garbage
from dockyard.usecases.predict import predict
from dockyard.usecases.rollback import roll_back
from dockyard.usecases.site import Keep
from dockyard.usecases.status import describe_status, read_logs
from support import memory_bench
from support.any_bench import make_resolved
from support.k8s_bench import DELETE, ROLLBACK, K8sBench, run, want
from support.k8s_values import KEY, make_blueprint
from support.k8s_variants import MONITORING

EXPOSED = K8sPolicy(exposure=HttpRoute(gateway="shared", hostnames=("{name}.example.com",)))


@pytest.fixture
def bench() -> K8sBench:
    return K8sBench()


def find_fingerprint(bench: K8sBench, version: int) -> Fingerprint:
    """What the image of a version will be called."""
    settings = bench.site.choose_image(want(), "3.11")
    return bench.images.describe_recipe(make_resolved(version), settings).fingerprint


def break_version(bench: K8sBench, version: int, pod: K8sPod) -> None:
    bench.cluster.behaviours[find_fingerprint(bench, version)] = pod


def test_first_deploy_serves_and_is_recorded(bench: K8sBench) -> None:
    result = run(bench)
    assert (result.status, result.revision, result.previous) == (ResultStatus.DEPLOYED, 1, None)
    assert result.endpoint == "http://wine.default.svc"
    assert (bench.serving_version(), bench.record_status(1)) == ("1", RecordStatus.SERVING)
    assert [outcome.step for outcome in result.outcomes] == [step.type for step in result.plan.steps]
    assert str(result.image).startswith("registry.example.com/models@sha256:")
    row = describe_status(bench.open(), None, None).rows[0]
    assert (row.capacity, row.is_recorded) == ("2 of 2 pods, 640Mi each (320 MiB measured), in default", True)


def test_every_pod_is_asked_and_together_they_get_the_requests_of_the_smoke_test(bench: K8sBench) -> None:
    run(bench, policy=K8sPolicy(replicas=3))
    assert sorted(set(bench.scorer.asked)) == ["pods/wine-1-0", "pods/wine-1-1", "pods/wine-1-2"]
    assert len(bench.scorer.asked) == 21


def test_second_deploy_of_the_same_changes_nothing(bench: K8sBench) -> None:
    run(bench)
    before = (list(bench.faults.calls), list(bench.registry.writes), list(bench.images.writes))
    assert run(bench).status is ResultStatus.UNCHANGED
    assert (bench.faults.calls, bench.registry.writes, bench.images.writes) == before


def test_plan_changes_nothing(bench: K8sBench) -> None:
    run(bench)
    before = list(bench.faults.calls)
    assert deploy(bench.open(), want(2), plan_only=True).status is ResultStatus.PLANNED
    assert bench.faults.calls == before


def test_update_rollback_and_delete(bench: K8sBench) -> None:
    run(bench, 1)
    run(bench, 2)
    assert (bench.serving_version(), bench.record_status(1)) == ("2", RecordStatus.SUPERSEDED)
    assert roll_back(bench.open(), ROLLBACK, plan_only=False).status is ResultStatus.ROLLED_BACK
    assert (bench.serving_version(), bench.list_numbers()) == ("1", [1, 2])
    assert delete_deployment(bench.open(), DELETE, plan_only=False).status is ResultStatus.DELETED
    assert bench.cluster.list_deployments() == ()
    assert bench.record_status(1) is RecordStatus.DELETED


def test_model_without_input_example_is_ready_and_no_more_is_known(bench: K8sBench) -> None:
    bench.images.example = None
    outcomes = {one.step: one.status for one in run(bench).outcomes}
    assert outcomes["SmokeTest"] is OutcomeStatus.SKIPPED
    assert bench.serving_version() == "1"


@pytest.mark.parametrize(
    ("pod", "code"),
    [
        (CRASHES, "revision-crashed"),
        (DIFFERS, "wrong-answer"),
        (NEVER_READY, "revision-not-ready"),
        (K8sPod(name="", is_ready=False, unschedulable="0/1 nodes are available"), "unschedulable"),
        (K8sPod(name="", is_ready=False, waiting_reason="ImagePullBackOff"), "image-not-pulled"),
    ],
)
def test_revision_that_does_not_get_ready_is_taken_back(bench: K8sBench, pod: K8sPod, code: str) -> None:
    run(bench, 1)
    break_version(bench, 2, pod)
    with pytest.raises(UnhealthyError) as failed:
        run(bench, 2)
    assert failed.value.code == code
    assert failed.value.details == ("wine-2-0: loading",)
    assert (bench.serving_version(), bench.list_numbers()) == ("1", [1])
    assert (bench.record_status(1), bench.record_status(2)) == (RecordStatus.SERVING, RecordStatus.FAILED)


def test_cluster_that_makes_no_pod_is_told_in_its_own_words(bench: K8sBench) -> None:
    bench.cluster.refusals[find_fingerprint(bench, 1)] = 'pods "wine" is forbidden: exceeded quota: small'
    with pytest.raises(UnhealthyError, match="exceeded quota: small") as failed:
        run(bench)
    assert failed.value.code == "quota-exceeded"
    assert bench.cluster.list_deployments() == ()


def test_first_revision_that_fails_leaves_nothing(bench: K8sBench) -> None:
    break_version(bench, 1, CRASHES)
    with pytest.raises(UnhealthyError):
        run(bench, 1)
    assert bench.cluster.list_deployments() == ()


def test_wrong_answer_in_the_smoke_test_brings_the_old_revision_back(bench: K8sBench) -> None:
    run(bench, 1)
    bench.scorer.differences[find_fingerprint(bench, 2)] = "predictions[0]"
    with pytest.raises(UnhealthyError, match=r"predictions\[0\]"):
        run(bench, 2)
    assert (bench.serving_version(), bench.list_numbers()) == ("1", [1])


def open_handlers(bench: K8sBench) -> K8sHandlers:
    workbench = bench.open()
    planned = bench.site.plan_delete(workbench, KEY)
    execution = Execution(attempt=workbench.begin_attempt(KEY, AttemptKind.DEPLOY), planned=planned)
    return bench.site.make_handlers(workbench, KEY, make_recorder(workbench, execution), None)


def test_smoke_test_of_a_revision_without_pods_fails(bench: K8sBench) -> None:
    with pytest.raises(UnhealthyError, match="has no pod"):
        open_handlers(bench).perform(SmokeTest(number=1, fingerprint=Fingerprint("fp"), requests=1), ())


def test_image_that_is_gone_is_told(bench: K8sBench) -> None:
    with pytest.raises(DockyardError, match="no longer in the local store"):
        open_handlers(bench).perform(PushImage(fingerprint=Fingerprint("fp"), repository="r"), ())


def test_step_of_another_target_is_refused(bench: K8sBench) -> None:
    with pytest.raises(TypeError, match="StopRevision"):
        open_handlers(bench).perform(StopRevision(number=1), ())


def test_failed_change_of_the_number_of_pods_goes_back_to_the_former_number(bench: K8sBench) -> None:
    run(bench)
    bench.scorer.failures.append(UnhealthyError("smoke-test-failed", "it says so"))
    with pytest.raises(UnhealthyError, match="it says so"):
        run(bench, policy=K8sPolicy(replicas=3))
    policy = bench.cluster.describe_deployment(KEY).policy
    assert (policy, bench.serving_version()) == (K8sPolicy(), "1")


def test_optional_object_comes_and_goes_with_its_setting(bench: K8sBench) -> None:
    run(bench)
    run(bench, policy=K8sPolicy(exposure=Ingress(host="wine.example.com")))
    assert "Ingress/wine" in bench.cluster.describe_deployment(KEY).objects
    run(bench)
    assert "Ingress/wine" not in bench.cluster.describe_deployment(KEY).objects


def test_autoscaled_number_of_pods_is_neither_drift_nor_conflict(bench: K8sBench) -> None:
    policy = K8sPolicy(replicas=1, scaling=Autoscaling(min_replicas=2, max_replicas=5, cpu_percent=70))
    result = run(bench, policy=policy)
    assert any("(2 to 5 pods)" in step.describe() for step in result.plan.steps)
    bench.cluster.meddle(KEY, 4)
    assert run(bench, policy=policy).status is ResultStatus.UNCHANGED
    assert (
        describe_status(bench.open(), None, None).rows[0].capacity == "2 of 2 pods, 640Mi each (320 MiB measured), in default"
    )
    assert "HorizontalPodAutoscaler/wine" in bench.cluster.describe_deployment(KEY).objects


def test_monitoring_is_no_new_revision_and_goes_with_its_setting(bench: K8sBench) -> None:
    run(bench)
    assert run(bench, policy=K8sPolicy(monitoring=MONITORING)).revision == 1
    made = {"ServiceMonitor/wine", "PrometheusRule/wine", "ConfigMap/wine"}
    assert made <= set(bench.cluster.describe_deployment(KEY).objects)
    run(bench)
    assert not made & set(bench.cluster.describe_deployment(KEY).objects)


def test_route_is_no_new_revision_and_its_url_is_the_endpoint(bench: K8sBench) -> None:
    run(bench)
    result = run(bench, policy=EXPOSED)
    assert (result.revision, result.endpoint) == (1, "https://wine.example.com")
    assert describe_status(bench.open(), None, None).rows[0].endpoint == "https://wine.example.com"
    assert "HTTPRoute/wine" in bench.cluster.describe_deployment(KEY).objects
    assert run(bench, policy=EXPOSED).status is ResultStatus.UNCHANGED
    assert run(bench).endpoint == "http://wine.default.svc"
    assert "HTTPRoute/wine" not in bench.cluster.describe_deployment(KEY).objects


def test_route_that_no_gateway_takes_is_taken_back(bench: K8sBench) -> None:
    run(bench)
    bench.cluster.route_problem = "Gateway shared says NoMatchingParent: no such listener"
    with pytest.raises(UnhealthyError, match="no such listener") as refused:
        run(bench, policy=EXPOSED)
    assert refused.value.code == "route-not-accepted"
    assert bench.cluster.describe_deployment(KEY).policy == K8sPolicy()


def test_kind_that_the_cluster_lacks_is_named_before_anything_is_written(bench: K8sBench) -> None:
    bench.cluster.lacks.add("HTTPRoute")
    with pytest.raises(NotFoundError, match="HTTPRoute") as lacking:
        run(bench, policy=EXPOSED)
    assert lacking.value.code == "kind-missing"
    assert bench.cluster.list_deployments() == ()


def test_hand_made_change_is_drift_and_no_fight(bench: K8sBench) -> None:
    run(bench)
    bench.cluster.meddle(KEY, 5)
    drift = describe_drift(bench.open(), KEY).deployments[0]
    assert drift.plan is not None
    assert [(one.what, one.before, one.after) for one in drift.plan.changes] == [("Deployment/wine spec.replicas", "5", "2")]
    with pytest.raises(ConflictError) as conflict:
        run(bench)
    assert conflict.value.code == "field-conflict"
    bench.cluster.takes_over = True
    run(bench)
    assert describe_drift(bench.open(), KEY).deployments[0].plan.is_empty  # type: ignore[union-attr]


def test_deployment_of_somebody_else_is_left_alone(bench: K8sBench) -> None:
    bench.cluster.foreign.add("wine")
    with pytest.raises(ConflictError) as taken:
        run(bench)
    assert taken.value.code == "name-taken"
    assert not [call for call in bench.faults.calls if not call.startswith("save_attempt")]


def list_calls() -> list[str]:
    """The calls of an update that change something."""
    bench = K8sBench()
    run(bench, 1)
    bench.faults.calls.clear()
    run(bench, 2)
    return bench.faults.calls


CALLS = list_calls()
OF_THE_WORLD = [number for number, call in enumerate(CALLS, start=1) if not call.startswith("save_attempt")]


@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
@pytest.mark.parametrize("has_effect", [False, True])
def test_killed_anywhere_the_same_command_completes_it(number: int, has_effect: bool) -> None:
    bench = K8sBench()
    run(bench, 1)
    bench.fail_call(number, KilledError(), has_effect=has_effect)
    with pytest.raises(KilledError):
        run(bench, 2)
    bench.heal()
    bench.locks.holders.clear()
    run(bench, 2)
    assert (bench.serving_version(), bench.record_status(2), bench.list_numbers()) == ("2", RecordStatus.SERVING, [1, 2])
    assert run(bench, 2).status is ResultStatus.UNCHANGED


@pytest.mark.parametrize("number", OF_THE_WORLD)
@pytest.mark.parametrize("has_effect", [False, True])
def test_call_that_fails_anywhere_leaves_the_old_revision_serving(number: int, has_effect: bool) -> None:
    bench = K8sBench()
    run(bench, 1)
    bench.fail_call(number, DockyardError("cluster-refused", "it says so"), has_effect=has_effect)
    with pytest.raises(DockyardError, match="it says so"):
        run(bench, 2)
    bench.heal()
    assert bench.serving_version() == "1"
    run(bench, 1)
    assert bench.list_numbers() in ([1], [1, 2])


def test_what_may_pass_by_itself_is_tried_again(bench: K8sBench) -> None:
    bench.scorer.failures.append(TransientError("cluster-busy", "too many requests"))
    assert run(bench).status is ResultStatus.DEPLOYED


def test_garbage_is_what_never_served_and_is_not_on_its_way(bench: K8sBench) -> None:
    run(bench, 1)
    break_version(bench, 2, CRASHES)
    bench.fail_call(next(n for n, call in enumerate(CALLS, start=1) if call.startswith("apply")) + 1, KilledError())
    with pytest.raises(KilledError):
        run(bench, 2)
    bench.heal()
    bench.locks.holders.clear()
    bench.cluster.orphans.append("Service/gone")
    assert bench.site.plan_cleanup(KEY) == ()
    items = collect_garbage(bench.open(), cache_days=30, plan_only=False).items
    assert [(one.kind, one.name) for one in items if one.kind != "image"] == [("orphan", "Service/gone")]
    assert bench.cluster.orphans == []
    run(bench, 1)
    assert bench.list_numbers() == [1]


def test_revision_that_never_served_is_removed_by_gc(bench: K8sBench) -> None:
    run(bench, 1)
    bench.cluster.apply_blueprint(make_blueprint(2, number=2), dry_run=False)
    bench.cluster.apply_blueprint(make_blueprint(1, number=1), dry_run=False)
    step = RemoveRevision(number=2, reason="it never served")
    assert bench.site.plan_cleanup(KEY) == (step,)
    bench.site.clean_up(KEY, StopRevision(number=2))
    assert bench.list_numbers() == [1, 2]
    bench.site.clean_up(KEY, step)
    assert bench.list_numbers() == [1]


def test_prediction_goes_through_the_service(bench: K8sBench) -> None:
    run(bench)
    bench.scorer.asked.clear()
    assert predict(bench.open(), KEY, None, "application/json").value == {"predictions": [1]}
    assert bench.scorer.asked == ["services/wine"]
    with pytest.raises(NotFoundError, match="no revision"):
        K8sBench().site.invoke(KEY, EXAMPLE)


def test_logs_are_those_of_the_revisions_pods(bench: K8sBench) -> None:
    run(bench)
    assert list(read_logs(bench.open(), KEY, None, follow=False, tail=1)) == ["wine-1-1: ready"]
    assert list(islice(bench.site.read_logs(KEY, 1, follow=True, tail=1), 1)) == ["wine-1-1: ready"]
    with pytest.raises(NotFoundError, match="no revision 7"):
        bench.site.read_logs(KEY, 7, follow=False, tail=1)


def test_what_cannot_work_is_refused_before_the_model_is_looked_up(bench: K8sBench) -> None:
    bench.registry.is_reachable = False
    for base in (HOST_BASE, "dlc:pytorch"):
        with pytest.raises(UsageError, match="does not run on Kubernetes"):
            run(bench, image=ImageSettings(base=base))
    with pytest.raises(UsageError, match="DOCKYARD_REVISION"):
        run(bench, env=(("DOCKYARD_REVISION", "7"),))
    bench.repository = None
    with pytest.raises(UsageError, match="which registry"):
        run(bench)
    assert bench.faults.calls == []


def test_image_has_a_base(bench: K8sBench) -> None:
    assert bench.site.choose_image(want(), "3.11").base == DEFAULT_BASE
    assert bench.site.choose_image(want(image=ImageSettings(base="own")), "3.11").base == "own"


def test_request_for_another_target_is_refused(bench: K8sBench) -> None:
    with pytest.raises(TypeError, match="no request for Kubernetes"):
        bench.site.prepare(memory_bench.want())
    assert not bench.site.shall_plan_again(want(), ConflictError("plan-stale", "x"))


def test_rollback_to_a_revision_that_is_not_there_is_refused(bench: K8sBench) -> None:
    with pytest.raises(NotFoundError, match="no revision 3"):
        bench.site.plan_revision(bench.open(), KEY, 3, Keep())
