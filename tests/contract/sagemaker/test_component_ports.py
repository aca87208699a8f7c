"""What every SageMaker account does with inference components, in memory and in the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.sagemaker import (
    Scaling,
)
from dockyard.domain.sagemaker_component import Component, ComponentStatus
from support.sagemaker_ports import PortsBench, open_memory, open_sandbox


@pytest.fixture(params=[open_memory, open_sandbox], ids=["memory", "sandbox"])
def bench(request: pytest.FixtureRequest) -> Iterator[PortsBench]:
    """An account, of which nothing is left."""
    opened: PortsBench = request.param(request)
    yield opened
    opened.clear()
    assert not opened.ports.account.describe_deployment(opened.key).exists


COMPONENT = Component(memory_mb=1024, cpus=0.5)


def test_component_is_created_once_moved_once_and_deleted_once(bench: PortsBench) -> None:
    first, second = (bench.make_spec(number, component=COMPONENT) for number in (1, 2))
    for number, spec in enumerate((first, second), start=1):
        bench.make_model(number, spec)
    config = bench.make_host(first)
    endpoint = bench.settle()
    assert endpoint is not None
    assert (endpoint.config, endpoint.serving_config) == (config, None)
    for _ in range(2):
        component = bench.create_component(first)
        assert (component.status, component.model, component.copies) == (
            ComponentStatus.IN_SERVICE,
            bench.name(first),
            1,
        )
    bench.ports.revisions.mark_served(bench.name(first), on_model=True)
    seen = bench.ports.account.describe_deployment(bench.key)
    assert (seen.serving, seen.host_configs, [one.has_served for one in seen.revisions]) == (1, (config,), [True, False])
    assert seen.endpoint is not None
    assert [image.rpartition("@")[2] for image in seen.endpoint.images] == [bench.make_image(first.fingerprint)]
    for _ in range(2):
        component = bench.update_component(first, second)
        assert (component.model, component.copies) == (bench.name(second), 2)
    assert bench.ports.account.describe_deployment(bench.key).serving == 2
    for _ in range(2):
        bench.delete_component()
    assert bench.key.name in {one.name for one in bench.ports.account.list_deployments()}


def test_component_that_is_elsewhere_is_not_moved(bench: PortsBench) -> None:
    specs = [bench.make_spec(number, component=COMPONENT) for number in (1, 2, 3)]
    for number, spec in enumerate(specs, start=1):
        bench.make_model(number, spec)
    bench.make_host(specs[0])
    bench.create_component(specs[0])
    with pytest.raises(ConflictError) as caught:
        bench.update_component(specs[1], specs[2])
    assert caught.value.code == "plan-stale"
    with pytest.raises(ConflictError) as caught:
        bench.create_component(specs[1])
    assert caught.value.code == "plan-stale"


def test_what_a_component_needs_is_not_deleted(bench: PortsBench) -> None:
    spec = bench.make_spec(component=COMPONENT)
    bench.make_model(1, spec)
    config = bench.make_host(spec)
    bench.create_component(spec)
    with pytest.raises(ConflictError) as caught:
        bench.ports.revisions.delete_revision(bench.name(spec))
    assert caught.value.code == "revision-in-use"
    with pytest.raises(ConflictError) as caught:
        bench.ports.components.delete_host_config(config)
    assert caught.value.code == "revision-in-use"
    with pytest.raises(DockyardError):
        bench.ports.endpoints.delete_endpoint(bench.endpoint)


def test_scaling_of_a_component_is_as_it_was_put_and_goes_with_it(bench: PortsBench) -> None:
    spec = bench.make_spec(component=COMPONENT)
    bench.make_model(1, spec)
    bench.make_host(spec)
    bench.create_component(spec)
    for scaling in (
        Scaling(minimum=0, maximum=4, invocations_per_instance=10),
        Scaling(minimum=1, maximum=2, invocations_per_instance=10),
        None,
        Scaling(minimum=0, maximum=4, invocations_per_instance=10),
    ):
        bench.ports.supplies.put_scaling(bench.endpoint, scaling, of_component=True)
        assert bench.ports.account.describe_deployment(bench.key).scaling == scaling
    bench.delete_component()
    assert bench.ports.account.describe_deployment(bench.key).scaling is None
