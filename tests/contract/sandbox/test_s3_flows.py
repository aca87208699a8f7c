"""What goes through S3: models' data, asynchronous invocations, batch transform jobs; each with a real scorer and moto."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockyard_sandbox.surroundings import ModelDataError, ModelSource
from support.patience import wait_for
from support.sandbox_cloud import REGION, CloudBench, open_cloud
from support.sandbox_images import build_sandbox_stand_in

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudBench]:
    with open_cloud(tmp_path_factory.mktemp("cloud")) as opened:
        opened.client("s3").create_bucket(Bucket="bucket")
        yield opened


@pytest.fixture(scope="module")
def image(cloud: CloudBench, tmp_path_factory: pytest.TempPathFactory) -> str:
    return cloud.put_image(*build_sandbox_stand_in(tmp_path_factory.mktemp("image")))


def put(cloud: CloudBench, key: str, body: bytes) -> str:
    cloud.client("s3").put_object(Bucket="bucket", Key=key, Body=body)
    return f"s3://bucket/{key}"


def read(cloud: CloudBench, uri: str) -> bytes | None:
    s3 = cloud.client("s3")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
    return body


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as members:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            members.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def source(uri: str, *, compressed: bool = True) -> ModelSource:
    return ModelSource(uri=uri, compressed=compressed, role_arn="role", region=REGION)


# Models' data


def test_archive_is_unpacked_once_for_each_version(cloud: CloudBench) -> None:
    data = cloud.cloud.model_data
    first = source(put(cloud, "model/model.tar.gz", archive(MLmodel=b"one")))
    assert data.is_there(first)
    folder = data.fetch(first)
    assert (folder / "MLmodel").read_bytes() == b"one"
    assert data.fetch(first) == folder
    put(cloud, "model/model.tar.gz", archive(MLmodel=b"two"))
    assert (data.fetch(first) / "MLmodel").read_bytes() == b"two"
    assert not data.is_there(source("s3://bucket/none.tar.gz"))
    assert not data.is_there(source("https://bucket/none"))


def test_prefix_is_fetched_as_it_is(cloud: CloudBench) -> None:
    put(cloud, "plain/MLmodel", b"one")
    put(cloud, "plain/deep/model.bin", b"two")
    prefix = source("s3://bucket/plain/", compressed=False)
    assert cloud.cloud.model_data.is_there(prefix)
    folder = cloud.cloud.model_data.fetch(prefix)
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == {"MLmodel": b"one", "deep/model.bin": b"two"}
    assert cloud.cloud.model_data.fetch(prefix) == folder


@pytest.mark.parametrize(
    ("keys", "reason"),
    [(("folder/", "folder/a"), "names a folder"), (("clash/a", "clash/a/b"), "is a file and a folder at once")],
)
def test_keys_that_make_sagemaker_fail_fail_here(cloud: CloudBench, keys: tuple[str, ...], reason: str) -> None:
    for key in keys:
        put(cloud, key, b"")
    with pytest.raises(ModelDataError, match=reason):
        cloud.cloud.model_data.fetch(source(f"s3://bucket/{keys[0].partition('/')[0]}/", compressed=False))


@pytest.mark.parametrize("content", [b"no archive", archive(**{"../outside": b"x"})])
def test_archive_that_is_none_or_leads_out_is_refused(cloud: CloudBench, content: bytes) -> None:
    with pytest.raises(ModelDataError, match="Failed to extract model data"):
        cloud.cloud.model_data.fetch(source(put(cloud, "bad.tar.gz", content)))


def test_endpoint_sees_the_data_of_its_model(cloud: CloudBench, image: str) -> None:
    sagemaker = cloud.client("sagemaker")
    container = {"Image": image, "ModelDataUrl": put(cloud, "own/model.tar.gz", archive(MLmodel=b"mine"))}
    role = cloud.make_role("role-data")
    sagemaker.create_model(ModelName="data", ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": "data", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="data", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="data", EndpointConfigName="data")
    wait_for(lambda: cloud.status("data") == "InService", seconds=60)
    pid = cloud.invoke(name="data")["Body"]["pid"]
    environment = dict(entry.split("=", 1) for entry in Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in entry)
    assert Path(environment["DOCKYARD_MODEL"], "MLmodel").read_bytes() == b"mine"


# Asynchronous invocations


@pytest.fixture(scope="module")
def queue(cloud: CloudBench, image: str) -> str:
    """An asynchronous endpoint, and the queue that both of its topics tell."""
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    url: str = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics: dict[str, str] = {}
    for kind in ("SuccessTopic", "ErrorTopic"):
        topics[kind] = sns.create_topic(Name=kind)["TopicArn"]
        sns.subscribe(TopicArn=topics[kind], Protocol="sqs", Endpoint=arn)
    output = {"S3OutputPath": "s3://bucket/out", "S3FailurePath": "s3://bucket/failed", "NotificationConfig": topics}
    cloud.deploy(image, "slow", AsyncInferenceConfig={"OutputConfig": output})
    return url


def take_message(cloud: CloudBench, url: str) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []

    def has_come() -> bool:
        messages.extend(cloud.client("sqs").receive_message(QueueUrl=url).get("Messages", ()))
        return bool(messages)

    wait_for(has_come)
    cloud.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
    told: dict[str, Any] = json.loads(json.loads(messages[0]["Body"])["Message"])
    return told


def test_answer_of_an_asynchronous_invocation_comes_into_s3_and_is_told(cloud: CloudBench, queue: str) -> None:
    uri = put(cloud, "in/request.json", b"{}")
    accepted = cloud.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName="slow", InputLocation=uri, ContentType="application/json", InferenceId="my-id"
    )
    assert accepted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert accepted["InferenceId"] == "my-id"
    output = accepted["OutputLocation"]
    assert output.startswith("s3://bucket/out/")
    wait_for(lambda: read(cloud, output) is not None)
    assert json.loads(read(cloud, output) or b"")["predictions"] == ["slow"]
    told = take_message(cloud, queue)
    assert (told["invocationStatus"], told["inferenceId"]) == ("Completed", "my-id")
    assert told["responseParameters"]["outputLocation"] == output
    assert told["requestParameters"]["inputLocation"] == uri


def test_failure_of_an_asynchronous_invocation_comes_into_s3_and_is_told(cloud: CloudBench, queue: str) -> None:
    accepted = cloud.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName="slow", InputLocation="s3://bucket/in/never", ContentType="application/json"
    )
    wait_for(lambda: read(cloud, accepted["FailureLocation"]) is not None)
    told = take_message(cloud, queue)
    assert told["invocationStatus"] == "Failed"
    assert "does not exist" in told["failureReason"]
    assert read(cloud, accepted["OutputLocation"]) is None


def test_body_of_an_asynchronous_invocation_may_come_with_it(cloud: CloudBench, queue: str) -> None:
    runtime = cloud.client("sagemaker-runtime")
    accepted = runtime.invoke_endpoint_async(EndpointName="slow", Body=b"{}", S3OutputPathExtension=".json")
    assert accepted["OutputLocation"].endswith(".json")
    wait_for(lambda: read(cloud, accepted["OutputLocation"]) is not None)
    assert take_message(cloud, queue)["requestParameters"]["inputLocation"] == ""


def test_error_of_the_model_is_where_failures_go(cloud: CloudBench, queue: str) -> None:
    runtime = cloud.client("sagemaker-runtime")
    accepted = runtime.invoke_endpoint_async(EndpointName="slow", Body=b'{"crash": true}')
    wait_for(lambda: read(cloud, accepted["FailureLocation"]) is not None)
    assert b"Received server error (0) from primary" in (read(cloud, accepted["FailureLocation"]) or b"")
    assert take_message(cloud, queue)["invocationStatus"] == "Failed"
    events = [event.text for event in cloud.sandbox.events.list_events() if event.kind == "async"]
    assert f"asynchronous invocation {accepted['InferenceId']} failed" in events[-1]


def test_endpoint_that_is_not_asynchronous_is_refused(cloud: CloudBench, image: str) -> None:
    cloud.deploy(image, "direct")
    runtime = cloud.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ValidationError, match="is not asynchronous"):
        runtime.invoke_endpoint_async(EndpointName="direct", Body=b"{}")


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({}, "Either InputLocation or Body"),
        ({"Body": b"x" * 128_001}, "less than or equal to 128000"),
        ({"InputLocation": "s3://bucket/in/x", "RequestTTLSeconds": 21601}, "requestttlseconds must be 60 to 21600"),
        ({"InputLocation": "s3://bucket/in/x", "InvocationTimeoutSeconds": 3601}, "invocationtimeoutseconds must be"),
        ({"InputLocation": "s3://bucket/in/x", "InferenceId": "two words"}, "InferenceId must be"),
    ],
)
def test_asynchronous_invocation_that_is_wrong_is_refused(
    cloud: CloudBench, queue: str, parameters: dict[str, object], reason: str
) -> None:
    assert queue
    runtime = cloud.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ValidationError, match=reason):
        runtime.invoke_endpoint_async(EndpointName="slow", **parameters)


# Batch transform


def transform(cloud: CloudBench, name: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName="batch",
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **request,
    )

    def describe() -> dict[str, Any]:
        told: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName=name)
        return told

    wait_for(lambda: describe()["TransformJobStatus"] not in {"InProgress", "Stopping"}, seconds=60)
    return describe()


@pytest.fixture(scope="module")
def batch(cloud: CloudBench, image: str) -> CloudBench:
    """The sandbox with the model `batch`."""
    container = {"Image": image, "Environment": {"STAND_IN_ANSWER": "b"}}
    role = cloud.make_role("role-batch")
    cloud.client("sagemaker").create_model(ModelName="batch", ExecutionRoleArn=role, PrimaryContainer=container)
    return cloud


def input_of(uri: str, kind: str = "S3Prefix", **more: str) -> dict[str, object]:
    return {"DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": uri}}, "ContentType": "application/json", **more}


def test_job_answers_each_line_of_each_object(batch: CloudBench) -> None:
    put(batch, "lines/a.jsonl", b"{}\n{}\n")
    put(batch, "lines/deep/b.jsonl.gz", gzip.compress(b"{}\n"))
    put(batch, "lines/a.jsonl", gzip.compress(b"{}\n{}\n"))
    done = transform(
        batch,
        "lines",
        BatchStrategy="SingleRecord",
        TransformInput=input_of("s3://bucket/lines/", SplitType="Line", CompressionType="Gzip"),
        TransformOutput={"S3OutputPath": "s3://bucket/answers", "AssembleWith": "Line"},
    )
    assert done["TransformJobStatus"] == "Completed", done
    lines = (read(batch, "s3://bucket/answers/a.jsonl.out") or b"").splitlines()
    assert [json.loads(line)["predictions"] for line in lines] == [["b"], ["b"]]
    assert len((read(batch, "s3://bucket/answers/deep/b.jsonl.gz.out") or b"").splitlines()) == 1


def test_manifest_names_the_objects(batch: CloudBench) -> None:
    put(batch, "some/one.json", b"{}")
    put(batch, "some/two.json", b"{}")
    manifest = put(batch, "manifest.json", json.dumps([{"prefix": "s3://bucket/some/"}, "two.json"]).encode())
    output = {"S3OutputPath": "s3://bucket/chosen/"}
    done = transform(batch, "manifest", TransformInput=input_of(manifest, "ManifestFile"), TransformOutput=output)
    assert done["TransformJobStatus"] == "Completed", done
    assert read(batch, "s3://bucket/chosen/two.json.out") is not None
    assert read(batch, "s3://bucket/chosen/one.json.out") is None


@pytest.mark.parametrize(
    ("name", "uri", "more", "reason"),
    [
        ("nothing", "s3://bucket/nothing/", {}, "No objects were found"),
        ("crash", "s3://bucket/crash.json", {}, "AlgorithmError: See job logs"),
        ("record-io", "s3://bucket/crash.json", {"SplitType": "RecordIO"}, "does not offer SplitType RecordIO"),
    ],
)
def test_job_that_fails_says_why(batch: CloudBench, name: str, uri: str, more: dict[str, str], reason: str) -> None:
    put(batch, "crash.json", b'{"crash": true}')
    output = {"S3OutputPath": "s3://bucket/failing"}
    done = transform(batch, name, TransformInput=input_of(uri, **more), TransformOutput=output)
    assert (done["TransformJobStatus"], reason in done["FailureReason"]) == ("Failed", True), done


# Data capture


def test_captured_requests_and_answers_are_in_s3_when_somebody_looks(cloud: CloudBench, image: str) -> None:
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://bucket/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    }
    cloud.deploy(image, "seen", DataCaptureConfig=capture)
    cloud.invoke({"question": 1}, name="seen", InferenceId="my-id")
    found = cloud.client("s3").list_objects_v2(Bucket="bucket", Prefix="captured/seen/AllTraffic/")["Contents"]
    lines = [json.loads(line) for one in found for line in (read(cloud, f"s3://bucket/{one['Key']}") or b"").splitlines()]
    assert len(lines) == 1
    sent, came = lines[0]["captureData"]["endpointInput"], lines[0]["captureData"]["endpointOutput"]
    assert (sent["encoding"], json.loads(sent["data"])) == ("JSON", {"question": 1})
    assert came["encoding"] == "BASE64"  # the stand-in says nothing of its content type
    assert lines[0]["eventMetadata"]["inferenceId"] == "my-id"
