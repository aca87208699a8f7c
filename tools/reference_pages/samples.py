"""Made-up values with every field set, so that pages list all that can be written."""

from __future__ import annotations

from dockyard.domain.attempt import Attempt, AttemptKind, AttemptStatus, Failure, RegistryEntry, TagWrite
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.model import ModelDigest, ModelIdentity, ModelVersion
from dockyard.domain.record import DeploymentRecord, RecordStatus

KEY = DeploymentKey(environment="prod", name="wine")
_TIME = "2026-11-22T06:31:05+00:00"
_IDENTITY = ModelIdentity(
    digest=ModelDigest("sha256:" + "0" * 64),
    source="models:/m-1",
    name="wine",
    version="4",
    model_id="m-1",
    run_id="8f2c",
    registry="http://mlflow.example.com:5000",
)
MODEL = ModelVersion(
    identity=_IDENTITY,
    flavors=("python_function",),
    signature=None,
    requirements=(),
    python="3.11",
    size_bytes=1,
    created=_TIME,
    has_input_example=True,
    git_revision="4f1d2c3",
)
RECORD = DeploymentRecord(
    status=RecordStatus.SERVING,
    revision=3,
    image="sha256:5e1f…",
    endpoint="http://127.0.0.1:1234",
    traffic_percent=100,
    settings_hash="0a1b2c3d4e5f6071",
    git_revision="4f1d2c3",
    actor="ann@host",
    time=_TIME,
    attempt_id="b7c1",
    run_id="9d3e",
    model_package="arn:aws:sagemaker:eu-west-1:123456789012:model-package/wine/3",
)
ENTRY = RegistryEntry(
    attempt=Attempt(
        id="b7c1",
        key=KEY,
        kind=AttemptKind.DEPLOY,
        status=AttemptStatus.FAILED,
        actor="ann@host",
        started=_TIME,
        finished=_TIME,
        model=_IDENTITY,
        revision=3,
        previous=2,
        endpoint="http://127.0.0.1:1234",
        failure=Failure(code="revision-not-ready", message="message", hint="hint"),
        git_revision="4f1d2c3",
    ),
    tags=(TagWrite(name="wine", version="4", key=KEY.tag, record=RECORD, registry=_IDENTITY.registry),),
)
