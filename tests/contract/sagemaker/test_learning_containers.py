"""AWS's own registries are signed in to with the credentials of the environment, once a container of theirs is a base."""

from __future__ import annotations

import pytest

from dockyard.adapters.sagemaker.repositories import EcrRepositories
from support.sagemaker_cloud import SageMakerCloud

pytestmark = pytest.mark.process

AWS_REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"


def test_registry_is_signed_in_to_only_when_it_is_trusted(sagemaker_cloud: SageMakerCloud) -> None:
    sagemaker_cloud.script()
    repositories = EcrRepositories(sagemaker_cloud.wire.session)
    assert repositories.find_credentials(AWS_REGISTRY) is None
    repositories.trust_host(AWS_REGISTRY)
    credentials = repositories.find_credentials(AWS_REGISTRY)
    assert credentials is not None
    assert credentials.user == "AWS"
    assert repositories.find_credentials("registry.example.com") is None
