"""The composition root: settings become adapters, adapters a workbench, and the workbench the use cases' one face, the Kit.

Imports what a command needs, when it needs it. Must not decide anything.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.domain.deployment import DeploymentKey, Runtime, Target
from dockyard.domain.plan import Plan
from dockyard.domain.request import (
    BatchRequest,
    BuildRequest,
    DeleteRequest,
    DeployRequest,
    RenderRequest,
    RollbackRequest,
    TerraformRequest,
)
from dockyard.domain.result import (
    BatchResult,
    BuildResult,
    DeleteResult,
    DeployResult,
    DoctorResult,
    DriftResult,
    GcResult,
    HistoryResult,
    PredictResult,
    PromoteResult,
    RenderResult,
    StatusResult,
    SyncResult,
)
from dockyard.domain.settings import Settings

if TYPE_CHECKING:
    from dockyard.adapters.images.library import ImageLibrary
    from dockyard.adapters.local.host import Host
    from dockyard.adapters.local.inventory import Inventory
    from dockyard.adapters.local.pythons import Pythons
    from dockyard.adapters.routing_registry import RoutingRegistry
    from dockyard.adapters.sagemaker.repositories import EcrRepositories
    from dockyard.ports import Clock, Progress, Scorer
    from dockyard.usecases.batch import BatchDesk
    from dockyard.usecases.site import Site
    from dockyard.usecases.workbench import Workbench
    from dockyard_image.credentials import Credentials
    from dockyard_image.registries import Registries


def open_kit(settings: Settings) -> DockyardKit:
    """Return the Kit for a configuration. Nothing is contacted before one of its methods is called."""
    return DockyardKit(open_workbench(settings), settings)


def open_workbench(settings: Settings) -> Workbench:
    """Wire every port to its adapter."""
    from dockyard.adapters.caches import FolderCaches
    from dockyard.adapters.clock import SystemClock
    from dockyard.adapters.entry_queue import JsonEntryQueue
    from dockyard.adapters.git import find_commit
    from dockyard.adapters.images.factory import DockyardImages
    from dockyard.adapters.images.proofs import Proofs
    from dockyard.adapters.images.prover import Prover
    from dockyard.adapters.journal import FileJournal
    from dockyard.adapters.local.host import LOOPBACK
    from dockyard.adapters.local.machine import Machine
    from dockyard.adapters.local.pythons import Pythons
    from dockyard.adapters.progress import open_progress
    from dockyard.adapters.scorer_client import HttpScorer
    from dockyard.usecases.open_sites import OpenSites
    from dockyard.usecases.site_local import LocalSite
    from dockyard.usecases.workbench import Workbench
    from dockyard.wiring_k8s import open_k8s_site, open_locks

    clock, progress = SystemClock(), open_progress(sys.stderr, os.environ)
    logins: list[EcrRepositories] = []
    registries = _open_registries(settings, os.environ, logins)
    library = _open_library(settings, registries, progress)
    pythons = Pythons(os.environ)
    prover = Prover(library=library, pythons=pythons, cache=settings.cache_home, environ=os.environ)
    images = DockyardImages(library, prover, registries, settings.cache_home, progress)
    registry = _open_registry(settings)
    host, inventory = _open_local(settings, library, pythons, clock)
    proofs = Proofs(library=library, registries=registries, folder=settings.cache_home / "proofs")
    scorer = HttpScorer(proofs.read_proof)
    local = LocalSite(host=host, inventory=inventory, machine=Machine(listen_on=LOOPBACK), scorer=scorer)
    sagemaker = partial(_open_sagemaker, settings, scorer, clock, logins)
    others = {Target.SAGEMAKER: sagemaker, Target.K8S: partial(open_k8s_site, settings, scorer, clock)}
    return Workbench(
        registry=registry,
        writer=registry,
        queue=JsonEntryQueue(settings.state_home / "queue"),
        images=images,
        cleaner=images,
        caches=FolderCaches(home=settings.cache_home, clock=clock),
        sites=OpenSites(settings, local, others),
        journal=FileJournal(settings.state_home / "journal"),
        locks=open_locks(settings, clock),
        clock=clock,
        progress=progress,
        actor=f"{getpass.getuser()}@{socket.gethostname()}",
        git_revision=find_commit(Path.cwd()),
    )


class DockyardKit:
    """The use cases on one workbench. Each method is the use case of its name."""

    def __init__(self, bench: Workbench, settings: Settings) -> None:
        self.bench = bench
        self._settings = settings

    def deploy(self, request: DeployRequest, *, plan_only: bool, approve: Callable[[Plan], None] | None = None) -> DeployResult:
        """Bring a model into service."""
        from dockyard.usecases.deploy import deploy

        return deploy(self.bench, request, plan_only=plan_only, approve=approve)

    def batch(self, request: BatchRequest, *, plan_only: bool, approve: Callable[[Plan], None] | None = None) -> BatchResult:
        """Have a model answer for objects on S3."""
        from dockyard.usecases.batch import run_batch

        environment = request.deploy.key.environment
        desk = _open_batch(self._settings, environment, self.bench)
        return run_batch(self.bench, desk, request, plan_only=plan_only, approve=approve)

    def build(self, request: BuildRequest) -> BuildResult:
        """Make a model's image."""
        from dockyard.usecases.build import build_image

        return build_image(self.bench, request)

    def render(self, request: RenderRequest | TerraformRequest) -> RenderResult:
        """Write what a deploy would apply into a folder."""
        from dockyard.adapters.terraform.renderer import TerraformRenderer
        from dockyard.usecases.render import render, render_terraform
        from dockyard.wiring_k8s import open_renderer

        if isinstance(request, TerraformRequest):
            return render_terraform(self.bench, TerraformRenderer(), request)
        return render(self.bench, open_renderer(), request)

    def status(self, environment: str | None, name: str | None) -> StatusResult:
        """How the deployments of that environment and name are; None: of all."""
        from dockyard.usecases.status import describe_status

        return describe_status(self.bench, environment, name)

    def history(self, key: DeploymentKey, limit: int) -> HistoryResult:
        """The newest attempts at a deployment."""
        from dockyard.usecases.status import describe_history

        return describe_history(self.bench, key, limit)

    def logs(self, key: DeploymentKey, number: int | None, *, follow: bool, tail: int) -> Iterator[str]:
        """Lines that a revision has logged; None: the one that serves."""
        from dockyard.usecases.status import read_logs

        return read_logs(self.bench, key, number, follow=follow, tail=tail)

    def predict(self, key: DeploymentKey, body: bytes | None, content_type: str) -> PredictResult:
        """Ask an endpoint; None: with the model's own input example."""
        from dockyard.usecases.predict import predict

        return predict(self.bench, key, body, content_type)

    def rollback(self, request: RollbackRequest, *, plan_only: bool) -> DeployResult:
        """Bring an earlier revision back."""
        from dockyard.usecases.rollback import roll_back

        return roll_back(self.bench, request, plan_only=plan_only)

    def promote(self, key: DeploymentKey) -> PromoteResult:
        """Point the alias that is called as the environment at the version that serves."""
        from dockyard.usecases.promote import promote

        return promote(self.bench, key)

    def delete(self, request: DeleteRequest, *, plan_only: bool) -> DeleteResult:
        """Take a deployment away."""
        from dockyard.usecases.delete import delete_deployment

        return delete_deployment(self.bench, request, plan_only=plan_only)

    def drift(self, key: DeploymentKey | None) -> DriftResult:
        """How far a deployment is from what it should be; None: all."""
        from dockyard.usecases.drift import describe_drift

        return describe_drift(self.bench, key)

    def gc(self, *, cache_days: int, plan_only: bool) -> GcResult:
        """Remove what nothing needs."""
        from dockyard.usecases.gc import collect_garbage

        return collect_garbage(self.bench, cache_days=cache_days, plan_only=plan_only)

    def sync(self) -> SyncResult:
        """Send the records that could not be written."""
        from dockyard.usecases.sync import sync_queue

        return sync_queue(self.bench)

    def doctor(self) -> DoctorResult:
        """Look at the surroundings."""
        from dockyard.adapters.checks import list_checks
        from dockyard.usecases.doctor import examine

        return examine(list_checks(self._settings, self.bench.queue, os.environ))

    def doctor_account(self, key: DeploymentKey, *, refresh_prices: bool) -> DoctorResult:
        """Look at the AWS account of an environment."""
        from dockyard.adapters.sagemaker.preflight import SageMakerPreflight
        from dockyard.adapters.sagemaker.prices import PriceBook
        from dockyard.adapters.sagemaker.requests import render_all
        from dockyard.adapters.sagemaker.session import Session
        from dockyard.usecases.doctor import examine_account

        place = self._settings.find_environment(key.environment).sagemaker
        examiner = SageMakerPreflight(Session(place.access), render_all, PriceBook(self._settings.cache_home))
        return examine_account(examiner, key, place, refresh_prices=refresh_prices)

    def doctor_cluster(self, key: DeploymentKey) -> DoctorResult:
        """Look at the cluster of an environment."""
        from dockyard.wiring_k8s import examine_cluster

        return examine_cluster(self._settings, key)


def _open_registry(settings: Settings) -> RoutingRegistry:
    from dockyard.adapters.folder_registry import FolderRegistry
    from dockyard.adapters.mlflow_registry import MlflowRegistry
    from dockyard.adapters.routing_registry import RoutingRegistry
    from dockyard.adapters.secret_source import reveal_text

    records = settings.config_file.parent if settings.config_file else Path.cwd()

    def open_mlflow() -> MlflowRegistry:
        tracking, registry = settings.registry.tracking_uri, settings.registry.registry_uri
        return MlflowRegistry(
            reveal_text(tracking, os.environ) if tracking else None,
            reveal_text(registry, os.environ) if registry else None,
            settings.cache_home,
        )

    return RoutingRegistry(FolderRegistry(records, settings.cache_home), open_mlflow)


def _open_registries(settings: Settings, environ: Mapping[str, str], logins: list[EcrRepositories]) -> Registries:
    from dockyard.adapters.ecr import find_ecr_credentials
    from dockyard.adapters.secret_source import read_secret, reveal_text
    from dockyard_image.credentials import Credentials, Secret
    from dockyard_image.registries import Registries, RegistrySettings

    access = settings.access
    credentials = {
        one.host: Credentials(
            user=reveal_text(one.username, environ), secret=Secret(read_secret(one.password, environ).reveal())
        )
        for one in access.credentials
    }
    return Registries(
        RegistrySettings(
            mirrors=dict(access.mirrors),
            insecure=frozenset(access.insecure_registries),
            credentials=credentials,
            providers=(lambda host: _find_login(host, logins), find_ecr_credentials),
        )
    )


def _open_library(settings: Settings, registries: Registries, progress: Progress) -> ImageLibrary:
    from dockyard.adapters.images.errors import translated
    from dockyard.adapters.images.library import ImageLibrary
    from dockyard_image.image import StoredImage
    from dockyard_image.push import fetch_base_layers
    from dockyard_image.store import ImageStore

    store = ImageStore(settings.state_home / "images")

    def fetch_base(image: StoredImage) -> None:
        with translated():
            fetch_base_layers(store, image, registries, progress=progress.advance)

    return ImageLibrary(store=store, unpacked=settings.state_home / "unpacked", fetch_base=fetch_base)


def _open_local(settings: Settings, library: ImageLibrary, pythons: Pythons, clock: Clock) -> tuple[Host, Inventory]:
    from dockyard.adapters.local.containers import ContainerRuntime
    from dockyard.adapters.local.host import LOOPBACK, Host, Surroundings
    from dockyard.adapters.local.inventory import Inventory
    from dockyard.adapters.local.orphans import Orphans
    from dockyard.adapters.local.process import ProcessRuntime

    home_id = hashlib.sha256(str(settings.state_home.resolve()).encode()).hexdigest()[:16]
    containers = ContainerRuntime(library, home_id)
    processes = ProcessRuntime(library, pythons, settings.cache_home, os.environ)
    runtimes: dict[Runtime, ContainerRuntime | ProcessRuntime] = {Runtime.DOCKER: containers, Runtime.PROCESS: processes}
    host = Host(Surroundings(home=settings.state_home, runtimes=runtimes, images=library, clock=clock))
    orphans = Orphans(settings.state_home, containers, listen_on=LOOPBACK)
    return host, Inventory(settings.state_home, host=host, logs=runtimes, orphans=orphans)


def _open_sagemaker(settings: Settings, scorer: Scorer, clock: Clock, logins: list[EcrRepositories], name: str) -> Site:
    """The site of an environment; the registry of its account is signed in to with its credentials."""
    from dockyard.adapters.sagemaker.account import AwsAccount
    from dockyard.adapters.sagemaker.components import SageMakerComponents
    from dockyard.adapters.sagemaker.endpoints import SageMakerEndpoints
    from dockyard.adapters.sagemaker.learning_containers import SdkLearningContainers
    from dockyard.adapters.sagemaker.packages import SageMakerPackages
    from dockyard.adapters.sagemaker.preflight import SageMakerPreflight
    from dockyard.adapters.sagemaker.prices import PriceBook
    from dockyard.adapters.sagemaker.repositories import EcrRepositories
    from dockyard.adapters.sagemaker.requests import render_all
    from dockyard.adapters.sagemaker.revisions import SageMakerRevisions
    from dockyard.adapters.sagemaker.scorer import SageMakerScorer
    from dockyard.adapters.sagemaker.sdk_images import InstalledSdk
    from dockyard.adapters.sagemaker.session import Session
    from dockyard.adapters.sagemaker.supplies import SageMakerSupplies
    from dockyard.usecases.site_sagemaker import SageMakerPorts, SageMakerSite

    place = settings.find_environment(name).sagemaker
    session = Session(place.access)
    repositories, endpoints = EcrRepositories(session), SageMakerEndpoints(session)
    logins.append(repositories)
    supplies = SageMakerSupplies(session, repositories)
    revisions = SageMakerRevisions(session=session, endpoints=endpoints, repositories=repositories, clock=clock)
    account = AwsAccount(
        environment=name,
        session=session,
        endpoints=endpoints,
        revisions=revisions,
        repositories=repositories,
        supplies=supplies,
        data_folder=place.settings.bucket,
    )
    ports = SageMakerPorts(
        account=account,
        revisions=revisions,
        endpoints=endpoints,
        components=SageMakerComponents(session=session, revisions=revisions),
        repositories=repositories,
        supplies=supplies,
        packages=SageMakerPackages(session),
        preflight=SageMakerPreflight(session, render_all, PriceBook(settings.cache_home)),
        containers=SdkLearningContainers(session, repositories, InstalledSdk()),
    )
    invoker = SageMakerScorer(session, scorer.find_difference)
    return SageMakerSite(ports=ports, scorer=invoker, clock=clock, policy=place.policy)


def _open_batch(settings: Settings, name: str, bench: Workbench) -> BatchDesk:
    """The desk for jobs of an environment, beside its site."""
    from dockyard.adapters.sagemaker.endpoints import SageMakerEndpoints
    from dockyard.adapters.sagemaker.job_supplies import SageMakerJobSupplies
    from dockyard.adapters.sagemaker.jobs import SageMakerJobs
    from dockyard.adapters.sagemaker.repositories import EcrRepositories
    from dockyard.adapters.sagemaker.revisions import SageMakerRevisions
    from dockyard.adapters.sagemaker.session import Session
    from dockyard.usecases.batch import BatchDesk
    from dockyard.usecases.site_sagemaker import SageMakerSite

    site = bench.sites.find(name)
    if not isinstance(site, SageMakerSite):
        raise TypeError(f"environment {name} is not on SageMaker")
    session = Session(settings.find_environment(name).sagemaker.access)
    revisions = SageMakerRevisions(
        session=session,
        endpoints=SageMakerEndpoints(session),
        repositories=EcrRepositories(session),
        clock=bench.clock,
    )
    jobs = SageMakerJobs(session)
    return BatchDesk(site=site, jobs=jobs, supplies=SageMakerJobSupplies(jobs=jobs, revisions=revisions))


def _find_login(host: str, logins: list[EcrRepositories]) -> Credentials | None:
    """The credentials of the first account whose registry it is."""
    return next((found for found in (one.find_credentials(host) for one in logins) if found is not None), None)
