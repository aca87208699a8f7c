"""What candidates add to rendered objects while they last, and that it is told again what it was."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.adapters.k8s.division import render_objects, render_traffic
from dockyard.adapters.k8s.labels import read_traffic, select_deployment
from dockyard.adapters.k8s.manifests import Manifest, render_manifests
from dockyard.domain.k8s import K8sPolicy, TrafficBlueprint
from dockyard.domain.k8s_exposure import HttpRoute
from dockyard.domain.k8s_rollout import Division, Traffic
from support.k8s_values import KEY, make_blueprint

POLICY = K8sPolicy(clients=("shop",), exposure=HttpRoute(gateway="shared", hostnames=("models.test",), path="/wine"))
BLUEPRINT = make_blueprint(policy=POLICY)
CANDIDATE = dataclasses.replace(BLUEPRINT, is_candidate=True)


def render_divided(percent: int, by: str) -> dict[str, Manifest]:
    traffic = Traffic(percent=percent, by=Division(by))
    found = render_traffic(TrafficBlueprint(key=KEY, policy=POLICY, traffic=traffic), "models")
    told = [one for item in found if (one := read_traffic(item["metadata"].get("annotations", {})))]
    assert told == [traffic]
    whole = render_objects(dataclasses.replace(BLUEPRINT, traffic=traffic), "models")
    assert [one for one in whole if one["kind"] in {"Service", "HTTPRoute"}] == list(found)
    return {one["kind"]: one for one in found}


def is_selected(selector: dict[str, str], blueprint_is_candidate: bool) -> bool:
    (deployment, *_) = render_objects(CANDIDATE if blueprint_is_candidate else BLUEPRINT, "models")
    labels: dict[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return selector.items() <= labels.items()


def find_selector(item: Manifest) -> dict[str, str]:
    selector: Manifest = item["spec"].get("podSelector") or item["spec"]["selector"]
    labels: dict[str, str] = selector.get("matchLabels", selector)
    return labels


def test_without_a_division_the_objects_are_those_of_the_templates() -> None:
    assert render_objects(BLUEPRINT, "models") == render_manifests(BLUEPRINT, "models")
    found = render_traffic(TrafficBlueprint(key=KEY, policy=POLICY), "models")
    assert [one["kind"] for one in found] == ["Service", "HTTPRoute"]


def test_candidate_has_objects_of_its_own_and_no_selector_of_the_deployment_matches_its_pods() -> None:
    own = {one["kind"]: one for one in render_objects(BLUEPRINT, "models")}
    beside = {one["kind"]: one for one in render_objects(CANDIDATE, "models")}
    assert list(beside) == ["Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"]
    assert {one["metadata"]["name"] for one in beside.values()} == {"wine-candidate"}
    for kind, item in beside.items():
        assert [is_selected(find_selector(own[kind]), one) for one in (False, True)] == [True, False]
        assert [is_selected(find_selector(item), one) for one in (False, True)] == [False, True]
    for one in (*own.values(), *beside.values()):
        assert select_deployment(KEY).items() <= one["metadata"]["labels"].items()


@pytest.mark.parametrize(("percent", "selected"), [(10, (True, True)), (50, (True, True)), (100, (False, True))])
def test_service_selects_both_or_the_candidate(percent: int, selected: tuple[bool, bool]) -> None:
    selector = render_divided(percent, "pods")["Service"]["spec"]["selector"]
    assert (is_selected(selector, False), is_selected(selector, True)) == selected


@pytest.mark.parametrize("percent", [1, 10, 100])
def test_weights_of_a_route_are_a_hundred_together(percent: int) -> None:
    found = render_divided(percent, "route")
    assert found["Service"]["spec"]["selector"] == select_deployment(KEY)
    (rule,) = found["HTTPRoute"]["spec"]["rules"]
    weights = {one["name"]: one["weight"] for one in rule["backendRefs"]}
    assert weights == {"wine": 100 - percent, "wine-candidate": percent}
    assert [one["type"] for one in rule["filters"]] == ["URLRewrite"]


@pytest.mark.parametrize(("percent", "told"), [(100, {}), (20, {"percent": 20})])
def test_shadow_gets_copies_and_answers_nobody(percent: int, told: dict[str, int]) -> None:
    (rule,) = render_divided(percent, "mirror")["HTTPRoute"]["spec"]["rules"]
    assert [one["name"] for one in rule["backendRefs"]] == ["wine"]
    mirror, rewrite = rule["filters"]
    assert mirror["requestMirror"] == {"backendRef": {"name": "wine-candidate", "port": 80}, **told}
    assert rewrite["type"] == "URLRewrite"
