"""Why pods do not get ready: the cause, and whether waiting can help."""

from __future__ import annotations

import pytest

from dockyard.apply.k8s_diagnosis import explain_slowness, find_cause
from dockyard.domain.deployment import ProofFailure
from dockyard.domain.errors import CATALOGUE
from dockyard.domain.k8s import K8sPod
from support.k8s_values import make_revision


def pod(**fields: object) -> K8sPod:
    return K8sPod(**{"name": "a", "is_ready": False, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "code", "is_final", "words"),
    [
        (pod(unschedulable="0/1 nodes are available"), "unschedulable", False, "0/1 nodes are available"),
        (pod(waiting_reason="ImagePullBackOff", waiting_message="not found"), "image-not-pulled", False, "not found"),
        (pod(waiting_reason="InvalidImageName"), "image-not-pulled", True, "InvalidImageName"),
        (pod(waiting_reason="CreateContainerConfigError", waiting_message="no secret"), "revision-crashed", False, "no secret"),
        (pod(exit_code=7, end_reason="Error"), "revision-crashed", True, "exit code 7"),
        (pod(exit_code=137, end_reason="OOMKilled"), "out-of-memory", True, "1Gi"),
        (pod(exit_code=3, proof_failure=ProofFailure.RAISES), "smoke-test-failed", True, "raises an error"),
        (pod(exit_code=5, proof_failure=ProofFailure.DIFFERS), "wrong-answer", True, "differently"),
    ],
)
def test_cause_is_named(seen: K8sPod, code: str, is_final: bool, words: str) -> None:
    cause = find_cause(make_revision(1, 1, "starting", pods=(pod(), seen)))
    assert cause is not None
    assert (cause.code, cause.is_final) == (code, is_final)
    assert words in cause.what
    assert cause.code in CATALOGUE


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ('pods "w" is forbidden: exceeded quota: small', "quota-exceeded"),
        ('violates PodSecurity "restricted"', "admission-refused"),
    ],
)
def test_refusal_is_told_in_the_clusters_words(words: str, code: str) -> None:
    cause = find_cause(make_revision(1, 1, "starting", pods=(), refusal=words))
    assert cause is not None
    assert (cause.code, cause.is_final) == (code, False)
    assert words in cause.what


def test_what_is_final_comes_before_what_may_pass() -> None:
    cause = find_cause(
        make_revision(1, 1, "starting", pods=(pod(unschedulable="no room"), pod(exit_code=1, end_reason="Error")))
    )
    assert cause is not None
    assert cause.code == "revision-crashed"


def test_pod_that_is_ready_or_only_starts_has_no_cause() -> None:
    restarted = pod(is_ready=True, exit_code=1, end_reason="Error", restarts=3)
    assert find_cause(make_revision(1, 1, pods=(restarted,))) is None
    assert find_cause(make_revision(1, 1, "starting", pods=(pod(waiting_reason="ContainerCreating"),))) is None
    assert find_cause(None) is None


@pytest.mark.parametrize(
    ("is_running", "words"), [(True, "its container runs, but its probe at /ready fails"), (False, "after 8 s")]
)
def test_who_is_late_is_told_with_what_its_pods_do(is_running: bool, words: str) -> None:
    cause = explain_slowness(make_revision(1, 1, "starting", pods=(pod(is_running=is_running),)), 8)
    assert (cause.code, cause.is_final) == ("revision-not-ready", True)
    assert cause.what.endswith(words)
    assert explain_slowness(None, 8).what == "is not ready after 8 s"
