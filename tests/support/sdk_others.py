"""What else of the SageMaker SDK meets the sandbox: jobs, packages, components, its session, its table of images."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

from support.sdk_kit import SECONDS, Given, ask, make_model, refused, remove, scenario, wait_for


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

    end = time.monotonic() + SECONDS
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
