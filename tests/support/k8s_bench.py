"""A workbench for Kubernetes whose ports are all in memory, with handles on each of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from typing_extensions import override

from dockyard.domain.image import ImageSettings
from dockyard.domain.k8s import K8sPolicy, K8sSettings
from dockyard.domain.record import RecordStatus
from dockyard.domain.reference import parse_model_ref
from dockyard.domain.request import DeleteRequest, K8sDeployRequest, RollbackRequest
from dockyard.domain.result import DeployResult
from dockyard.testing.images import MemoryImages
from dockyard.testing.k8s import MemoryCluster, MemoryKubeScorer, MemoryMetrics
from dockyard.usecases.deploy import deploy
from dockyard.usecases.site_k8s import K8sSite
from support.any_bench import AnyBench
from support.k8s_values import KEY, REPOSITORY
from support.local_values import make_model


@dataclass(kw_only=True)
class K8sBench(AnyBench):
    """Everything in memory, and a cluster to deploy to."""

    policy: K8sPolicy = field(default_factory=K8sPolicy)
    repository: str | None = REPOSITORY
    cluster: MemoryCluster = field(init=False)
    scorer: MemoryKubeScorer = field(init=False)
    metrics: MemoryMetrics = field(default_factory=MemoryMetrics)

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        self.images = MemoryImages(faults=self.faults)
        self.cluster = MemoryCluster(faults=self.faults, clock=self.clock)
        self.scorer = MemoryKubeScorer(cluster=self.cluster)

    @property
    @override
    def site(self) -> K8sSite:
        return K8sSite(
            cluster=self.cluster,
            control=self.cluster,
            inventory=self.cluster,
            scorer=self.scorer,
            metrics=self.metrics,
            clock=self.clock,
            policy=self.policy,
            repository=self.repository,
        )

    def serving_version(self) -> str | None:
        """The model version that requests to the Service reach now."""
        seen = self.cluster.describe_deployment(KEY)
        served = self.cluster.list_served(KEY) if seen.exists else ()
        assert len(served) <= 1
        revision = seen.find_revision(served[0]) if served else None
        return revision.spec.model.version if revision else None

    def record_status(self, version: int) -> RecordStatus | None:
        """What the record on a model version says."""
        record = self.registry.find_record(KEY, make_model(version))
        return record.status if record else None

    def list_numbers(self) -> list[int]:
        """The revisions that there are."""
        return [one.number for one in self.cluster.describe_deployment(KEY).revisions]


def want(version: int | str = 1, **fields: object) -> K8sDeployRequest:
    """A request for a version of `wine`; what is not a field of requests is a setting."""
    text = f"models:/wine/{version}" if isinstance(version, int) else version
    values: dict[str, object] = {"key": KEY, "image": ImageSettings(), "policy": K8sPolicy()}
    values |= {
        name: fields.pop(name) for name in ("promote", "history_limit", "policy", "rollout", "key", "image") if name in fields
    }
    return K8sDeployRequest(
        ref=parse_model_ref(text),
        settings=K8sSettings(**fields),  # type: ignore[arg-type]
        **values,  # type: ignore[arg-type]
    )


ROLLBACK = RollbackRequest(key=KEY)
DELETE = DeleteRequest(key=KEY)


def run(bench: K8sBench, version: int = 1, **fields: object) -> DeployResult:
    """Deploy a version."""
    return deploy(bench.open(), want(version, **fields), plan_only=False)
