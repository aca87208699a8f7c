"""One deployment on SageMaker as its user has it: the real use cases and adapters, against the sandbox of the tests.

Only the making of images, and in memory the registry of models, are not Dockyard's own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from dockyard.adapters.clock import SystemClock
from dockyard.adapters.entry_queue import JsonEntryQueue
from dockyard.adapters.folder_registry import FolderRegistry
from dockyard.adapters.journal import FileJournal
from dockyard.adapters.locks import FileLocks
from dockyard.adapters.sagemaker.account import AwsAccount
from dockyard.adapters.sagemaker.components import SageMakerComponents
from dockyard.adapters.sagemaker.endpoints import SageMakerEndpoints
from dockyard.adapters.sagemaker.job_supplies import SageMakerJobSupplies
from dockyard.adapters.sagemaker.jobs import SageMakerJobs
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
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.image import Fingerprint, ImageSettings
from dockyard.domain.model import ModelIdentity
from dockyard.domain.record import RecordStatus
from dockyard.domain.reference import parse_model_ref
from dockyard.domain.request import BatchRequest, DeleteRequest, RollbackRequest, SageMakerDeployRequest
from dockyard.domain.result import BatchResult, DeleteResult, DeployResult
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    ModelDelivery,
    ObservedSageMaker,
    Rollout,
    SageMakerPolicy,
    SageMakerSettings,
    Scaling,
    derive_endpoint_name,
)
from dockyard.domain.sagemaker_batch import BatchSettings
from dockyard.domain.sagemaker_package import PackagePolicy
from dockyard.ports import Clock, EntryQueue, Journal, Locks
from dockyard.testing.attempts import MemoryJournal, MemoryLocks
from dockyard.testing.images import MemoryCaches, MemoryImages
from dockyard.testing.registry import MemoryQueue, MemoryRegistry
from dockyard.testing.surroundings import RecordedProgress
from dockyard.usecases.batch import BatchDesk, run_batch
from dockyard.usecases.delete import delete_deployment
from dockyard.usecases.deploy import deploy
from dockyard.usecases.rollback import roll_back
from dockyard.usecases.site_sagemaker import SageMakerPorts, SageMakerSite
from dockyard.usecases.workbench import Workbench
from dockyard_image import ImageStore, Registries, RegistrySettings
from dockyard_image.credentials import Credentials
from support.any_bench import OneSite, make_resolved
from support.images import open_registries
from support.tiny_images import TinyImages

BUCKET = "models"
HASTE = 50
"""How many seconds of Dockyard's pass in one of ours."""
POLICY = SageMakerPolicy(
    rollout=Rollout(wait_seconds=60),
    alarms=AlarmPolicy(latency_ms=60_000),
    scaling=Scaling(minimum=1, maximum=3, invocations_per_instance=100),
    timeout_seconds=600,
)
SETTINGS = SageMakerSettings(role="", delivery=ModelDelivery.ARCHIVE, bucket=f"s3://{BUCKET}/dockyard")


def answer_of(digest: str) -> dict[str, object]:
    """What the containers of an image answer."""
    return {"predictions": [digest]}


class HastyClock(SystemClock):
    """The machine's clock, in a hurry."""

    @override
    def monotonic(self) -> float:
        return super().monotonic() * HASTE

    @override
    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / HASTE)


@dataclass(kw_only=True)
class Local:
    """What lies on the user's machine."""

    registry: MemoryRegistry | FolderRegistry
    queue: EntryQueue
    journal: Journal
    locks: Locks
    images: ImageStore
    models: Path
    folder: Path

    def refer(self, version: int) -> str:
        """What a user types for a version, which is then there."""
        folder = self.models / str(version)
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(self.registry, FolderRegistry):
            (folder / "MLmodel").write_text(
                "flavors: {python_function: {loader_module: mlflow.sklearn, python_version: 3.11.7}}\n"
            )
            (folder / "requirements.txt").write_text(f"version-of-model=={version}\n")
            return str(folder)
        self.registry.add_model(dataclasses.replace(make_resolved(version), folder=folder))
        return f"models:/wine/{version}"


Keep = Callable[[Path], Local]


def keep_in_memory(folder: Path) -> Local:
    """What is gone with the process. Images and models, which any deployment may share, lie in `folder`."""
    return Local(
        registry=MemoryRegistry(),
        queue=MemoryQueue(),
        journal=MemoryJournal(),
        locks=MemoryLocks(),
        images=ImageStore(folder / "images"),
        models=folder / "models",
        folder=folder,
    )


def keep_in_files(folder: Path) -> Local:
    """What survives the process, for a deployment of its own."""
    return Local(
        registry=FolderRegistry(folder, folder / "cache"),
        queue=JsonEntryQueue(folder / "queue"),
        journal=FileJournal(folder / "journal"),
        locks=FileLocks(folder / "locks", SystemClock(), command="test"),
        images=ImageStore(folder / "images"),
        models=folder / "models",
        folder=folder,
    )


class Logins:
    """Credentials for the registry, of whoever looked a repository up last."""

    def __init__(self) -> None:
        self.repositories: list[EcrRepositories] = []

    def find(self, host: str) -> Credentials | None:
        """As the composition root finds them."""
        return self.repositories[-1].find_credentials(host)


@dataclass(kw_only=True)
class Wire:
    """The ways to the account: a session, and connections to its registry, which cost time to open."""

    session: Session
    logins: Logins
    registries: Registries


def open_wire(session: Session, folder: Path) -> Wire:
    """Nothing is contacted yet."""
    logins = Logins()
    registries = open_registries(folder, RegistrySettings(providers=(logins.find,)))
    return Wire(session=session, logins=logins, registries=registries)


@dataclass(kw_only=True)
class Scene:
    """One deployment, whose commands are called as methods."""

    name: str
    wire: Wire
    local: Local
    policy: SageMakerPolicy = POLICY
    """With a group of the deployment's own, where it is left as it is."""
    settings: SageMakerSettings = SETTINGS
    pass_by: Callable[[str], None] = lambda _: None
    progress: RecordedProgress = field(default_factory=RecordedProgress)

    def __post_init__(self) -> None:
        if self.policy is POLICY:
            self.policy = dataclasses.replace(POLICY, package=PackagePolicy(group=f"group-{self.name}"))

    @property
    def key(self) -> DeploymentKey:
        """Which deployment."""
        return DeploymentKey(environment="sagemaker", name=self.name, target=Target.SAGEMAKER)

    @property
    def endpoint(self) -> str:
        """The name of its endpoint."""
        return derive_endpoint_name(self.key.environment, self.key.name)

    def deploy(self, version: int = 1, *, plan_only: bool = False, **fields: object) -> DeployResult:
        """Deploy a version; `fields` are those of requests."""
        return deploy(self.open(), self.want(version, **fields), plan_only=plan_only)

    def roll_back(self, number: int | None = None, *, plan_only: bool = False) -> DeployResult:
        """Bring a revision back."""
        return roll_back(self.open(), RollbackRequest(key=self.key, number=number, smoke_requests=1), plan_only=plan_only)

    def batch(self, version: int = 1) -> BatchResult:
        """Let a version answer for the objects below `in/`."""
        bench = self.open()
        site = bench.sites.find(self.key.environment)
        assert isinstance(site, SageMakerSite)
        assert isinstance(site.ports.revisions, SageMakerRevisions)
        jobs = SageMakerJobs(self.wire.session)
        desk = BatchDesk(site=site, jobs=jobs, supplies=SageMakerJobSupplies(jobs=jobs, revisions=site.ports.revisions))
        place = f"s3://{BUCKET}"
        request = BatchRequest(
            deploy=self.want(version), input=f"{place}/in/", output=f"{place}/out/{self.name}", settings=BatchSettings()
        )
        return run_batch(bench, desk, request, plan_only=False)

    def delete(self, *, plan_only: bool = False) -> DeleteResult:
        """Take it away."""
        return delete_deployment(self.open(), DeleteRequest(key=self.key), plan_only=plan_only)

    def observe(self) -> ObservedSageMaker:
        """How Dockyard sees it."""
        site = self.open().sites.find(self.key.environment)
        assert isinstance(site, SageMakerSite)
        return site.describe(self.key)

    def want(self, version: int = 1, **fields: object) -> SageMakerDeployRequest:
        """A request for a version."""
        values: Mapping[str, object] = {"policy": self.policy, "settings": self.settings, "smoke_requests": 1, **fields}
        ref = parse_model_ref(self.local.refer(version))
        return SageMakerDeployRequest(ref=ref, key=self.key, image=ImageSettings(), **values)  # type: ignore[arg-type]

    def resolve(self, version: int) -> ModelIdentity:
        """The model of a version."""
        return self.local.registry.resolve_model(parse_model_ref(self.local.refer(version))).version.identity

    def list_claiming(self, seen: ObservedSageMaker | None = None) -> list[int]:
        """The revisions whose record says that they serve, of those that are there, or have just been seen."""
        seen, registry = seen or self.observe(), self.local.registry
        records = [(one.number, registry.find_record(self.key, one.spec.model)) for one in seen.revisions]
        return [number for number, record in records if record and record.status is RecordStatus.SERVING]

    def open(self) -> Workbench:
        """The workbench, made anew for every command as the composition root makes it."""
        local, clock = self.local, HastyClock()
        images = TinyImages(store=local.images, registries=self.wire.registries, pass_by=self.pass_by)
        return Workbench(
            registry=local.registry,
            writer=local.registry,
            queue=local.queue,
            images=images,
            cleaner=MemoryImages(),
            caches=MemoryCaches(),
            sites=OneSite(self._open_site(images, clock)),
            journal=local.journal,
            locks=local.locks,
            clock=clock,
            progress=self.progress,
            actor="ann@laptop",
            git_revision=None,
        )

    def _open_site(self, images: TinyImages, clock: Clock) -> SageMakerSite:
        session = self.wire.session

        def find_difference(fingerprint: Fingerprint, answer: object) -> str | None:
            image = images.find_image(fingerprint)
            return None if image and answer == answer_of(image.digest) else "predictions[0]"

        repositories = EcrRepositories(session)
        self.wire.logins.repositories.append(repositories)
        ports = open_ports(session, repositories, clock, self.local.models)
        scorer = SageMakerScorer(session, find_difference)
        return SageMakerSite(ports=ports, scorer=scorer, clock=clock, policy=self.policy)


def open_ports(session: Session, repositories: EcrRepositories, clock: Clock, cache: Path) -> SageMakerPorts:
    """The real adapters, put together as the composition root does."""
    endpoints = SageMakerEndpoints(session)
    supplies = SageMakerSupplies(session, repositories)
    revisions = SageMakerRevisions(session=session, endpoints=endpoints, repositories=repositories, clock=clock)
    account = AwsAccount(
        environment="sagemaker",
        session=session,
        endpoints=endpoints,
        revisions=revisions,
        repositories=repositories,
        supplies=supplies,
    )
    return SageMakerPorts(
        account=account,
        revisions=revisions,
        endpoints=endpoints,
        components=SageMakerComponents(session=session, revisions=revisions),
        repositories=repositories,
        supplies=supplies,
        packages=SageMakerPackages(session),
        preflight=SageMakerPreflight(session, render_all, PriceBook(cache)),
        containers=SdkLearningContainers(session, repositories, InstalledSdk()),
    )
