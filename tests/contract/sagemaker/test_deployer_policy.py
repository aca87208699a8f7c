"""The deployer's policy against what a deployment really calls: all of it is allowed, and nothing in it is without use.

Every adapter goes once through the life of an endpoint with all options, under that policy. The sandbox records each call with
the permissions that it takes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockyard.adapters.clock import SystemClock
from dockyard.adapters.sagemaker.account import AwsAccount
from dockyard.adapters.sagemaker.components import SageMakerComponents
from dockyard.adapters.sagemaker.endpoints import SageMakerEndpoints
from dockyard.adapters.sagemaker.packages import SageMakerPackages
from dockyard.adapters.sagemaker.policies import Document, Grantee, render_deployer_policy
from dockyard.adapters.sagemaker.preflight import SageMakerPreflight
from dockyard.adapters.sagemaker.prices import PriceBook
from dockyard.adapters.sagemaker.repositories import EcrRepositories
from dockyard.adapters.sagemaker.requests import render_all
from dockyard.adapters.sagemaker.revisions import SageMakerRevisions
from dockyard.adapters.sagemaker.scorer import SageMakerScorer
from dockyard.adapters.sagemaker.session import Session
from dockyard.adapters.sagemaker.supplies import SageMakerSupplies
from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard.domain.sagemaker import (
    Account,
    AlarmPolicy,
    AsyncInference,
    EndpointStatus,
    ModelDelivery,
    Rollout,
    SageMakerPolicy,
    SageMakerSettings,
    SageMakerSpec,
    Scaling,
    ScheduledCapacity,
    derive_repository_name,
    derive_revision_name,
    derive_role_name,
)
from dockyard.domain.sagemaker_component import Component, ComponentStatus
from dockyard.domain.sagemaker_component_steps import CreateComponent, CreateHostConfig, UpdateComponent
from dockyard.domain.sagemaker_host import HostEndpoint, derive_host_name, make_host
from dockyard.domain.sagemaker_package import PackagePolicy
from dockyard.domain.sagemaker_place import AwsAccess
from dockyard.domain.sagemaker_steps import (
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    CreateRole,
    DeleteSupplies,
    RegisterPackage,
    UpdateEndpoint,
    UploadModel,
)
from dockyard.ports import Request, ResolvedModel
from dockyard_image import RegistrySettings
from dockyard_image.push import push
from dockyard_sandbox.calls import Call
from dockyard_sandbox.fields import as_fields
from dockyard_sandbox.policy import read_policy
from support.any_bench import make_resolved
from support.images import open_registries
from support.local_values import make_model
from support.patience import wait_for
from support.policies import list_actions, take_away
from support.sagemaker_values import KEY
from support.sandbox_cloud import REGION, CloudBench, open_cloud
from support.sandbox_images import build_sandbox_stand_in

pytestmark = pytest.mark.process
ENDPOINT = "wine"
REPOSITORY, ROLE = derive_repository_name(ENDPOINT), derive_role_name(ENDPOINT)
ACCOUNT = Account(id="123456789012", region=REGION)
GROUP = "Wine-Models"
GRANTEE = Grantee(account=ACCOUNT, endpoint=ENDPOINT, package_group=GROUP)
SCALING = Scaling(
    minimum=1,
    maximum=2,
    invocations_per_instance=10,
    schedule=(ScheduledCapacity(name="night", schedule="cron(0 22 * * ? *)", minimum=1, maximum=1),),
)
SLEEPY = dataclasses.replace(SCALING, minimum=0)
COMPONENT = Component(memory_mb=512)
EXAMPLE = Request(body=b'{"inputs": [1]}', content_type="application/json")
LARGE = Request(body=b'{"inputs": "' + b"x" * 200_000 + b'"}', content_type="application/json")
UNSEEN = {
    "cloudwatch:TagResource": "taken by the tags of PutMetricAlarm",
    "ecr:UploadLayerPart": "a layer that is sent in one request is a part to AWS",
    "ecr:TagResource": "taken by the tags of CreateRepository",
    "iam:TagRole": "taken by the tags of CreateRole",
    "iam:CreateServiceLinkedRole": "application autoscaling calls it on the caller's behalf, once in an account",
    "kms:CreateGrant": "SageMaker calls it on the caller's behalf",
    "kms:Decrypt": "S3 calls it on the caller's behalf",
    "kms:GenerateDataKey": "S3 calls it on the caller's behalf",
    "s3:AbortMultipartUpload": "only where an upload in parts fails",
    "sts:GetCallerIdentity": "AWS allows it to everybody",
}
"""Permissions that AWS asks for beside the call's own, which the sandbox does not."""

_OF_JOBS = "TransformJob"
"""In the names of actions for batch transform, which is no part of an endpoint's life."""


@dataclass(frozen=True, kw_only=True)
class Deployer:
    """Everything that calls AWS for a deployment."""

    session: Session
    repositories: EcrRepositories
    endpoints: SageMakerEndpoints
    supplies: SageMakerSupplies
    packages: SageMakerPackages
    revisions: SageMakerRevisions
    components: SageMakerComponents
    account: AwsAccount
    scorer: SageMakerScorer
    preflight: SageMakerPreflight


def make_deployer(folder: Path) -> Deployer:
    """As the composition root puts it together."""
    session = Session(AwsAccess(region=REGION))
    repositories, endpoints = EcrRepositories(session), SageMakerEndpoints(session)
    supplies = SageMakerSupplies(session, repositories)
    revisions = SageMakerRevisions(session=session, endpoints=endpoints, repositories=repositories, clock=SystemClock())
    account = AwsAccount(
        environment=KEY.environment,
        session=session,
        endpoints=endpoints,
        revisions=revisions,
        repositories=repositories,
        supplies=supplies,
    )
    return Deployer(
        session=session,
        repositories=repositories,
        endpoints=endpoints,
        supplies=supplies,
        packages=SageMakerPackages(session),
        revisions=revisions,
        components=SageMakerComponents(session=session, revisions=revisions),
        account=account,
        scorer=SageMakerScorer(session, lambda _fingerprint, _answer: None),
        preflight=SageMakerPreflight(session, render_all, PriceBook(folder)),
    )


@dataclass(kw_only=True)
class Life:
    """The life of an endpoint, step by step."""

    deployer: Deployer
    settings: SageMakerSettings
    model: ResolvedModel
    push: Callable[[str], str]

    def live(self) -> None:
        """All of it."""
        self.prepare()
        plain = dataclasses.replace(self.settings, asynchronous=None)
        first, second = self.make_revision(1, plain), self.make_revision(2, self.settings)
        self.create(first)
        self.update(first, second)
        self.delete(first, second)
        self.live_as_component(dataclasses.replace(plain, component=COMPONENT))

    def live_as_component(self, settings: SageMakerSettings) -> None:
        """The same name again, for a component with two revisions, which may be scaled down to none."""
        deployer = self.deployer
        self.prepare()
        first = self.make_spec(settings)
        second = self.make_spec(dataclasses.replace(settings, env=(("A", "1"),)))
        names = [self.make_model(number, spec) for number, spec in enumerate((first, second), start=1)]
        host = make_host(settings, SageMakerPolicy(scaling=SLEEPY))
        config = derive_host_name(ENDPOINT, host)
        deployer.components.create_host_config(KEY, CreateHostConfig(name=config, host=host))
        create = CreateEndpoint(endpoint=ENDPOINT, config=config, number=1, is_host=True)
        deployer.endpoints.create_endpoint(KEY, create)
        self.wait(config)
        deployer.components.create_component(KEY, CreateComponent(endpoint=ENDPOINT, model=names[0], number=1, spec=first))
        self.wait_component(names[0])
        deployer.revisions.mark_served(names[0], on_model=True)
        deployer.supplies.put_alarms(KEY, ENDPOINT, AlarmPolicy(latency_ms=1000), of_component=True)
        deployer.supplies.put_scaling(ENDPOINT, SLEEPY, of_component=True)
        deployer.scorer.invoke(ENDPOINT, EXAMPLE, 20)
        wait_for(lambda: deployer.endpoints.read_logs(ENDPOINT, tail=5) != (), seconds=20)
        update = UpdateComponent(
            endpoint=ENDPOINT,
            model=names[1],
            number=2,
            spec=second,
            previous=names[0],
            previous_spec=first,
            copies=1,
            rollout=Rollout(wait_seconds=0),
            alarms=AlarmPolicy(latency_ms=1000),
        )
        deployer.components.update_component(update)
        self.wait_component(names[1])
        deployer.components.delete_component(ENDPOINT)
        self.wait_component(None)
        self.delete(*names, host=config)

    def prepare(self) -> None:
        """Look, and make what is missing."""
        deployer = self.deployer
        deployer.preflight.examine(KEY, self.settings)
        deployer.preflight.refresh_prices()
        deployer.account.describe_deployment(KEY)
        deployer.repositories.create_repository(KEY, REPOSITORY)
        deployer.supplies.create_role(KEY, CreateRole(name=ROLE, spec=self.make_spec(self.settings)))
        deployer.supplies.put_alarms(KEY, ENDPOINT, AlarmPolicy(latency_ms=1000))

    def make_spec(self, settings: SageMakerSettings) -> SageMakerSpec:
        """A revision's."""
        return SageMakerSpec(model=make_model(1), fingerprint=Fingerprint("sha256:" + "0" * 64), settings=settings)

    def make_revision(self, number: int, settings: SageMakerSettings) -> str:
        """Its image, data, model and configuration; returns its name."""
        spec = self.make_spec(settings)
        name = self.make_model(number, spec)
        revisions = self.deployer.revisions
        for _ in ("at first", "after a lost answer"):
            revisions.create_endpoint_config(KEY, CreateEndpointConfig(number=number, name=name, spec=spec))
        return name

    def make_model(self, number: int, spec: SageMakerSpec) -> str:
        """Its image, data and model; returns its name."""
        name = derive_revision_name(ENDPOINT, spec.spec_hash)
        uri = self.deployer.repositories.find_repository(REPOSITORY)
        assert uri is not None
        image = ImageDigest(self.push(f"{uri}:v{number}"))
        self.deployer.revisions.upload_model(KEY, UploadModel(name=name, spec=spec), self.model)
        self.deployer.revisions.create_model(KEY, CreateModel(number=number, name=name, spec=spec), image)
        return name

    def create(self, name: str) -> None:
        """The endpoint with a revision, its scaling, and a look at it from everywhere."""
        deployer = self.deployer
        deployer.endpoints.create_endpoint(KEY, CreateEndpoint(endpoint=ENDPOINT, config=name, number=1))
        self.wait(name)
        deployer.revisions.mark_served(name)
        spec = self.make_spec(dataclasses.replace(self.settings, asynchronous=None))
        package = RegisterPackage(number=1, name=name, spec=spec, package=PackagePolicy(group=GROUP))
        deployer.packages.register_package(KEY, package)
        deployer.supplies.put_scaling(ENDPOINT, SCALING)
        deployer.scorer.invoke(ENDPOINT, EXAMPLE, 20)
        wait_for(lambda: deployer.endpoints.read_logs(ENDPOINT, tail=5) != (), seconds=20)
        assert deployer.account.describe_deployment(KEY).serving == 1
        assert deployer.account.list_deployments() == (KEY,)
        assert deployer.account.list_orphans() == ()

    def update(self, old: str, name: str) -> None:
        """To an asynchronous revision, which is asked by way of S3."""
        step = UpdateEndpoint(
            endpoint=ENDPOINT,
            config=name,
            number=2,
            previous_config=old,
            rollout=Rollout(wait_seconds=0),
            alarms=AlarmPolicy(latency_ms=1000),
            keeps_counts=True,
        )
        self.deployer.endpoints.update_endpoint(step)
        self.wait(name)
        self.deployer.scorer.invoke(ENDPOINT, LARGE, 20)

    def delete(self, *names: str, host: str | None = None) -> None:
        """Everything."""
        deployer = self.deployer
        deployer.endpoints.delete_endpoint(ENDPOINT)
        wait_for(lambda: deployer.endpoints.describe_endpoint(ENDPOINT) is None, seconds=20)
        if host is not None:
            deployer.components.delete_host_config(host)
        for name in names:
            deployer.revisions.delete_revision(name)
        deployer.supplies.delete_supplies(DeleteSupplies(endpoint=ENDPOINT, repository=REPOSITORY, role=ROLE, has_alarms=True))
        assert not deployer.account.describe_deployment(KEY).exists

    def wait_component(self, model: str | None) -> None:
        """Until the component serves a model; None: is gone."""

        def serves() -> bool:
            endpoint = self.deployer.endpoints.describe_endpoint(ENDPOINT)
            component = endpoint.component if isinstance(endpoint, HostEndpoint) else None
            if component is None or model is None:
                return component is None and model is None
            return (component.status, component.model) == (ComponentStatus.IN_SERVICE, model)

        wait_for(serves, seconds=60)

    def wait(self, config: str) -> None:
        """Until the endpoint serves a configuration."""

        def serves() -> bool:
            endpoint = self.deployer.endpoints.describe_endpoint(ENDPOINT)
            return endpoint is not None and (endpoint.status, endpoint.config) == (EndpointStatus.IN_SERVICE, config)

        wait_for(serves, seconds=60)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudBench]:
    with open_cloud(tmp_path_factory.mktemp("cloud")) as opened, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", opened.sandbox.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield opened


@pytest.fixture(scope="module")
def settings(cloud: CloudBench) -> SageMakerSettings:
    for bucket in ("models", "answers"):
        cloud.client("s3").create_bucket(Bucket=bucket)
    return SageMakerSettings(
        role=f"arn:aws:iam::{ACCOUNT.id}:role/{ROLE}",
        delivery=ModelDelivery.PREFIX,
        bucket="s3://models/team",
        kms_key=cloud.client("kms").create_key()["KeyMetadata"]["Arn"],
        asynchronous=AsyncInference(output="s3://answers/wine"),
    )


@pytest.fixture(scope="module")
def document(settings: SageMakerSettings) -> Document:
    return render_deployer_policy(GRANTEE, dataclasses.replace(settings, component=COMPONENT))


@pytest.fixture(scope="module")
def calls(
    cloud: CloudBench, settings: SageMakerSettings, document: Document, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Call, ...]:
    """What was called, all of it under the policy."""
    folder = tmp_path_factory.mktemp("life")
    store, built = build_sandbox_stand_in(folder / "image")
    image = dataclasses.replace(built, base="registry.example.com/python:3.11")  # with one, as an image for SageMaker has
    (folder / "model").mkdir()
    (folder / "model" / "MLmodel").write_text("flavors: {}\n")
    deployer = make_deployer(folder)
    registries = open_registries(folder / "registries", RegistrySettings(providers=(deployer.repositories.find_credentials,)))
    cloud.sandbox.guard.set_policy(read_policy(as_fields(document)))
    before = len(cloud.sandbox.calls.list_calls())
    with registries:
        life = Life(
            deployer=deployer,
            settings=settings,
            model=dataclasses.replace(make_resolved(1), folder=folder / "model"),
            push=lambda reference: push(store, image, reference, registries),
        )
        life.live()
    for client in deployer.session._clients.values():
        client.close()
    return tuple(cloud.sandbox.calls.list_calls()[before:])


def test_whole_life_of_an_endpoint_is_allowed(calls: tuple[Call, ...], document: Document) -> None:
    policy = read_policy(as_fields(document))

    assert len(calls) > 60
    assert [call.site for call in calls if policy.find_denied(call.site) is not None] == []
    assert [call for call in calls if call.error in {"AccessDenied", "AccessDeniedException"}] == []


def list_seen(settings: SageMakerSettings) -> set[str]:
    document = render_deployer_policy(GRANTEE, settings)
    return {action for action in list_actions(document) - UNSEEN.keys() if _OF_JOBS not in action}


FULL = SageMakerSettings(
    role="r",
    bucket="s3://b",
    kms_key="k",
    asynchronous=AsyncInference(output="s3://b"),
    component=COMPONENT,
)


@pytest.mark.parametrize("action", sorted(list_seen(FULL)))
def test_action_that_is_taken_away_is_missed(calls: tuple[Call, ...], document: Document, action: str) -> None:
    policy = read_policy(as_fields(take_away(document, action)))

    assert action in {denied.action for denied in (policy.find_denied(call.site) for call in calls) if denied}


def test_what_is_not_seen_is_granted_for_a_reason(calls: tuple[Call, ...], document: Document) -> None:
    asked = {permission.action for call in calls for permission in call.site.permissions}

    assert UNSEEN.keys() <= list_actions(document)
    assert asked & (UNSEEN.keys() - {"sts:GetCallerIdentity"}) == set()
