"""Makes finished attempts and what they write to a registry, as a deploy does."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone

from dockyard.domain.attempt import Attempt, AttemptKind, AttemptStatus, Failure, RegistryEntry, TagWrite
from dockyard.domain.deployment import DeploymentKey, LocalSettings, LocalSpec, Runtime
from dockyard.domain.image import BuilderKind, Fingerprint
from dockyard.domain.model import ModelIdentity
from dockyard.domain.plan import BuildImage, Change, Outcome, OutcomeStatus, Plan, SmokeTest, StartRevision, WriteRecord
from dockyard.domain.record import DeploymentRecord, RecordStatus

START = datetime(2026, 11, 22, 6, 0, tzinfo=timezone.utc)
LATENCIES = tuple((5 + number % 7) / 1000 for number in range(20))
SECRET = "canary-4711-secret"


def make_attempt(key: DeploymentKey, model: ModelIdentity, *, number: int = 1, **changes: object) -> Attempt:
    """The `number`th attempt at a deployment: a deploy that took a minute, and whose model has a secret in its environment."""
    start = START + timedelta(hours=number)
    attempt = Attempt(
        id=f"{key.environment}-{key.name}-{number}",
        key=key,
        kind=AttemptKind.DEPLOY,
        status=AttemptStatus.SUCCEEDED,
        actor="ann@laptop",
        started=start.isoformat(),
        finished=(start + timedelta(minutes=1)).isoformat(),
        model=model,
        revision=number,
        previous=number - 1 or None,
        endpoint="http://127.0.0.1:1234",
        plan=make_plan(key, model, number),
        outcomes=make_outcomes(),
        git_revision="0123456789abcdef",
    )
    return dataclasses.replace(attempt, **changes)  # type: ignore[arg-type]


def make_plan(key: DeploymentKey, model: ModelIdentity, number: int) -> Plan:
    """A plan that builds, starts, tests and records."""
    fingerprint = Fingerprint("fp1")
    settings = LocalSettings(runtime=Runtime.PROCESS, env=(("TOKEN", SECRET),))
    spec = LocalSpec(model=model, fingerprint=fingerprint, settings=settings)
    return Plan(
        key=key,
        steps=(
            BuildImage(fingerprint=fingerprint, builder=BuilderKind.DIRECT, reason="all requirements have wheels"),
            StartRevision(number=number, spec=spec, is_new=True),
            SmokeTest(number=number, fingerprint=fingerprint, requests=len(LATENCIES)),
            WriteRecord(key=key, status=RecordStatus.SERVING, number=number),
        ),
        changes=(Change(what="revision", before=None, after=str(number)),),
        observed_at=START.isoformat(),
        revision=number,
        previous=number - 1 or None,
        endpoint="http://127.0.0.1:1234",
    )


def make_outcomes() -> tuple[Outcome, ...]:
    """How the steps of `make_plan` went."""
    done = OutcomeStatus.DONE
    facts = (("requests", len(LATENCIES)), ("latencies", LATENCIES))
    return (
        Outcome(step="BuildImage", description="build the image", status=done, seconds=12.5),
        Outcome(step="StartRevision", description="start", status=done, seconds=0.25),
        Outcome(step="SmokeTest", description="smoke-test", status=done, seconds=0.2, facts=facts),
    )


def make_record(attempt: Attempt, status: RecordStatus = RecordStatus.SERVING) -> DeploymentRecord:
    """The record that an attempt writes."""
    return DeploymentRecord(
        status=status,
        revision=attempt.revision,
        image="sha256:image",
        endpoint=attempt.endpoint,
        traffic_percent=100 if status is RecordStatus.SERVING else 0,
        settings_hash="0123456789abcdef",
        git_revision=attempt.git_revision,
        actor=attempt.actor,
        time=attempt.finished or attempt.started,
        attempt_id=attempt.id,
        error_code=attempt.failure.code if attempt.failure else None,
    )


def make_tag(attempt: Attempt, model: ModelIdentity, status: RecordStatus = RecordStatus.SERVING) -> TagWrite:
    """The record of an attempt, for a model version."""
    return TagWrite(
        name=model.name or model.digest,
        version=model.version or "",
        key=attempt.key.tag,
        record=make_record(attempt, status),
        registry=model.registry,
    )


def make_entry(attempt: Attempt, status: RecordStatus = RecordStatus.SERVING) -> RegistryEntry:
    """What an attempt writes about its own model."""
    assert attempt.model is not None
    return RegistryEntry(attempt=attempt, tags=(make_tag(attempt, attempt.model, status),), registry=attempt.model.registry)


def make_failure() -> Failure:
    """Why an attempt failed."""
    return Failure(code="revision-crashed", message="revision 2 ended before it was ready", hint="its log says more")
