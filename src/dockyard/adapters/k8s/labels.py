"""Owns the labels and annotations that lead from an object of a cluster back to its deployment, its revision and the registry.

Labels find objects; annotations hold what labels are too short for. Those of the pod template are copied to every ReplicaSet
and pod of the revision, so that a ReplicaSet says by itself which revision it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dockyard.adapters.codec import decode, encode
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.errors import DockyardError
from dockyard.domain.image import Footprint, ImageDigest
from dockyard.domain.k8s import Blueprint, K8sPolicy, K8sSpec, derive_object_name
from dockyard.domain.k8s_rollout import Traffic

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "dockyard"
ENVIRONMENT = "dockyard.io/environment"
DEPLOYMENT = "dockyard.io/deployment"
REVISION = "dockyard.io/revision"
SERVED_AT = "dockyard.io/served-at"
"""On a ReplicaSet: when it was proved last."""
POLICY = "dockyard.io/policy"
CANDIDATE = "dockyard.io/candidate"
"""On a candidate's objects and pods: whose it is."""
TRAFFIC = "dockyard.io/traffic"
"""On what divides the requests: what of them the candidate gets."""
_NAME = "app.kubernetes.io/name"
_SPEC = "dockyard.io/spec"
_IMAGE = "dockyard.io/image"
_FOOTPRINT = "dockyard.io/footprint"


def select_deployment(key: DeploymentKey) -> dict[str, str]:
    """The labels that all objects of a deployment and its pods have, and no pod of its candidate."""
    return {ENVIRONMENT: key.environment, DEPLOYMENT: key.name}


def select_candidate(key: DeploymentKey) -> dict[str, str]:
    """The labels that all objects of a deployment's candidate and its pods have, and no other object."""
    return {ENVIRONMENT: key.environment, CANDIDATE: key.name}


def select_all_pods(key: DeploymentKey) -> dict[str, str]:
    """The labels that the pods of a deployment and those of its candidate have, and no other pod."""
    return {_NAME: derive_object_name(key), MANAGED_BY: MANAGER, ENVIRONMENT: key.environment}


def label_object(key: DeploymentKey, *, is_candidate: bool = False) -> dict[str, str]:
    """The labels of a deployment's objects, or of its candidate's."""
    return {**select_all_pods(key), **select_deployment(key), **(select_candidate(key) if is_candidate else {})}


def write_selector(labels: Mapping[str, str]) -> str:
    """Return labels as a query has them."""
    return ",".join(f"{name}={value}" for name, value in labels.items())


def is_ours(labels: Mapping[str, str], key: DeploymentKey) -> bool:
    """Whether an object with these labels is of that deployment, whoever applied it: Helm calls all that it does its own."""
    return select_deployment(key).items() <= labels.items()


def is_made_by_controller(item: Mapping[str, Any]) -> bool:
    """Whether an object follows another one, as KEDA's autoscaler that has its ScaledObject's labels."""
    return any(one.get("controller") for one in item["metadata"].get("ownerReferences") or ())


def read_key(labels: Mapping[str, str]) -> DeploymentKey | None:
    """The deployment that an object with these labels is of."""
    if not {ENVIRONMENT, DEPLOYMENT} <= labels.keys():
        return None
    return DeploymentKey(environment=labels[ENVIRONMENT], name=labels[DEPLOYMENT], target=Target.K8S)


def annotate_revision(blueprint: Blueprint) -> dict[str, str]:
    """The annotations of a revision's pod template: what it is, for us and for people."""
    model = blueprint.spec.model
    told = {
        "dockyard.io/model-name": model.name,
        "dockyard.io/model-version": model.version,
        "dockyard.io/model-id": model.model_id,
        "dockyard.io/run-id": model.run_id,
        "dockyard.io/model-digest": model.digest,
        "dockyard.io/registry": model.registry,
        "dockyard.io/fingerprint": blueprint.spec.fingerprint,
    }
    if blueprint.footprint is not None:
        told[_FOOTPRINT] = _compact(encode(blueprint.footprint))
    known = {name: value for name, value in told.items() if value}
    return known | {REVISION: str(blueprint.number), _IMAGE: blueprint.image, _SPEC: _compact(encode(blueprint.spec))}


def read_revision(annotations: Mapping[str, str]) -> tuple[int, K8sSpec, ImageDigest] | None:
    """Number, spec and image of the revision that a pod template is of; None where they are not ours or have been changed."""
    number, spec = annotations.get(REVISION, ""), annotations.get(_SPEC)
    if not number.isdecimal() or spec is None:
        return None
    try:
        found = decode(K8sSpec, spec.encode(), what="the annotations of a revision")
    except DockyardError:
        return None
    return int(number), found, ImageDigest(annotations.get(_IMAGE, ""))


def read_footprint(annotations: Mapping[str, str]) -> Footprint | None:
    """What was measured of the image that a pod template is of; None where nothing was, or that cannot be read."""
    try:
        return decode(Footprint, annotations[_FOOTPRINT].encode(), what="the annotations of a revision")
    except (KeyError, DockyardError):
        return None


def write_policy(policy: K8sPolicy) -> str:
    """Return a policy as an annotation."""
    return _compact(encode(policy))


def read_policy(annotations: Mapping[str, str]) -> K8sPolicy | None:
    """The policy that a Deployment was applied with; None where that cannot be read."""
    try:
        return decode(K8sPolicy, annotations[POLICY].encode(), what="the annotations of a deployment")
    except (KeyError, DockyardError):
        return None


def write_traffic(traffic: Traffic) -> str:
    """Return a share as an annotation."""
    return _compact(encode(traffic))


def read_traffic(annotations: Mapping[str, str]) -> Traffic | None:
    """The share that an object gives to a candidate; None where it gives none, or not by us."""
    try:
        return decode(Traffic, annotations[TRAFFIC].encode(), what="the annotations of a Service")
    except (KeyError, DockyardError):
        return None


def _compact(content: bytes) -> str:
    return json.dumps(json.loads(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
