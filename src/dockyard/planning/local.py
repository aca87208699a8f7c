"""Owns what it takes to bring a local deployment to a wanted revision, or to take it away.

Level-based: a plan is made from what is there now, never from what an earlier command meant to do. So the same command after
a crash completes what the first one began, and a second one on a finished deployment is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockyard.domain.deployment import DeploymentKey, Revision, RevisionSpec, RevisionStatus
from dockyard.domain.errors import NotFoundError
from dockyard.domain.image import BuilderKind
from dockyard.domain.observed import Observed, ObservedLocal
from dockyard.domain.plan import (
    BuildImage,
    Plan,
    RemoveDeployment,
    RemoveRevision,
    SetAlias,
    ShiftTraffic,
    SmokeTest,
    StartRevision,
    Step,
    StopRevision,
    WaitReady,
    WriteRecord,
)
from dockyard.domain.record import RecordStatus
from dockyard.planning.difference import diff_deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLocal:
    """The state that a local deployment shall have."""

    spec: RevisionSpec
    builder: BuilderKind
    builder_reason: str
    port: int | None = None
    """None: the one that the deployment has, else any free one."""
    alias: str | None = None
    """The alias to point at the model version; None: leave aliases alone."""
    history_limit: int = 5
    """How many revisions that have served are kept to roll back to, the serving one included."""
    smoke_requests: int = 20


def plan_local(key: DeploymentKey, wanted: WantedLocal, observed: Observed) -> Plan:
    """Plan the way from what is observed to what is wanted; an empty plan where nothing differs."""
    local = observed.local
    revision = next((one for one in local.revisions if one.spec.spec_hash == wanted.spec.spec_hash), None)
    number = revision.number if revision else local.next_number
    port = wanted.port or local.port or local.free_port or 0
    steps: list[Step] = []
    if not _serves(local, revision, port):
        steps += _prepare(wanted, observed, revision, number)
        steps.append(ShiftTraffic(number=number, previous=local.serving, port=port, previous_port=local.port))
    steps += clean_up(local, serving=number, history_limit=wanted.history_limit)
    steps += _promote(wanted, observed)
    if steps or not _is_recorded(observed, wanted, number, port):
        steps.append(WriteRecord(key=key, status=RecordStatus.SERVING, number=number))
    return Plan(
        key=key,
        steps=tuple(steps),
        changes=diff_deployment(local, wanted.spec, number=number, port=port),
        observed_at=observed.taken_at,
        revision=number,
        previous=local.serving,
        port=port,
    )


def endpoint_url(port: int) -> str:
    """The URL that clients of a local deployment use."""
    return f"http://127.0.0.1:{port}"


def clean_up(local: ObservedLocal, *, serving: int | None, history_limit: int) -> Iterator[RemoveRevision | StopRevision]:
    """Steps for the revisions that are not to serve: drain, forget what never served, keep `history_limit` in all."""
    others = [one for one in local.revisions if one.number != serving]
    kept = sorted((one.number for one in others if one.has_served), reverse=True)[: max(history_limit - 1, 0)]
    for one in others:
        if not one.has_served:
            yield RemoveRevision(number=one.number, reason="it never served")
        elif one.number not in kept:
            yield RemoveRevision(number=one.number, reason=f"only the last {history_limit} are kept")
        elif one.is_running:
            yield StopRevision(number=one.number)


def choose_rollback(local: ObservedLocal, number: int | None) -> Revision:
    """Choose the revision to go back to: the one asked for, else the newest below the serving one that has served.

    Raises NotFoundError `no-revision`.
    """
    candidates = [one for one in local.revisions if one.has_served and one.number != local.serving]
    if number is not None:
        found = next((one for one in candidates if one.number == number), None)
    else:
        below = [one for one in candidates if local.serving is None or one.number < local.serving]
        found = max(below, key=lambda one: one.number, default=None)
    if found is None:
        raise _no_revision(local, number, candidates)
    return found


def plan_delete(local: ObservedLocal, *, taken_at: str) -> Plan:
    """Plan to take a deployment away: close its port, forget all of it, record that."""
    steps: list[Step] = []
    if local.port is not None:
        steps.append(ShiftTraffic(number=None, previous=local.serving, port=local.port, previous_port=local.port))
    steps.append(RemoveDeployment(key=local.key))
    if local.serving is not None:
        steps.append(WriteRecord(key=local.key, status=RecordStatus.DELETED, number=local.serving))
    return Plan(
        key=local.key,
        steps=tuple(steps),
        changes=diff_deployment(local, None, number=None, port=None),
        observed_at=taken_at,
        revision=None,
        previous=local.serving,
        port=local.port,
    )


def _serves(local: ObservedLocal, revision: Revision | None, port: int) -> bool:
    return (
        revision is not None
        and revision.status is RevisionStatus.READY
        and local.serving == revision.number
        and local.is_forwarding
        and local.port == port
    )


def _prepare(wanted: WantedLocal, observed: Observed, revision: Revision | None, number: int) -> Iterator[Step]:
    spec = wanted.spec
    if observed.image is None:
        yield BuildImage(fingerprint=spec.fingerprint, builder=wanted.builder, reason=wanted.builder_reason)
    if revision is None or revision.status is not RevisionStatus.READY:
        yield StartRevision(number=number, spec=spec, is_new=revision is None or not revision.has_served)
        yield WaitReady(number=number, timeout_seconds=spec.settings.ready_timeout_seconds)
    yield SmokeTest(number=number, fingerprint=spec.fingerprint, requests=wanted.smoke_requests)


def _promote(wanted: WantedLocal, observed: Observed) -> Iterator[Step]:
    model = wanted.spec.model
    if wanted.alias and model.name and model.version and observed.alias_version != model.version:
        yield SetAlias(name=model.name, alias=wanted.alias, version=model.version)


def _is_recorded(observed: Observed, wanted: WantedLocal, number: int, port: int) -> bool:
    record, image = observed.record, observed.image
    return (
        record is not None
        and record.status is RecordStatus.SERVING
        and record.revision == number
        and record.settings_hash == wanted.spec.settings_hash
        and record.endpoint == endpoint_url(port)
        and image is not None
        and record.image == image.digest
    )


def _no_revision(local: ObservedLocal, number: int | None, candidates: list[Revision]) -> NotFoundError:
    which = f"revision {number}" if number is not None else "earlier revision"
    there = ", ".join(str(one.number) for one in candidates)
    return NotFoundError(
        "no-revision",
        f"{local.key} has no {which} to go back to",
        hint=f"it can go back to {there}"
        if there
        else "only revisions that have served are kept; there is none beside the present one",
    )
