"""Deployments that differ in what is set, and the checklist of production that the objects of each are held to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dockyard.adapters.k8s.manifests import PRE_STOP_SECONDS
from dockyard.domain.k8s import Blueprint, K8sPolicy
from dockyard.domain.k8s_exposure import HttpRoute, Ingress
from dockyard.domain.k8s_monitoring import Alerts, Monitoring
from dockyard.domain.k8s_pods import Peer, Toleration
from dockyard.domain.k8s_scaling import Autoscaling, CronTrigger, PrometheusTrigger
from support.k8s_values import make_blueprint

Json = dict[str, Any]

ROUTE = HttpRoute(
    gateway="shared", namespace="gateways", section="web", hostnames=("{name}.example.com", "models.test"), path="/{name}/v1"
)
KEDA = Autoscaling(
    min_replicas=1,
    max_replicas=9,
    cpu_percent=70,
    prometheus=(PrometheusTrigger(server="http://prometheus:9090", query='sum(x{service="{name}"})', threshold="2.5"),),
    cron=(CronTrigger(timezone="UTC", start="0 8 * * *", end="0 18 * * *", replicas=5),),
)
PEERS = (Peer(namespace="web", pods=(("app", "front"),)), Peer(pods=(("app", "batch"),)), Peer(cidr="10.0.0.0/8"))
MONITORING = Monitoring(
    namespace="monitoring",
    labels=(("release", "prometheus"),),
    interval_seconds=5,
    alerts=Alerts(error_percent=2, latency_seconds=0.5, restarts=4, runbooks="https://docs.example.com/alerts"),
    dashboard_labels=(("grafana_dashboard", "1"),),
)
VARIANTS = {
    "plain": make_blueprint(),
    "one pod": make_blueprint(policy=K8sPolicy(replicas=1)),
    "all": make_blueprint(
        policy=K8sPolicy(replicas=3, clients=("shop", "web")),
        env=(("TEXT", "'\"{{ }}: # \n<&"),),
        env_secrets=("feature-store",),
        pull_secrets=("registry",),
        node_selector=(("disk", "ssd"),),
    ),
    "route": make_blueprint(policy=K8sPolicy(exposure=ROUTE)),
    "ingress": make_blueprint(policy=K8sPolicy(exposure=Ingress(host="wine.example.com"))),
    "autoscaled": make_blueprint(policy=K8sPolicy(scaling=Autoscaling(max_replicas=5, cpu_percent=70, memory_percent=80))),
    "by KEDA": make_blueprint(policy=K8sPolicy(scaling=KEDA)),
    "monitored": make_blueprint(
        policy=K8sPolicy(clients=("shop",), peers=PEERS, egress=PEERS, exposure=ROUTE, monitoring=MONITORING)
    ),
    "placed": make_blueprint(
        tolerations=(Toleration(key="gpu"), Toleration(key="spot", value="yes", effect="NoExecute", seconds=0)),
        affinity='{"nodeAffinity": {}}',
        gpu=2,
        gpu_resource="amd.com/gpu",
        runtime_class="nvidia",
        priority_class="serving",
        service_account="models",
        labels=(("team", "search"),),
        annotations=(("example.com/cost-center", "17"),),
    ),
}


def assert_fit(objects: Iterable[Json], blueprint: Blueprint) -> None:
    """The 16 items, for whatever kind of object has the pods."""
    by_kind = {one["kind"]: one for one in objects}
    workload = next(by_kind[kind] for kind in ("Deployment", "Rollout", "InferenceService") if kind in by_kind)
    spec = workload["spec"]
    metadata, pod = _find_pod(workload)
    (container,) = pod["containers"]
    settings = blueprint.settings
    # 1 to 3: started, ready and alive are told apart, and the start has the time that it is given
    startup, ready, alive = (container[f"{name}Probe"] for name in ("startup", "readiness", "liveness"))
    assert (startup["httpGet"]["path"], ready["httpGet"]["path"], alive["httpGet"]["path"]) == ("/ready", "/ready", "/ping")
    assert startup["failureThreshold"] * startup["periodSeconds"] >= settings.ready_timeout_seconds
    # 4, 5: whoever ends is heard of first, and answers what it has begun
    assert container["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", str(PRE_STOP_SECONDS)]
    slowest = max(settings.grace_seconds, settings.request_timeout_seconds)
    assert pod["terminationGracePeriodSeconds"] > PRE_STOP_SECONDS + slowest
    # 6, 7: nothing is unavailable, neither by a rollout (KServe has one of its own) nor by a node that is drained
    if "strategy" in spec:
        rolling = spec["strategy"].get("canary") or spec["strategy"]["rollingUpdate"]
        assert (rolling["maxUnavailable"], rolling["maxSurge"]) == (0, 1)
    assert ("strategy" in spec) == (workload["kind"] != "InferenceService")
    assert by_kind["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    # 8: spread over zones and hosts
    spread = [one["topologyKey"] for one in pod["topologySpreadConstraints"]]
    assert spread == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    # 9: as much memory as is asked for, and limits
    resources = container["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"] == settings.memory
    assert {"cpu", "memory", "ephemeral-storage"} <= set(resources["requests"])
    assert {"cpu", "memory", "ephemeral-storage"} <= set(resources["limits"])
    _assert_restricted(pod, container, settings.tmp_size)
    # 14: only those who are named may ask or be called, where somebody is named
    rules = by_kind["NetworkPolicy"]["spec"]
    assert ["from" in rule for rule in rules["ingress"]] == [bool(blueprint.policy.named_peers)]
    assert ["to" in rule for rule in rules["egress"]] == ([False, True] if blueprint.policy.egress else [False])
    assert ({} in rules["egress"]) == (not blueprint.policy.egress)
    # 15: by digest
    assert "@sha256:" in container["image"]
    # 16: the way back
    assert metadata["annotations"]["dockyard.io/model-name"] == "wine"
    assert metadata["annotations"]["dockyard.io/model-digest"] == blueprint.spec.model.digest


def _find_pod(workload: Json) -> tuple[Json, Json]:
    """Metadata and spec of the pods."""
    if workload["kind"] == "InferenceService":
        return workload["spec"]["predictor"], workload["spec"]["predictor"]
    return workload["spec"]["template"]["metadata"], workload["spec"]["template"]["spec"]


def _assert_restricted(pod: Json, container: Json, tmp_size: str) -> None:
    # 10 to 12: Pod Security level `restricted`, a high uid, a root that is not written to
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] > 10_000
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": tmp_size}}]
    assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108
    # 13: no token, and no settings by accident
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
