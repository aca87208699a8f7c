"""Owns what an environment may say about Kubernetes: keys, types, defaults, meaning. Must not know where values come from."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from dockyard.adapters.config_k8s_options import (
    AutoscalingSection,
    IngressSection,
    LabelName,
    MonitoringSection,
    Namespace,
    ObjectName,
    OwnAnnotations,
    OwnLabels,
    PeerSection,
    RouteSection,
    TolerationSection,
    make_autoscaling,
    make_exposure,
    make_monitoring,
    make_peers,
    make_tolerations,
    sort_pairs,
)
from dockyard.adapters.config_k8s_rollout import K8sRolloutSection, make_rollout
from dockyard.adapters.config_section import Section, Text
from dockyard.domain.k8s import ClusterAccess, K8sPlace, K8sPolicy, K8sSettings
from dockyard.domain.k8s_pods import PullPolicy

_SETTINGS, _POLICY = K8sSettings(), K8sPolicy()

Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$", max_length=20)]


class K8s(Section):
    """How deployments run on Kubernetes. Nothing is needed but a cluster that kubectl reaches, and `image.repository`."""

    kubeconfig: Text | None = None
    """The client configuration; without it KUBECONFIG's, else `~/.kube/config`, else that of the pod that this runs in."""
    context: Text | None = None
    """A context of it; without it the current one."""
    namespace: Namespace | None = None
    """The namespace; without it the context's. It must be there."""
    impersonate: Text | None = None
    """The user that Dockyard acts as, as `system:serviceaccount:ci:deployer`; who it is itself must be allowed to."""
    impersonate_groups: list[Text] = []
    """The groups that this user is in."""
    force_conflicts: bool = False
    """Whether fields of the objects that another manager owns are taken over, instead of being reported."""
    replicas: Annotated[int, Field(ge=1, le=1000)] = _POLICY.replicas
    """How many pods."""
    clients: list[Namespace] = []
    """Namespaces whose pods may ask it; with neither these nor `peers` everybody may. The API server must be let in
    by the cluster, the Gateway's namespace and Prometheus' are let in where they are named in `route` and `monitoring`."""
    peers: list[PeerSection] = []
    """Who else may ask it."""
    egress: list[PeerSection] = []
    """Whom pods may call, besides the cluster's name server. Nobody named: everybody."""
    cpu: Quantity | None = _SETTINGS.cpu
    """What each pod asks for, in cores, as `250m` or `2`. Without it, by the load time that was measured of the image."""
    cpu_limit: Quantity = _SETTINGS.cpu_limit
    """The most that each pod gets."""
    memory: Quantity | None = _SETTINGS.memory
    """What each pod asks for, and the most that it gets. Without it, twice what was measured of the image."""
    tmp_size: Quantity = _SETTINGS.tmp_size
    """The most that may be in /tmp, the only folder that pods can write to."""
    env_secrets: list[ObjectName] = []
    """Secrets of the namespace whose keys become environment variables of the model."""
    pull_secrets: list[ObjectName] = []
    """Secrets of the namespace that images are pulled with."""
    pull_policy: PullPolicy = _SETTINGS.pull_policy
    """When nodes ask the registry: at each start, or (`IfNotPresent`) only for an image that they do not have."""
    node_selector: dict[str, str] = {}
    """Labels that nodes must have."""
    rollout: K8sRolloutSection = K8sRolloutSection()
    """How a new revision comes."""
    tolerations: list[TolerationSection] = []
    """Taints of nodes that pods put up with."""
    affinity: dict[str, object] = {}
    """What nodes or pods they are to be near or far, as Kubernetes writes it."""
    gpu: Annotated[int, Field(ge=0, le=64)] = _SETTINGS.gpu
    """How many GPUs each pod gets."""
    gpu_resource: LabelName = _SETTINGS.gpu_resource
    """What the cluster calls a GPU."""
    runtime_class: ObjectName | None = None
    """The RuntimeClass of pods."""
    priority_class: ObjectName | None = None
    """The PriorityClass of pods."""
    service_account: ObjectName | None = None
    """The service account of pods; without it the namespace's default one. Its token is mounted in no case."""
    labels: OwnLabels = {}
    """More labels of pods."""
    annotations: OwnAnnotations = {}
    """More annotations of pods."""
    autoscaling: AutoscalingSection | None = None
    """Decides how many pods there are, in place of `replicas`."""
    monitoring: MonitoringSection | None = None
    """Makes objects for a Prometheus operator and for Grafana."""
    route: RouteSection | None = None
    """Lets requests in from outside by a Gateway."""
    ingress: IngressSection | None = None
    """Lets requests in from outside by an Ingress."""

    @model_validator(mode="after")
    def _check_exposure(self) -> K8s:
        if self.route and self.ingress:
            raise PydanticCustomError("exposure", "has `route` and `ingress`; leave one of them out")
        return self


def make_k8s_place(section: K8s) -> K8sPlace:
    """Return what a section says, in the domain's words."""
    settings = K8sSettings(
        cpu=section.cpu,
        cpu_limit=section.cpu_limit,
        memory=section.memory,
        tmp_size=section.tmp_size,
        env_secrets=tuple(section.env_secrets),
        pull_secrets=tuple(section.pull_secrets),
        pull_policy=section.pull_policy,
        node_selector=sort_pairs(section.node_selector),
        tolerations=make_tolerations(section.tolerations),
        affinity=json.dumps(section.affinity, sort_keys=True) if section.affinity else "",
        gpu=section.gpu,
        gpu_resource=section.gpu_resource,
        runtime_class=section.runtime_class,
        priority_class=section.priority_class,
        service_account=section.service_account,
        labels=sort_pairs(section.labels),
        annotations=sort_pairs(section.annotations),
    )
    access = ClusterAccess(
        kubeconfig=section.kubeconfig,
        context=section.context,
        namespace=section.namespace,
        impersonate=section.impersonate,
        impersonate_groups=tuple(section.impersonate_groups),
    )
    policy = K8sPolicy(
        replicas=section.replicas,
        clients=tuple(section.clients),
        peers=make_peers(section.peers),
        egress=make_peers(section.egress),
        exposure=make_exposure(section.route, section.ingress),
        scaling=make_autoscaling(section.autoscaling),
        monitoring=make_monitoring(section.monitoring),
    )
    rollout = make_rollout(section.rollout)
    return K8sPlace(access=access, settings=settings, policy=policy, rollout=rollout, takes_over=section.force_conflicts)
