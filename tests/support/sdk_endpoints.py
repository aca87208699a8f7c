"""Models and endpoints, as the SageMaker SDK makes, changes and deletes them."""

from __future__ import annotations

from support.sdk_kit import Given, ask, make_config, make_model, refused, remove, scenario, script, wait_for


@scenario
def model_is_made_found_listed_and_deleted(given: Given) -> None:
    from sagemaker.core.resources import Model
    from sagemaker.core.shapes import Tag

    made = make_model(given, "sdk-model", enable_network_isolation=True, tags=[Tag(key="team", value="pricing")])
    assert made.model_arn == f"arn:aws:sagemaker:{given.region}:{given.account}:model/sdk-model"
    found = Model.get("sdk-model")
    assert (found.primary_container.image, found.execution_role_arn) == (given.image, given.role)
    assert found.enable_network_isolation is True
    assert found.primary_container.environment == {"STAND_IN_ANSWER": "sdk-model"}
    assert found.creation_time is not None
    assert [one.model_name for one in Model.get_all(name_contains="sdk-model")] == ["sdk-model"]
    remove(found)
    assert refused(lambda: Model.get("sdk-model")).startswith("ValidationException: Could not find model")


@scenario
def second_model_of_a_name_is_refused(given: Given) -> None:
    made = make_model(given, "sdk-twice")
    told = refused(lambda: make_model(given, "sdk-twice"))
    assert told.startswith("ValidationException: Cannot create already existing model"), told
    remove(made)


@scenario
def lists_go_on_over_pages(given: Given) -> None:
    from sagemaker.core.resources import Model

    made = [make_model(given, f"sdk-page-{number:02}") for number in range(23)]
    names = [one.model_name for one in Model.get_all(name_contains="sdk-page", sort_by="Name", sort_order="Ascending")]
    assert names == [f"sdk-page-{number:02}" for number in range(23)], names
    remove(*made)


@scenario
def illegal_name_is_refused_by_the_service(given: Given) -> None:
    told = refused(lambda: make_model(given, "my_first_model"))
    assert told.startswith("ValidationException: "), told
    assert "my_first_model" in told, told


@scenario
def endpoint_is_created_invoked_updated_and_deleted(given: Given) -> None:
    from sagemaker.core.resources import Endpoint

    one, two = make_model(given, "sdk-one"), make_model(given, "sdk-two")
    first, second = make_config("sdk-first", "sdk-one"), make_config("sdk-second", "sdk-two")
    endpoint = Endpoint.create(endpoint_name="sdk-endpoint", endpoint_config_name=first)
    assert endpoint.endpoint_status == "Creating", endpoint.endpoint_status
    endpoint.wait_for_status("InService", poll=1, timeout=60)
    (variant,) = endpoint.production_variants
    assert (variant.variant_name, variant.current_instance_count, variant.current_weight) == ("AllTraffic", 1, 1.0)
    assert "@sha256:" in variant.deployed_images[0].resolved_image
    assert ask(endpoint) == ["sdk-one"]
    endpoint.endpoint_config_name = "sdk-second"
    endpoint.update(retain_all_variant_properties=False)
    assert endpoint.endpoint_status == "Updating", endpoint.endpoint_status
    wait_for(endpoint, "endpoint_status", "InService")
    assert endpoint.endpoint_config_name == "sdk-second"
    assert ask(endpoint) == ["sdk-two"]
    assert [found.endpoint_name for found in Endpoint.get_all(status_equals="InService")] == ["sdk-endpoint"]
    remove(endpoint, first, second, one, two)
    assert list(Endpoint.get_all(name_contains="sdk-endpoint")) == []


@scenario
def endpoint_that_fails_tells_why(given: Given) -> None:
    from sagemaker.core.resources import Endpoint
    from sagemaker.core.utils.exceptions import FailedStatusError

    model, config = make_model(given, "sdk-ill"), make_config("sdk-ill", "sdk-ill")
    script(kind="ping-failure", operation="CreateEndpoint")
    endpoint = Endpoint.create(endpoint_name="sdk-ill", endpoint_config_name="sdk-ill")
    try:
        endpoint.wait_for_status("InService", poll=1, timeout=60)
    except FailedStatusError as error:
        told = str(error)
    else:
        raise AssertionError("it did not fail")
    script()
    assert endpoint.failure_reason in told
    assert "ping" in endpoint.failure_reason, endpoint.failure_reason
    remove(endpoint, config, model)


@scenario
def rollback_without_a_word_looks_like_success_to_the_sdk(given: Given) -> None:
    from sagemaker.core.resources import Endpoint

    model = make_model(given, "sdk-back")
    configs = [make_config(f"sdk-back-{number}", "sdk-back") for number in (1, 2)]
    endpoint = Endpoint.create(endpoint_name="sdk-back", endpoint_config_name="sdk-back-1")
    wait_for(endpoint, "endpoint_status", "InService")
    script(kind="rollback-empty-reason", operation="UpdateEndpoint")
    endpoint.endpoint_config_name = "sdk-back-2"
    endpoint.update()
    endpoint.wait_for_status("InService", poll=1, timeout=60)
    script()
    assert endpoint.endpoint_config_name == "sdk-back-1"
    remove(endpoint, *configs, model)


@scenario
def throttled_calls_are_repeated_by_the_sdk(given: Given) -> None:
    script(kind="throttle", operation="CreateModel", times=2)
    made = make_model(given, "sdk-throttled")
    script()
    remove(made)


@scenario
def weights_and_counts_of_an_endpoint_are_changed(given: Given) -> None:
    from sagemaker.core.resources import Endpoint
    from sagemaker.core.shapes import DesiredWeightAndCapacity

    model, config = make_model(given, "sdk-weight"), make_config("sdk-weight", "sdk-weight")
    endpoint = Endpoint.create(endpoint_name="sdk-weight", endpoint_config_name="sdk-weight")
    wait_for(endpoint, "endpoint_status", "InService")
    desired = DesiredWeightAndCapacity(variant_name="AllTraffic", desired_instance_count=2, desired_weight=0.5)
    endpoint.update_weights_and_capacities(desired_weights_and_capacities=[desired])
    wait_for(endpoint, "endpoint_status", "InService")
    (variant,) = endpoint.production_variants
    assert (variant.current_instance_count, variant.current_weight) == (2, 0.5)
    remove(endpoint, config, model)


@scenario
def update_with_a_deployment_config_is_described(given: Given) -> None:
    from sagemaker.core.resources import Endpoint
    from sagemaker.core.shapes import BlueGreenUpdatePolicy, CapacitySize, DeploymentConfig, TrafficRoutingConfig

    model = make_model(given, "sdk-canary")
    configs = [make_config(f"sdk-canary-{number}", "sdk-canary") for number in (1, 2)]
    endpoint = Endpoint.create(endpoint_name="sdk-canary", endpoint_config_name="sdk-canary-1")
    wait_for(endpoint, "endpoint_status", "InService")
    # The SDK leaves zeroes out, which the service then misses.
    routing = TrafficRoutingConfig(
        type="CANARY", wait_interval_in_seconds=1, canary_size=CapacitySize(type="CAPACITY_PERCENT", value=50)
    )
    policy = BlueGreenUpdatePolicy(traffic_routing_configuration=routing, termination_wait_in_seconds=1)
    endpoint.endpoint_config_name = "sdk-canary-2"
    endpoint.update(deployment_config=DeploymentConfig(blue_green_update_policy=policy))
    wait_for(endpoint, "endpoint_status", "InService")
    told = endpoint.last_deployment_config.blue_green_update_policy.traffic_routing_configuration
    assert (endpoint.endpoint_config_name, told.type) == ("sdk-canary-2", "CANARY")
    remove(endpoint, *configs, model)
