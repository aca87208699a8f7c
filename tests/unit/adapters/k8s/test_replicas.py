"""Who decides how many pods there are."""

from __future__ import annotations

from typing import Any

from dockyard.adapters.k8s.manifests import Manifest, render_manifests
from dockyard.adapters.k8s.replicas import (
    find_first_replicas,
    is_left_to_autoscaler,
    keep_replicas,
    owns_replicas,
    takes_back,
)
from dockyard.domain.k8s import K8sPolicy
from dockyard.domain.k8s_scaling import Autoscaling
from support.k8s_values import make_blueprint

OURS = {"manager": "dockyard", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}


def make_deployment(policy: K8sPolicy) -> Manifest:
    return render_manifests(make_blueprint(policy=policy), "models")[0]


FIXED = make_deployment(K8sPolicy(replicas=3))
SCALED = make_deployment(K8sPolicy(scaling=Autoscaling(min_replicas=4, max_replicas=9, cpu_percent=70)))


def owned_by(*managers: dict[str, Any]) -> Manifest:
    return {"metadata": {"managedFields": list(managers)}}


def test_number_is_an_autoscalers_where_nothing_is_said_of_it() -> None:
    assert (is_left_to_autoscaler(SCALED), is_left_to_autoscaler(FIXED), is_left_to_autoscaler({"kind": "Service"})) == (
        True,
        False,
        False,
    )
    assert (find_first_replicas(SCALED), find_first_replicas(FIXED)) == (4, 1)


def test_number_is_ours_where_we_applied_it() -> None:
    assert owns_replicas(owned_by({"manager": "kubectl", "operation": "Update", "fieldsV1": {}}, OURS))
    assert not owns_replicas(owned_by({**OURS, "manager": "kube-controller-manager"}))
    assert not owns_replicas(owned_by({**OURS, "fieldsV1": {"f:metadata": {}}}))
    assert not owns_replicas({"metadata": {}})


def test_number_is_taken_back_from_our_own_autoscaler_only() -> None:
    assert takes_back(FIXED, SCALED)
    assert not takes_back(FIXED, FIXED)
    assert not takes_back(SCALED, SCALED)
    assert not takes_back(FIXED, None)
    assert not takes_back(FIXED, {"metadata": {}})
    assert not takes_back({"kind": "Service"}, SCALED)
    assert keep_replicas(FIXED, {"spec": {"replicas": 7}})["spec"]["replicas"] == 7
