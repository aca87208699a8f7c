"""Asynchronous endpoints through the scorer's port: a real container answers by way of S3, and nothing stays there."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from dockyard.adapters.sagemaker.async_scorer import read_queue
from dockyard.adapters.sagemaker.scorer import SageMakerScorer
from dockyard.adapters.sagemaker.session import Session
from dockyard.domain.errors import UnavailableError, UnhealthyError
from dockyard.domain.sagemaker_place import AwsAccess
from dockyard.ports import Request
from support.sandbox_cloud import REGION, CloudBench, open_cloud
from support.sandbox_images import build_sandbox_stand_in

pytestmark = pytest.mark.process
SMALL = Request(body=b'{"inputs": [1]}', content_type="application/json")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudBench]:
    with open_cloud(tmp_path_factory.mktemp("cloud")) as opened, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", opened.sandbox.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        opened.client("s3").create_bucket(Bucket="bucket")
        image = opened.put_image(*build_sandbox_stand_in(tmp_path_factory.mktemp("image")))
        places = {"S3OutputPath": "s3://bucket/out", "S3FailurePath": "s3://bucket/failed"}
        opened.deploy(image, "queued", AsyncInferenceConfig={"OutputConfig": places})
        opened.deploy(image, "direct")
        yield opened


@pytest.fixture
def scorer(cloud: CloudBench) -> Iterator[SageMakerScorer]:
    session = Session(AwsAccess(region=REGION))
    yield SageMakerScorer(session, lambda _fingerprint, _answer: None)
    for service in ("sagemaker", "sagemaker-runtime", "s3"):
        session.client(service).close()
    assert list_objects(cloud) == []


def list_objects(cloud: CloudBench) -> list[str]:
    return [str(one["Key"]) for one in cloud.client("s3").list_objects_v2(Bucket="bucket").get("Contents", [])]


@pytest.mark.parametrize("endpoint", ["queued", "direct"])
def test_request_is_answered_whichever_kind_the_endpoint_is(scorer: SageMakerScorer, endpoint: str) -> None:
    answer = scorer.invoke(endpoint, SMALL, 20)
    assert isinstance(answer.value, dict)
    assert answer.value["predictions"] == [endpoint]
    assert 0 < answer.seconds < 20


def test_request_that_is_too_large_to_be_handed_in_goes_by_an_object(scorer: SageMakerScorer) -> None:
    body = json.dumps({"inputs": "x" * 200_000}).encode()
    answer = scorer.invoke("queued", Request(body=body, content_type="application/json"), 20)
    assert isinstance(answer.value, dict)
    assert answer.value["predictions"] == ["queued"]


def test_request_that_fails_is_told_without_what_it_said(scorer: SageMakerScorer) -> None:
    with pytest.raises(UnhealthyError) as caught:
        scorer.invoke("queued", Request(body=b"canary, and no JSON", content_type="application/json"), 20)
    assert caught.value.code == "smoke-test-failed"
    assert "canary" not in str(caught.value)


def test_endpoint_that_is_not_there_is_told(scorer: SageMakerScorer) -> None:
    with pytest.raises(UnavailableError, match="there is no endpoint gone"):
        scorer.invoke("gone", SMALL, 20)


def test_endpoint_without_instances_is_known_to_take_its_time() -> None:
    output = {"S3OutputPath": "s3://bucket/out/", "KmsKeyId": "key"}
    found = {"EndpointName": "wine", "AsyncInferenceConfig": {"OutputConfig": output}, "ProductionVariants": [{}]}
    awake = read_queue(found)
    asleep = read_queue({**found, "ProductionVariants": [{"CurrentInstanceCount": 0}]})
    assert awake is not None
    assert asleep is not None
    assert (awake.output, awake.kms_key, awake.is_asleep, asleep.is_asleep) == ("s3://bucket/out", "key", False, True)
    assert read_queue({"EndpointName": "wine"}) is None
