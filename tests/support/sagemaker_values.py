"""Makes domain values of SageMaker out of a few words, for tests and for the planner's case files."""

from __future__ import annotations

from dockyard.domain.deployment import DeploymentKey, RevisionStatus, Target
from dockyard.domain.image import BuiltImage, Fingerprint, ImageDigest
from dockyard.domain.sagemaker import (
    Account,
    SageMakerRevision,
    SageMakerSettings,
    SageMakerSpec,
    derive_endpoint_name,
    derive_revision_name,
    derive_role_name,
)
from support.local_values import make_model

KEY = DeploymentKey(environment="sagemaker", name="wine", target=Target.SAGEMAKER)
ENDPOINT = derive_endpoint_name(KEY.environment, KEY.name)
ACCOUNT = Account(id="123456789012", region="eu-west-1")
OWN_ROLE = f"arn:aws:iam::123456789012:role/{derive_role_name(ENDPOINT)}"
GIVEN_ROLE = "arn:aws:iam::123456789012:role/given"
REPOSITORY = f"{ACCOUNT.id}.dkr.ecr.{ACCOUNT.region}.amazonaws.com/dockyard/{ENDPOINT}"


def make_spec(version: int = 1, **settings: object) -> SageMakerSpec:
    """A spec of a model version; `settings` override those of SageMakerSettings."""
    return SageMakerSpec(
        model=make_model(version),
        fingerprint=Fingerprint(f"fp{version}"),
        settings=SageMakerSettings(**{"role": OWN_ROLE, **settings}),  # type: ignore[arg-type]
    )


def make_image(version: int = 1) -> BuiltImage:
    """The image of a model version, in the local store."""
    return BuiltImage(
        fingerprint=Fingerprint(f"fp{version}"), digest=ImageDigest(f"sha256:image{version}"), size_bytes=1000, has_proof=True
    )


def name_revision(spec: SageMakerSpec) -> str:
    """The name of the spec's model and endpoint configuration."""
    return derive_revision_name(ENDPOINT, spec.spec_hash)


def make_revision(
    number: int, spec: SageMakerSpec, *, has_served: bool = True, has_model: bool = True, has_config: bool = True
) -> SageMakerRevision:
    """A revision of a spec."""
    return SageMakerRevision(
        number=number,
        spec=spec,
        image=ImageDigest(f"{REPOSITORY}@{make_image(int(spec.model.version or 0)).digest}"),
        status=RevisionStatus.STOPPED,
        has_served=has_served,
        created="2026-01-01T00:00:00+00:00",
        name=name_revision(spec),
        has_model=has_model,
        has_config=has_config,
    )
