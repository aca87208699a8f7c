"""Owns what planning of every target has in common: what is wanted, which revisions are kept, and what follows a deploy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockyard.domain.deployment import Revision, RevisionSpec
from dockyard.domain.errors import NotFoundError
from dockyard.domain.image import BuilderKind
from dockyard.domain.observed import Observed, ObservedDeployment
from dockyard.domain.plan import SetAlias, Step
from dockyard.domain.record import DeploymentRecord, RecordStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The state that a deployment shall have."""

    spec: RevisionSpec
    builder: BuilderKind
    builder_reason: str
    alias: str | None = None
    """The alias to point at the model version; None: leave aliases alone."""
    history_limit: int = 5
    """How many revisions that have served are kept to roll back to, the serving one included."""
    smoke_requests: int = 20


def list_superfluous(seen: ObservedDeployment, *, serving: int | None, history_limit: int) -> Iterator[tuple[Revision, str]]:
    """Revisions that are not to be kept, and why: what never served, and what is older than the last `history_limit`."""
    others = [one for one in seen.revisions if one.number != serving]
    kept = sorted((one.number for one in others if one.has_served), reverse=True)[: max(history_limit - 1, 0)]
    for one in others:
        if not one.has_served:
            yield one, "it never served"
        elif one.number not in kept:
            yield one, f"only the last {history_limit} are kept"


def choose_rollback(seen: ObservedDeployment, number: int | None) -> Revision:
    """Choose the revision to go back to: the one asked for, else the newest below the serving one that has served.

    Raises NotFoundError `no-revision`.
    """
    candidates = [one for one in seen.revisions if one.has_served and one.number != seen.serving]
    if number is not None:
        found = next((one for one in candidates if one.number == number), None)
    else:
        below = [one for one in candidates if seen.serving is None or one.number < seen.serving]
        found = max(below, key=lambda one: one.number, default=None)
    if found is None:
        raise _no_revision(seen, number, candidates)
    return found


def promote(wanted: Wanted, observed: Observed[ObservedDeployment]) -> Iterator[Step]:
    """The step that points the alias at the model version, where it does not yet."""
    model = wanted.spec.model
    if wanted.alias and model.name and model.version and observed.alias_version != model.version:
        yield SetAlias(name=model.name, alias=wanted.alias, version=model.version)


def is_recorded(observed: Observed[ObservedDeployment], wanted: Wanted, *, number: int, endpoint: str) -> bool:
    """Whether the record on the model version says that this revision serves there."""
    record = observed.record
    return (
        record is not None
        and record.status is RecordStatus.SERVING
        and record.endpoint == endpoint
        and _is_of_revision(record, observed, wanted, number)
    )


def is_recorded_as_begun(observed: Observed[ObservedDeployment], wanted: Wanted, *, number: int) -> bool:
    """Whether the record on the model version says that this revision is on its way.

    A record of the version that says it serves, with other settings, stays until the new revision does.
    """
    record = observed.record
    if record is None:
        return False
    if record.status is RecordStatus.SERVING:
        return record.revision is not None and record.revision == observed.deployment.serving != number
    return record.status is RecordStatus.DEPLOYING and _is_of_revision(record, observed, wanted, number)


def is_recorded_as_shadow(observed: Observed[ObservedDeployment], wanted: Wanted, *, number: int) -> bool:
    """Whether the record on the model version says that this revision gets copies of requests.

    A record of the version that says it serves, with other settings, stays.
    """
    record = observed.record
    if record is None:
        return False
    if record.status is RecordStatus.SERVING:
        return record.revision is not None and record.revision == observed.deployment.serving != number
    return record.status is RecordStatus.SHADOW and _is_of_revision(record, observed, wanted, number)


def _is_of_revision(record: DeploymentRecord, observed: Observed[ObservedDeployment], wanted: Wanted, number: int) -> bool:
    revision = observed.deployment.find_revision(number)
    image = observed.image.digest if observed.image else revision.image if revision else None
    return (
        record.revision == number
        and record.settings_hash == wanted.spec.settings_hash
        and image is not None
        and record.image is not None
        and _tell_digest(record.image) == _tell_digest(image)
    )


def _tell_digest(image: str) -> str:
    """An image's digest without the repository that it was pushed to: in the local store it has none."""
    return image.rpartition("@")[2]


def _no_revision(seen: ObservedDeployment, number: int | None, candidates: list[Revision]) -> NotFoundError:
    which = f"revision {number}" if number is not None else "earlier revision"
    there = ", ".join(str(one.number) for one in candidates)
    return NotFoundError(
        "no-revision",
        f"{seen.key} has no {which} to go back to",
        hint=f"it can go back to {there}"
        if there
        else "only revisions that have served are kept; there is none beside the present one",
    )
