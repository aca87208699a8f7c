"""SageMaker's words: names that the service takes, what an endpoint's status says of its revisions, and hints."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockyard.domain.deployment import RevisionStatus
from dockyard.domain.observed import DeploymentState, ObservedDeployment
from dockyard.domain.sagemaker import (
    Endpoint,
    EndpointStatus,
    Instances,
    Serverless,
    derive_endpoint_name,
    derive_repository_name,
    derive_revision_name,
    derive_role_name,
    describe_capacity,
)
from dockyard.domain.sagemaker_hints import find_hint
from support.local_values import KEY, make_revision

ENTITY_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""Of endpoints, configurations and models, as the service's API reference has it."""
REPOSITORY_NAME = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
deployment_names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?", fullmatch=True)


@given(st.sampled_from(["sagemaker", "prod", "p" * 63]), deployment_names, st.text())
def test_every_name_that_is_made_is_one_that_the_service_takes(environment: str, name: str, spec_hash: str) -> None:
    endpoint = derive_endpoint_name(environment, name)
    revision = derive_revision_name(endpoint, str(hash(spec_hash)))
    assert ENTITY_NAME.fullmatch(endpoint)
    assert ENTITY_NAME.fullmatch(revision)
    assert len(revision) <= 63
    assert REPOSITORY_NAME.fullmatch(derive_repository_name(endpoint))
    assert ROLE_NAME.fullmatch(derive_role_name(endpoint))


@given(deployment_names, deployment_names)
def test_two_deployments_never_share_an_endpoint_or_a_revision(one: str, other: str) -> None:
    names = {(environment, name) for environment in ("sagemaker", "prod") for name in (one, other)}
    endpoints = {derive_endpoint_name(environment, name) for environment, name in names}
    assert len(endpoints) == len(names)
    assert len({derive_revision_name(endpoint, "same") for endpoint in endpoints}) == len(names)


def test_model_of_the_first_line_of_the_manual_has_a_legal_name() -> None:
    assert ENTITY_NAME.fullmatch(derive_endpoint_name("sagemaker", "my_first_model"))
    assert derive_endpoint_name("sagemaker", "wine") == "wine"


@pytest.mark.parametrize(
    ("status", "serving", "at", "pending"),
    [
        ("Creating", None, RevisionStatus.STARTING, RevisionStatus.STOPPED),
        ("InService", "at", RevisionStatus.READY, RevisionStatus.STOPPED),
        ("Updating", "at", RevisionStatus.READY, RevisionStatus.STARTING),
        ("RollingBack", "at", RevisionStatus.READY, RevisionStatus.STOPPED),
        ("SystemUpdating", "at", RevisionStatus.READY, RevisionStatus.STOPPED),
        ("UpdateRollbackFailed", "at", RevisionStatus.READY, RevisionStatus.STOPPED),
        ("Failed", None, RevisionStatus.FAILED, RevisionStatus.STOPPED),
        ("OutOfService", None, RevisionStatus.STOPPED, RevisionStatus.STOPPED),
        ("Deleting", None, RevisionStatus.STOPPED, RevisionStatus.STOPPED),
    ],
)
def test_endpoint_makes_of_its_revisions(status: str, serving: str | None, at: RevisionStatus, pending: RevisionStatus) -> None:
    endpoint = Endpoint(name="wine", status=EndpointStatus(status), config="at", pending_config="to")
    assert endpoint.serving_config == serving
    assert (endpoint.describe_revision("at"), endpoint.describe_revision("to")) == (at, pending)
    assert endpoint.describe_revision("other") is RevisionStatus.STOPPED


def test_capacity_is_told_in_a_few_words() -> None:
    assert describe_capacity(Instances(instance_type="ml.c6i.large", count=2)) == "2 x ml.c6i.large"
    assert describe_capacity(Serverless(memory_mb=2048, max_concurrency=5)) == "serverless, 2048 MB, at most 5 at a time"


@pytest.mark.parametrize(
    ("reason", "line", "hint"),
    [
        ("The primary container for production variant AllTraffic did not pass the ping health check.", "", "/ping"),
        ("did not pass the ping health check", "exec format error", "/ping"),
        ("", "exec /usr/bin/python: exec format error", "another processor"),
        ("Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity", "", "no free instances"),
        ("ResourceLimitExceeded: the account-level service limit", "", "Service Quotas"),
        ("Could not access model data at s3://bucket/key", "", "model data"),
        ("CannotPullContainerError: image not found", "", "cannot be pulled"),
        ("Could not assume role arn:aws:iam::1:role/x", "", "sagemaker.amazonaws.com"),
        ("One or more CloudWatch alarms went off", "", "an alarm"),
        ("", "proof-differs: predictions[0]", "answers differently"),
        ("", "the model does not answer its own input example", "its own input example"),
        ("", "Killed", "too little memory"),
        ("", "", "gives no reason"),
    ],
)
def test_hint_says_what_to_do(reason: str, line: str, hint: str) -> None:
    assert hint in find_hint(reason, [line])


def test_target_that_says_no_more_of_its_deployments_tells_what_all_have() -> None:
    seen = ObservedDeployment(key=KEY, revisions=(make_revision(1, 1),), serving=1)
    assert (seen.exists, seen.endpoint_name, seen.capacity, seen.state) == (True, None, None, DeploymentState.SERVING)
    assert not ObservedDeployment(key=KEY).exists
