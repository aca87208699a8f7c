"""What every SageMaker account does, in memory and in the sandbox: the ports that use cases and steps stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    Scaling,
    derive_repository_name,
)
from dockyard.domain.sagemaker_package import RevisionPackage
from dockyard.domain.sagemaker_steps import (
    CreateModel,
)
from support.sagemaker_ports import PortsBench, open_memory, open_sandbox


@pytest.fixture(params=[open_memory, open_sandbox], ids=["memory", "sandbox"])
def bench(request: pytest.FixtureRequest) -> Iterator[PortsBench]:
    """An account, of which nothing is left."""
    opened: PortsBench = request.param(request)
    yield opened
    opened.clear()
    assert not opened.ports.account.describe_deployment(opened.key).exists


def test_nothing_is_seen_where_nothing_is(bench: PortsBench) -> None:
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


def test_revision_is_made_once_and_read_back_as_it_was(bench: PortsBench) -> None:
    spec = bench.make_spec(env=(("LEVEL", "high"),), tags=(("team", "wine"),))
    name = bench.make_revision(1, spec)
    assert bench.make_revision(1, spec) == name
    (revision,) = bench.ports.account.describe_deployment(bench.key).revisions
    assert (revision.name, revision.number, revision.spec, revision.has_served) == (name, 1, spec, False)
    assert (revision.has_model, revision.has_config) == (True, True)
    bench.ports.revisions.mark_served(name)
    assert bench.ports.account.describe_deployment(bench.key).revisions[0].has_served


def test_name_that_is_taken_by_something_else_is_refused(bench: PortsBench) -> None:
    spec = bench.make_spec()
    bench.make_model(1, spec)
    other = CreateModel(number=1, name=bench.name(spec), spec=bench.make_spec(env=(("LEVEL", "low"),)))
    with pytest.raises(ConflictError):
        bench.ports.revisions.create_model(bench.key, other, bench.push(spec))


def test_endpoint_is_created_once_moved_once_and_deleted_once(bench: PortsBench) -> None:
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


def test_endpoint_that_is_elsewhere_is_not_moved(bench: PortsBench) -> None:
    names = [bench.make_revision(number, bench.make_spec(number)) for number in (1, 2, 3)]
    bench.create(names[0])
    with pytest.raises(ConflictError) as caught:
        bench.update(names[1], names[2])
    assert caught.value.code == "plan-stale"


def test_what_is_live_is_not_deleted(bench: PortsBench) -> None:
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


def test_deleted_revision_may_be_deleted_again(bench: PortsBench) -> None:
    name = bench.make_revision(1, bench.make_spec())
    for _ in range(2):
        bench.ports.revisions.delete_revision(name)
        assert bench.ports.account.describe_deployment(bench.key).revisions == ()


def test_alarms_are_as_they_were_put(bench: PortsBench) -> None:
    for policy in (
        AlarmPolicy(),
        AlarmPolicy(error_percent=None, latency_ms=200, periods=2),
        AlarmPolicy(latency_ms=100),
        None,
    ):
        bench.ports.supplies.put_alarms(bench.key, bench.endpoint, policy)
        assert bench.ports.account.describe_deployment(bench.key).alarms == policy


def test_scaling_is_as_it_was_put(bench: PortsBench) -> None:
    bench.create(bench.make_revision(1, bench.make_spec()))
    for scaling in (Scaling(minimum=1, maximum=2), Scaling(minimum=1, maximum=4, invocations_per_instance=10), None):
        bench.ports.supplies.put_scaling(bench.endpoint, scaling)
        assert bench.ports.account.describe_deployment(bench.key).scaling == scaling


def test_revision_is_registered_once(bench: PortsBench) -> None:
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


def test_package_goes_with_its_revision_and_the_group_with_the_last(bench: PortsBench) -> None:
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


def test_revision_is_moved_to_another_group(bench: PortsBench) -> None:
    spec = bench.make_spec()
    bench.make_revision(1, spec)
    before, after = bench.register(1, spec), bench.register(1, spec, f"{bench.endpoint}-2")
    assert before != after
    assert bench.list_packages() == [RevisionPackage(group=f"{bench.endpoint}-2", arn=after)]
    assert bench.register(1, spec) == before  # the first group was left empty, and had gone


def test_package_of_a_revision_that_is_not_there_is_refused(bench: PortsBench) -> None:
    with pytest.raises(DockyardError, match="Could not find"):
        bench.register(1, bench.make_spec())
