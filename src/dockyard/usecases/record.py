"""Owns the fourth verb, record: an attempt is written to the registry, or queued when the registry cannot take it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from dockyard.apply.interpreter import Facts
from dockyard.domain.attempt import Attempt, AttemptStatus, Failure, RegistryEntry
from dockyard.domain.deployment import Revision
from dockyard.domain.errors import DetachedError, DockyardError, PartialError
from dockyard.domain.image import ImageDigest
from dockyard.domain.plan import Outcome, OutcomeStatus, WriteRecord
from dockyard.domain.record import RecordStatus
from dockyard.domain.sagemaker import SageMakerRevision
from dockyard.planning.recording import Recorded, describe_entry
from dockyard.ports import Clock, EntryQueue, ImageFactory, Journal, RegistryWriter
from dockyard.usecases.site import Planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Writes what becomes of one attempt, to the journal and to the registry."""

    attempt: Attempt
    writer: RegistryWriter
    queue: EntryQueue
    journal: Journal
    images: ImageFactory
    clock: Clock
    planned: Planned
    list_claiming: Callable[[], tuple[Revision, ...]]
    """The revisions whose records say that they serve."""

    def save_outcomes(self, outcomes: tuple[Outcome, ...]) -> None:
        """Save the attempt as it is now, so that a kill at any moment leaves a trace."""
        self.journal.save_attempt(dataclasses.replace(self.attempt, outcomes=outcomes))

    def write_success(self, step: WriteRecord, outcomes: tuple[Outcome, ...]) -> Facts:
        """Write a deployment that stands, or that was taken away as was asked."""
        is_whole = all(outcome.status in {OutcomeStatus.DONE, OutcomeStatus.SKIPPED} for outcome in outcomes)
        status = AttemptStatus.SUCCEEDED if is_whole else AttemptStatus.PARTIAL
        run_id = self._write(self._finish(status, outcomes), step.status)
        return (("run_id", run_id),) if run_id else ()

    def write_failure(self, error: DockyardError, outcomes: tuple[Outcome, ...]) -> None:
        """Write an attempt that failed or was interrupted. Raises PartialError `record-pending` where it had to be queued."""
        status = AttemptStatus.INTERRUPTED if error.code == "cancelled" else AttemptStatus.FAILED
        attempt = self._finish(status, outcomes, Failure.of(error))
        self.journal.save_attempt(attempt)
        # What was only no longer waited for goes on.
        self._write(attempt, RecordStatus.DEPLOYING if isinstance(error, DetachedError) else RecordStatus.FAILED)

    def close_journal(self, outcomes: tuple[Outcome, ...], *, is_partial: bool) -> None:
        """Say in the journal that the attempt is over."""
        self.journal.save_attempt(self._finish(AttemptStatus.PARTIAL if is_partial else AttemptStatus.SUCCEEDED, outcomes))

    def _finish(self, status: AttemptStatus, outcomes: tuple[Outcome, ...], failure: Failure | None = None) -> Attempt:
        finished = self.clock.now().isoformat()
        return dataclasses.replace(self.attempt, status=status, outcomes=outcomes, finished=finished, failure=failure)

    def _write(self, attempt: Attempt, status: RecordStatus) -> str | None:
        recorded = Recorded(
            spec=self.planned.spec,
            image=find_digest(self.images, self.planned, attempt.outcomes),
            previous=self.planned.previous,
            package=find_package(self.planned, attempt.outcomes),
            claiming=self.list_claiming() if status.is_final else (),
            time=attempt.finished or attempt.started,
        )
        entry = describe_entry(attempt, status, recorded)
        return write_or_queue(self.writer, self.queue, entry)


def write_or_queue(writer: RegistryWriter, queue: EntryQueue, entry: RegistryEntry) -> str | None:
    """Write an entry, or keep it where the registry does not take it: that raises PartialError `record-pending`."""
    try:
        return writer.write_entry(entry)
    except DockyardError as error:
        queue.put_entry(entry)
        raise PartialError(
            "record-pending",
            f"the record of {entry.attempt.key} could not be written: {error.message}",
            hint="it is kept; `dockyard sync` sends it when the registry answers again",
        ) from error


def find_digest(images: ImageFactory, planned: Planned, outcomes: tuple[Outcome, ...]) -> ImageDigest | None:
    """What a plan's revision runs: as its target shows it, as it was just pushed, or as it lies in the local store."""
    there = planned.seen.find_revision(planned.plan.revision)
    pushed = (dict(one.facts).get("digest") for one in outcomes if one.step == "PushImage")
    digest = next((str(one) for one in pushed if one is not None), None)
    if there is not None or digest is not None:
        return there.image if there is not None else ImageDigest(str(digest))
    image = images.find_image(planned.spec.fingerprint) if planned.spec else None
    return image.digest if image else None


def find_package(planned: Planned, outcomes: tuple[Outcome, ...]) -> str | None:
    """ARN of the version in SageMaker Model Registry that a plan's revision has: as it was just made, or was there before."""
    tried = [dict(one.facts).get("model_package") for one in outcomes if one.step == "RegisterPackage"]
    if tried:
        return str(tried[-1]) if tried[-1] is not None else None
    there = planned.seen.find_revision(planned.plan.revision)
    package = there.package if isinstance(there, SageMakerRevision) else None
    return package.arn if package else None
