"""Endpoints to render as Terraform, for tests of the file and of what Terraform makes of it."""

from __future__ import annotations

from dockyard.domain.image import ImageDigest
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    AsyncInference,
    Instances,
    Rollout,
    RolloutKind,
    SageMakerPolicy,
    Scaling,
    Serverless,
)
from dockyard.domain.sagemaker_blueprint import EndpointBlueprint
from dockyard.domain.sagemaker_capture import DataCapture
from dockyard.domain.sagemaker_network import Network
from support.sagemaker_values import GIVEN_ROLE, KEY, REPOSITORY, make_spec

IMAGE = ImageDigest(f"{REPOSITORY}@sha256:{'a' * 64}")
ROLLOUT = Rollout(kind=RolloutKind.CANARY, step_percent=50, wait_seconds=0)


def make_blueprint(policy: SageMakerPolicy | None = None, image: ImageDigest = IMAGE, **settings: object) -> EndpointBlueprint:
    """A blueprint of a first revision."""
    spec = make_spec(**{"role": GIVEN_ROLE, **settings})  # type: ignore[arg-type]
    return EndpointBlueprint(key=KEY, number=1, spec=spec, image=image, policy=policy or SageMakerPolicy())


FULL = make_blueprint(
    SageMakerPolicy(
        rollout=ROLLOUT,
        alarms=AlarmPolicy(error_percent=0.5, latency_ms=250, period_seconds=30, periods=2),
        scaling=Scaling(minimum=1, maximum=3, invocations_per_instance=600),
    ),
    capacity=Instances(instance_type="ml.c5.large", count=2),
    env=(("GREETING", 'say "${hello}"'), ("THREADS", "2")),
    startup_timeout_seconds=600,
    download_timeout_seconds=120,
    network_isolation=True,
    network=Network(subnets=("subnet-1", "subnet-2"), security_groups=("sg-1",)),
    kms_key="arn:aws:kms:eu-west-1:123456789012:key/1234",
    data_capture=DataCapture(destination="s3://captured/wine", percent=10),
    tags=(("team", "wine"),),
)
"""All that an endpoint with instances can have."""
BARE = make_blueprint()
QUEUE = make_blueprint(asynchronous=AsyncInference(output="s3://answers/wine", max_concurrent_invocations=4))
SERVERLESS = make_blueprint(capacity=Serverless(memory_mb=2048, max_concurrency=5))
