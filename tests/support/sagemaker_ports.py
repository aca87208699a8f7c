"""The ports of an account, in memory or on the sandbox, and one deployment that contract tests make in it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from dockyard.adapters.sagemaker.repositories import EcrRepositories
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.image import BuiltImage, Fingerprint, ImageDigest
from dockyard.domain.sagemaker import (
    Endpoint,
    Rollout,
    SageMakerPolicy,
    SageMakerSpec,
    derive_endpoint_name,
    derive_repository_name,
    derive_revision_name,
    derive_role_name,
)
from dockyard.domain.sagemaker_component import InferenceComponent
from dockyard.domain.sagemaker_component_steps import CreateComponent, CreateHostConfig, UpdateComponent
from dockyard.domain.sagemaker_host import HostEndpoint, derive_host_name, make_host
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
from dockyard.testing.sagemaker_components import MemoryComponents
from dockyard.testing.sagemaker_packages import MemoryPackages
from dockyard.testing.sagemaker_scorer import MemoryPreflight
from dockyard.usecases.site_sagemaker import SageMakerPorts
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_scene import HastyClock, open_ports
from support.sagemaker_values import make_spec
from support.tiny_images import TinyImages, make_tiny_image


@dataclass(kw_only=True)
class PortsBench:
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

    def make_host(self, spec: SageMakerSpec) -> str:
        """An endpoint for components, in service; returns its configuration's name."""
        host = make_host(spec.settings, SageMakerPolicy())
        name = derive_host_name(self.endpoint, host)
        for _ in range(2):
            self.ports.components.create_host_config(self.key, CreateHostConfig(name=name, host=host))
        create = CreateEndpoint(endpoint=self.endpoint, config=name, number=1, is_host=True)
        self.ports.endpoints.create_endpoint(self.key, create)
        self.settle()
        return name

    def create_component(self, spec: SageMakerSpec) -> InferenceComponent:
        """The component with a revision, settled."""
        step = CreateComponent(endpoint=self.endpoint, model=self.name(spec), number=1, spec=spec)
        self.ports.components.create_component(self.key, step)
        return self.settle_component()

    def update_component(self, before: SageMakerSpec, after: SageMakerSpec) -> InferenceComponent:
        """The component, moved to another revision."""
        step = UpdateComponent(
            endpoint=self.endpoint,
            model=self.name(after),
            number=2,
            spec=after,
            previous=self.name(before),
            previous_spec=before,
            copies=2,
            rollout=Rollout(wait_seconds=0),
            alarms=None,
        )
        self.ports.components.update_component(step)
        return self.settle_component()

    def find_component(self) -> InferenceComponent | None:
        """The component as it is."""
        endpoint = self.ports.endpoints.describe_endpoint(self.endpoint)
        return endpoint.component if isinstance(endpoint, HostEndpoint) else None

    def settle_component(self) -> InferenceComponent:
        """The component when it does not move any more."""
        for _ in range(1000):
            component = self.find_component()
            if component is not None and not component.status.is_moving:
                return component
            time.sleep(self.pause)
        raise AssertionError("it does not settle")

    def delete_component(self) -> None:
        """Until it is gone."""
        self.ports.components.delete_component(self.endpoint)
        for _ in range(1000):
            if self.find_component() is None:
                return
            time.sleep(self.pause)
        raise AssertionError("it does not go")

    def clear(self) -> None:
        """Take all away that a test has made."""
        if self.find_component() is not None:
            self.delete_component()
        if self.settle() is not None:
            self.ports.endpoints.delete_endpoint(self.endpoint)
            self.settle()
        seen = self.ports.account.describe_deployment(self.key)
        for config in seen.host_configs:
            self.ports.components.delete_host_config(config)
        for one in seen.revisions:
            self.ports.revisions.delete_revision(one.name)
        repository, role = derive_repository_name(self.endpoint), derive_role_name(self.endpoint)
        step = DeleteSupplies(endpoint=self.endpoint, repository=repository, role=role, has_alarms=True)
        self.ports.supplies.delete_supplies(step)


def open_memory(_: pytest.FixtureRequest) -> PortsBench:
    """In memory."""
    account = MemoryAccount()
    ports = SageMakerPorts(
        account=account,
        revisions=account,
        endpoints=account,
        components=MemoryComponents(account=account),
        repositories=account,
        supplies=account,
        packages=MemoryPackages(account=account),
        preflight=MemoryPreflight(),
        containers=MemoryLearningContainers(),
    )
    key = dataclasses.replace(KEY, name="wine")
    return PortsBench(ports=ports, images=account.images, key=key, make_image=lambda one: f"sha256:{one}", pause=0)


def open_sandbox(request: pytest.FixtureRequest) -> PortsBench:
    """The adapters, on the sandbox."""
    cloud: SageMakerCloud = request.getfixturevalue("sagemaker_cloud")
    cloud.script()
    scene = cloud.make_scene()
    repositories = EcrRepositories(cloud.wire.session)
    cloud.wire.logins.repositories.append(repositories)
    store = scene.local.images
    return PortsBench(
        ports=open_ports(cloud.wire.session, repositories, HastyClock(), cloud.folder),
        images=TinyImages(store=store, registries=cloud.wire.registries),
        key=scene.key,
        make_image=lambda fingerprint: make_tiny_image(store, fingerprint).digest,
        pause=0.01,
    )


KEY = DeploymentKey(environment="sagemaker", name="wine")
