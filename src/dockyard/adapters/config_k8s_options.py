"""Owns the optional sections of `environments.<name>.k8s`: nodes, clients, the way in from outside, autoscaling, monitoring.

Only what would make no sense on any cluster is refused here; what a cluster takes, its dry run says before a deploy.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from dockyard.adapters.config_section import Section, Text
from dockyard.domain.k8s_exposure import Exposure, HttpRoute, Ingress
from dockyard.domain.k8s_monitoring import Alerts, Monitoring
from dockyard.domain.k8s_pods import OWN_PREFIXES, Peer, Toleration
from dockyard.domain.k8s_scaling import Autoscaling, CronTrigger, PrometheusTrigger

ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
_HOST = r"^(\{name\}|[a-z0-9])((\{name\}|[-a-z0-9.])*(\{name\}|[a-z0-9]))?$"
HostName = Annotated[str, StringConstraints(pattern=_HOST, max_length=253)]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/(\{name\}|[A-Za-z0-9._~%/-])*$", max_length=1024)]
_PREFIX = r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?"
LabelName = Annotated[str, StringConstraints(pattern=rf"^{_PREFIX}[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$", max_length=316)]
LabelValue = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", max_length=63)]
Labels = dict[LabelName, LabelValue]
Percent = Annotated[int, Field(ge=1, le=1000)]
Pods = Annotated[int, Field(ge=1, le=1000)]
_ALERTS, _MONITORING = Alerts(), Monitoring()


def _check_names(found: dict[str, str]) -> dict[str, str]:
    if any(name.startswith(OWN_PREFIXES) for name in found):
        raise PydanticCustomError("own_name", "has a name that begins as Dockyard's own ones do")
    return found


OwnLabels = Annotated[Labels, AfterValidator(_check_names)]
OwnAnnotations = Annotated[dict[LabelName, str], AfterValidator(_check_names)]


def _check_cidr(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError as error:
        raise PydanticCustomError("cidr", "is no range of addresses, as 10.0.0.0/8") from error


class TolerationSection(Section):
    """A taint of nodes that pods put up with; what is left out matches all."""

    key: LabelName | None = None
    """The taint's name."""
    value: LabelValue | None = None
    """The taint's value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The taint's effect."""
    seconds: Annotated[int, Field(ge=0)] | None = None
    """How long pods may stay where the effect is NoExecute; without it for ever."""

    @model_validator(mode="after")
    def _check(self) -> TolerationSection:
        if self.seconds is not None and self.effect != "NoExecute":
            raise PydanticCustomError("toleration", "has `seconds`, which only the effect NoExecute knows")
        if self.key is None and self.value is not None:
            raise PydanticCustomError("toleration", "has a value and no key")
        return self


class PeerSection(Section):
    """Pods or addresses that may ask it, or be called by it."""

    namespace: Namespace | None = None
    """The pods' namespace; without it the deployment's."""
    pods: Labels = {}
    """Labels that the pods have."""
    cidr: Annotated[str, AfterValidator(_check_cidr)] | None = None
    """Addresses, as `10.0.0.0/8`."""

    @model_validator(mode="after")
    def _check(self) -> PeerSection:
        if bool(self.cidr) == bool(self.namespace or self.pods):
            raise PydanticCustomError("peer", "must have `cidr`, or else `namespace` or `pods`")
        return self


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


class PrometheusTriggerSection(Section):
    """As many pods as a query's result needs, by KEDA."""

    server: Text
    """Prometheus' address, as KEDA reaches it."""
    query: Text
    """PromQL with one value; `{name}` stands for the deployment's name."""
    threshold: Annotated[float, Field(gt=0)]
    """How much of it each pod is to have."""


class CronTriggerSection(Section):
    """So many pods at some hours, by KEDA."""

    timezone: Text = "UTC"
    """As `Europe/Berlin`."""
    start: Text
    """A cron expression, as `0 8 * * 1-5`."""
    end: Text
    """A cron expression."""
    replicas: Pods
    """How many pods between the two."""


class AutoscalingSection(Section):
    """What decides how many pods there are: a HorizontalPodAutoscaler, or KEDA where `prometheus` or `cron` is given."""

    min_replicas: Pods = 2
    """The fewest."""
    max_replicas: Pods
    """The most."""
    cpu_percent: Percent | None = None
    """The share of `cpu` that pods are to use, on the average."""
    memory_percent: Percent | None = None
    """The share of `memory` that pods are to use, on the average."""
    scale_down_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    """How long less load must last before there are fewer pods."""
    prometheus: list[PrometheusTriggerSection] = []
    """Queries, by KEDA."""
    cron: list[CronTriggerSection] = []
    """Hours, by KEDA."""

    @model_validator(mode="after")
    def _check(self) -> AutoscalingSection:
        if self.max_replicas < self.min_replicas:
            raise PydanticCustomError("autoscaling", "has more pods in `min_replicas` than in `max_replicas`")
        if not (self.cpu_percent or self.memory_percent or self.prometheus or self.cron):
            raise PydanticCustomError("autoscaling", "needs `cpu_percent`, `memory_percent`, `prometheus` or `cron`")
        return self


class AlertsSection(Section):
    """Alerts on the scorer's own metrics, as a PrometheusRule."""

    error_percent: Annotated[float, Field(gt=0, le=100)] = _ALERTS.error_percent
    """How many requests of a hundred may fail."""
    latency_seconds: Annotated[float, Field(gt=0)] = _ALERTS.latency_seconds
    """What 99 of a hundred requests stay under."""
    restarts: Annotated[int, Field(ge=1)] = _ALERTS.restarts
    """How often a pod's process may start again in a quarter of an hour."""
    runbooks: Text = _ALERTS.runbooks
    """Where docs/how-to/answer-alerts.md is published, for links."""


class MonitoringSection(Section):
    """What is made for a Prometheus operator and for Grafana: a ServiceMonitor, and what else is given."""

    namespace: Namespace | None = None
    """Where Prometheus runs; it is let in where `clients` or `peers` are named."""
    labels: OwnLabels = {}
    """Labels that Prometheus chooses its objects by."""
    interval_seconds: Annotated[int, Field(ge=1, le=3600)] = _MONITORING.interval_seconds
    """Between two scrapes."""
    alerts: AlertsSection | None = None
    """Makes a PrometheusRule; `{}` has the default thresholds."""
    dashboard_labels: OwnLabels = {}
    """Makes a ConfigMap with a Grafana dashboard, and these labels of it, as `grafana_dashboard: "1"`."""


def make_exposure(route: RouteSection | None, ingress: IngressSection | None) -> Exposure | None:
    """Return the way in from outside."""
    if route is not None:
        values = route.model_dump()
        return HttpRoute(**{**values, "hostnames": tuple(values["hostnames"])})
    if ingress is not None:
        values = ingress.model_dump()
        return Ingress(**{**values, "annotations": sort_pairs(values["annotations"])})
    return None


def make_tolerations(sections: list[TolerationSection]) -> tuple[Toleration, ...]:
    """Return taints that pods put up with."""
    return tuple(Toleration(**one.model_dump()) for one in sections)


def make_peers(sections: list[PeerSection]) -> tuple[Peer, ...]:
    """Return who else may ask."""
    return tuple(Peer(**{**one.model_dump(), "pods": sort_pairs(one.pods)}) for one in sections)


def make_autoscaling(section: AutoscalingSection | None) -> Autoscaling | None:
    """Return what decides how many pods there are."""
    if section is None:
        return None
    queries = (one.model_dump() | {"threshold": f"{one.threshold:g}"} for one in section.prometheus)
    triggers = {
        "prometheus": tuple(PrometheusTrigger(**one) for one in queries),
        "cron": tuple(CronTrigger(**one.model_dump()) for one in section.cron),
    }
    return Autoscaling(**{**section.model_dump(), **triggers})


def make_monitoring(section: MonitoringSection | None) -> Monitoring | None:
    """Return who looks after a deployment."""
    if section is None:
        return None
    values = {
        "labels": sort_pairs(section.labels),
        "dashboard_labels": sort_pairs(section.dashboard_labels),
        "alerts": Alerts(**section.alerts.model_dump()) if section.alerts else None,
    }
    return Monitoring(**{**section.model_dump(), **values})


def sort_pairs(found: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return a mapping as the domain has it."""
    return tuple(sorted(found.items()))
