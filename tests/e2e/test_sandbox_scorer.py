"""Images that Dockyard built, behind SageMaker's API: the real scorer keeps the service's contract in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from dockyard_image import ImageStore
from dockyard_scorer.errors import EXIT_PROOF_FAILED
from support.deployments import Place
from support.patience import wait_for
from support.sandbox_cloud import CloudBench, open_cloud
from support.told_models import ANSWERS, BODY

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudBench]:
    """A sandbox that leaves containers as long for their start as a busy machine needs."""
    with open_cloud(tmp_path_factory.mktemp("cloud"), startup_speed=4.0) as opened:
        yield opened


@pytest.fixture(scope="module")
def image(cloud: CloudBench, shared_place: Place) -> str:
    """The address of the sound model's first version."""
    store = ImageStore(shared_place.home / "images")
    return cloud.put_image(store, store.list()[0], "sound")


def make_variant(cloud: CloudBench, image: str, name: str, **environment: str) -> None:
    """A model with these variables, a configuration and an endpoint of one name."""
    sagemaker, container = cloud.client("sagemaker"), {"Image": image, "Environment": environment}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=cloud.make_role(f"role-{name}"), PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_for(lambda: cloud.status(name) != "Creating", seconds=120)


def test_endpoint_gives_the_models_answers_and_errors_with_codes(cloud: CloudBench, image: str) -> None:
    make_variant(cloud, image, "sound")
    assert cloud.status("sound") == "InService"
    runtime = cloud.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="sound", ContentType="application/json", Body=BODY)
    assert json.loads(answer["Body"].read()) in ANSWERS
    with pytest.raises(ClientError) as refused:
        runtime.invoke_endpoint(EndpointName="sound", ContentType="application/json", Body=b'{"what": 1}')
    assert refused.value.response["OriginalStatusCode"] == 400
    assert json.loads(refused.value.response["OriginalMessage"])["error_code"] == "invalid-input"
    sagemaker = cloud.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName="sound")
    wait_for(lambda: sagemaker.list_endpoints(NameContains="sound")["Endpoints"] == [], seconds=60)


def test_model_that_does_not_work_never_comes_into_service_and_its_log_says_why(cloud: CloudBench, image: str) -> None:
    make_variant(cloud, image, "broken", TOLD_PREDICT="raise")
    told = cloud.client("sagemaker").describe_endpoint(EndpointName="broken")
    assert told["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in told["FailureReason"]
    events = cloud.client("logs").filter_log_events(logGroupName="/aws/sagemaker/Endpoints/broken")["events"]
    last = json.loads(events[-1]["message"])
    assert (last["event"], last["code"]) == ("ended", EXIT_PROOF_FAILED)
    assert "ValueError" in "".join(event["message"] for event in events)
