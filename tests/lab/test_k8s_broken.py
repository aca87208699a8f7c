"""Deploys that cannot end well on a real cluster: the cause is named, and the old revision answers all along, alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from kubernetes import client

from support.cluster_stand_in import wait_until
from support.deployments import Ended, Place
from support.k8s_yard import Yard, answers, open_yard
from support.lab import RegistryLogin
from support.steady_load import SteadyLoad
from support.told_models import ANSWERS, ARRAY_BODY

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]  # a busy machine takes minutes to make the images


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A deployment whose one revision is asked all the time."""

    yard: Yard
    load: SteadyLoad

    def assert_refuses(self, code: str, *more: str, **settings: object) -> Ended:
        """A deploy with those settings fails with that code; the old revision has answered meanwhile, and is alone."""
        yard, before = self.yard, self.load.answered
        yard.configure(replicas=1, **settings)
        ended = yard.deploy(1, *more).expect(1)
        assert ended.error["code"] == code
        assert len(yard.pods()) == 1
        assert [one.spec.replicas for one in yard.replica_sets()] == [1]
        self.load.assert_whole(before + 1)
        return ended


@pytest.fixture(scope="module")
def sound(models: Place, lab_kubeconfig: Path, lab_registry: str) -> Iterator[Sound]:
    """One for all tests, which leave it as it is."""
    with open_yard(models, lab_kubeconfig, lab_registry) as yard:
        yard.configure(replicas=1)
        yard.deploy(1).expect(0)
        host = yard.find_host()
        wait_until(lambda: answers(host))
        with SteadyLoad(80, body=ARRAY_BODY, answers=ANSWERS[:1], clients=2, pause_seconds=0.2, host=host) as load:
            yield Sound(yard=yard, load=load)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("TOLD_LOAD=crash", "revision-crashed"),
        ("TOLD_PREDICT=raise", "smoke-test-failed"),
        ("TOLD_PREDICT=shift", "wrong-answer"),
    ],
)
def test_revision_that_is_broken_is_told_by_what_it_did(sound: Sound, told: str, code: str) -> None:
    sound.assert_refuses(code, "-e", told)


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"cpu": "640"}, "cluster-refused", "must be less than or equal to cpu limit"),
        ({"node_selector": {"example.com/is-there": "no"}}, "unschedulable", "didn't match Pod's node affinity/selector"),
        ({"memory": "40Mi"}, "out-of-memory", "40Mi"),
        ({"env_secrets": ["nobody-made-this"]}, "revision-crashed", 'secret "nobody-made-this" not found'),
    ],
)
def test_cause_is_named_where_the_cluster_cannot_run_it(
    sound: Sound, settings: dict[str, object], code: str, words: str
) -> None:
    assert words in sound.assert_refuses(code, **settings).error["message"]


@pytest.mark.parametrize("told", ["TOLD_LOAD=hang", "PORT=9000"])
def test_revision_that_is_slow_or_fails_its_probe_is_given_up_when_its_time_is_over(sound: Sound, told: str) -> None:
    """The second listens where nobody asks it."""
    sound.yard.ready_timeout = 8
    refused = sound.assert_refuses("revision-not-ready", "-e", told)
    sound.yard.ready_timeout = 60
    assert "after 8 s: its container runs, but its probe at /ready fails" in refused.error["message"]


@pytest.mark.parametrize("kind", ["Deployment", "Pod"])
def test_rule_that_the_cluster_refuses_it_by_is_told(sound: Sound, kind: str) -> None:
    with forbid(sound.yard):
        refused = sound.assert_refuses("admission-refused", "-e", f"NOT_IN_{kind}=1")
    assert "nobody wants this here" in refused.error["message"]


def test_image_that_nodes_cannot_pull_is_named(sound: Sound, lab_registry_auth: RegistryLogin) -> None:
    # What is pushed there the nodes look for in the other registry, which does not have it.
    yard, host = sound.yard, lab_registry_auth.address
    yard.place.extra["PUSH_PASSWORD"] = lab_registry_auth.password
    yard.credentials = ({"host": host, "username": lab_registry_auth.user, "password": {"env": "PUSH_PASSWORD"}},)
    repository = f"{host}/dockyard-tests/elsewhere"
    refused = sound.assert_refuses("image-not-pulled", "-e", "OTHER=2", "--repository", repository)
    assert repository in refused.error["message"]


def test_quota_is_named(sound: Sound) -> None:
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "1"}}}
    sound.yard.core.create_namespaced_resource_quota(sound.yard.namespace, quota)
    refused = sound.assert_refuses("quota-exceeded", "-e", "OTHER=1")
    assert "exceeded quota: small" in refused.error["message"]
    sound.yard.core.delete_namespaced_resource_quota("small", sound.yard.namespace)


@contextmanager
def forbid(yard: Yard) -> Iterator[None]:
    """While the block lasts, no object of the namespace may have a container with the variable NOT_IN_<its kind>."""
    api, name = client.AdmissionregistrationV1Api(yard.core.api_client), f"{yard.namespace}-variables"
    rules = [
        {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}
        for group, resource in (("", "pods"), ("apps", "deployments"))
    ]
    pod = "(object.kind == 'Pod' ? object : object.spec.template).spec"
    rule = f"{pod}.containers.all(one, !has(one.env) || one.env.all(each, each.name != 'NOT_IN_' + object.kind))"
    validation = {"expression": rule, "message": "nobody wants this here"}
    policy = {"matchConstraints": {"resourceRules": rules}, "validations": [validation]}
    namespace = {"matchLabels": {"kubernetes.io/metadata.name": yard.namespace}}
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": namespace}}
    api.create_validating_admission_policy({"metadata": {"name": name}, "spec": policy})
    api.create_validating_admission_policy_binding({"metadata": {"name": name}, "spec": binding})
    try:
        wait_until(lambda: is_forbidden(yard))
        yield
    finally:
        api.delete_validating_admission_policy_binding(name)
        api.delete_validating_admission_policy(name)


def is_forbidden(yard: Yard) -> bool:
    """Whether the API server has taken the rule up."""
    labels = {"app": "tried"}
    container = {"name": "scorer", "image": "nothing", "env": [{"name": "NOT_IN_Deployment", "value": "1"}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    tried = {"metadata": {"name": "tried"}, "spec": {"selector": {"matchLabels": labels}, "template": template}}
    try:
        client.AppsV1Api(yard.core.api_client).create_namespaced_deployment(yard.namespace, tried, dry_run="All")
    except client.ApiException as refusal:
        return "nobody wants this here" in str(refusal.body)
    return False
