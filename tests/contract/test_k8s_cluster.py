"""What every cluster promises: the in-memory one, and a real API server with its controllers and kubelet."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kubernetes import client

from dockyard.adapters.clock import SystemClock
from dockyard.adapters.k8s.api import KubeApi
from dockyard.adapters.k8s.cluster import KubeCluster
from dockyard.adapters.k8s.inventory import KubeInventory
from dockyard.adapters.k8s.scorer import KubeScorer
from dockyard.domain.deployment import DeploymentKey, RevisionStatus, Target
from dockyard.domain.errors import ConflictError, NotFoundError, UnavailableError
from dockyard.domain.image import ImageDigest
from dockyard.domain.k8s import Blueprint, ClusterAccess, K8sPod, K8sPolicy, K8sRevision, ObservedK8s, TrafficBlueprint
from dockyard.domain.k8s_exposure import HttpRoute, Ingress
from dockyard.domain.k8s_pods import Toleration
from dockyard.domain.k8s_rollout import Division, Traffic
from dockyard.domain.k8s_scaling import Autoscaling, CronTrigger
from dockyard.ports import Invoker, Request
from dockyard.ports_k8s import CandidateControl, Cluster, ClusterInventory
from dockyard.testing.k8s import CRASHES, DIFFERS, NEVER_READY, READY, MemoryCluster, MemoryKubeScorer
from support.cluster_stand_in import open_namespace, push_stand_in
from support.k8s_values import KEY, make_blueprint
from support.k8s_variants import MONITORING, PEERS
from support.patience import wait_for

OBJECTS = ("Deployment/wine", "Service/wine", "PodDisruptionBudget/wine", "NetworkPolicy/wine")
BEHAVIOURS = {"good": READY, "crashes": CRASHES, "never-ready": NEVER_READY, "differs": DIFFERS}
ONE = K8sPolicy(replicas=1)
BODY = Request(body=b'{"inputs": [1]}', content_type="application/json")
SECONDS = 60.0
HOURS = CronTrigger(timezone="UTC", start="0 8 * * *", end="0 18 * * *", replicas=2)
EVERYTHING = (
    K8sPolicy(replicas=1, peers=PEERS, monitoring=MONITORING, exposure=HttpRoute(gateway="none", hostnames=("a.test",))),
    K8sPolicy(
        scaling=Autoscaling(min_replicas=1, max_replicas=2, cron=(HOURS,)), exposure=Ingress(host="a.test", class_name="b")
    ),
)
"""Policies that have objects of every kind together."""
TERM = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
PREFERENCE = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": TERM}]}
AFFINITY = json.dumps({"nodeAffinity": PREFERENCE})
LABELS = (("team", "search"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A cluster under test."""

    cluster: Cluster
    control: CandidateControl
    inventory: ClusterInventory
    scorer: Invoker
    image: ImageDigest | None
    """What real pods run."""
    meddle: Callable[[int], None]
    """Set the number of pods behind our back."""
    take_name: Callable[[], None]
    """Make a Deployment of that name that is not ours."""
    take_over: Callable[[], Cluster]
    """The same cluster, where fields of others are taken over."""

    def draw(self, version: int, behaviour: str = "good", policy: K8sPolicy = ONE, key: DeploymentKey = KEY) -> Blueprint:
        """The blueprint of a revision that has its version's number."""
        env = (("STAND_IN", behaviour), ("STAND_IN_ANSWER", str(version)))
        blueprint = make_blueprint(version, version, policy, env=env, memory="64Mi", cpu="10m", grace_seconds=1)
        settings = dataclasses.replace(blueprint.spec.settings, request_timeout_seconds=1)
        spec = dataclasses.replace(blueprint.spec, settings=settings)
        if isinstance(self.cluster, MemoryCluster):
            self.cluster.behaviours[spec.fingerprint] = BEHAVIOURS[behaviour]
        return dataclasses.replace(blueprint, key=key, spec=spec, image=self.image or blueprint.image)

    def look(self, key: DeploymentKey = KEY) -> ObservedK8s:
        return self.cluster.describe_deployment(key)

    def find(self, number: int) -> K8sRevision:
        found = self.look().find_revision(number)
        assert found is not None
        return found

    def serve(self, version: int, policy: K8sPolicy = ONE) -> None:
        """Roll a good revision out and prove it."""
        self.cluster.apply_blueprint(self.draw(version, policy=policy), dry_run=False)
        wait_for(lambda: self.look().is_settled and self.look().current == version, seconds=SECONDS)
        self.cluster.confirm_revision(KEY, version)

    def wait_for_pod(self, number: int, is_so: Callable[[K8sPod], bool]) -> K8sPod:
        """Wait for a pod of a revision that is as asked."""

        def find() -> K8sPod | None:
            revision = self.look().find_revision(number)
            return next((pod for pod in (revision.pods if revision else ()) if is_so(pod)), None)

        wait_for(lambda: find() is not None, seconds=SECONDS)
        pod = find()
        assert pod is not None
        return pod


@pytest.fixture
def memory_subject() -> Subject:
    cluster = MemoryCluster()

    def take_over() -> Cluster:
        cluster.takes_over = True
        return cluster

    return Subject(
        cluster=cluster,
        control=cluster,
        inventory=cluster,
        scorer=MemoryKubeScorer(cluster=cluster),
        image=None,
        meddle=lambda replicas: cluster.meddle(KEY, replicas),
        take_name=lambda: cluster.foreign.add("wine"),
        take_over=take_over,
    )


@pytest.fixture(scope="module")
def stand_in(lab_engine: str, lab_registry: str) -> ImageDigest:
    return push_stand_in(lab_engine, lab_registry)


@pytest.fixture
def real_subject(lab_kubeconfig: Path, stand_in: ImageDigest) -> Iterator[Subject]:
    clock = SystemClock()
    with open_namespace(lab_kubeconfig) as (namespace, core):
        apps = client.AppsV1Api(core.api_client)
        api = KubeApi(ClusterAccess(kubeconfig=str(lab_kubeconfig), namespace=namespace))

        def meddle(replicas: int) -> None:
            apps.patch_namespaced_deployment_scale("wine", namespace, {"spec": {"replicas": replicas}})

        def take_name() -> None:
            labels = {"app": "wine"}
            template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": stand_in}]}}
            spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
            apps.create_namespaced_deployment(namespace, {"metadata": {"name": "wine"}, "spec": spec})

        cluster = KubeCluster(api, clock, takes_over=False)
        yield Subject(
            cluster=cluster,
            control=cluster,
            inventory=KubeInventory(api, KEY.environment, clock),
            scorer=KubeScorer(api, lambda _fingerprint, _answer: None),
            image=stand_in,
            meddle=meddle,
            take_name=take_name,
            take_over=lambda: KubeCluster(api, clock, takes_over=True),
        )


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.lab)])
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.getfixturevalue(f"{request.param}_subject")
    return found


def test_deployment_that_nobody_made_is_empty(subject: Subject) -> None:
    seen = subject.look()
    assert (seen.exists, seen.revisions, seen.serving, seen.current, seen.next_number) == (False, (), None, None, 1)
    assert subject.inventory.list_deployments() == ()
    subject.inventory.delete_deployment(KEY)
    subject.cluster.remove_revision(KEY, 1)
    assert subject.inventory.read_logs(KEY, 1, tail=5) == ()


def test_dry_run_makes_nothing(subject: Subject) -> None:
    blueprint = subject.draw(1)
    subject.cluster.apply_blueprint(blueprint, dry_run=True)
    assert not subject.look().exists
    assert {one.what for one in subject.cluster.find_differences(blueprint)} == {
        "Deployment/wine",
        "Service/wine",
        "PodDisruptionBudget/wine",
        "NetworkPolicy/wine",
    }


def test_applied_revision_gets_ready_and_serves_when_it_is_confirmed(subject: Subject) -> None:
    blueprint = subject.draw(1)
    subject.cluster.apply_blueprint(blueprint, dry_run=False)
    wait_for(lambda: subject.look().is_settled, seconds=SECONDS)
    seen = subject.look()
    assert (seen.serving, seen.current, seen.next_number, seen.policy) == (None, 1, 2, ONE)
    assert (subject.find(1).spec, subject.find(1).image) == (blueprint.spec, blueprint.image)
    assert (subject.find(1).status, subject.find(1).has_served) == (RevisionStatus.READY, False)
    subject.cluster.confirm_revision(KEY, 1)
    assert (subject.look().serving, subject.find(1).has_served) == (1, True)
    assert subject.inventory.list_deployments() == (KEY,)
    assert seen.objects == OBJECTS


def test_pods_and_service_answer_through_the_api_server(subject: Subject) -> None:
    subject.serve(1)
    (pod,) = subject.find(1).pods
    for address in (f"pods/{pod.name}", "services/wine"):
        answer = subject.scorer.invoke(address, BODY, 10)
        assert isinstance(answer.value, dict)
        assert "predictions" in answer.value
    with pytest.raises(UnavailableError) as unreachable:
        subject.scorer.invoke("pods/nobody", BODY, 10)
    assert unreachable.value.code == "scorer-unreachable"
    assert any("ready" in line for line in subject.inventory.read_logs(KEY, 1, tail=5))


def test_same_again_has_no_difference_and_changes_nothing(subject: Subject) -> None:
    subject.serve(1)
    before = subject.look()
    assert subject.cluster.find_differences(subject.draw(1)) == ()
    subject.cluster.apply_blueprint(subject.draw(1), dry_run=False)
    assert subject.look() == before


def test_another_revision_takes_the_place_of_the_first_which_stays_to_go_back_to(subject: Subject) -> None:
    subject.serve(1)
    subject.serve(2)
    assert (subject.look().serving, subject.look().next_number) == (2, 3)
    assert (subject.find(1).status, subject.find(1).has_served) == (RevisionStatus.STOPPED, True)
    first = subject.find(1).replica_set
    subject.serve(1)
    assert (subject.look().serving, subject.find(1).replica_set, subject.find(2).status) == (1, first, RevisionStatus.STOPPED)
    subject.cluster.remove_revision(KEY, 2)
    assert [one.number for one in subject.look().revisions] == [1]


@pytest.mark.parametrize(
    ("behaviour", "is_so"),
    [
        ("crashes", lambda pod: pod.exit_code == 1),
        ("differs", lambda pod: pod.proof_failure is not None),
        ("never-ready", lambda pod: not pod.is_ready),
    ],
)
def test_broken_revision_is_seen_and_the_former_one_serves_on(
    subject: Subject, behaviour: str, is_so: Callable[[K8sPod], bool]
) -> None:
    subject.serve(1)
    subject.cluster.apply_blueprint(subject.draw(2, behaviour), dry_run=False)
    subject.wait_for_pod(2, is_so)
    seen = subject.look()
    assert (seen.serving, seen.current, seen.is_settled, subject.find(1).status) == (1, 2, False, RevisionStatus.READY)
    subject.cluster.apply_blueprint(subject.draw(1), dry_run=False)
    wait_for(lambda: subject.look().is_settled, seconds=SECONDS)
    subject.cluster.remove_revision(KEY, 2)
    assert [one.number for one in subject.look().revisions] == [1]


def test_change_by_hand_is_a_difference_and_a_conflict_and_may_be_taken_over(subject: Subject) -> None:
    subject.serve(1)
    subject.meddle(2)
    (difference,) = subject.cluster.find_differences(subject.draw(1))
    assert (difference.what, difference.before, difference.after) == ("Deployment/wine spec.replicas", "2", "1")
    for dry_run in (True, False):
        with pytest.raises(ConflictError) as conflict:
            subject.cluster.apply_blueprint(subject.draw(1), dry_run=dry_run)
        assert conflict.value.code == "field-conflict"
    subject.take_over().apply_blueprint(subject.draw(1), dry_run=False)
    assert subject.cluster.find_differences(subject.draw(1)) == ()


def test_object_that_is_no_more_wanted_is_deleted(subject: Subject) -> None:
    subject.serve(1, K8sPolicy(replicas=1, exposure=Ingress(host="a.test")))
    assert "Ingress/wine" in subject.look().objects
    differences = {one.what for one in subject.cluster.find_differences(subject.draw(1))}
    assert subject.look().policy == K8sPolicy(replicas=1, exposure=Ingress(host="a.test"))
    subject.cluster.apply_blueprint(subject.draw(1), dry_run=False)
    assert "Ingress/wine" not in subject.look().objects
    assert "Ingress/wine" in differences


def test_autoscaler_may_change_the_number_of_pods_and_a_fixed_number_comes_back(subject: Subject) -> None:
    scaled = K8sPolicy(replicas=1, scaling=Autoscaling(min_replicas=1, max_replicas=3, cpu_percent=70))
    subject.serve(1)
    subject.serve(1, scaled)
    assert "HorizontalPodAutoscaler/wine" in subject.look().objects
    subject.meddle(2)
    assert subject.cluster.find_differences(subject.draw(1, policy=scaled)) == ()
    subject.cluster.apply_blueprint(subject.draw(1, policy=scaled), dry_run=False)
    for dry_run in (True, False):
        subject.cluster.apply_blueprint(subject.draw(1), dry_run=dry_run)
    assert subject.cluster.find_differences(subject.draw(1)) == ()
    assert subject.look().objects == OBJECTS


def test_every_option_is_taken_and_shows_no_difference_afterwards(subject: Subject) -> None:
    drawn = subject.draw(1)
    settings = dataclasses.replace(drawn.spec.settings, affinity=AFFINITY, tolerations=(Toleration(key="spot"),), labels=LABELS)
    for policy in EVERYTHING:
        spec = dataclasses.replace(drawn.spec, settings=settings)
        blueprint = dataclasses.replace(drawn, spec=spec, policy=policy)
        for dry_run in (True, False):
            subject.cluster.apply_blueprint(blueprint, dry_run=dry_run)
        assert subject.cluster.find_differences(blueprint) == ()
        assert {one.partition("/")[0] for one in subject.look().objects} == set(policy.list_kinds())
        assert subject.look().policy == policy


def test_deployment_of_somebody_else_is_refused(subject: Subject) -> None:
    subject.take_name()
    with pytest.raises(ConflictError) as taken:
        subject.look()
    assert taken.value.code == "name-taken"
    with pytest.raises(ConflictError):
        subject.cluster.apply_blueprint(subject.draw(1), dry_run=True)
    assert subject.inventory.list_deployments() == ()


def test_same_name_in_another_environment_is_somebody_elses(subject: Subject) -> None:
    subject.serve(1)
    other = DeploymentKey(environment="staging", name="wine", target=Target.K8S)
    if isinstance(subject.cluster, MemoryCluster):
        subject.cluster.foreign.add("wine")
    with pytest.raises(ConflictError):
        subject.cluster.describe_deployment(other)


def test_deleted_deployment_leaves_nothing(subject: Subject) -> None:
    subject.serve(1)
    subject.serve(2)
    subject.inventory.delete_deployment(KEY)
    assert not subject.look().exists
    assert (subject.inventory.list_deployments(), subject.inventory.list_orphans()) == ((), ())
    subject.inventory.delete_deployment(KEY)


def test_revision_that_is_not_there_cannot_be_confirmed(subject: Subject) -> None:
    with pytest.raises(NotFoundError) as missing:
        subject.cluster.confirm_revision(KEY, 1)
    assert missing.value.code == "no-revision"


def test_candidate_stands_beside_gets_its_share_and_is_gone_without_a_trace(subject: Subject) -> None:
    subject.serve(1, K8sPolicy(replicas=1, clients=()))
    before = subject.look()
    subject.cluster.apply_blueprint(dataclasses.replace(subject.draw(2), is_candidate=True), dry_run=False)
    wait_for(lambda: subject.look().has_settled(2), seconds=SECONDS)
    seen = subject.look()
    assert (seen.serving, seen.current, seen.next_number, seen.trial_number) == (1, 1, 3, 2)
    assert (seen.revisions, seen.traffic) == (before.revisions, None)
    assert {one for one in seen.objects if one.endswith("-candidate")} == {
        f"{kind}/wine-candidate" for kind in ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy")
    }
    assert subject.cluster.find_differences(subject.draw(1)) == ()
    running = seen.find_running(2)
    assert running is not None
    (pod,) = running.pods
    assert subject.scorer.invoke(f"pods/{pod.name}", BODY, 10).value
    for percent in (10, 100):
        traffic = Traffic(percent=percent, by=Division.PODS)
        subject.control.direct_traffic(TrafficBlueprint(key=KEY, policy=ONE, traffic=traffic))
        assert subject.look().traffic == traffic
        assert subject.cluster.find_differences(subject.draw(1))
        assert subject.cluster.find_differences(dataclasses.replace(subject.draw(1), traffic=traffic)) == ()
    subject.control.direct_traffic(TrafficBlueprint(key=KEY, policy=ONE))
    subject.control.delete_candidate(KEY)
    subject.control.delete_candidate(KEY)
    seen = subject.look()
    assert (seen.candidate, seen.traffic, seen.objects, seen.revisions) == (None, None, before.objects, before.revisions)
    assert subject.cluster.find_differences(subject.draw(1)) == ()


def test_deleting_takes_a_candidate_along_and_its_log_can_be_read(subject: Subject) -> None:
    subject.serve(1)
    subject.cluster.apply_blueprint(dataclasses.replace(subject.draw(2), is_candidate=True), dry_run=False)
    wait_for(lambda: subject.look().has_settled(2), seconds=SECONDS)
    assert any("ready" in line for line in subject.inventory.read_logs(KEY, 2, tail=5))
    subject.inventory.delete_deployment(KEY)
    assert (subject.look().exists, subject.inventory.list_deployments(), subject.inventory.list_orphans()) == (False, (), ())
