"""Owns the words for Kubernetes: what a revision is there, how a deployment is run, and what a cluster shows of it.

Settings make a revision: they are in its pod template, so that a change of one makes another ReplicaSet. A policy says how
many pods there are and who may ask them; a change of it makes no new revision. A revision is a ReplicaSet of the Deployment.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from dockyard.domain.deployment import DeploymentKey, ProofFailure, Revision, RevisionSpec
from dockyard.domain.image import Footprint, ImageDigest
from dockyard.domain.k8s_exposure import Exposure, HttpRoute
from dockyard.domain.k8s_monitoring import Monitoring
from dockyard.domain.k8s_pods import Peer, PullPolicy, Toleration
from dockyard.domain.k8s_rollout import K8sRollout, Traffic, describe_traffic
from dockyard.domain.k8s_scaling import Autoscaling
from dockyard.domain.k8s_sizes import choose_cpu, choose_memory, choose_ready_timeout, choose_storage
from dockyard.domain.names import KUBERNETES_LABEL, derive_name
from dockyard.domain.observed import DeploymentState, ObservedDeployment

DEFAULT_NAMESPACE = "default"
OWN_VARIABLES = (
    "DOCKYARD_GRACE_SECONDS",
    "DOCKYARD_MAX_BODY_BYTES",
    "DOCKYARD_REQUEST_TIMEOUT_SECONDS",
    "DOCKYARD_REVISION",
)
"""What every pod is given, sorted: nobody else may set these."""
BRING_REQUESTS = frozenset({"Service", "HTTPRoute"})
"""The kinds of objects that divide requests between a deployment and its candidate."""
_BESIDE = frozenset({"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sSettings:
    """What decides how a revision's pods run; a change makes a new revision."""

    env: tuple[tuple[str, str], ...] = ()
    """Environment variables for the model, sorted by name. Everybody who may read the Deployment sees them."""
    env_secrets: tuple[str, ...] = ()
    """Names of Secrets of the namespace whose keys become environment variables."""
    cpu: str | None = None
    """Requested for each pod, as Kubernetes writes it; None here and below: by what was measured of the image."""
    cpu_limit: str = "2"
    memory: str | None = None
    """Requested for each pod, and the most that it gets."""
    tmp_size: str = "256Mi"
    """The most that may be in /tmp, the only folder that is written to."""
    pull_secrets: tuple[str, ...] = ()
    """Names of Secrets of the namespace that images are pulled with."""
    pull_policy: PullPolicy = PullPolicy.ALWAYS
    node_selector: tuple[tuple[str, str], ...] = ()
    """Labels that nodes must have, sorted by name."""
    tolerations: tuple[Toleration, ...] = ()
    affinity: str = ""
    """What nodes or pods they are to be near or far, as JSON of Kubernetes' own `affinity`."""
    gpu: int = 0
    """How many of the resource each pod gets."""
    gpu_resource: str = "nvidia.com/gpu"
    runtime_class: str | None = None
    priority_class: str | None = None
    service_account: str | None = None
    """None: the namespace's default one. Its token is mounted in no case."""
    labels: tuple[tuple[str, str], ...] = ()
    """More labels of the pods, sorted by name."""
    annotations: tuple[tuple[str, str], ...] = ()
    """More annotations of the pods, sorted by name."""
    ready_timeout_seconds: int | None = None
    """How long a pod may take to become ready before it is started again."""
    grace_seconds: int = 25
    """How long a pod may take to finish its requests, where none may take longer."""
    request_timeout_seconds: int = 60
    max_body_bytes: int = 100 * 1024 * 1024

    def size(self, footprint: Footprint | None) -> SizedSettings:
        """Return them for an image of which that was measured: what the user has said stays."""
        given = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)} | {
            "cpu": self.cpu or choose_cpu(footprint, self.cpu_limit),
            "memory": self.memory or choose_memory(footprint),
            "ready_timeout_seconds": self.ready_timeout_seconds or choose_ready_timeout(footprint),
            "storage": choose_storage(self.tmp_size),
        }
        return SizedSettings(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedSettings(K8sSettings):
    """Settings for an image, of which nothing is left open."""

    cpu: str
    memory: str
    ready_timeout_seconds: int
    storage: str
    """Of the node's disk, for /tmp and logs: requested, and the most that a pod gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sSpec(RevisionSpec):
    """A revision on Kubernetes."""

    settings: K8sSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sPolicy:
    """How a deployment is run, whatever its revision."""

    replicas: int = 2
    clients: tuple[str, ...] = ()
    """Namespaces whose pods may ask it. Nobody named: everybody whom the cluster lets."""
    peers: tuple[Peer, ...] = ()
    """Who else may ask it."""
    egress: tuple[Peer, ...] = ()
    """Whom its pods may call, besides the cluster's name server. Nobody named: everybody."""
    history_limit: int = 5
    """How many revisions that have served are kept to roll back to, the serving one included."""
    exposure: Exposure | None = None
    """How requests from outside the cluster reach it. None: not at all."""
    scaling: Autoscaling | None = None
    """What decides how many pods there are. None: `replicas`."""
    monitoring: Monitoring | None = None

    @property
    def pods(self) -> str:
        """How many pods there are, as people say it."""
        if self.scaling:
            return f"{self.scaling.min_replicas} to {self.scaling.max_replicas} pods"
        return "1 pod" if self.replicas == 1 else f"{self.replicas} pods"

    @property
    def named_peers(self) -> tuple[Peer, ...]:
        """All who may ask it: those that are named, and where somebody is, the Gateway's namespace and Prometheus'."""
        named = (*(Peer(namespace=one) for one in self.clients), *self.peers)
        gateway = self.exposure.namespace if isinstance(self.exposure, HttpRoute) else None
        namespaces = (gateway, self.monitoring.namespace if self.monitoring else None)
        return (*named, *(Peer(namespace=one) for one in namespaces if named and one))

    def list_kinds(self) -> tuple[str, ...]:
        """The kinds of objects that a deployment has, as they are applied."""
        return (
            "Deployment",
            "Service",
            "PodDisruptionBudget",
            "NetworkPolicy",
            *(["HTTPRoute" if isinstance(self.exposure, HttpRoute) else "Ingress"] if self.exposure else []),
            *([self.scaling.kind] if self.scaling else []),
            *(self.monitoring.list_kinds() if self.monitoring else []),
        )

    @property
    def has_route(self) -> bool:
        """Whether an HTTPRoute brings requests, so that it can divide them."""
        return isinstance(self.exposure, HttpRoute)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficBlueprint:
    """All that those of a deployment's objects are rendered from that bring requests to it."""

    key: DeploymentKey
    policy: K8sPolicy
    traffic: Traffic | None = None
    """What of the requests goes to the candidate; None: nothing, as it is when no rollout is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint(TrafficBlueprint):
    """All that a deployment's objects are rendered from. Equal blueprints give equal objects."""

    number: int
    spec: K8sSpec
    image: ImageDigest
    """`repository@sha256:…`."""
    footprint: Footprint | None = None
    """What was measured of the image, where something was."""
    is_candidate: bool = False
    """Whether they are those of a candidate, which stands beside the deployment's own."""

    @property
    def settings(self) -> SizedSettings:
        """As its pods have them."""
        return self.spec.settings.size(self.footprint)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of objects, as they are applied: nothing outside leads to a candidate by itself."""
        return tuple(kind for kind in self.policy.list_kinds() if not self.is_candidate or kind in _BESIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sPod:
    """A pod as the cluster shows it."""

    name: str
    is_ready: bool
    unschedulable: str = ""
    """Why no node takes it, where none does."""
    waiting_reason: str = ""
    """Why its container does not run, as `ImagePullBackOff`."""
    waiting_message: str = ""
    is_running: bool = False
    """Whether its container does."""
    exit_code: int | None = None
    """How its container ended last."""
    end_reason: str = ""
    """As the cluster says it, as `OOMKilled`."""
    proof_failure: ProofFailure | None = None
    """What that means, where its scorer could tell."""
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sRevision(Revision):
    """A revision as found in a cluster: a ReplicaSet, and its pods."""

    spec: K8sSpec
    replica_set: str
    footprint: Footprint | None = None
    """What was measured of its image, where something was."""
    pods: tuple[K8sPod, ...] = ()
    """Those that are not about to end."""
    served_at: str | None = None
    """When it was last proved, ISO 8601 in UTC."""
    refusal: str = ""
    """Why the cluster makes no pod of it: a quota, or a rule of admission."""

    @property
    def settings(self) -> SizedSettings:
        """As its pods have them."""
        return self.spec.settings.size(self.footprint)


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sCandidate:
    """A revision that stands beside the stable one, in a Deployment of its own, as long as a rollout lasts."""

    revision: K8sRevision
    replicas: int
    is_settled: bool
    """Whether all its pods are there and available."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field of an object that is not as it would be made now."""

    what: str
    """The object and the field, as `Deployment/wine spec.replicas`."""
    before: str | None
    """None: it is not there."""
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedK8s(ObservedDeployment):
    """One deployment as a cluster shows it."""

    revisions: tuple[K8sRevision, ...] = ()
    """Those of the deployment itself; a candidate is none of them."""
    namespace: str = DEFAULT_NAMESPACE
    objects: tuple[str, ...] = ()
    """What there is of it, as `Service/wine`."""
    current: int | None = None
    """The revision whose pod template the Deployment has: the serving one, or one on its way."""
    is_settled: bool = False
    """Whether all pods are of the current revision, and available."""
    policy: K8sPolicy | None = None
    """What it was applied with last."""
    candidate: K8sCandidate | None = None
    traffic: Traffic | None = None
    """What of the requests is sent to the candidate, whether or not there is one."""
    delivered_by: str | None = None
    """The field manager that applied the current revision, as `kustomize-controller`; None: Dockyard did."""
    differences: tuple[Difference, ...] = ()
    """Between what there is and the blueprint that it is compared with."""
    route_problem: str = ""
    """Why its Gateway sends it no requests, where that is so."""

    @property
    def exists(self) -> bool:
        """Whether there is anything of this deployment."""
        return bool(self.objects)

    @property
    def endpoint_name(self) -> str | None:
        """The URL that clients use."""
        return derive_endpoint(self.key, self.namespace, self.policy) if self.objects else None

    @property
    def state(self) -> DeploymentState:
        """How it is: a rollout that has not come to its end is told."""
        state = super(ObservedK8s, self).state
        is_moving = self.current != self.serving or self.candidate is not None
        return DeploymentState.UPDATING if state is DeploymentState.SERVING and is_moving else state

    @property
    def capacity(self) -> str | None:
        """How many pods answer, of how many, and what each has."""
        serving = self.serving_revision
        if serving is None:
            return None
        ready = sum(pod.is_ready for pod in serving.pods)
        wanted = self.policy.replicas if self.policy and not self.policy.scaling else len(serving.pods)
        deliverer = f", applied by {self.delivered_by}" if self.delivered_by else ""
        beside = f"; {self.candidate_share}" if self.candidate_share else ""
        measured = f" ({serving.footprint.memory_mib} MiB measured)" if serving.footprint else ""
        memory = f"{serving.settings.memory} each{measured}"
        return f"{ready} of {wanted} pods, {memory}, in {self.namespace}{deliverer}{beside}"

    @property
    def trial_number(self) -> int | None:
        """The candidate's revision, until the deployment itself has come to it."""
        number = self.candidate.revision.number if self.candidate else None
        return None if number == self.serving else number

    @property
    def stable_pods(self) -> int:
        """How many pods the deployment itself has, or is to have."""
        if self.policy and not self.policy.scaling:
            return self.policy.replicas
        return len(self.serving_revision.pods) if self.serving_revision else 1

    @property
    def candidate_share(self) -> str | None:
        """What the candidate gets, in a few words."""
        if self.candidate is None:
            return None
        share = describe_traffic(self.traffic, self.candidate.replicas, self.stable_pods)
        return f"revision {self.candidate.revision.number} gets {share}"

    @property
    def all_revisions(self) -> tuple[K8sRevision, ...]:
        """The candidate's as well."""
        beside = self.candidate.revision if self.candidate else None
        is_other = beside is not None and all(one.number != beside.number for one in self.revisions)
        return (*self.revisions, beside) if beside is not None and is_other else self.revisions

    def find_revision(self, number: int | None) -> K8sRevision | None:
        """The revision of that number."""
        return next((one for one in self.all_revisions if one.number == number), None)

    def find_running(self, number: int) -> K8sRevision | None:
        """The revision of that number as it runs: in the deployment itself where that has come to it, else as candidate."""
        beside = self.candidate.revision if self.candidate and self.current != number else None
        return beside if beside is not None and beside.number == number else self.find_revision(number)

    def has_settled(self, number: int) -> bool:
        """Whether all pods of what runs that revision are of it, and available."""
        if self.current == number:
            return self.is_settled
        return self.candidate is not None and self.candidate.revision.number == number and self.candidate.is_settled

    @property
    def serving_revision(self) -> K8sRevision | None:
        """The revision that was proved, and that requests are to reach."""
        return self.find_revision(self.serving)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAccess:
    """How a cluster is reached, and where in it. None: as kubectl would decide, or as a pod in it is told."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    impersonate: str | None = None
    """The user that calls are made as."""
    impersonate_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sPlace:
    """All that an environment says about Kubernetes."""

    access: ClusterAccess = field(default_factory=ClusterAccess)
    settings: K8sSettings = field(default_factory=K8sSettings, repr=False)
    """The environment's variables are not in it."""
    policy: K8sPolicy = field(default_factory=K8sPolicy)
    rollout: K8sRollout = field(default_factory=K8sRollout)
    takes_over: bool = False
    """Whether fields that another manager owns are taken over, instead of being reported."""


def derive_object_name(key: DeploymentKey) -> str:
    """Return the name that all objects of a deployment have: its own, where Kubernetes takes that."""
    return derive_name(KUBERNETES_LABEL, key.name)


def derive_candidate_name(key: DeploymentKey) -> str:
    """Return the name that all objects of its candidate have."""
    return derive_name(KUBERNETES_LABEL, f"{key.name}-candidate")


def derive_endpoint(key: DeploymentKey, namespace: str, policy: K8sPolicy | None) -> str:
    """Return the URL that clients use: from outside where that is possible, else that of the Service, in the cluster."""
    name = derive_object_name(key)
    return policy.exposure.derive_url(name) if policy and policy.exposure else f"http://{name}.{namespace}.svc"
