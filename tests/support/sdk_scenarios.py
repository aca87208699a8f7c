"""What the SageMaker SDK does to a sandbox: the program of a Python that has the SDK, which this one need not have.

    python sdk_scenarios.py '{"image": …, "role": …, "bucket": …}'

runs every scenario, each on resources of its own names, and prints as JSON how each went. AWS_ENDPOINT_URL says where. Any
connection to another machine ends it. A scenario leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_SECONDS = 60.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the sandbox has for the scenarios."""

    image: str
    role: str
    bucket: str
    region: str
    account: str


Scenario = Callable[[Given], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """List a scenario."""
    SCENARIOS[function.__name__] = function
    return function


def wait_for(resource: Any, field: str, *statuses: str) -> Any:  # noqa: ANN401  the SDK has its own types
    """Refresh a resource until its status is one of these."""
    end = time.monotonic() + _SECONDS
    while (status := getattr(resource.refresh(), field)) not in statuses:
        assert time.monotonic() < end, (resource.get_name(), status)
        time.sleep(0.05)
    return resource


def refused(action: Callable[[], object]) -> str:
    """The code and message of the error that AWS's client raises."""
    from botocore.exceptions import ClientError

    try:
        action()
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    raise AssertionError("it was not refused")


def script(**rule: object) -> None:
    """Have the sandbox do a thing wrong; nothing without a rule."""
    body = json.dumps({"rules": [rule] if rule else []}).encode()
    address = f"{os.environ['AWS_ENDPOINT_URL']}/_sandbox/faults"
    urllib.request.urlopen(urllib.request.Request(address, data=body, method="PUT"), timeout=10).close()


def make_model(given: Given, name: str, **more: Any) -> Any:  # noqa: ANN401
    from sagemaker.core.resources import Model
    from sagemaker.core.shapes import ContainerDefinition

    container = ContainerDefinition(image=given.image, environment={"STAND_IN_ANSWER": name})
    return Model.create(model_name=name, primary_container=container, execution_role_arn=given.role, **more)


def make_config(name: str, model: str, **more: Any) -> Any:  # noqa: ANN401
    from sagemaker.core.resources import EndpointConfig
    from sagemaker.core.shapes import ProductionVariant

    variant = ProductionVariant(
        variant_name="AllTraffic", model_name=model, instance_type="ml.m5.large", initial_instance_count=1, **more
    )
    return EndpointConfig.create(endpoint_config_name=name, production_variants=[variant])


def remove(*resources: Any) -> None:  # noqa: ANN401
    for one in resources:
        one.delete()
        if type(one).__name__ in {"Endpoint", "InferenceComponent"}:
            one.wait_for_delete(poll=1, timeout=60)


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


def ask(endpoint: Any, **more: Any) -> Any:  # noqa: ANN401
    answer = endpoint.invoke(body=json.dumps({"inputs": [1]}), content_type="application/json", **more)
    return json.loads(answer.body.read())["predictions"]


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


@scenario
def configuration_keeps_what_it_was_given(given: Given) -> None:
    from sagemaker.core.resources import EndpointConfig
    from sagemaker.core.shapes import AsyncInferenceConfig, AsyncInferenceOutputConfig, ProductionVariant, Tag

    model = make_model(given, "sdk-config")
    variant = ProductionVariant(
        variant_name="v",
        model_name="sdk-config",
        instance_type="ml.m5.large",
        initial_instance_count=2,
        volume_size_in_gb=20,
        container_startup_health_check_timeout_in_seconds=120,
    )
    tags = [Tag(key="team", value="pricing")]
    made = EndpointConfig.create(endpoint_config_name="sdk-plain", production_variants=[variant], tags=tags)
    (kept,) = made.production_variants
    assert (kept.volume_size_in_gb, kept.container_startup_health_check_timeout_in_seconds) == (20, 120)
    assert (kept.initial_instance_count, kept.initial_variant_weight) == (2, 1.0)
    output = AsyncInferenceConfig(output_config=AsyncInferenceOutputConfig(s3_output_path=f"s3://{given.bucket}/answers"))
    variant = ProductionVariant(
        variant_name="v", model_name="sdk-config", instance_type="ml.m5.large", initial_instance_count=1
    )
    other = EndpointConfig.create(
        endpoint_config_name="sdk-async", production_variants=[variant], async_inference_config=output
    )
    assert other.async_inference_config.output_config.s3_output_path == f"s3://{given.bucket}/answers"
    names = {one.endpoint_config_name for one in EndpointConfig.get_all()}
    assert {"sdk-plain", "sdk-async"} <= names
    remove(made, other, model)


@scenario
def transform_job_answers_for_objects(given: Given) -> None:
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.resources import TransformJob
    from sagemaker.core.shapes import (
        TransformDataSource,
        TransformInput,
        TransformOutput,
        TransformResources,
        TransformS3DataSource,
    )

    model, session = make_model(given, "sdk-batch"), Session()
    session.upload_string_as_file_body('{"inputs": [1]}', given.bucket, "rows/one.json")
    source = TransformS3DataSource(s3_data_type="S3Prefix", s3_uri=f"s3://{given.bucket}/rows/")
    job = TransformJob.create(
        transform_job_name="sdk-batch",
        model_name="sdk-batch",
        transform_input=TransformInput(data_source=TransformDataSource(s3_data_source=source), content_type="application/json"),
        transform_output=TransformOutput(s3_output_path=f"s3://{given.bucket}/scores"),
        transform_resources=TransformResources(instance_type="ml.m5.large", instance_count=1),
    )
    job.wait(poll=1, timeout=60)
    assert job.transform_job_status == "Completed", job.failure_reason
    answer = json.loads(session.read_s3_file(given.bucket, "scores/one.json.out"))
    assert answer["predictions"] == ["sdk-batch"], answer
    assert [one.transform_job_name for one in TransformJob.get_all(status_equals="Completed")] == ["sdk-batch"]
    remove(model)


@scenario
def package_is_registered_approved_and_deployed(given: Given) -> None:
    from sagemaker.core.resources import Model, ModelPackage, ModelPackageGroup
    from sagemaker.core.shapes import ContainerDefinition, ContainersItem, InferenceSpecification

    group = ModelPackageGroup.create(model_package_group_name="sdk-group", model_package_group_description="wines")
    group.wait_for_status("Completed", poll=1, timeout=60)
    specification = InferenceSpecification(
        containers=[ContainersItem(image=given.image, environment={"STAND_IN_ANSWER": "package"})],
        supported_content_types=["application/json"],
        supported_response_mime_types=["application/json"],
    )
    with suppress(KeyError):  # the SDK looks for a name in the answer, which has none on AWS either; the package is made
        ModelPackage.create(
            model_package_group_name="sdk-group",
            inference_specification=specification,
            model_approval_status="PendingManualApproval",
            customer_metadata_properties={"run": "1"},
        )
    arn = f"arn:aws:sagemaker:{given.region}:{given.account}:model-package/sdk-group/1"

    def look() -> Any:  # noqa: ANN401
        package = ModelPackage.get(arn)
        package.model_package_name = arn  # a version is found by that only, and the SDK asks by name
        return package

    end = time.monotonic() + _SECONDS
    while (package := look()).model_package_status != "Completed":
        assert time.monotonic() < end, package
        time.sleep(0.05)
    assert (package.model_package_version, package.customer_metadata_properties) == (1, {"run": "1"})
    package.update(model_approval_status="Approved", approval_description="it is good")
    listed = [one.model_package_arn for one in ModelPackage.get_all(model_package_group_name="sdk-group")]
    assert listed == [arn], listed
    package = look()
    assert (package.model_approval_status, package.approval_description) == ("Approved", "it is good")
    model = Model.create(
        model_name="sdk-package",
        primary_container=ContainerDefinition(model_package_name=package.model_package_arn),
        execution_role_arn=given.role,
    )
    assert model.primary_container.model_package_name == package.model_package_arn
    remove(model)
    told = refused(group.delete)
    assert told.startswith(("ConflictException", "ValidationException")), told
    remove(package, group)
    assert list(ModelPackageGroup.get_all(name_contains="sdk-group")) == []


@scenario
def inference_component_is_created_updated_invoked_and_deleted(given: Given) -> None:
    from sagemaker.core.resources import Endpoint, EndpointConfig, InferenceComponent
    from sagemaker.core.shapes import (
        InferenceComponentComputeResourceRequirements,
        InferenceComponentContainerSpecification,
        InferenceComponentRuntimeConfig,
        InferenceComponentSpecification,
        ProductionVariant,
        ProductionVariantManagedInstanceScaling,
    )

    scaling = ProductionVariantManagedInstanceScaling(status="ENABLED", min_instance_count=1, max_instance_count=2)
    variant = ProductionVariant(
        variant_name="AllTraffic", instance_type="ml.m5.xlarge", initial_instance_count=1, managed_instance_scaling=scaling
    )
    config = EndpointConfig.create(
        endpoint_config_name="sdk-host", production_variants=[variant], execution_role_arn=given.role
    )
    endpoint = Endpoint.create(endpoint_name="sdk-host", endpoint_config_name="sdk-host")
    wait_for(endpoint, "endpoint_status", "InService")

    def specify(answer: str) -> Any:  # noqa: ANN401
        container = InferenceComponentContainerSpecification(image=given.image, environment={"STAND_IN_ANSWER": answer})
        needs = InferenceComponentComputeResourceRequirements(number_of_cpu_cores_required=1, min_memory_required_in_mb=1024)
        return InferenceComponentSpecification(container=container, compute_resource_requirements=needs)

    component = InferenceComponent.create(
        inference_component_name="sdk-part",
        endpoint_name="sdk-host",
        variant_name="AllTraffic",
        specification=specify("one"),
        runtime_config=InferenceComponentRuntimeConfig(copy_count=1),
    )
    component.wait_for_status("InService", poll=1, timeout=60)
    assert ask(endpoint, inference_component_name="sdk-part") == ["one"]
    component.update(specification=specify("two"))
    wait_for(component, "inference_component_status", "InService")
    assert ask(endpoint, inference_component_name="sdk-part") == ["two"]
    component.update_runtime_configs(desired_runtime_config=InferenceComponentRuntimeConfig(copy_count=2))
    wait_for(component, "inference_component_status", "InService")
    assert component.runtime_config.current_copy_count == 2
    found = [one.inference_component_name for one in InferenceComponent.get_all(endpoint_name_equals="sdk-host")]
    assert found == ["sdk-part"]
    remove(component, endpoint, config)


@scenario
def session_makes_its_bucket_and_moves_files(given: Given) -> None:
    from sagemaker.core.helper.session_helper import Session

    # Without a name for it the SDK asks STS at an address of its own making, which no setting changes.
    session = Session(default_bucket="sdk-default-bucket")
    assert (session.default_bucket(), session.boto_region_name) == ("sdk-default-bucket", given.region)
    address = session.upload_string_as_file_body("content", "sdk-default-bucket", "some/key")
    assert address == "s3://sdk-default-bucket/some/key"
    assert session.read_s3_file("sdk-default-bucket", "some/key") == "content"
    assert session.list_s3_files("sdk-default-bucket", "some") == ["some/key"]


@scenario
def session_deploys_and_updates_an_endpoint_in_its_older_way(given: Given) -> None:
    from sagemaker.core.helper.session_helper import Session, container_def, production_variant
    from sagemaker.core.resources import Endpoint

    session = Session()
    session.create_model("sdk-old", given.role, container_def(given.image, env={"STAND_IN_ANSWER": "old"}))
    variant = production_variant("sdk-old", instance_type="ml.m5.large", initial_instance_count=1)
    session.endpoint_from_production_variants("sdk-old", [variant], wait=False)
    endpoint = wait_for(Endpoint.get("sdk-old"), "endpoint_status", "InService")
    assert session.endpoint_in_service_or_not("sdk-old")
    session.create_endpoint_config("sdk-old-2", [variant], role=given.role)
    session.update_endpoint("sdk-old", "sdk-old-2", wait=False)
    wait_for(endpoint, "endpoint_status", "InService")
    assert (endpoint.endpoint_config_name, ask(endpoint)) == ("sdk-old-2", ["old"])
    session.delete_endpoint("sdk-old")
    endpoint.wait_for_delete(poll=1, timeout=60)
    for config in ("sdk-old", "sdk-old-2"):
        session.delete_endpoint_config(config)
    session.delete_model("sdk-old")


@scenario
def deep_learning_containers_are_looked_up_as_dockyard_does(given: Given) -> None:
    from dockyard.adapters.sagemaker.learning_containers import SdkLearningContainers
    from dockyard.adapters.sagemaker.sdk_images import InstalledSdk
    from dockyard.domain.errors import NotFoundError
    from dockyard.domain.learning_container import parse_learning_container
    from dockyard.domain.sagemaker import Instances, SageMakerSettings

    class Place:
        region = given.region

        def trust_host(self, host: str) -> None:
            assert host == f"763104351884.dkr.ecr.{given.region}.amazonaws.com"

    def find(base: str, python: str, instance: str = "ml.m5.large") -> str:
        wanted, place = parse_learning_container(base), Place()
        assert wanted is not None
        settings = SageMakerSettings(role=given.role, capacity=Instances(instance_type=instance))
        return SdkLearningContainers(place, place, InstalledSdk()).find_reference(wanted, settings, python)

    registry = f"763104351884.dkr.ecr.{given.region}.amazonaws.com"
    assert find("dlc:pytorch@2.6", "3.12") == f"{registry}/pytorch-inference:2.6.0-cpu-py312"
    assert find("dlc:pytorch@2.5", "3.11", "ml.g5.xlarge") == f"{registry}/pytorch-inference:2.5.1-gpu-py311"
    assert find("dlc:pytorch@2.6", "3.12", "ml.c8g.large").startswith(f"{registry}/pytorch-inference-arm64:2.6.0-cpu-py312")
    assert "-py311" in find("dlc:pytorch", "3.11")
    for base, python, told in (("dlc:torch", "3.11", "pytorch"), ("dlc:pytorch@2.6", "3.11", "2.6.0 (Python 3.12)")):
        try:
            find(base, python)
        except NotFoundError as error:
            assert told in (error.hint or ""), error.hint
        else:
            raise AssertionError(f"{base} was found")


def watch_connections(event: str, arguments: tuple[Any, ...]) -> None:
    """End the program where it turns to another machine."""
    if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][0] not in _LOOPBACK:
        raise AssertionError(f"it turns to {arguments[1]}")
    if event == "socket.getaddrinfo" and arguments[0] not in _LOOPBACK:
        raise AssertionError(f"it looks {arguments[0]} up")


def run(given: Given) -> dict[str, str]:
    """What went wrong with each scenario; nothing where nothing did."""
    found: dict[str, str] = {}
    for name, function in SCENARIOS.items():
        try:
            function(given)
        except Exception:  # noqa: BLE001  each is told, and none ends the others
            found[name] = traceback.format_exc()
        else:
            found[name] = ""
    return found


if __name__ == "__main__":
    sys.addaudithook(watch_connections)
    result = run(Given(**json.loads(sys.argv[1])))
    sys.stdout.write(f"\n{json.dumps(result)}\n")
