"""Batch transform: objects in S3 are cut into records, a container answers for them, the answers go back to S3.

Owns the data side of a job. Must not know jobs' states, nor start containers by itself.
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from dockyard_sandbox.aws import Aws, AwsError
from dockyard_sandbox.container_client import ContainerAnswer, invoke_container
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.runner import Container
from dockyard_sandbox.s3_uris import split_uri
from dockyard_sandbox.surroundings import TransformError, TransformOrder

_PAYLOAD_MB = 6
_TIMEOUT_SECONDS = 600
_RETRIES = 3
_NOT_RETRIED = 500
_DEFAULT_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An object to transform, and its name below the output's path."""

    bucket: str
    key: str
    name: str


class S3Transforms:
    """Runs jobs, one object after the other."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def run(self, order: TransformOrder) -> None:
        """Returns when every object has been transformed, or the job is being stopped. Raises TransformError."""
        _refuse_what_is_not_offered(order.request)
        try:
            sources = list(self._list_sources(order))
            if not sources:
                raise TransformError("ClientError: No objects were found at the input location.")
            self._transform_all(order, sources)
        except (AwsError, ValueError, OSError) as error:
            raise TransformError(f"ClientError: {error}") from error

    def _transform_all(self, order: TransformOrder, sources: list[Source]) -> None:
        container = order.start_container()
        try:
            for source in sources:
                if order.is_stopping():
                    return
                self._transform(order, source, container)
        finally:
            container.stop()

    def _list_sources(self, order: TransformOrder) -> Iterator[Source]:
        data = order.request.child("TransformInput").child("DataSource").child("S3DataSource")
        bucket, key = split_uri(data.text("S3Uri"))
        if data.text("S3DataType") == "ManifestFile":
            yield from _read_manifest(b"".join(self._aws.read_object(order.region, bucket, key)))
            return
        folder = key.rpartition("/")[0]
        for found in self._aws.list_keys(order.region, bucket, key):
            if not found.endswith("/"):
                yield Source(bucket=bucket, key=found, name=found.removeprefix(folder).lstrip("/"))

    def _transform(self, order: TransformOrder, source: Source, container: Container) -> None:
        output = order.request.child("TransformOutput")
        content = b"".join(self._aws.read_object(order.region, source.bucket, source.key))
        if order.request.child("TransformInput").text("CompressionType") == "Gzip":
            content = gzip.decompress(content)
        answers = [self._ask(order.request, payload, container) for payload in cut_payloads(order.request, content)]
        joined = assemble(answers, by_line=output.text("AssembleWith") == "Line")
        bucket, folder = split_uri(output.text("S3OutputPath"))
        key = "/".join(part for part in (folder.rstrip("/"), f"{source.name}.out") if part)
        self._aws.call("s3", order.region, "put_object", Bucket=bucket, Key=key, Body=joined)

    def _ask(self, request: Fields, payload: bytes, container: Container) -> bytes:
        asked = request.child("ModelClientConfig")
        timeout = asked.whole("InvocationsTimeoutInSeconds", _TIMEOUT_SECONDS)
        headers = {"Content-Type": request.child("TransformInput").text("ContentType") or _DEFAULT_TYPE}
        accept = request.child("TransformOutput").text("Accept")
        headers |= {"Accept": accept} if accept else {}
        answer = ContainerAnswer(status=0)
        for _ in range(1 + asked.whole("InvocationsMaxRetries", _RETRIES)):
            answer = invoke_container(container.address, headers, payload, timeout)
            if answer.status == HTTPStatus.OK:
                return answer.body
            if 0 < answer.status < _NOT_RETRIED:
                break
        kind = "ClientError" if 400 <= answer.status < 500 else "AlgorithmError"
        text = answer.body.decode("utf-8", "replace")[:500]
        raise TransformError(f"{kind}: See job logs for more information. The container answered {answer.status}: {text}")


def cut_payloads(request: Fields, content: bytes) -> Iterator[bytes]:
    """What each request to the container carries. Raises TransformError for a record that is larger than a payload may be."""
    limit = request.whole("MaxPayloadInMB", _PAYLOAD_MB) << 20
    if request.child("TransformInput").text("SplitType", "None") == "None":
        yield content
        return
    single = request.text("BatchStrategy", "MultiRecord") == "SingleRecord"
    waiting = b""
    for record in content.splitlines(keepends=True):
        if limit and len(record) > limit:
            raise TransformError(f"ClientError: A record of {len(record)} bytes is larger than MaxPayloadInMB allows.")
        if waiting and (single or (limit and len(waiting) + len(record) > limit)):
            yield waiting
            waiting = b""
        waiting += record
    if waiting:
        yield waiting


def assemble(answers: Sequence[bytes], *, by_line: bool) -> bytes:
    """The answers as one object; by line each ends with exactly one line feed."""
    if not by_line:
        return b"".join(answers)
    return b"".join(answer.removesuffix(b"\n") + b"\n" for answer in answers)


def _read_manifest(content: bytes) -> Iterator[Source]:
    """Objects that a manifest names: `[{"prefix": "s3://bucket/folder/"}, "one.csv", "two.csv"]`. Raises ValueError."""
    document: object = json.loads(content)
    if not isinstance(document, list) or not document or not isinstance(document[0], dict) or "prefix" not in document[0]:
        raise ValueError("the manifest is no list that begins with a prefix")
    bucket, folder = split_uri(str(document[0]["prefix"]))
    for name in document[1:]:
        yield Source(bucket=bucket, key=f"{folder}{name}", name=str(name))


def _refuse_what_is_not_offered(request: Fields) -> None:
    data = request.child("TransformInput")
    kind = data.child("DataSource").child("S3DataSource").text("S3DataType")
    offered = {
        "DataProcessing": not request.child("DataProcessing"),
        f"SplitType {data.text('SplitType')}": data.text("SplitType", "None") in {"None", "Line"},
        f"S3DataType {kind}": kind in {"S3Prefix", "ManifestFile"},
    }
    for what, is_offered in offered.items():
        if not is_offered:
            raise TransformError(f"ClientError: The sandbox does not offer {what}.")
