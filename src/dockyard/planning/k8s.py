"""Owns what it takes to bring a deployment on Kubernetes to a wanted revision, or to take it away.

Level-based as every planner: what counts is which ReplicaSets there are, which of them was proved last, and in what fields
the objects differ from those that would be made now.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field

from dockyard.domain.deployment import DeploymentKey, RevisionStatus
from dockyard.domain.k8s import Blueprint, K8sPolicy, K8sRevision, K8sSpec, ObservedK8s, derive_endpoint
from dockyard.domain.k8s_rollout import K8sRollout, K8sRolloutKind, Traffic
from dockyard.domain.k8s_steps import ApplyManifests, CheckManifests, ConfirmRevision, WaitRollout
from dockyard.domain.observed import Observed
from dockyard.domain.plan import BuildImage, Change, Plan, RemoveDeployment, RemoveRevision, SmokeTest, Step, WriteRecord
from dockyard.domain.record import RecordStatus
from dockyard.domain.sagemaker_steps import PushImage
from dockyard.planning.difference import diff_deployment
from dockyard.planning.k8s_candidate import Trial, begin_trial, divide_traffic, keep_traffic, retire_candidate
from dockyard.planning.revisions import (
    Wanted,
    is_recorded,
    is_recorded_as_begun,
    is_recorded_as_shadow,
    list_superfluous,
    promote,
)

_PAUSE_NOTE = (
    "revision {number} stands beside the one that serves: `dockyard promote {key}` gives it all requests, "
    "`dockyard rollback {key}` takes it away"
)
_SHADOW_NOTE = "revision {number} is in the shadow for a time and then taken away; it answers nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedK8s(Wanted):
    """The state that a deployment on Kubernetes shall have."""

    spec: K8sSpec
    policy: K8sPolicy
    repository: str
    """Where an image goes that is not there yet."""
    rollout: K8sRollout = field(default_factory=K8sRollout)
    keeps_candidate: bool = False
    """Whether a candidate beside the wanted revision is as it should be; otherwise that is to be alone."""


def draw_blueprint(key: DeploymentKey, wanted: WantedK8s, seen: ObservedK8s) -> Blueprint | None:
    """Return what the wanted revision's objects are made from; None where it is not there: its image is not known yet.

    What a candidate gets of the requests is as it is to be.
    """
    revision = find_wanted(wanted, seen)
    if revision is None:
        return None
    traffic = seen.traffic if seen.candidate else None
    return Blueprint(
        key=key,
        number=revision.number,
        spec=revision.spec,
        image=revision.image,
        footprint=revision.footprint,
        policy=wanted.policy,
        traffic=traffic,
    )


def find_wanted(wanted: WantedK8s, seen: ObservedK8s) -> K8sRevision | None:
    """Return the revision that is what is wanted, where there is one."""
    return next((one for one in seen.all_revisions if one.spec.spec_hash == wanted.spec.spec_hash), None)


def plan_k8s(key: DeploymentKey, wanted: WantedK8s, observed: Observed[ObservedK8s]) -> Plan:
    """Plan the way from what is observed to what is wanted; an empty plan where nothing differs.

    `differences` are between the objects and the wanted revision's blueprint.
    """
    seen = observed.deployment
    revision = find_wanted(wanted, seen)
    number = revision.number if revision else seen.next_number
    trial = _choose_trial(wanted, seen, number)
    if trial is not None and (trial.rollout.pause or trial.rollout.kind is K8sRolloutKind.SHADOW):
        return _plan_trial(trial, wanted, observed, revision)
    endpoint = derive_endpoint(key, seen.namespace, wanted.policy)
    steps: list[Step] = []
    if not _serves(seen, revision):
        steps += _prepare(wanted, observed, revision, number)
        traffic = keep_traffic(seen, number)
        if trial is not None:
            steps += (*begin_trial(trial), *divide_traffic(trial))
            traffic = trial.shares[-1] if trial.shares else traffic
        steps += _roll_out(wanted, seen, number, traffic)
    if trial is not None or not wanted.keeps_candidate:
        steps += retire_candidate(seen, wanted.policy, trial)
    steps += clean_up(seen, serving=number, history_limit=wanted.history_limit)
    steps += promote(wanted, observed)
    # What another tool delivers is not ours to record.
    is_told = seen.delivered_by is not None or is_recorded(
        _as_pushed(observed, revision), wanted, number=number, endpoint=endpoint
    )
    if steps or not is_told:
        steps.append(WriteRecord(key=key, status=RecordStatus.SERVING, number=number))
    return Plan(
        key=key,
        steps=tuple(steps),
        changes=(*diff_deployment(seen, wanted.spec, number=number, endpoint=endpoint), *_tell_differences(seen)),
        observed_at=observed.taken_at,
        revision=number,
        previous=seen.serving,
        endpoint=endpoint,
    )


def clean_up(seen: ObservedK8s, *, serving: int | None, history_limit: int) -> Iterator[RemoveRevision]:
    """Steps for the revisions that are not kept."""
    for one, reason in list_superfluous(seen, serving=serving, history_limit=history_limit):
        yield RemoveRevision(number=one.number, reason=reason)


def plan_delete_k8s(seen: ObservedK8s, *, taken_at: str) -> Plan:
    """Plan to take a deployment away, and record that."""
    steps: list[Step] = [RemoveDeployment(key=seen.key)]
    if seen.serving is not None:
        steps.append(WriteRecord(key=seen.key, status=RecordStatus.DELETED, number=seen.serving))
    return Plan(
        key=seen.key,
        steps=tuple(steps),
        changes=diff_deployment(seen, None, number=None, endpoint=None),
        observed_at=taken_at,
        revision=None,
        previous=seen.serving,
        endpoint=seen.endpoint_name,
    )


def _choose_trial(wanted: WantedK8s, seen: ObservedK8s, number: int) -> Trial | None:
    """What is to be tried first: beside something that serves, and not once the deployment itself has begun to roll."""
    is_other = seen.serving is not None and number not in {seen.serving, seen.current}
    if wanted.rollout.kind is K8sRolloutKind.ROLLING or not is_other or seen.serving is None:
        return None
    return Trial(
        seen=seen,
        number=number,
        spec=wanted.spec,
        policy=wanted.policy,
        rollout=wanted.rollout,
        stable=seen.serving,
        smoke_requests=wanted.smoke_requests,
    )


def _plan_trial(trial: Trial, wanted: WantedK8s, observed: Observed[ObservedK8s], revision: K8sRevision | None) -> Plan:
    """Plan a trial that ends otherwise than with the candidate's revision in service: it stands still, or is over."""
    seen, number, pauses = trial.seen, trial.number, trial.rollout.pause
    steps: list[Step] = []
    if not trial.stands_still:
        steps += _prepare(wanted, observed, revision, number)
        steps += (*begin_trial(trial), *divide_traffic(trial))
    if not pauses:
        steps += retire_candidate(seen, wanted.policy, trial)
    status, is_told = _tell_trial(trial, wanted, _as_pushed(observed, revision))
    if steps or not is_told:
        steps.append(WriteRecord(key=seen.key, status=status, number=number))
    endpoint = derive_endpoint(seen.key, seen.namespace, wanted.policy)
    changes = () if trial.stands_still else diff_deployment(seen, wanted.spec, number=number, endpoint=endpoint)
    return Plan(
        key=seen.key,
        steps=tuple(steps),
        changes=changes,
        observed_at=observed.taken_at,
        revision=number,
        previous=seen.serving,
        endpoint=endpoint,
        notes=((_PAUSE_NOTE if pauses else _SHADOW_NOTE).format(number=number, key=seen.key),),
    )


def _tell_trial(trial: Trial, wanted: WantedK8s, observed: Observed[ObservedK8s]) -> tuple[RecordStatus, bool]:
    """What is recorded of a trial, and whether it is."""
    is_shadow = trial.rollout.kind is K8sRolloutKind.SHADOW
    if not trial.rollout.pause:
        return RecordStatus.SUPERSEDED, False
    if is_shadow:
        return RecordStatus.SHADOW, is_recorded_as_shadow(observed, wanted, number=trial.number)
    return RecordStatus.DEPLOYING, is_recorded_as_begun(observed, wanted, number=trial.number)


def _serves(seen: ObservedK8s, revision: K8sRevision | None) -> bool:
    return (
        revision is not None
        and revision.status is RevisionStatus.READY
        and seen.serving == seen.current == revision.number
        and seen.is_settled
        and (seen.traffic is None or seen.candidate is not None)
        and not seen.differences
        and not seen.route_problem
    )


def _prepare(wanted: WantedK8s, observed: Observed[ObservedK8s], revision: K8sRevision | None, number: int) -> Iterator[Step]:
    spec = wanted.spec
    if revision is None:
        if observed.image is None:
            yield BuildImage(fingerprint=spec.fingerprint, builder=wanted.builder, reason=wanted.builder_reason)
        yield PushImage(fingerprint=spec.fingerprint, repository=wanted.repository)
    yield CheckManifests(number=number, spec=spec, policy=wanted.policy)


def _roll_out(wanted: WantedK8s, seen: ObservedK8s, number: int, traffic: Traffic | None) -> Iterator[Step]:
    spec = wanted.spec
    yield ApplyManifests(
        number=number,
        spec=spec,
        policy=wanted.policy,
        previous=seen.serving if seen.serving is not None else _find_unconfirmed(seen, number),
        previous_policy=seen.policy,
        traffic=traffic,
    )
    yield WaitRollout(number=number, timeout_seconds=spec.settings.size(None).ready_timeout_seconds)
    yield SmokeTest(number=number, fingerprint=spec.fingerprint, requests=wanted.smoke_requests)
    if seen.serving != number:
        yield ConfirmRevision(number=number)


def _find_unconfirmed(seen: ObservedK8s, number: int) -> int | None:
    """What else answers requests though nobody has noted it, for a command was killed: its pods have proved themselves."""
    return seen.current if seen.is_settled and seen.current != number else None


def _as_pushed(observed: Observed[ObservedK8s], revision: K8sRevision | None) -> Observed[ObservedK8s]:
    """What runs decides which image is recorded, and not what the local store has."""
    return dataclasses.replace(observed, image=None) if revision is not None else observed


def _tell_differences(seen: ObservedK8s) -> Iterator[Change]:
    for one in seen.differences:
        yield Change(what=one.what, before=one.before, after=one.after)
