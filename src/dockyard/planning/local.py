"""Owns what it takes to bring a local deployment to a wanted revision, or to take it away.

Level-based: a plan is made from what is there now, never from what an earlier command meant to do. So the same command after
a crash completes what the first one began, and a second one on a finished deployment is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockyard.domain.deployment import DeploymentKey, LocalRevision, LocalSpec, RevisionStatus, endpoint_url
from dockyard.domain.observed import Observed, ObservedLocal
from dockyard.domain.plan import (
    BuildImage,
    Plan,
    RemoveDeployment,
    RemoveRevision,
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
from dockyard.planning.revisions import Wanted, is_recorded, list_superfluous, promote


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLocal(Wanted):
    """The state that a local deployment shall have."""

    spec: LocalSpec
    port: int | None = None
    """None: the one that the deployment has, else any free one."""


def plan_local(key: DeploymentKey, wanted: WantedLocal, observed: Observed[ObservedLocal]) -> Plan:
    """Plan the way from what is observed to what is wanted; an empty plan where nothing differs."""
    local = observed.deployment
    revision = next((one for one in local.revisions if one.spec.spec_hash == wanted.spec.spec_hash), None)
    number = revision.number if revision else local.next_number
    port = wanted.port or local.port or local.free_port or 0
    steps: list[Step] = []
    if not _serves(local, revision, port):
        steps += _prepare(wanted, observed, revision, number)
        steps.append(ShiftTraffic(number=number, previous=local.serving, port=port, previous_port=local.port))
    steps += clean_up(local, serving=number, history_limit=wanted.history_limit)
    steps += promote(wanted, observed)
    if steps or not is_recorded(observed, wanted, number=number, endpoint=endpoint_url(port)):
        steps.append(WriteRecord(key=key, status=RecordStatus.SERVING, number=number))
    return Plan(
        key=key,
        steps=tuple(steps),
        changes=diff_deployment(local, wanted.spec, number=number, endpoint=endpoint_url(port)),
        observed_at=observed.taken_at,
        revision=number,
        previous=local.serving,
        endpoint=endpoint_url(port),
    )


def clean_up(local: ObservedLocal, *, serving: int | None, history_limit: int) -> Iterator[RemoveRevision | StopRevision]:
    """Steps for the revisions that are not to serve: forget the superfluous ones, drain the others."""
    superfluous = {one.number: reason for one, reason in list_superfluous(local, serving=serving, history_limit=history_limit)}
    for one in local.revisions:
        if one.number in superfluous:
            yield RemoveRevision(number=one.number, reason=superfluous[one.number])
        elif one.number != serving and one.is_running:
            yield StopRevision(number=one.number)


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
        changes=diff_deployment(local, None, number=None, endpoint=None),
        observed_at=taken_at,
        revision=None,
        previous=local.serving,
        endpoint=local.endpoint_name,
    )


def _serves(local: ObservedLocal, revision: LocalRevision | None, port: int) -> bool:
    return (
        revision is not None
        and revision.status is RevisionStatus.READY
        and local.serving == revision.number
        and local.is_forwarding
        and local.port == port
    )


def _prepare(
    wanted: WantedLocal, observed: Observed[ObservedLocal], revision: LocalRevision | None, number: int
) -> Iterator[Step]:
    spec = wanted.spec
    if observed.image is None:
        yield BuildImage(fingerprint=spec.fingerprint, builder=wanted.builder, reason=wanted.builder_reason)
    if revision is None or revision.status is not RevisionStatus.READY:
        yield StartRevision(number=number, spec=spec, is_new=revision is None or not revision.has_served)
        yield WaitReady(number=number, timeout_seconds=spec.settings.ready_timeout_seconds)
    yield SmokeTest(number=number, fingerprint=spec.fingerprint, requests=wanted.smoke_requests)
