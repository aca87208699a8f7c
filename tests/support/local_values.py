"""Makes domain values of the local target out of a few words, for tests and for the planner's case files."""

from __future__ import annotations

from dockyard.domain.deployment import (
    DeploymentKey,
    LocalRevision,
    LocalSettings,
    LocalSpec,
    RevisionSpec,
    RevisionStatus,
    Runtime,
)
from dockyard.domain.image import BuiltImage, Fingerprint, ImageDigest
from dockyard.domain.model import ModelDigest, ModelIdentity
from dockyard.domain.record import DeploymentRecord, RecordStatus

KEY = DeploymentKey(environment="prod", name="wine")


def make_model(version: int = 1, *, name: str | None = "wine", registry: str | None = "memory") -> ModelIdentity:
    """A model identity whose digest follows from its version; without a name it is a folder's."""
    return ModelIdentity(
        digest=ModelDigest(f"sha256:{version:064x}"),
        source=f"models/{version}",
        name=name,
        version=str(version) if name else None,
        registry=registry if name else None,
    )


def make_spec(version: int = 1, **settings: object) -> LocalSpec:
    """A spec of a model version; `settings` override those of LocalSettings."""
    return LocalSpec(
        model=make_model(version),
        fingerprint=Fingerprint(f"fp{version}"),
        settings=LocalSettings(runtime=Runtime.PROCESS, **settings),  # type: ignore[arg-type]
    )


def make_image(version: int = 1) -> BuiltImage:
    """The image of a model version."""
    return BuiltImage(
        fingerprint=Fingerprint(f"fp{version}"), digest=ImageDigest(f"sha256:image{version}"), size_bytes=1000, has_proof=True
    )


def make_revision(
    number: int, version: int, status: str = "ready", *, has_served: bool = True, **settings: object
) -> LocalRevision:
    """A revision of a model version."""
    return LocalRevision(
        number=number,
        spec=make_spec(version, **settings),
        image=make_image(version).digest,
        status=RevisionStatus(status),
        has_served=has_served,
        created="2026-01-01T00:00:00+00:00",
        address=None if status == "stopped" else f"127.0.0.1:{9000 + number}",
    )


def claim_revision(
    status: RecordStatus,
    number: int | None,
    spec: RevisionSpec,
    *,
    image: str | None,
    endpoint: str | None,
    traffic_percent: int = 100,
) -> DeploymentRecord:
    """A record of some revision, as somebody wrote it."""
    return DeploymentRecord(
        status=status,
        revision=number,
        image=image,
        endpoint=endpoint,
        traffic_percent=traffic_percent,
        settings_hash=spec.settings_hash,
        git_revision=None,
        actor="somebody",
        time="t",
        attempt_id="a",
    )
