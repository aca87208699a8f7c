"""Calls to an API server that has its bad days, and the Lease that two machines share; over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockyard.adapters.k8s.api import APPLY, KubeApi
from dockyard.adapters.k8s.lease import LeaseLocks
from dockyard.adapters.k8s.metrics import KubeMetrics
from dockyard.adapters.k8s.scorer import KubeScorer
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import (
    ConflictError,
    CredentialsError,
    DockyardError,
    TransientError,
    UnavailableError,
    UnhealthyError,
    UsageError,
)
from dockyard.domain.k8s import ClusterAccess
from dockyard.ports import Request
from dockyard.testing.attempts import MemoryLocks
from dockyard.testing.surroundings import ManualClock
from dockyard_scorer.metrics import Metrics
from support.k8s_values import KEY
from support.kube_stand_in import RESET, KubeStandIn, run_kube_stand_in

LEASE = "/apis/coordination.k8s.io/v1/namespaces/models/leases/dockyard-wine"
BODY = Request(body=b"{}", content_type="application/json")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[KubeStandIn]:
    with run_kube_stand_in(tmp_path) as stand_in:
        yield stand_in


def connect(server: KubeStandIn, **access: str) -> KubeApi:
    return KubeApi(ClusterAccess(kubeconfig=str(server.kubeconfig), **access))


@pytest.mark.parametrize("status", [429, 500, 503, RESET])
def test_what_may_pass_by_itself_is_tried_again(server: KubeStandIn, status: int) -> None:
    server.objects["/api/v1/x"] = {"metadata": {"name": "x"}}
    server.ordered = [(status, b"{}")] * 2
    assert connect(server).get("/api/v1/x") == {"metadata": {"name": "x"}}
    assert len(server.calls) == 3


def test_server_that_stays_in_trouble_is_told(server: KubeStandIn) -> None:
    server.ordered = [(503, b'{"message": "etcd is away"}')] * 4
    with pytest.raises(TransientError, match="etcd is away"):
        connect(server).patch("/api/v1/x", {}, APPLY, {})
    server.ordered = [(RESET, b"")] * 4
    with pytest.raises(UnavailableError) as unreachable:
        connect(server).get("/api/v1/x")
    assert unreachable.value.code == "cluster-unreachable"


def test_token_is_sent_and_never_told(server: KubeStandIn) -> None:
    server.ordered = [(401, b'{"message": "Unauthorized"}')]
    with pytest.raises(CredentialsError) as refused:
        connect(server).get("/api/v1/x")
    assert server.headers[0]["authorization"] == "Bearer s3cr3t-canary"
    assert "s3cr3t-canary" not in f"{refused.value.message} {refused.value.hint} {refused.value!r}"


def test_namespace_is_the_given_one_else_the_contexts_else_default(server: KubeStandIn) -> None:
    assert connect(server).namespace == "models"
    assert connect(server, namespace="own").namespace == "own"
    assert connect(server, context="bare").namespace == "default"
    assert connect(server, context="nobody").namespace == "default"


def test_what_is_not_there_is_none_and_may_be_deleted(server: KubeStandIn) -> None:
    api = connect(server)
    assert (api.get("/api/v1/x"), api.list("/api/v1/xs", "a=b")) == (None, [])
    api.delete("/api/v1/x")


@pytest.mark.parametrize("access", [{"context": "nobody"}, {"kubeconfig": "/nowhere/at/all"}])
def test_cluster_that_nobody_named_is_a_wrong_configuration(server: KubeStandIn, access: dict[str, str]) -> None:
    with pytest.raises(UsageError) as unknown:
        KubeApi(ClusterAccess(**{"kubeconfig": str(server.kubeconfig), **access})).get("/api/v1/x")
    assert unknown.value.code == "cluster-unknown"


def ask(server: KubeStandIn, status: int, body: object) -> object:
    """What asking a pod gives, when the answer is that."""
    server.ordered = [(status, body if isinstance(body, bytes) else json.dumps(body).encode())]
    return KubeScorer(connect(server), lambda _fingerprint, _answer: "there").invoke("pods/wine-a", BODY, 5).value


def test_scorer_is_asked_once_through_the_proxy(server: KubeStandIn) -> None:
    assert ask(server, 200, {"predictions": [1]}) == {"predictions": [1]}
    assert server.calls == [("POST", "/api/v1/namespaces/models/pods/wine-a:8080/proxy/invocations")]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, {"error_code": "prediction-failed", "message": "it raised"}, "prediction-failed: it raised"),
        (500, [1], "answered 500"),
        (500, b"<html>", "answered 500"),
        (200, b"<html>", "not JSON"),
    ],
)
def test_answer_of_the_scorer_that_is_none_fails_the_smoke_test(
    server: KubeStandIn, status: int, body: object, words: str
) -> None:
    with pytest.raises(UnhealthyError, match=words) as failed:
        ask(server, status, body)
    assert failed.value.code == "smoke-test-failed"


@pytest.mark.parametrize(
    ("status", "words"), [(403, "cannot create resource"), (503, "nobody answers there"), (404, "cannot create resource")]
)
def test_answer_of_the_api_server_itself_is_not_taken_for_the_scorers(server: KubeStandIn, status: int, words: str) -> None:
    with pytest.raises(UnavailableError, match=words):
        ask(server, status, {"kind": "Status", "message": "cannot create resource"})


def lock(server: KubeStandIn, machine: str, clock: ManualClock) -> LeaseLocks:
    return LeaseLocks(MemoryLocks(), lambda _: connect(server), clock, machine)


def test_lease_is_there_while_it_is_held(server: KubeStandIn) -> None:
    with lock(server, "one", ManualClock()).hold(KEY, "ann@one", 0):
        assert server.objects[LEASE]["spec"]["holderIdentity"] == "ann@one one"
    assert server.objects == {}


def test_lease_of_another_machine_keeps_us_out_until_it_runs_out(server: KubeStandIn) -> None:
    clock = ManualClock()
    with lock(server, "one", clock).hold(KEY, "ann@one", 0):
        with (
            pytest.raises(ConflictError, match="ann@one one since 2026-01-01T") as held,
            lock(server, "two", clock).hold(KEY, "bob", 3),
        ):
            pytest.fail("both hold it")
        assert held.value.code == "lock-held"
        with lock(server, "two", clock).hold(KEY, "bob", 60):
            assert server.objects[LEASE]["spec"]["holderIdentity"] == "bob two"
    assert clock.elapsed > 30


def test_lease_that_a_killed_command_of_this_machine_left_is_taken_over_at_once(server: KubeStandIn) -> None:
    clock = ManualClock()
    held = lock(server, "one", clock).hold(KEY, "ann@one", 0)
    held.__enter__()
    with lock(server, "one", clock).hold(KEY, "eve@one", 0):
        assert server.objects[LEASE]["spec"]["holderIdentity"] == "eve@one one"
    held.__exit__(None, None, None)
    assert (server.objects, clock.elapsed) == ({}, 0)


def test_lease_that_another_was_faster_to_write_is_looked_at_again(server: KubeStandIn) -> None:
    server.ordered = [(404, b"{}"), (409, b"{}")]
    with lock(server, "one", ManualClock()).hold(KEY, "ann@one", 0):
        assert LEASE in server.objects


def test_lease_that_may_not_be_written_is_told(server: KubeStandIn) -> None:
    server.ordered = [(404, b"{}"), (403, b'{"message": "leases is forbidden"}')]
    with pytest.raises(CredentialsError, match="leases is forbidden"), lock(server, "one", ManualClock()).hold(KEY, "ann", 0):
        pytest.fail("nobody holds it")


def test_other_targets_have_no_lease(server: KubeStandIn) -> None:
    with lock(server, "one", ManualClock()).hold(DeploymentKey(environment="prod", name="wine"), "ann", 0):
        assert server.calls == []


def test_lease_that_another_machine_has_taken_over_is_lost_and_one_that_is_gone_is_made_again(server: KubeStandIn) -> None:
    locks = lock(server, "one", ManualClock())
    locks.check(KEY)
    with locks.hold(KEY, "ann@one", 0):
        locks.check(KEY)
        del server.objects[LEASE]
        locks.check(KEY)
        assert server.objects[LEASE]["spec"]["holderIdentity"] == "ann@one one"
        server.ordered = [(RESET, b"")] * 4
        locks.check(KEY)
        server.objects[LEASE]["spec"]["holderIdentity"] = "bob two"
        with pytest.raises(ConflictError, match="is being changed by bob two since") as lost:
            locks.check(KEY)
        assert lost.value.code == "lock-lost"
    assert LEASE in server.objects


def test_counts_of_a_pod_are_read_through_the_proxy(server: KubeStandIn) -> None:
    metrics = Metrics()
    for status, seconds in ((200, 0.002), (200, 0.2), (500, 0.002), (400, 0.002)):
        metrics.count_request(route="/invocations", status=status, seconds=seconds)
    metrics.count_request(route="/ready", status=503, seconds=9)
    metrics.set_model_info({"name": "a}b"})
    server.ordered = [(200, metrics.render())]
    counts = KubeMetrics(connect(server)).read_counts("wine-a")
    assert (counts.requests, counts.errors, round(counts.seconds, 3)) == (4, 1, 0.206)
    assert (counts.buckets[0], counts.buckets[-1]) == ((0.001, 0), (float("inf"), 4))
    assert server.calls == [("GET", "/api/v1/namespaces/models/pods/wine-a:8080/proxy/metrics")]
    server.ordered = [(404, b"{}")]
    with pytest.raises(UnavailableError, match="status 404"):
        KubeMetrics(connect(server)).read_counts("wine-a")


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ({"resultType": "vector", "result": [{"metric": {"pod": "a"}, "value": [0, "3"]}]}, '3 {"pod": "a"}'),
        ({"resultType": "vector", "result": []}, None),
        ({"resultType": "scalar", "result": [0, "3"]}, "[0, '3']"),
    ],
)
def test_expression_is_a_breach_where_it_has_a_result(server: KubeStandIn, result: object, told: str | None) -> None:
    server.ordered = [(200, json.dumps({"status": "success", "data": result}).encode())]
    assert KubeMetrics(connect(server)).find_alert(f"{server.url}/", "up > 0") == told
    assert server.calls == [("GET", "/api/v1/query?query=up+%3E+0")]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, b'{"status": "error", "error": "parse error"}', "does not take `up >`: parse error"),
        (200, b"[]", "does not take `up >`: its answer is no object"),
        (502, b"<html>", "does not answer"),
        (RESET, b"", "does not answer"),
    ],
)
def test_prometheus_that_does_not_answer_is_told(server: KubeStandIn, status: int, body: bytes, words: str) -> None:
    server.ordered = [(status, body)]
    with pytest.raises(DockyardError, match=words) as failed:
        KubeMetrics(connect(server)).find_alert(server.url, "up >")
    assert failed.value.code == "prometheus-failed"
