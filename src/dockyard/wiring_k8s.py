"""Owns the part of the composition root that is about Kubernetes: the site of an environment, and the lock of its deployments.

Imports what a command needs, when it needs it. Must not decide anything.
"""

from __future__ import annotations

import hashlib
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard.domain.settings import Settings

if TYPE_CHECKING:
    from dockyard.domain.deployment import DeploymentKey
    from dockyard.domain.k8s import Blueprint
    from dockyard.domain.rendering import RenderShape
    from dockyard.domain.result import DoctorResult
    from dockyard.ports import Clock, Locks, Scorer
    from dockyard.ports_rendering import Renderer
    from dockyard.usecases.site import Site


def open_k8s_site(settings: Settings, scorer: Scorer, clock: Clock, name: str) -> Site:
    """The site of an environment, in the namespace that it names."""
    from dockyard.adapters.k8s.api import KubeApi
    from dockyard.adapters.k8s.cluster import KubeCluster
    from dockyard.adapters.k8s.inventory import KubeInventory
    from dockyard.adapters.k8s.metrics import KubeMetrics
    from dockyard.adapters.k8s.preflight import KubePreflight
    from dockyard.adapters.k8s.scorer import KubeScorer
    from dockyard.usecases.site_k8s import K8sSite

    environment = settings.find_environment(name)
    place, api = environment.k8s, KubeApi(environment.k8s.access)
    cluster = KubeCluster(api, clock, takes_over=place.takes_over)
    return K8sSite(
        cluster=cluster,
        control=cluster,
        inventory=KubeInventory(api, name, clock),
        examiner=KubePreflight(api),
        scorer=KubeScorer(api, scorer.find_difference),
        metrics=KubeMetrics(api),
        clock=clock,
        policy=replace(place.policy, history_limit=environment.history_limit),
        repository=settings.image.repository,
    )


def examine_cluster(settings: Settings, key: DeploymentKey) -> DoctorResult:
    """Look at the cluster of an environment, with what its settings ask of it."""
    from dockyard.adapters.k8s.api import KubeApi
    from dockyard.adapters.k8s.preflight import KubePreflight
    from dockyard.domain.k8s_demand import imagine
    from dockyard.usecases import doctor

    place, image = settings.find_environment(key.environment).k8s, settings.image
    return doctor.examine_cluster(KubePreflight(KubeApi(place.access)), imagine(key, place, image.repository, image.platform))


def open_renderer() -> Renderer[Blueprint, RenderShape]:
    """What makes files of blueprints."""
    from dockyard.adapters.k8s.render.files import FileRenderer

    return FileRenderer()


def open_locks(settings: Settings, clock: Clock) -> Locks:
    """The locks of this machine, and of clusters."""
    from dockyard.adapters.k8s.api import KubeApi
    from dockyard.adapters.k8s.lease import LeaseLocks
    from dockyard.adapters.locks import FileLocks

    files = FileLocks(settings.state_home / "locks", clock, command="dockyard")
    home = hashlib.sha256(str(settings.state_home.resolve()).encode()).hexdigest()[:16]
    machine = f"{socket.gethostname()}/{home}"
    return LeaseLocks(files, lambda name: KubeApi(settings.find_environment(name).k8s.access), clock, machine)
