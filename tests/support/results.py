"""One made-up value of every result that use cases return, for the tests of the command line and its documents."""

from __future__ import annotations

from dockyard.domain.attempt import Attempt, AttemptKind, AttemptStatus, Failure
from dockyard.domain.deployment import DeploymentKey, LocalSettings, LocalSpec, Runtime
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.image import BuilderKind, Fingerprint, ImageDigest
from dockyard.domain.model import ModelDigest, ModelIdentity
from dockyard.domain.observed import DeploymentState
from dockyard.domain.plan import (
    BuildImage,
    Change,
    Outcome,
    OutcomeStatus,
    Plan,
    RemoveDeployment,
    ShiftTraffic,
    SmokeTest,
    StartRevision,
    WaitReady,
    WriteRecord,
)
from dockyard.domain.record import RecordStatus
from dockyard.domain.rendering import RenderForm
from dockyard.domain.result import (
    BatchResult,
    BuildResult,
    DeleteResult,
    DeploymentDrift,
    DeployResult,
    DoctorResult,
    DriftResult,
    GarbageItem,
    GcResult,
    HistoryResult,
    PredictResult,
    PromoteResult,
    RenderResult,
    ResultStatus,
    StatusResult,
    StatusRow,
    SyncedEntry,
    SyncResult,
)
from dockyard.domain.sagemaker_batch_steps import WaitTransform

KEY = DeploymentKey(environment="local", name="wine")
URL = "http://127.0.0.1:1234"
SECRET = "s3cr3t-value"
DIGEST = ImageDigest("sha256:" + "ab" * 32)
FINGERPRINT = Fingerprint("f" * 64)
MODEL = ModelIdentity(
    digest=ModelDigest("sha256:" + "cd" * 32), source="models:/m-1", name="wine", version="4", model_id="m-1", run_id="r1"
)
SETTINGS = LocalSettings(runtime=Runtime.PROCESS, env=(("API_TOKEN", SECRET),))
SPEC = LocalSpec(model=MODEL, fingerprint=FINGERPRINT, settings=SETTINGS)
PLAN = Plan(
    key=KEY,
    steps=(
        BuildImage(fingerprint=FINGERPRINT, builder=BuilderKind.DIRECT, reason="every requirement has a wheel"),
        StartRevision(number=3, spec=SPEC, is_new=True),
        WaitReady(number=3, timeout_seconds=120),
        SmokeTest(number=3, fingerprint=FINGERPRINT, requests=20),
        ShiftTraffic(number=3, previous=2, port=1234, previous_port=1234),
        WriteRecord(key=KEY, status=RecordStatus.SERVING, number=3),
    ),
    changes=(
        Change(what="revision", before="2", after="3"),
        Change(what="model", before="wine v3", after="wine v4"),
        Change(what="env API_TOKEN", before=None, after="*** (1a2b)"),
        Change(what="env OLD", before="*** (3c4d)", after=None),
    ),
    observed_at="2026-11-22T06:31:05+00:00",
    revision=3,
    previous=2,
    endpoint=URL,
)
EMPTY_PLAN = Plan(key=KEY, steps=(), changes=(), observed_at="2026-11-22T06:31:05+00:00", revision=3, previous=3, endpoint=URL)
OUTCOMES = (
    Outcome(
        step="SmokeTest",
        description="smoke-test revision 3",
        status=OutcomeStatus.DONE,
        seconds=1.25,
        facts=(("latencies", (0.01, 0.02)), ("requests", 2)),
    ),
    Outcome(
        step="WriteRecord",
        description="write the record",
        status=OutcomeStatus.FAILED,
        seconds=0.5,
        error_code="tracking-unreachable",
        error="the registry does not answer",
    ),
)
PENDING = Failure(code="record-pending", message="the record of local/wine waits", hint="`dockyard sync` sends it")
ATTEMPT = Attempt(
    id="a1",
    key=KEY,
    kind=AttemptKind.DEPLOY,
    status=AttemptStatus.FAILED,
    actor="ann@host",
    started="2026-11-22T06:31:05.123456+00:00",
    model=MODEL,
    revision=3,
    failure=Failure(code="revision-not-ready", message="revision 3 did not become ready"),
)

DEPLOYED = DeployResult(
    status=ResultStatus.DEPLOYED,
    key=KEY,
    endpoint=URL,
    revision=3,
    previous=2,
    model=MODEL,
    image=DIGEST,
    plan=PLAN,
    outcomes=OUTCOMES[:1],
    notes=("the model has no signature",),
)
ROLLED_BACK = DeployResult(
    status=ResultStatus.ROLLED_BACK, key=KEY, endpoint=URL, revision=2, previous=3, model=MODEL, image=DIGEST, plan=PLAN
)
PARTIAL = DeployResult(
    status=ResultStatus.PARTIAL,
    key=KEY,
    endpoint=URL,
    revision=3,
    previous=2,
    model=MODEL,
    image=DIGEST,
    plan=PLAN,
    outcomes=OUTCOMES,
    failures=(PENDING,),
)
PLANNED = DeployResult(
    status=ResultStatus.PLANNED, key=KEY, endpoint=None, revision=3, previous=2, model=MODEL, image=None, plan=PLAN
)
UNCHANGED = DeployResult(
    status=ResultStatus.UNCHANGED, key=KEY, endpoint=URL, revision=3, previous=3, model=MODEL, image=DIGEST, plan=EMPTY_PLAN
)
DELETE_PLAN = Plan(
    key=KEY,
    steps=(ShiftTraffic(number=None, previous=3, port=1234), RemoveDeployment(key=KEY)),
    changes=(Change(what="endpoint", before=URL, after=None),),
    observed_at="2026-11-22T06:31:05+00:00",
    revision=None,
    previous=3,
    endpoint=URL,
)
DELETED = DeleteResult(status=ResultStatus.DELETED, key=KEY, plan=DELETE_PLAN)
DELETE_PLANNED = DeleteResult(status=ResultStatus.PLANNED, key=KEY, plan=DELETE_PLAN)
TRANSFORMED = BatchResult(
    status=ResultStatus.DONE,
    key=KEY,
    job="wine-0123456789abcdef-1",
    output="s3://bucket/answers",
    model=MODEL,
    image=DIGEST,
    plan=Plan(
        key=KEY,
        steps=(WaitTransform(name="wine-0123456789abcdef-1", timeout_seconds=60),),
        changes=(),
        observed_at="2026-01-01T00:00:00+00:00",
        revision=None,
        previous=None,
        endpoint=None,
    ),
)
BUILT = BuildResult(
    status=ResultStatus.BUILT,
    model=MODEL,
    image=DIGEST,
    fingerprint=FINGERPRINT,
    builder=BuilderKind.DIRECT,
    reason="every requirement has a wheel",
    size_bytes=123_456_789,
    has_proof=False,
)
RENDERED = RenderResult(
    status=ResultStatus.RENDERED,
    key=KEY,
    folder="/srv/wine",
    form=RenderForm.PLAIN,
    revision=3,
    model=MODEL,
    image=DIGEST,
    written=("deployment.yaml", "dockyard.lock"),
    removed=("networkpolicy.yaml",),
)
STATUS = StatusResult(
    rows=(
        StatusRow(
            key=KEY,
            state=DeploymentState.SERVING,
            endpoint=URL,
            revision=3,
            revisions=(2, 3),
            model=MODEL,
            image=DIGEST,
            capacity="process",
            since="2026-11-22T06:31:05+00:00",
            is_recorded=True,
        ),
        StatusRow(key=DeploymentKey(environment="prod", name="other"), state=DeploymentState.EMPTY),
    )
)
HISTORY = HistoryResult(key=KEY, attempts=(ATTEMPT,))
PREDICTED = PredictResult(key=KEY, endpoint=URL, value={"predictions": [5.5, "é"]}, seconds=0.0123)
PROMOTED = PromoteResult(status=ResultStatus.PROMOTED, key=KEY, model=MODEL, alias="local", version="4", previous_version="3")
DRIFTED = DriftResult(
    deployments=(
        DeploymentDrift(
            key=KEY,
            plan=PLAN,
            findings=(
                Finding(
                    code="revision-down", severity=Severity.ERROR, message="revision 3 is not running", remedy="deploy it again"
                ),
                Finding(code="record", severity=Severity.OK, message="the record is right"),
            ),
        ),
        DeploymentDrift(key=DeploymentKey(environment="prod", name="other"), plan=EMPTY_PLAN),
    )
)
COLLECTED = GcResult(
    status=ResultStatus.DONE,
    items=(
        GarbageItem(kind="image", name="sha256:abab", size_bytes=2_500_000),
        GarbageItem(kind="orphan", name="container dockyard-x"),
    ),
    freed_bytes=2_500_000,
)
_SENT = SyncedEntry(attempt_id="a1", key=KEY, registry="http://mlflow", run_id="run1")
_WAITING = SyncedEntry(attempt_id="a2", key=KEY, registry="http://mlflow")
SYNCED = SyncResult(sent=(_SENT,), pending=())
HALF_SYNCED = SyncResult(sent=(_SENT,), pending=(_WAITING,), failures=(PENDING,))
NOT_SYNCED = SyncResult(sent=(), pending=(_WAITING,), failures=(PENDING,))
EXAMINED = DoctorResult(
    findings=(
        Finding(code="docker", severity=Severity.WARNING, message="no Docker engine answers", remedy="start one"),
        Finding(code="uv", severity=Severity.OK, message="uv is there"),
    )
)
SICK = DoctorResult(findings=(Finding(code="uv", severity=Severity.ERROR, message="uv is not found", remedy="install it"),))
