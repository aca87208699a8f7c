"""What killed commands left outside SageMaker is found an hour later, and deleted; what is somebody else's is not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from typing_extensions import override

from dockyard.adapters.clock import SystemClock
from dockyard.adapters.sagemaker.account import AwsAccount
from dockyard.adapters.sagemaker.repositories import EcrRepositories
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.errors import DockyardError
from dockyard.domain.sagemaker import derive_endpoint_name, derive_repository_name, derive_role_name
from dockyard_sandbox.faults import Rule
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_scene import BUCKET, SETTINGS, Scene, open_ports
from support.sagemaker_things import Eyes

pytestmark = pytest.mark.process
KILLED = (
    Rule(kind="access-denied", service="sagemaker", operation="CreateModel", times=0),
    *(Rule(kind="access-denied", service=one, operation="*Delete*", times=0) for one in ("ecr", "s3", "iam")),
)
"""A deploy that these happen to leaves what one leaves that is killed before it makes the model: nothing is taken back."""


class LateClock(SystemClock):
    """The machine's, two hours later."""

    @override
    def now(self) -> datetime:
        return super().now() + timedelta(hours=2)


@pytest.fixture
def scene(sagemaker_cloud: SageMakerCloud) -> Iterator[Scene]:
    """A deployment that is gone when the test is over."""
    sagemaker_cloud.script()
    found = sagemaker_cloud.make_scene()
    yield found
    sagemaker_cloud.script()
    assert list_things(sagemaker_cloud, found) == []


def list_things(cloud: SageMakerCloud, scene: Scene) -> list[tuple[str, str]]:
    return Eyes(session=cloud.eyes, endpoint=scene.endpoint).list_things()


def look(scene: Scene, *, environment: str = "sagemaker", late: bool = True) -> AwsAccount:
    """The account as `gc` sees it."""
    session = scene.wire.session
    clock = LateClock() if late else SystemClock()
    account = open_ports(session, EcrRepositories(session), clock, scene.local.folder).account
    assert isinstance(account, AwsAccount)
    return dataclasses.replace(account, environment=environment, data_folder=SETTINGS.bucket)


def list_orphans(scene: Scene, **how: object) -> list[str]:
    """Those of the scene's: other tests have theirs in the same account."""
    return [one for one in look(scene, **how).list_orphans() if scene.name in one]  # type: ignore[arg-type]


def kill_deploy(cloud: SageMakerCloud, scene: Scene, version: int) -> None:
    cloud.script(*KILLED)
    with pytest.raises(DockyardError, match="CreateModel"):
        scene.deploy(version)
    cloud.script()


def test_first_deploy_that_was_killed_leaves_orphans_which_are_deleted(sagemaker_cloud: SageMakerCloud, scene: Scene) -> None:
    kill_deploy(sagemaker_cloud, scene, 1)
    assert [kind for kind, _ in list_things(sagemaker_cloud, scene)] == ["data", "image", "repository", "role"]
    repository, data = list_orphans(scene)
    assert repository == f"repository {derive_repository_name(scene.endpoint)}, and role {derive_role_name(scene.endpoint)}"
    assert data.startswith(f"model data {SETTINGS.bucket}/{scene.endpoint}-")
    assert list_orphans(scene, late=False) == []
    assert list_orphans(scene, environment="prod") == []
    look(scene).delete_orphans()


def test_update_that_was_killed_leaves_orphans_beside_what_serves(sagemaker_cloud: SageMakerCloud, scene: Scene) -> None:
    scene.deploy(1)
    before = list_things(sagemaker_cloud, scene)
    assert list_orphans(scene) == []
    kill_deploy(sagemaker_cloud, scene, 2)
    assert len(list_things(sagemaker_cloud, scene)) == len(before) + 2
    image, data = list_orphans(scene)
    assert image.startswith(f"image {derive_repository_name(scene.endpoint)}@sha256:")
    assert data.startswith("model data ")
    assert list_orphans(scene, late=False) == []
    look(scene).delete_orphans()
    assert list_things(sagemaker_cloud, scene) == before
    scene.delete()


def test_what_bears_no_mark_is_somebody_elses(sagemaker_cloud: SageMakerCloud, scene: Scene) -> None:
    ecr, s3 = sagemaker_cloud.eyes.client("ecr"), sagemaker_cloud.eyes.client("s3")
    other = DeploymentKey(environment="sagemaker", name=f"{scene.name}-other", target=Target.SAGEMAKER)
    names = (derive_repository_name(scene.endpoint), derive_repository_name(f"{scene.endpoint}-beside"))
    key = f"dockyard/{scene.endpoint}-0123456789abcdef/model.tar.gz"
    ecr.create_repository(repositoryName=names[0])
    EcrRepositories(scene.wire.session).create_repository(other, names[1])  # tagged as another one's
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"theirs")
    assert derive_endpoint_name(other.environment, other.name) != f"{scene.endpoint}-beside"
    assert list_orphans(scene) == []
    for name in names:
        ecr.delete_repository(repositoryName=name)
    s3.delete_object(Bucket=BUCKET, Key=key)
