"""Candidates on a cluster in memory: asked before they get requests, watched, taken back, promoted, and gone in the end."""

from __future__ import annotations

import pytest

from dockyard.domain.errors import ConflictError, DockyardError, UnavailableError, UnhealthyError, UsageError
from dockyard.domain.k8s import K8sPolicy
from dockyard.domain.k8s_exposure import HttpRoute
from dockyard.domain.k8s_rollout import Division, Gate, K8sRollout, K8sRolloutKind, Traffic
from dockyard.domain.record import RecordStatus
from dockyard.domain.request_counts import RequestCounts
from dockyard.domain.result import ResultStatus
from dockyard.testing.faults import KilledError
from dockyard.testing.k8s import CRASHES, NEVER_READY
from dockyard.usecases.drift import describe_drift
from dockyard.usecases.promote import promote
from dockyard.usecases.rollback import roll_back
from dockyard.usecases.status import describe_status
from support.any_bench import make_resolved
from support.k8s_bench import ROLLBACK, K8sBench, run, want
from support.k8s_values import KEY

BLUE_GREEN = K8sRollout(kind=K8sRolloutKind.BLUE_GREEN, wait_seconds=10)
CANARY = K8sRollout(kind=K8sRolloutKind.CANARY, steps=(10, 50, 100), wait_seconds=10)
PAUSED = K8sRollout(kind=K8sRolloutKind.CANARY, pause=True)
GOOD = RequestCounts(requests=50, seconds=0.5)
BAD = RequestCounts(requests=50, errors=5, seconds=0.5)
PODS = Division.PODS
ROUTED = K8sPolicy(exposure=HttpRoute(gateway="shared", hostnames=("models.test",)))


@pytest.fixture
def bench() -> K8sBench:
    bench = K8sBench()
    run(bench, 1)
    return bench


def list_changes(bench: K8sBench) -> list[str]:
    """What was changed in the cluster."""
    return [call for call in bench.faults.calls if not call.startswith("save_attempt")]


def assert_only(bench: K8sBench, version: int, numbers: list[int]) -> None:
    """That version serves, alone, as if there had never been a candidate."""
    seen = bench.cluster.describe_deployment(KEY)
    assert (bench.serving_version(), bench.list_numbers()) == (str(version), numbers)
    assert (seen.candidate, seen.traffic) == (None, None)
    assert describe_drift(bench.open(), KEY).deployments[0].plan.is_empty  # type: ignore[union-attr]


def break_version(bench: K8sBench, version: int, pod: object) -> None:
    settings = bench.site.choose_image(want(), "3.11")
    fingerprint = bench.images.describe_recipe(make_resolved(version), settings).fingerprint
    bench.cluster.behaviours[fingerprint] = pod  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("rollout", "shares"),
    [(BLUE_GREEN, ["100"]), (CANARY, ["10", "50", "100"]), (K8sRollout(kind=K8sRolloutKind.CANARY, steps=(20,)), ["20"])],
)
def test_candidate_gets_its_shares_and_is_gone_when_the_deployment_has_come_to_it(
    bench: K8sBench, rollout: K8sRollout, shares: list[str]
) -> None:
    bench.metrics.rates = {"wine": GOOD}
    bench.faults.calls.clear()
    assert run(bench, 2, rollout=rollout).status is ResultStatus.DEPLOYED
    told = [call.split()[-1] for call in list_changes(bench) if call.startswith("direct_traffic")]
    assert told == [*shares, "0"]
    assert_only(bench, 2, [1, 2])
    assert (bench.record_status(1), bench.record_status(2)) == (RecordStatus.SUPERSEDED, RecordStatus.SERVING)


def test_candidate_is_asked_before_it_gets_a_request(bench: K8sBench) -> None:
    bench.scorer.asked.clear()
    bench.faults.calls.clear()
    bench.scorer.failures.append(UnhealthyError("wrong-answer", "it differs"))
    with pytest.raises(UnhealthyError, match="it differs"):
        run(bench, 2, rollout=BLUE_GREEN)
    assert bench.scorer.asked == ["pods/wine-candidate-2-0"]
    assert [call for call in list_changes(bench) if call.startswith("direct_traffic")] == ["direct_traffic 0"]
    assert_only(bench, 1, [1])


@pytest.mark.parametrize(("pod", "code"), [(CRASHES, "revision-crashed"), (NEVER_READY, "revision-not-ready")])
def test_candidate_that_does_not_get_ready_is_taken_away(bench: K8sBench, pod: object, code: str) -> None:
    break_version(bench, 2, pod)
    with pytest.raises(UnhealthyError) as failed:
        run(bench, 2, rollout=CANARY)
    assert (failed.value.code, failed.value.details) == (code, ("wine-candidate-2-0: loading",))
    assert_only(bench, 1, [1])


def test_bad_candidate_is_taken_back_at_its_first_share(bench: K8sBench) -> None:
    bench.metrics.rates = {"wine-candidate": BAD, "wine-1": GOOD}
    bench.faults.calls.clear()
    with pytest.raises(UnhealthyError, match=r"answered 10\.0 % of .* requests with an error") as breached:
        run(bench, 2, rollout=CANARY)
    assert (breached.value.code, breached.value.exit_code) == ("gate-breached", 1)
    assert [call for call in list_changes(bench) if call.startswith("direct")] == ["direct_traffic 10", "direct_traffic 0"]
    assert_only(bench, 1, [1])
    assert bench.record_status(2) is RecordStatus.FAILED


def test_alert_of_prometheus_takes_it_back(bench: K8sBench) -> None:
    bench.metrics.alerts = {'errors{pod=~"wine-candidate-': "3 {}"}
    gate = Gate(prometheus="http://prometheus:9090", alerts=("quiet", 'errors{pod=~"$candidate-.*"} > 0'))
    rollout = K8sRollout(kind=K8sRolloutKind.CANARY, gate=gate)
    with pytest.raises(UnhealthyError, match="sets an alert off: errors"):
        run(bench, 2, rollout=rollout)
    assert_only(bench, 1, [1])


def test_prometheus_that_does_not_answer_takes_it_back_as_well(bench: K8sBench) -> None:
    def refuse(url: str, expression: str) -> str | None:
        raise DockyardError("prometheus-failed", f"{url} {expression}")

    bench.metrics.find_alert = refuse  # type: ignore[method-assign]
    gate = Gate(prometheus="http://prometheus:9090", alerts=("up",))
    with pytest.raises(DockyardError, match="http://prometheus:9090 up"):
        run(bench, 2, rollout=K8sRollout(kind=K8sRolloutKind.CANARY, gate=gate))
    assert_only(bench, 1, [1])


def test_candidate_without_requests_is_not_judged_by_its_metrics_which_is_told(bench: K8sBench) -> None:
    bench.metrics.failures.append(UnavailableError("scorer-unreachable", "it ends"))
    run(bench, 2, rollout=BLUE_GREEN)
    assert any("too few for its metrics to be judged" in line for line in bench.progress.notes)
    assert any("cannot be read: it ends" in line for line in bench.progress.notes)
    assert_only(bench, 2, [1, 2])


def test_candidate_whose_pods_end_while_it_is_watched_is_taken_back(bench: K8sBench) -> None:
    sleep = bench.clock.sleep

    def lose_pods(seconds: float) -> None:
        sleep(seconds)
        if seconds == pytest.approx(3.0):
            bench.cluster.lose_candidate_pods(KEY)

    bench.clock.sleep = lose_pods  # type: ignore[method-assign]
    with pytest.raises(UnhealthyError, match="has no pod that is ready"):
        run(bench, 2, rollout=CANARY)
    assert_only(bench, 1, [1])


def test_paused_canary_stands_still_and_the_same_again_changes_nothing(bench: K8sBench) -> None:
    result = run(bench, 2, rollout=PAUSED)
    assert (result.status, result.notes[0].split(":")[0]) == (
        ResultStatus.STARTED,
        "revision 2 stands beside the one that serves",
    )
    seen = bench.cluster.describe_deployment(KEY)
    assert (seen.serving, seen.trial_number, seen.traffic) == (1, 2, Traffic(percent=10, by=PODS))
    assert set(bench.cluster.list_served(KEY)) == {1, 2}
    assert bench.record_status(2) is RecordStatus.DEPLOYING
    row = describe_status(bench.open(), None, None).rows[0]
    assert str(row.capacity).endswith("revision 2 gets about 33 % of the requests (1 of 3 pods)")
    bench.faults.calls.clear()
    assert run(bench, 2, rollout=PAUSED).status is ResultStatus.UNCHANGED
    assert describe_drift(bench.open(), KEY).deployments[0].plan.is_empty  # type: ignore[union-attr]
    assert bench.faults.calls == []


def test_paused_canary_is_promoted(bench: K8sBench) -> None:
    run(bench, 2, rollout=PAUSED)
    result = promote(bench.open(), KEY)
    assert (result.status, result.version) == (ResultStatus.PROMOTED, "2")
    assert bench.registry.find_alias("wine", KEY.environment) == "2"
    assert_only(bench, 2, [1, 2])
    assert promote(bench.open(), KEY).status is ResultStatus.UNCHANGED


def test_paused_canary_is_rolled_back(bench: K8sBench) -> None:
    run(bench, 2, rollout=PAUSED)
    assert roll_back(bench.open(), ROLLBACK, plan_only=False).revision == 1
    assert_only(bench, 1, [1])
    assert bench.record_status(2) is RecordStatus.SUPERSEDED


def test_paused_canary_goes_on_without_pause(bench: K8sBench) -> None:
    run(bench, 2, rollout=PAUSED)
    bench.faults.calls.clear()
    run(bench, 2, rollout=CANARY)
    told = [call.split()[-1] for call in list_changes(bench) if call.startswith("direct_traffic")]
    assert told == ["10", "50", "100", "0"]
    assert_only(bench, 2, [1, 2])


def test_something_else_takes_the_place_of_a_paused_canary(bench: K8sBench) -> None:
    run(bench, 2, rollout=PAUSED)
    run(bench, 3, rollout=BLUE_GREEN)
    assert_only(bench, 3, [1, 3])


def test_rolling_update_takes_the_place_of_a_paused_canary(bench: K8sBench) -> None:
    run(bench, 2, rollout=PAUSED)
    run(bench, 3)
    assert_only(bench, 3, [1, 3])


def test_deployment_whose_own_roll_fails_goes_back_with_its_candidate(bench: K8sBench) -> None:
    bench.fail_call(find_call("apply_blueprint 2"), DockyardError("cluster-refused", "it says so"), has_effect=True)
    with pytest.raises(DockyardError, match="it says so"):
        run(bench, 2, rollout=BLUE_GREEN)
    bench.heal()
    assert_only(bench, 1, [1])


def test_candidate_that_cannot_be_deleted_is_partial_and_the_same_again_deletes_it(bench: K8sBench) -> None:
    bench.fail_call(find_call("delete_candidate"), DockyardError("cluster-refused", "it says so"))
    assert run(bench, 2, rollout=BLUE_GREEN).status is ResultStatus.PARTIAL
    bench.heal()
    run(bench, 2, rollout=BLUE_GREEN)
    assert_only(bench, 2, [1, 2])


def list_shares(bench: K8sBench) -> list[str]:
    """The shares that were given, one after the other."""
    return [call.split()[-1] for call in list_changes(bench) if call.startswith("direct_traffic")]


def test_weights_of_a_route_begin_and_end_with_nothing_so_that_every_proxy_knows_the_candidate(bench: K8sBench) -> None:
    bench.faults.calls.clear()
    run(bench, 2, rollout=K8sRollout(kind=K8sRolloutKind.CANARY, steps=(10, 100), wait_seconds=0), policy=ROUTED)
    assert list_shares(bench) == ["0", "10", "100", "0", "0"]
    seen = bench.cluster.describe_deployment(KEY)
    assert (bench.serving_version(), seen.candidate, seen.traffic) == ("2", None, None)


def test_candidate_with_a_share_by_weights_is_promoted_by_weights(bench: K8sBench) -> None:
    bench.policy = ROUTED
    run(bench, 2, rollout=PAUSED, policy=ROUTED)
    bench.faults.calls.clear()
    promote(bench.open(), KEY)
    assert list_shares(bench) == ["100", "0", "0"]
    assert_only(bench, 2, [1, 2])


def test_gateway_that_does_not_answer_keeps_no_candidate(bench: K8sBench) -> None:
    bench.policy = ROUTED
    run(bench, 2, rollout=PAUSED, policy=ROUTED)
    bench.cluster.route_problem = "it is away"
    roll_back(bench.open(), ROLLBACK, plan_only=True)
    with pytest.raises(UnhealthyError, match="it is away"):
        roll_back(bench.open(), ROLLBACK, plan_only=False)
    assert bench.cluster.describe_deployment(KEY).candidate is None


def test_shadow_answers_nobody_and_is_taken_away_when_its_time_is_up(bench: K8sBench) -> None:
    bench.policy = ROUTED
    bench.metrics.rates = {"wine": GOOD}
    run(bench, 1, policy=ROUTED)
    bench.faults.calls.clear()
    result = run(bench, 2, rollout=K8sRollout(kind=K8sRolloutKind.SHADOW, wait_seconds=10, shadow_percent=30), policy=ROUTED)
    assert (result.status, list_shares(bench)) == (ResultStatus.DONE, ["30", "0"])
    assert_only(bench, 1, [1])
    assert bench.record_status(2) is RecordStatus.SUPERSEDED
    bench.metrics.rates = {"wine-candidate": BAD, "wine-1": GOOD}
    with pytest.raises(UnhealthyError, match="with an error"):
        run(bench, 2, rollout=K8sRollout(kind=K8sRolloutKind.SHADOW), policy=ROUTED)
    assert_only(bench, 1, [1])


def test_lock_that_is_lost_stops_it_before_the_next_step_and_takes_nothing_back(bench: K8sBench) -> None:
    bench.locks.lost_after = 6
    with pytest.raises(ConflictError) as lost:
        run(bench, 2, rollout=CANARY)
    assert lost.value.code == "lock-lost"
    seen = bench.cluster.describe_deployment(KEY)
    assert seen.candidate is not None
    bench.locks.lost_after = None
    run(bench, 2, rollout=CANARY)
    assert_only(bench, 2, [1, 2])


def test_what_no_cluster_can_do_is_refused_before_the_model_is_looked_up(bench: K8sBench) -> None:
    bench.registry.is_reachable = False
    with pytest.raises(UsageError, match="needs an HTTPRoute"):
        run(bench, 2, rollout=K8sRollout(kind=K8sRolloutKind.SHADOW))


def test_first_deploy_has_nothing_to_stand_beside() -> None:
    bench = K8sBench()
    run(bench, 1, rollout=CANARY, policy=K8sPolicy(replicas=1))
    assert_only_one = [call for call in list_changes(bench) if "candidate" in call or "direct" in call]
    assert assert_only_one == []


def list_calls() -> list[str]:
    """The calls of an update that change something."""
    bench = K8sBench()
    run(bench, 1)
    bench.faults.calls.clear()
    run(bench, 2, rollout=BLUE_GREEN)
    return bench.faults.calls


CALLS = list_calls()


def find_call(name: str) -> int:
    """Which of them begins so, counted from 1."""
    return next(number for number, call in enumerate(CALLS, start=1) if call.startswith(name))


@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
@pytest.mark.parametrize("has_effect", [False, True])
@pytest.mark.parametrize("then", [1, 2, 3])
def test_killed_anywhere_any_next_command_leaves_no_candidate(number: int, has_effect: bool, then: int) -> None:
    bench = K8sBench()
    run(bench, 1)
    bench.fail_call(number, KilledError(), has_effect=has_effect)
    with pytest.raises(KilledError):
        run(bench, 2, rollout=BLUE_GREEN)
    bench.heal()
    bench.locks.holders.clear()
    assert set(bench.cluster.list_served(KEY)) <= {1, 2}
    assert bench.cluster.list_served(KEY) != ()
    run(bench, then, rollout=BLUE_GREEN if then != 1 else K8sRollout())
    assert bench.serving_version() == str(then)
    seen = bench.cluster.describe_deployment(KEY)
    assert (seen.candidate, seen.traffic, bench.record_status(then)) == (None, None, RecordStatus.SERVING)


@pytest.mark.parametrize("number", [one for one, call in enumerate(CALLS, start=1) if not call.startswith("save_attempt")])
@pytest.mark.parametrize("has_effect", [False, True])
def test_call_that_fails_anywhere_leaves_one_revision_alone(number: int, has_effect: bool) -> None:
    bench = K8sBench()
    run(bench, 1)
    bench.fail_call(number, DockyardError("cluster-refused", "it says so"), has_effect=has_effect)
    is_settled = number > find_call("confirm_revision")
    if is_settled:
        assert run(bench, 2, rollout=BLUE_GREEN).status is ResultStatus.PARTIAL
    else:
        with pytest.raises(DockyardError, match="it says so"):
            run(bench, 2, rollout=BLUE_GREEN)
    bench.heal()
    run(bench, 2 if is_settled else 1)
    assert bench.serving_version() == ("2" if is_settled else "1")
    seen = bench.cluster.describe_deployment(KEY)
    assert (seen.candidate, seen.traffic) == (None, None)
