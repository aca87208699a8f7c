"""The account in memory refuses what the service refuses: a test that passes on it proves something."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.image import ImageDigest
from dockyard.domain.sagemaker import EndpointStatus, Rollout, Scaling
from dockyard.domain.sagemaker_steps import (
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    DeleteSupplies,
    UpdateEndpoint,
)
from dockyard.testing.endpoints import Course, Ending
from dockyard.testing.sagemaker import MemoryAccount
from support.sagemaker_bench import NO_WAIT, SageMakerBench, run
from support.sagemaker_values import ENDPOINT, GIVEN_ROLE, KEY, make_spec, name_revision

IMAGE = ImageDigest("registry.example/wine@sha256:1")


@pytest.fixture
def bench() -> SageMakerBench:
    """Version 1 serves, version 2 is a revision."""
    made = SageMakerBench()
    run(made, 2)
    run(made, 1)
    return made


def update_step(account: MemoryAccount, version: int) -> UpdateEndpoint:
    configs = {one.spec.model.version: name for name, one in account.configs.items()}
    return UpdateEndpoint(
        endpoint=ENDPOINT,
        config=configs[str(version)],
        number=1,
        previous_config=configs["1"],
        rollout=Rollout(),
        alarms=None,
        keeps_counts=False,
    )


def refuse(act: object, code: str) -> None:
    assert callable(act)
    with pytest.raises(DockyardError) as caught:
        act()
    assert caught.value.code == code


def test_endpoint_that_moves_takes_neither_another_update_nor_a_deletion(bench: SageMakerBench) -> None:
    account = bench.account
    account.update_endpoint(update_step(account, 2))
    account.update_endpoint(update_step(account, 2))
    assert bench.endpoint.status is EndpointStatus.UPDATING
    refuse(lambda: account.delete_endpoint(ENDPOINT), "endpoint-busy")
    refuse(lambda: account.update_endpoint(dataclasses.replace(update_step(account, 2), config="third")), "plan-stale")
    assert [account.describe_endpoint(ENDPOINT) is not None for _ in range(3)] == [True, True, True]
    assert bench.serving_version() == "2"


def test_endpoint_that_failed_can_only_be_deleted(bench: SageMakerBench) -> None:
    account = bench.account
    account.next_courses.append(Course(ending=Ending.FAILS))
    account.update_endpoint(update_step(account, 2))
    account.endpoints[ENDPOINT].settle()
    refuse(lambda: account.update_endpoint(update_step(account, 2)), "aws-refused")
    account.delete_endpoint(ENDPOINT)
    account.delete_endpoint(ENDPOINT)
    while account.describe_endpoint(ENDPOINT):
        continue
    assert account.endpoints == {}
    account.delete_endpoint(ENDPOINT)
    refuse(lambda: account.update_endpoint(update_step(account, 2)), "plan-stale")


def test_names_that_are_taken_are_success_for_the_same_only(bench: SageMakerBench) -> None:
    account = bench.account
    step = CreateEndpoint(endpoint=ENDPOINT, config=bench.endpoint.config, number=1)
    account.create_endpoint(KEY, step)
    refuse(lambda: account.create_endpoint(dataclasses.replace(KEY, name="beer"), step), "endpoint-not-ours")
    refuse(lambda: account.create_endpoint(KEY, dataclasses.replace(step, config="another")), "plan-stale")
    model = account.models[bench.endpoint.config]
    again = CreateModel(number=1, name=bench.endpoint.config, spec=model.spec)
    account.create_model(KEY, again, model.image)
    refuse(lambda: account.create_model(dataclasses.replace(KEY, name="beer"), again, model.image), "plan-stale")


def test_what_is_made_of_something_needs_it() -> None:
    account = MemoryAccount()
    spec = make_spec(1, role=GIVEN_ROLE)
    name = name_revision(spec)
    refuse(lambda: account.create_model(KEY, CreateModel(number=1, name=name, spec=spec), IMAGE), "aws-refused")
    refuse(lambda: account.create_model(KEY, CreateModel(number=1, name=name, spec=make_spec(1)), IMAGE), "aws-refused")
    refuse(lambda: account.create_endpoint_config(KEY, CreateEndpointConfig(number=1, name=name, spec=spec)), "aws-refused")
    refuse(lambda: account.create_endpoint(KEY, CreateEndpoint(endpoint=ENDPOINT, config=name, number=1)), "aws-refused")
    refuse(lambda: account.mark_served(name), "aws-refused")
    refuse(lambda: account.put_scaling(ENDPOINT, Scaling(minimum=1, maximum=2)), "aws-refused")
    assert account.describe_deployment(KEY).exists is False


def test_what_is_in_use_is_not_deleted(bench: SageMakerBench) -> None:
    account = bench.account
    refuse(lambda: account.delete_revision(bench.endpoint.config), "revision-in-use")
    account.update_endpoint(update_step(account, 2))
    refuse(lambda: account.delete_revision(update_step(account, 2).config), "revision-in-use")
    for repository, role in ((f"dockyard/{ENDPOINT}", None), (None, f"dockyard-{ENDPOINT}")):
        step = DeleteSupplies(endpoint=ENDPOINT, repository=repository, role=role, has_alarms=False)
        refuse(lambda step=step: account.delete_supplies(step), "revision-in-use")
    image = account.models[bench.endpoint.config].image
    account.delete_image(f"dockyard/{ENDPOINT}", image.rpartition("@")[2])
    assert image in bench.images.pushed.values()
    assert len(account.refusals) == 4


def test_creation_is_seen_late_and_moves_by_looks() -> None:
    bench = SageMakerBench()
    bench.account.usual = Course(hidden=1, looks=1)
    run(bench, policy=NO_WAIT)
    looks = [bench.account.describe_endpoint(ENDPOINT) for _ in range(3)]
    assert [one.status.value if one else None for one in looks] == [None, "Creating", "InService"]


def test_act_of_somebody_else_happens_once(bench: SageMakerBench) -> None:
    acts: list[str] = []
    bench.account.strangers["mark_served"] = lambda: acts.append("now")
    for _ in range(2):
        bench.account.mark_served(bench.endpoint.config)
    assert acts == ["now"]


def test_orphans_are_what_no_deployment_has(bench: SageMakerBench) -> None:
    account = bench.account
    assert account.list_orphans() == ()
    account.create_repository(dataclasses.replace(KEY, name="beer"), "dockyard/beer")
    assert account.list_orphans() == ("repository dockyard/beer",)
    account.delete_orphans()
    assert account.list_orphans() == ()
    assert "dockyard/wine" in account.repositories


def test_conflicts_are_conflicts(bench: SageMakerBench) -> None:
    with pytest.raises(ConflictError):
        bench.account.delete_revision(bench.endpoint.config)
