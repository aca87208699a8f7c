"""Makes domain values of Kubernetes out of a few words, for tests and for the planner's case files."""

from __future__ import annotations

from dockyard.domain.deployment import DeploymentKey, RevisionStatus, Target
from dockyard.domain.image import BuiltImage, Fingerprint, ImageDigest
from dockyard.domain.k8s import Blueprint, K8sPod, K8sPolicy, K8sRevision, K8sSettings, K8sSpec
from support.local_values import make_model

KEY = DeploymentKey(environment="k8s", name="wine", target=Target.K8S)
REPOSITORY = "registry.example.com/models"


def make_spec(version: int = 1, **settings: object) -> K8sSpec:
    """A spec of a model version; `settings` override those of K8sSettings."""
    return K8sSpec(
        model=make_model(version),
        fingerprint=Fingerprint(f"fp{version}"),
        settings=K8sSettings(**settings),  # type: ignore[arg-type]
    )


def make_image(version: int = 1) -> BuiltImage:
    """The image of a model version, in the local store."""
    return BuiltImage(
        fingerprint=Fingerprint(f"fp{version}"), digest=ImageDigest(f"sha256:image{version}"), size_bytes=1000, has_proof=True
    )


def make_revision(
    number: int, version: int, status: str = "ready", served: str | None = "2026-01-01T00:00:00+00:00", **fields: object
) -> K8sRevision:
    """A revision of a model version; `served` is when it was proved."""
    ready = RevisionStatus(status) is RevisionStatus.READY
    defaults: dict[str, object] = {
        "spec": make_spec(version),
        "pods": () if status == "stopped" else (K8sPod(name=f"wine-{number}-a", is_ready=ready),),
    }
    return K8sRevision(
        number=number,
        image=ImageDigest(f"{REPOSITORY}@{make_image(version).digest}"),
        status=RevisionStatus(status),
        has_served=served is not None,
        created="2026-01-01T00:00:00+00:00",
        replica_set=f"wine-{number}",
        served_at=served,
        **{**defaults, **fields},  # type: ignore[arg-type]
    )


def make_blueprint(version: int = 1, number: int = 1, policy: K8sPolicy | None = None, **settings: object) -> Blueprint:
    """What the objects of a model version's revision are made from."""
    return Blueprint(
        key=KEY,
        number=number,
        spec=make_spec(version, **settings),
        image=ImageDigest(f"{REPOSITORY}@{make_image(version).digest}"),
        policy=policy or K8sPolicy(),
    )
