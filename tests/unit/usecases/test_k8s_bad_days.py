"""`deploy k8s` on a cluster in memory that will not do, is away, or where a command was killed before."""

from __future__ import annotations

import pytest

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import UnavailableError, UnhealthyError, UsageError
from dockyard.domain.finding import object_to, warn
from dockyard.domain.k8s import K8sPolicy
from dockyard.domain.result import ResultStatus
from dockyard.testing.faults import KilledError
from dockyard.testing.k8s import CRASHES, MemoryCluster
from dockyard.usecases.drift import describe_drift
from dockyard.usecases.gc import collect_garbage
from support.any_bench import make_resolved
from support.k8s_bench import K8sBench, run, want


@pytest.fixture
def bench() -> K8sBench:
    return K8sBench()


def break_version(bench: K8sBench, version: int) -> None:
    """Let its pods crash."""
    settings = bench.site.choose_image(want(), "3.11")
    bench.cluster.behaviours[bench.images.describe_recipe(make_resolved(version), settings).fingerprint] = CRASHES


def test_what_served_unnoted_when_a_command_was_killed_is_gone_back_to(bench: K8sBench) -> None:
    sample = K8sBench()
    run(sample)
    bench.fail_call(sample.faults.calls.index("confirm_revision 1") + 1, KilledError())
    with pytest.raises(KilledError):
        run(bench)
    bench.heal()
    bench.locks.holders.clear()
    break_version(bench, 2)
    with pytest.raises(UnhealthyError):
        run(bench, 2)
    assert bench.serving_version() == "1"


def test_number_of_a_revision_that_failed_is_not_given_again(bench: K8sBench) -> None:
    run(bench, 1)
    break_version(bench, 2)
    with pytest.raises(UnhealthyError):
        run(bench, 2)
    result = run(bench, 3)
    assert result.revision is not None
    assert result.revision > 2


def test_what_is_sure_to_fail_is_told_before_anything_is_done(bench: K8sBench) -> None:
    bench.examiner.findings = (
        object_to("permissions", "not allowed: patch deployments.apps", "ask"),
        warn("quota", "small", "x"),
    )
    with pytest.raises(UsageError, match="not allowed: patch deployments") as refused:
        run(bench)
    assert (refused.value.code, refused.value.hint) == ("preflight-failed", "ask")
    assert (bench.cluster.list_deployments(), bench.images.writes) == ((), [])
    (demand,) = bench.examiner.demands
    assert (demand.is_first, demand.more_pods, demand.platform) == (True, 2, "linux/amd64")
    assert demand.blueprint.image.startswith("registry.example.com/models@sha256:")


def test_what_may_fail_is_a_note_and_a_deploy_that_does_nothing_looks_at_nothing(bench: K8sBench) -> None:
    run(bench)
    bench.examiner.findings = (warn("quota", "no room for 4 more pods", "wait"),)
    result = run(bench, 2, policy=K8sPolicy(replicas=5))
    assert result.notes == ("quota: no room for 4 more pods",)
    asked = [(one.is_first, one.more_pods) for one in bench.examiner.demands]
    assert asked == [(True, 2), (False, 4)]
    assert run(bench, 2, policy=K8sPolicy(replicas=5)).status is ResultStatus.UNCHANGED
    assert len(bench.examiner.demands) == 2


class AwayCluster(MemoryCluster):
    """One that nobody may list."""

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        raise UnavailableError("cluster-unreachable", "it is away")


def test_place_that_cannot_be_looked_at_keeps_nothing_else_from_being_done(bench: K8sBench) -> None:
    run(bench)
    bench.cluster = AwayCluster()
    drift = describe_drift(bench.open(), None)
    assert ([one.code for one in drift.failures], drift.has_drifted) == (["cluster-unreachable"], False)
    collected = collect_garbage(bench.open(), cache_days=30, plan_only=False)
    assert (collected.status, [one.code for one in collected.failures]) == (ResultStatus.PARTIAL, ["cluster-unreachable"])
    assert [one for one in collected.items if one.kind == "image"] == []
