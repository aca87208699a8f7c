"""What every SageMaker account does, in memory and in the sandbox: the ports that use cases and steps stand on."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from dockyard.adapters.sagemaker.repositories import EcrRepositories
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.image import BuiltImage, Fingerprint, ImageDigest
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    Endpoint,
    Rollout,
    SageMakerSpec,
    Scaling,
    derive_endpoint_name,
    derive_repository_name,
    derive_revision_name,
    derive_role_name,
)
from dockyard.domain.sagemaker_package import PackagePolicy, RevisionPackage
from dockyard.domain.sagemaker_steps import (
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    CreateRole,
    DeleteSupplies,
    RegisterPackage,
    UpdateEndpoint,
)
from dockyard.ports import ImageFactory
from dockyard.testing.learning_containers import MemoryLearningContainers
from dockyard.testing.sagemaker import MemoryAccount
from dockyard.testing.sagemaker_packages import MemoryPackages
from dockyard.testing.sagemaker_scorer import MemoryPreflight
from dockyard.usecases.site_sagemaker import SageMakerPorts
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_scene import HastyClock, open_ports
from support.sagemaker_values import make_spec
from support.tiny_images import TinyImages, make_tiny_image


@dataclass(kw_only=True)
class Bench:
    """An account, and one deployment that tests make in it."""

    ports: SageMakerPorts
    images: ImageFactory
    key: DeploymentKey
    make_image: Callable[[Fingerprint], str]
    pause: float

    @property
    def endpoint(self) -> str:
        """Its endpoint's name."""
        return derive_endpoint_name(self.key.environment, self.key.name)

    def make_spec(self, version: int = 1, **settings: object) -> SageMakerSpec:
        """A revision with the deployment's own role."""
        return make_spec(version, **{"role": self.ports.account.derive_role(self.key), **settings})

    def name(self, spec: SageMakerSpec) -> str:
        """Of a revision."""
        return derive_revision_name(self.endpoint, spec.spec_hash)

    def push(self, spec: SageMakerSpec) -> ImageDigest:
        """Its image, in the repository."""
        repository = derive_repository_name(self.endpoint)
        self.ports.repositories.create_repository(self.key, repository)
        digest = ImageDigest(self.make_image(spec.fingerprint))
        image = BuiltImage(fingerprint=spec.fingerprint, digest=digest, size_bytes=1, has_proof=True)
        uri = self.ports.repositories.find_repository(repository)
        return self.images.push_image(image, f"{uri}:{spec.fingerprint}")

    def make_model(self, number: int, spec: SageMakerSpec) -> None:
        """Its model, and all before it."""
        self.ports.supplies.create_role(self.key, CreateRole(name=derive_role_name(self.endpoint), spec=spec))
        image = self.push(spec)
        self.ports.revisions.create_model(self.key, CreateModel(number=number, name=self.name(spec), spec=spec), image)

    def make_revision(self, number: int, spec: SageMakerSpec) -> str:
        """All of it; returns its name."""
        self.make_model(number, spec)
        step = CreateEndpointConfig(number=number, name=self.name(spec), spec=spec)
        self.ports.revisions.create_endpoint_config(self.key, step)
        return self.name(spec)

    def register(self, number: int, spec: SageMakerSpec, group: str = "") -> str:
        """A revision in a group, the deployment's unless another is said; returns the ARN."""
        policy = PackagePolicy(group=group or self.endpoint)
        step = RegisterPackage(number=number, name=self.name(spec), spec=spec, package=policy)
        return self.ports.packages.register_package(self.key, step)

    def list_packages(self) -> list[RevisionPackage | None]:
        """Of all revisions."""
        return [one.package for one in self.ports.account.describe_deployment(self.key).revisions]

    def create(self, config: str) -> Endpoint:
        """The endpoint, in service."""
        self.ports.endpoints.create_endpoint(self.key, CreateEndpoint(endpoint=self.endpoint, config=config, number=1))
        endpoint = self.settle()
        assert endpoint is not None
        return endpoint

    def update(self, previous: str, config: str) -> Endpoint:
        """The endpoint, moved."""
        step = UpdateEndpoint(
            endpoint=self.endpoint,
            config=config,
            number=2,
            previous_config=previous,
            rollout=Rollout(wait_seconds=0),
            alarms=None,
            keeps_counts=False,
        )
        self.ports.endpoints.update_endpoint(step)
        endpoint = self.settle()
        assert endpoint is not None
        return endpoint

    def settle(self) -> Endpoint | None:
        """The endpoint when it does not move any more."""
        for _ in range(1000):
            endpoint = self.ports.endpoints.describe_endpoint(self.endpoint)
            if endpoint is None or not endpoint.status.is_moving:
                return endpoint
            time.sleep(self.pause)
        raise AssertionError("it does not settle")

    def clear(self) -> None:
        """Take all away that a test has made."""
        if self.settle() is not None:
            self.ports.endpoints.delete_endpoint(self.endpoint)
            self.settle()
        for one in self.ports.account.describe_deployment(self.key).revisions:
            self.ports.revisions.delete_revision(one.name)
        repository, role = derive_repository_name(self.endpoint), derive_role_name(self.endpoint)
        step = DeleteSupplies(endpoint=self.endpoint, repository=repository, role=role, has_alarms=True)
        self.ports.supplies.delete_supplies(step)


def open_memory(_: pytest.FixtureRequest) -> Bench:
    """In memory."""
    account = MemoryAccount()
    ports = SageMakerPorts(
        account=account,
        revisions=account,
        endpoints=account,
        repositories=account,
        supplies=account,
        packages=MemoryPackages(account=account),
        preflight=MemoryPreflight(),
        containers=MemoryLearningContainers(),
    )
    key = dataclasses.replace(KEY, name="wine")
    return Bench(ports=ports, images=account.images, key=key, make_image=lambda one: f"sha256:{one}", pause=0)


def open_sandbox(request: pytest.FixtureRequest) -> Bench:
    """The adapters, on the sandbox."""
    cloud: SageMakerCloud = request.getfixturevalue("sagemaker_cloud")
    cloud.script()
    scene = cloud.make_scene()
    repositories = EcrRepositories(cloud.wire.session)
    cloud.wire.logins.repositories.append(repositories)
    store = scene.local.images
    return Bench(
        ports=open_ports(cloud.wire.session, repositories, HastyClock(), cloud.folder),
        images=TinyImages(store=store, registries=cloud.wire.registries),
        key=scene.key,
        make_image=lambda fingerprint: make_tiny_image(store, fingerprint).digest,
        pause=0.01,
    )


KEY = DeploymentKey(environment="sagemaker", name="wine")


@pytest.fixture(params=[open_memory, open_sandbox], ids=["memory", "sandbox"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """An account, of which nothing is left."""
    opened: Bench = request.param(request)
    yield opened
    opened.clear()
    assert not opened.ports.account.describe_deployment(opened.key).exists


def test_nothing_is_seen_where_nothing_is(bench: Bench) -> None:
    seen = bench.ports.account.describe_deployment(bench.key)
    assert (seen.exists, seen.endpoint, seen.revisions, seen.alarms, seen.scaling, seen.next_number) == (
        False,
        None,
        (),
        None,
        None,
        1,
    )
    assert bench.ports.repositories.find_repository(derive_repository_name(bench.endpoint)) is None


def test_revision_is_made_once_and_read_back_as_it_was(bench: Bench) -> None:
    spec = bench.make_spec(env=(("LEVEL", "high"),), tags=(("team", "wine"),))
    name = bench.make_revision(1, spec)
    assert bench.make_revision(1, spec) == name
    (revision,) = bench.ports.account.describe_deployment(bench.key).revisions
    assert (revision.name, revision.number, revision.spec, revision.has_served) == (name, 1, spec, False)
    assert (revision.has_model, revision.has_config) == (True, True)
    bench.ports.revisions.mark_served(name)
    assert bench.ports.account.describe_deployment(bench.key).revisions[0].has_served


def test_name_that_is_taken_by_something_else_is_refused(bench: Bench) -> None:
    spec = bench.make_spec()
    bench.make_model(1, spec)
    other = CreateModel(number=1, name=bench.name(spec), spec=bench.make_spec(env=(("LEVEL", "low"),)))
    with pytest.raises(ConflictError):
        bench.ports.revisions.create_model(bench.key, other, bench.push(spec))


def test_endpoint_is_created_once_moved_once_and_deleted_once(bench: Bench) -> None:
    first, second = (bench.make_revision(number, bench.make_spec(number)) for number in (1, 2))
    for _ in range(2):
        endpoint = bench.create(first)
        assert (endpoint.status.value, endpoint.serving_config, endpoint.owner) == ("InService", first, str(bench.key))
    for _ in range(2):
        endpoint = bench.update(first, second)
        assert (endpoint.status.value, endpoint.serving_config) == ("InService", second)
    assert bench.ports.account.describe_deployment(bench.key).serving == 2
    assert bench.key.name in {one.name for one in bench.ports.account.list_deployments()}
    for _ in range(2):
        bench.ports.endpoints.delete_endpoint(bench.endpoint)
        assert bench.settle() is None


def test_endpoint_that_is_elsewhere_is_not_moved(bench: Bench) -> None:
    names = [bench.make_revision(number, bench.make_spec(number)) for number in (1, 2, 3)]
    bench.create(names[0])
    with pytest.raises(ConflictError) as caught:
        bench.update(names[1], names[2])
    assert caught.value.code == "plan-stale"


def test_what_is_live_is_not_deleted(bench: Bench) -> None:
    name = bench.make_revision(1, bench.make_spec())
    bench.create(name)
    with pytest.raises(ConflictError) as caught:
        bench.ports.revisions.delete_revision(name)
    assert caught.value.code == "revision-in-use"
    bench.ports.repositories.delete_image(
        derive_repository_name(bench.endpoint), bench.make_image(bench.make_spec().fingerprint)
    )
    (revision,) = bench.ports.account.describe_deployment(bench.key).revisions
    assert (revision.has_model, revision.has_config) == (True, True)


def test_deleted_revision_may_be_deleted_again(bench: Bench) -> None:
    name = bench.make_revision(1, bench.make_spec())
    for _ in range(2):
        bench.ports.revisions.delete_revision(name)
        assert bench.ports.account.describe_deployment(bench.key).revisions == ()


def test_alarms_are_as_they_were_put(bench: Bench) -> None:
    for policy in (
        AlarmPolicy(),
        AlarmPolicy(error_percent=None, latency_ms=200, periods=2),
        AlarmPolicy(latency_ms=100),
        None,
    ):
        bench.ports.supplies.put_alarms(bench.key, bench.endpoint, policy)
        assert bench.ports.account.describe_deployment(bench.key).alarms == policy


def test_scaling_is_as_it_was_put(bench: Bench) -> None:
    bench.create(bench.make_revision(1, bench.make_spec()))
    for scaling in (Scaling(minimum=1, maximum=2), Scaling(minimum=1, maximum=4, invocations_per_instance=10), None):
        bench.ports.supplies.put_scaling(bench.endpoint, scaling)
        assert bench.ports.account.describe_deployment(bench.key).scaling == scaling


def test_revision_is_registered_once(bench: Bench) -> None:
    first, second = bench.make_spec(1), bench.make_spec(2)
    bench.make_revision(1, first)
    assert bench.list_packages() == [None]
    arns = [bench.register(1, first) for _ in range(2)]
    assert arns[0] == arns[1]
    assert arns[0].endswith(f":model-package/{bench.endpoint}/1")
    bench.make_revision(2, second)
    assert bench.register(2, second).endswith(f":model-package/{bench.endpoint}/2")
    told = [RevisionPackage(group=bench.endpoint, arn=arns[0][:-1] + number) for number in "12"]
    assert bench.list_packages() == told


def test_package_goes_with_its_revision_and_the_group_with_the_last(bench: Bench) -> None:
    specs = [bench.make_spec(version) for version in (1, 2)]
    for number, spec in enumerate(specs, start=1):
        bench.make_revision(number, spec)
        bench.register(number, spec)
    bench.ports.revisions.delete_revision(bench.name(specs[0]))
    (left,) = bench.list_packages()
    assert left is not None
    assert left.arn is not None
    assert left.arn.endswith("/2")
    bench.ports.revisions.delete_revision(bench.name(specs[1]))
    bench.make_revision(1, specs[0])
    assert bench.register(1, specs[0]).endswith("/1")  # in a new group, whose versions are counted anew


def test_revision_is_moved_to_another_group(bench: Bench) -> None:
    spec = bench.make_spec()
    bench.make_revision(1, spec)
    before, after = bench.register(1, spec), bench.register(1, spec, f"{bench.endpoint}-2")
    assert before != after
    assert bench.list_packages() == [RevisionPackage(group=f"{bench.endpoint}-2", arn=after)]
    assert bench.register(1, spec) == before  # the first group was left empty, and had gone


def test_package_of_a_revision_that_is_not_there_is_refused(bench: Bench) -> None:
    with pytest.raises(DockyardError, match="Could not find"):
        bench.register(1, bench.make_spec())
