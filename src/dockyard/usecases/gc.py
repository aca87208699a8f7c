"""Owns `gc`: what nothing needs is removed. Every removal is one that a crash or a deleted deployment left behind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

from dockyard.domain.attempt import Failure
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.image import Fingerprint
from dockyard.domain.k8s_steps import CheckManifests
from dockyard.domain.plan import RemoveRevision, StartRevision, StopRevision
from dockyard.domain.result import GarbageItem, GcResult, ResultStatus
from dockyard.domain.sagemaker_batch_steps import CreateJobModel
from dockyard.domain.sagemaker_steps import CreateModel
from dockyard.usecases.site import Site
from dockyard.usecases.workbench import Workbench


def collect_garbage(bench: Workbench, *, cache_days: int, plan_only: bool) -> GcResult:
    """Remove revisions that never served, orphaned containers, processes and folders, images that no revision needs, and
    downloads that nobody has used for so many days.

    A deployment that somebody is changing at the moment is left alone, and told.
    """
    collection = _Collection(bench, plan_only=plan_only)
    for site in bench.sites.list():
        collection.collect_site(site)
    collection.collect_images()
    collection.collect_caches(cache_days)
    return collection.result()


class _Collection:
    """One walk over everything; finds first and removes unless only planning."""

    def __init__(self, bench: Workbench, *, plan_only: bool) -> None:
        self._bench = bench
        self._plan_only = plan_only
        self._items: list[GarbageItem] = []
        self._failures: list[Failure] = []
        self._freed = 0
        self._has_looked_everywhere = True

    def collect_site(self, site: Site) -> None:
        """Remove what is left over in a place; one that cannot be looked at is told, and keeps no other from being cleaned."""
        try:
            for key in site.list_deployments():
                self.collect_revisions(site, key)
            self.collect_orphans(site)
        except DockyardError as error:
            self._failures.append(Failure.of(error))
            self._has_looked_everywhere = False

    def collect_revisions(self, site: Site, key: DeploymentKey) -> None:
        """Remove the revisions of a deployment that never served, and stop those that should not run."""
        try:
            with nullcontext() if self._plan_only else self._bench.locks.hold(key, self._bench.actor, 0):
                for step in site.plan_cleanup(key):
                    self._clean(site, key, step)
        except ConflictError as error:
            self._failures.append(Failure.of(error))

    def collect_orphans(self, site: Site) -> None:
        """Remove what belongs to no deployment."""
        names = site.list_orphans()
        self._items += [GarbageItem(kind="orphan", name=name) for name in names]
        if names and not self._plan_only:
            self._try(site.delete_orphans)

    def collect_images(self) -> None:
        """Remove the images that no revision is made of; none where that is not known of every place."""
        if not self._has_looked_everywhere:
            return
        for image in self._bench.cleaner.list_unused_images(self._needed_images()):
            self._items.append(GarbageItem(kind="image", name=image.digest, size_bytes=image.size_bytes))
            if not self._plan_only:
                self._freed += self._bench.cleaner.delete_image(image.fingerprint)

    def collect_caches(self, days: int) -> None:
        """Remove downloads that were not used for long: no revision runs from them."""
        for cache in self._bench.caches.list_stale(days):
            name = f"{cache.entries} {cache.name} not used for {days} days"
            self._items.append(GarbageItem(kind="download", name=name, size_bytes=cache.size_bytes))
            if not self._plan_only:
                self._freed += self._bench.caches.delete_stale(cache.name, days)

    def _clean(self, site: Site, key: DeploymentKey, step: RemoveRevision | StopRevision) -> None:
        self._items.append(GarbageItem(kind="revision", name=f"{key} r{step.number}"))
        if not self._plan_only:
            self._try(lambda: site.clean_up(key, step))

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except DockyardError as error:
            self._failures.append(Failure.of(error))

    def _needed_images(self) -> frozenset[Fingerprint]:
        """What revisions are made of, and what deploys that run at this moment have built for theirs to come."""
        sites = self._bench.sites.list()
        pairs = ((site, key) for site in sites for key in site.list_deployments())
        revisions = (revision for site, key in pairs for revision in site.describe(key).all_revisions)
        plans = (attempt.plan for attempt in self._bench.journal.list_running() if attempt.plan is not None)
        steps = (step for plan in plans for step in plan.steps)
        begun = (step.spec for step in steps if isinstance(step, StartRevision | CreateModel | CreateJobModel | CheckManifests))
        return frozenset(spec.fingerprint for spec in (*(revision.spec for revision in revisions), *begun))

    def result(self) -> GcResult:
        """What was found and done."""
        if self._failures:
            status = ResultStatus.PARTIAL
        elif not self._items:
            status = ResultStatus.UNCHANGED
        else:
            status = ResultStatus.PLANNED if self._plan_only else ResultStatus.DONE
        return GcResult(status=status, items=tuple(self._items), freed_bytes=self._freed, failures=tuple(self._failures))
