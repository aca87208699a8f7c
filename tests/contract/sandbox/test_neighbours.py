"""What moto answers passes through unchanged: odd keys, large and chunked bodies, signed addresses; and moto's end is told."""

from __future__ import annotations

import http.client
import io
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from dockyard_sandbox.cbor import decode_cbor, encode_cbor
from dockyard_sandbox.fields import Fields, as_fields
from dockyard_sandbox.moto_process import MotoProcess, NoMotoError
from dockyard_sandbox.neighbours import Neighbours
from dockyard_sandbox.routes import HttpRequest
from support.patience import wait_for
from support.sandbox_cloud import CloudBench, open_cloud

pytestmark = pytest.mark.process

MEGABYTE = 1 << 20
SIGNED = "AWS4-HMAC-SHA256 Credential=KEY/20260304/us-east-1/s3/aws4_request, Signature=0"  # not a secret: it signs nothing

SIGNED_METRICS = SIGNED.replace("/s3/", "/monitoring/")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudBench]:
    with open_cloud(tmp_path_factory.mktemp("cloud")) as opened:
        opened.client("s3").create_bucket(Bucket="bucket")
        yield opened


@pytest.mark.parametrize(
    "key", ["plain", "with space", "a%20b", "größe/🍷", "a+b=c&d", "deep/../up", "double//slash", "?query"]
)
def test_any_key_comes_back(cloud: CloudBench, key: str) -> None:
    s3 = cloud.client("s3")
    s3.put_object(Bucket="bucket", Key=key, Body=key.encode(), Metadata={"kind": "odd"})
    assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == key.encode()
    head = s3.head_object(Bucket="bucket", Key=key)
    assert (head["ContentLength"], head["Metadata"]) == (len(key.encode()), {"kind": "odd"})
    assert key in [found["Key"] for found in s3.list_objects_v2(Bucket="bucket")["Contents"]]


def test_large_object_is_uploaded_in_parts_and_read_in_ranges(cloud: CloudBench) -> None:
    s3, content = cloud.client("s3"), os.urandom(11 * MEGABYTE)
    s3.upload_fileobj(io.BytesIO(content), "bucket", "large", Config=TransferConfig(multipart_threshold=5 * MEGABYTE))
    assert s3.get_object(Bucket="bucket", Key="large")["Body"].read() == content
    part = s3.get_object(Bucket="bucket", Key="large", Range="bytes=5-14")
    assert (part["Body"].read(), part["ResponseMetadata"]["HTTPStatusCode"]) == (content[5:15], 206)


def test_signed_address_is_enough(cloud: CloudBench) -> None:
    s3 = cloud.client("s3")
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": "signed"})
    plain = {"Content-Type": "text/plain"}
    with urllib.request.urlopen(urllib.request.Request(put, data=b"content", method="PUT", headers=plain)) as answer:
        assert answer.status == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "signed"})
    with urllib.request.urlopen(get) as answer:
        assert answer.read() == b"content"


def test_errors_keep_their_codes(cloud: CloudBench) -> None:
    s3 = cloud.client("s3")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="bucket", Key="none")
    with pytest.raises(ClientError) as refused:
        s3.head_object(Bucket="bucket", Key="none")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_every_answer_of_s3_has_a_request_id_under_the_name_that_s3_gives_it(cloud: CloudBench) -> None:
    s3 = cloud.client("s3")
    headers = [s3.list_buckets()["ResponseMetadata"]["HTTPHeaders"]]
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="bucket", Key="none")
    headers.append(refused.value.response["ResponseMetadata"]["HTTPHeaders"])
    assert all(one["x-amz-request-id"] for one in headers)


def test_cloudwatch_understands_cbor_in_which_other_sdks_speak(cloud: CloudBench) -> None:
    """What a client of AWS's for Go sends; boto3 prefers JSON."""

    def call(operation: str, body: dict[str, object]) -> tuple[int, Fields]:
        connection = http.client.HTTPConnection(cloud.address, timeout=10)
        headers = {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor", "authorization": SIGNED_METRICS}
        path = f"/service/GraniteServiceVersion20100801/operation/{operation}"
        connection.request("POST", path, encode_cbor(body), headers)
        answer = connection.getresponse()
        told = as_fields(decode_cbor(answer.read()))
        connection.close()
        return answer.status, told

    alarm = {
        "AlarmName": "in-cbor",
        "Namespace": "N",
        "MetricName": "m",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.5,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    assert call("PutMetricAlarm", alarm)[0] == 200
    (found,) = call("DescribeAlarms", {"AlarmNames": ["in-cbor"]})[1].items_of("MetricAlarms")
    assert {name: found[name] for name in alarm} == alarm
    status, refused = call("SetAlarmState", {"AlarmName": "none", "StateValue": "OK", "StateReason": "r"})
    assert (status, refused.text("__type")) == (404, "ResourceNotFound")
    assert call("DeleteAlarms", {"AlarmNames": ["in-cbor"]})[0] == 200


def test_regions_are_apart_and_accounts_are_one(cloud: CloudBench) -> None:
    cloud.client("cloudwatch", "eu-west-1").put_metric_alarm(
        AlarmName="there",
        Namespace="N",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    assert cloud.client("cloudwatch", "us-west-2").describe_alarms()["MetricAlarms"] == []
    assert len(cloud.client("cloudwatch", "eu-west-1").describe_alarms()["MetricAlarms"]) == 1
    assert cloud.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_call_without_a_signature_goes_to_s3_as_in_aws(cloud: CloudBench) -> None:
    connection = http.client.HTTPConnection(cloud.address, timeout=10)
    connection.request("GET", "/nobodys-bucket")
    answer = connection.getresponse()
    assert (answer.status, b"NoSuchBucket" in answer.read()) == (404, True)
    connection.close()


def test_end_of_moto_is_told() -> None:
    with MotoProcess() as moto:
        address = moto.address
    request = HttpRequest(method="GET", path="/", headers={"authorization": SIGNED, "host": address})
    answer = Neighbours(lambda: address).answer(request)
    assert (answer.status, b"moto, which stands in for s3, does not answer" in answer.body) == (503, True)


def test_moto_that_was_ended_before_it_listened_is_told(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, MotoProcess(log) as moto:
        os.kill(moto.pid, 9)
        with pytest.raises(NoMotoError, match="moto did not start"):
            _ = moto.address


def test_moto_listens_on_loopback_and_ends_when_its_starter_lets_go() -> None:
    moto = MotoProcess()
    assert moto.address.startswith("127.0.0.1:")
    moto.stop()
    moto.stop()
    wait_for(lambda: not Path(f"/proc/{moto.pid}").exists())
