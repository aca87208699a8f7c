"""Owns what other tools' forms make of a deployment's objects, and the objects that those tools are told of them by. Pure.

Objects that a form does not know are passed on as they are, so that what a deployment may have more comes through.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from dockyard.adapters.k8s.labels import label_object
from dockyard.adapters.k8s.manifests import Manifest, fill_template, open_templates
from dockyard.domain.k8s import Blueprint
from dockyard.domain.names import KUBERNETES_LABEL, derive_name
from dockyard.domain.rendering import RenderShape

if TYPE_CHECKING:
    from jinja2 import Environment

_OF_PODS = frozenset({"PodDisruptionBudget", "NetworkPolicy"})
"""What is about pods, and so holds for those that KServe makes too."""


def make_argo_objects(blueprint: Blueprint, shape: RenderShape, inner: str) -> tuple[Manifest, ...]:
    """Return Argo CD's Application for the folder `inner` of what is rendered."""
    return (_fill("application", blueprint, shape, inner),)


def make_flux_objects(blueprint: Blueprint, shape: RenderShape, inner: str) -> tuple[Manifest, ...]:
    """Return Flux's Kustomization for that folder, and the GitRepository where it has one of its own."""
    templates = ("kustomization", *(("gitrepository",) if shape.git.url else ()))
    return tuple(_fill(one, blueprint, shape, inner) for one in templates)


def make_inference_service(objects: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    """Return KServe's InferenceService in its mode without Knative, and the objects that are about its pods."""
    deployment = next(item for item in objects if item["kind"] == "Deployment")
    template = deployment["spec"]["template"]
    pod = template["spec"]
    containers = [one | {"name": "kserve-container"} for one in pod["containers"]]
    replicas = deployment["spec"].get("replicas")
    scale = {"minReplicas": replicas, "maxReplicas": replicas} if replicas is not None else {}
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": deployment["metadata"] | {"annotations": {"serving.kserve.io/deploymentMode": "RawDeployment"}},
        "spec": {"predictor": {**template["metadata"], **scale, **pod, "containers": containers}},
    }
    return (service, *(item for item in objects if item["kind"] in _OF_PODS))


def _fill(template: str, blueprint: Blueprint, shape: RenderShape, inner: str) -> Manifest:
    key = blueprint.key
    values = {
        "name": derive_name(KUBERNETES_LABEL, f"{key.environment}-{key.name}"),
        "labels": label_object(key),
        "into": shape.namespace,
        "git": shape.git,
        "path": f"{shape.git.path}/{inner}".removeprefix("./"),
    }
    return fill_template(_forms(), template, values)


@lru_cache(maxsize=1)
def _forms() -> Environment:
    return open_templates("gitops")
