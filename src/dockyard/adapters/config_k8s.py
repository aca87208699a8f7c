"""Owns what an environment may say about Kubernetes: keys, types, defaults, meaning. Must not know where values come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import Self

from dockyard.adapters.config_section import Section, Text
from dockyard.domain.k8s import ClusterAccess, K8sPlace, K8sPolicy, K8sSettings
from dockyard.domain.k8s_exposure import Exposure, HttpRoute, Ingress
from dockyard.domain.k8s_rollout import Gate, K8sRollout, K8sRolloutKind

_SETTINGS, _POLICY, _ROLLOUT = K8sSettings(), K8sPolicy(), K8sRollout()
_GATE = _ROLLOUT.gate

_HOST = r"^(\{name\}|[a-z0-9])((\{name\}|[-a-z0-9.])*(\{name\}|[a-z0-9]))?$"
Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$", max_length=20)]
ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]


HostName = Annotated[str, StringConstraints(pattern=_HOST, max_length=253)]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/(\{name\}|[A-Za-z0-9._~%/-])*$", max_length=1024)]


class RouteSection(Section):
    """An HTTPRoute of the Gateway API. `{name}` in `hostnames` and `path` stands for the deployment's name."""

    gateway: ObjectName
    """The Gateway that the route belongs to."""
    namespace: Namespace | None = None
    """The Gateway's namespace; without it the deployment's."""
    section: ObjectName | None = None
    """The Gateway's listener; without it each that takes the hostnames."""
    hostnames: Annotated[list[HostName], Field(min_length=1)]
    """The hosts that are asked for. The first is in the URL that is shown."""
    path: UrlPath = "/"
    """What requests' paths begin with. It is taken away before the model's scorer sees them."""
    scheme: Literal["https", "http"] = "https"
    """How clients speak to the Gateway, for the URL that is shown."""


class IngressSection(Section):
    """An Ingress. `{name}` in `host`, `path` and `tls_secret` stands for the deployment's name."""

    host: HostName
    """The host that is asked for."""
    class_name: ObjectName | None = None
    """The IngressClass; without it the cluster's default one."""
    path: UrlPath = "/"
    """What requests' paths begin with: `/invocations` lets nothing else in. It is not taken away."""
    tls_secret: HostName | None = None
    """The Secret with the host's certificate; without it plain HTTP."""
    annotations: dict[str, str] = {}
    """What the Ingress controller is told."""


Percent = Annotated[int, Field(ge=1, le=100)]


class GateSection(Section):
    """What a candidate must not do while it gets requests; what does takes the rollout back."""

    error_percent: Annotated[float, Field(ge=0, le=100)] | None = _GATE.error_percent
    """How many more of a hundred answers than the stable revision's may have a 5xx status; null: any."""
    latency_ms: Annotated[int, Field(ge=1)] | None = _GATE.latency_ms
    """The most that the slowest answer in a hundred (p99) may take."""
    slower_percent: Annotated[float, Field(ge=0)] | None = _GATE.slower_percent
    """By how much its answers may take longer than the stable revision's, in the mean."""
    min_requests: Annotated[int, Field(ge=1)] = _GATE.min_requests
    """With fewer answers its metrics are not judged."""
    prometheus: Text | None = None
    """The URL of a Prometheus that is asked `alerts`."""
    alerts: list[Text] = []
    """PromQL as in alerting rules: what has a result is a breach. `$namespace`, `$stable` and `$candidate` are filled in."""

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if bool(self.alerts) != bool(self.prometheus):
            raise PydanticCustomError("gate", "has one of `prometheus` and `alerts`; they go together")
        return self


class K8sRolloutSection(Section):
    """How a new revision comes."""

    kind: K8sRolloutKind = _ROLLOUT.kind
    """`rolling` (pods replaced one at a time), `blue-green` (a candidate gets all requests at once), `canary` (share by
    share), or `shadow` (none: the candidate gets copies of requests, for `wait_seconds`)."""
    steps: Annotated[list[Percent], Field(min_length=1)] = list(_ROLLOUT.steps)
    """The shares of `canary`, ascending."""
    wait_seconds: Annotated[int, Field(ge=0)] = _ROLLOUT.wait_seconds
    """How long `gate` is watched after each share."""
    shadow_percent: Percent = _ROLLOUT.shadow_percent
    """How many of a hundred requests `shadow` copies."""
    pause: bool = False
    """Whether it stands still at the first share, `blue-green` before it, until `promote` or `rollback`."""
    gate: GateSection = GateSection()
    """What a candidate must not do while it gets requests."""

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        if self.steps != sorted(set(self.steps)):
            raise PydanticCustomError("steps", "has `steps` that do not ascend")
        return self


class K8s(Section):
    """How deployments run on Kubernetes. Nothing is needed but a cluster that kubectl reaches, and `image.repository`."""

    kubeconfig: Text | None = None
    """The client configuration; without it KUBECONFIG's, else `~/.kube/config`, else that of the pod that this runs in."""
    context: Text | None = None
    """A context of it; without it the current one."""
    namespace: Namespace | None = None
    """The namespace; without it the context's. It must be there."""
    force_conflicts: bool = False
    """Whether fields of the objects that another manager owns are taken over, instead of being reported."""
    replicas: Annotated[int, Field(ge=1, le=1000)] = _POLICY.replicas
    """How many pods."""
    clients: list[Namespace] = []
    """Namespaces whose pods may ask it; without any there is no NetworkPolicy. The API server must be let in by the cluster."""
    cpu: Quantity = _SETTINGS.cpu
    """What each pod asks for, in cores, as `250m` or `2`."""
    cpu_limit: Quantity = _SETTINGS.cpu_limit
    """The most that each pod gets."""
    memory: Quantity = _SETTINGS.memory
    """What each pod asks for, and the most that it gets."""
    tmp_size: Quantity = _SETTINGS.tmp_size
    """The most that may be in /tmp, the only folder that pods can write to."""
    env_secrets: list[ObjectName] = []
    """Secrets of the namespace whose keys become environment variables of the model."""
    pull_secrets: list[ObjectName] = []
    """Secrets of the namespace that images are pulled with."""
    node_selector: dict[str, str] = {}
    """Labels that nodes must have."""
    rollout: K8sRolloutSection = K8sRolloutSection()
    """How a new revision comes."""
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
        node_selector=tuple(sorted(section.node_selector.items())),
    )
    access = ClusterAccess(kubeconfig=section.kubeconfig, context=section.context, namespace=section.namespace)
    policy = K8sPolicy(replicas=section.replicas, clients=tuple(section.clients), exposure=_make_exposure(section))
    rollout = _make_rollout(section.rollout)
    return K8sPlace(access=access, settings=settings, policy=policy, rollout=rollout, takes_over=section.force_conflicts)


def _make_rollout(section: K8sRolloutSection) -> K8sRollout:
    values = section.model_dump()
    gate = Gate(**{**values["gate"], "alerts": tuple(values["gate"]["alerts"])})
    return K8sRollout(**{**values, "steps": tuple(values["steps"]), "gate": gate})


def _make_exposure(section: K8s) -> Exposure | None:
    if section.route is not None:
        values = section.route.model_dump()
        return HttpRoute(**{**values, "hostnames": tuple(values["hostnames"])})
    if section.ingress is not None:
        values = section.ingress.model_dump()
        return Ingress(**{**values, "annotations": tuple(sorted(values["annotations"].items()))})
    return None
