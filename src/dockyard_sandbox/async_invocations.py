"""InvokeEndpointAsync: the input waits in S3, a container answers when it can, the answer goes to S3, and SNS tells.

Owns the queue of one endpoint at a time, its limits and its messages. Who answers is decided in `invocations`.
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-invoke-update-delete.html
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone

from dockyard_sandbox.aws import Aws, AwsError
from dockyard_sandbox.events import Events
from dockyard_sandbox.invocations import InvocationError, Invocations, explain_failure, refuse
from dockyard_sandbox.protocol import make_request_id
from dockyard_sandbox.routes import HttpRequest, HttpResponse
from dockyard_sandbox.s3_uris import split_uri
from dockyard_sandbox.serving import ServingEndpoint

MAX_INLINE = 128_000
_PREFIX = "x-amzn-sagemaker-"
_TTL_SECONDS = 21_600
_TIMEOUT_SECONDS = 900
_CONCURRENT = 4
_ID = re.compile(r"[\x21-\x7e]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An asynchronous invocation that was accepted."""

    inference_id: str
    endpoint: ServingEndpoint
    headers: dict[str, str] = field(repr=False)
    input_uri: str
    body: bytes = field(repr=False)
    output_uri: str
    failure_uri: str
    received: float
    ttl_seconds: float
    timeout_seconds: float


class AsyncInvocations:
    """Accepts invocations and carries them out, a few at a time."""

    def __init__(self, invocations: Invocations, aws: Aws, events: Events) -> None:
        self._invocations = invocations
        self._aws = aws
        self._events = events
        self._slots = threading.BoundedSemaphore(_CONCURRENT)

    def accept(self, request: HttpRequest) -> HttpResponse:
        """InvokeEndpointAsync. Raises InvocationError."""
        endpoint = self._invocations.find_endpoint(request)
        if "AsyncInferenceConfig" not in endpoint.config:
            raise refuse(f"Endpoint {endpoint.name} is not asynchronous: invoke it with InvokeEndpoint.")
        job = _read_job(request, endpoint)
        threading.Thread(target=self._work, args=(job,), name=f"async {job.inference_id}", daemon=True).start()
        headers = {
            "Content-Type": "application/json",
            "X-Amzn-SageMaker-OutputLocation": job.output_uri,
            "x-amzn-RequestId": make_request_id(),
        }
        if job.failure_uri:
            headers["X-Amzn-SageMaker-FailureLocation"] = job.failure_uri
        return HttpResponse(status=202, headers=headers, body=json.dumps({"InferenceId": job.inference_id}).encode())

    def _work(self, job: Job) -> None:
        with self._slots:
            try:
                content_type = self._answer(job)
            except InvocationError as error:
                self._fail(job, error.message)
            except (AwsError, ValueError) as error:
                self._fail(job, str(error))
            else:
                where = {"contentType": content_type, "outputLocation": job.output_uri}
                self._tell(job, "SuccessTopic", {"invocationStatus": "Completed", "responseParameters": where})

    def _answer(self, job: Job) -> str:
        """Carry it out, and return the content type of what was put into S3."""
        started = time.monotonic()
        if time.time() - job.received > job.ttl_seconds:
            raise refuse("The request was not processed within its RequestTTLSeconds.")
        body = job.body or self._read(job)
        route = self._invocations.find_route(job.endpoint, job.headers)
        answer = self._invocations.ask(route, job.headers, body, started=started, timeout=job.timeout_seconds)
        if not 200 <= answer.status < 300:
            raise explain_failure(job.endpoint, route.target, answer)
        content_type = answer.headers.get("content-type", "application/octet-stream")
        self._write(job, job.output_uri, answer.body, content_type)
        return content_type

    def _fail(self, job: Job, reason: str) -> None:
        self._events.tell("async", job.endpoint.arn, f"asynchronous invocation {job.inference_id} failed: {reason}")
        if job.failure_uri:
            with suppress(AwsError, ValueError):
                self._write(job, job.failure_uri, reason.encode(), "text/plain")
        self._tell(job, "ErrorTopic", {"invocationStatus": "Failed", "failureReason": reason})

    def _read(self, job: Job) -> bytes:
        bucket, key = split_uri(job.input_uri)
        return b"".join(self._aws.read_object(job.endpoint.region, bucket, key))

    def _write(self, job: Job, uri: str, body: bytes, content_type: str) -> None:
        bucket, key = split_uri(uri)
        region = job.endpoint.region
        self._aws.call("s3", region, "put_object", Bucket=bucket, Key=key, Body=body, ContentType=content_type)

    def _tell(self, job: Job, topic: str, outcome: dict[str, object]) -> None:
        output = job.endpoint.config.child("AsyncInferenceConfig").child("OutputConfig")
        arn = output.child("NotificationConfig").text(topic)
        if not arn:
            return
        asked = {"endpointName": job.endpoint.name, "inputLocation": job.input_uri, "accept": job.headers.get("accept", "")}
        message = {
            "awsRegion": job.endpoint.region,
            "eventTime": _format(time.time()),
            "receivedTime": _format(job.received),
            "requestParameters": asked,
            "inferenceId": job.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
            **outcome,
        }
        with suppress(AwsError):  # a topic that is not there is not told anything by AWS, either
            self._aws.call("sns", job.endpoint.region, "publish", TopicArn=arn, Message=json.dumps(message))


def _read_job(request: HttpRequest, endpoint: ServingEndpoint) -> Job:
    given = {name.removeprefix(_PREFIX): value for name, value in request.headers.items() if name.startswith(_PREFIX)}
    input_uri = given.get("inputlocation", "")
    if bool(input_uri) == bool(request.body):
        raise refuse("Either InputLocation or Body must be given, and not both.")
    if len(request.body) > MAX_INLINE:
        raise refuse(f"Body must have length less than or equal to {MAX_INLINE}.")
    output = endpoint.config.child("AsyncInferenceConfig").child("OutputConfig")
    job_id = given.get("inference-id") or str(uuid.uuid4())
    if not _ID.fullmatch(job_id):
        raise refuse("InferenceId must be 1 to 64 visible US-ASCII characters.")
    name, failures = uuid.uuid4(), output.text("S3FailurePath")
    headers = {"content-type": given.get("content-type", "application/octet-stream"), f"{_PREFIX}inference-id": job_id}
    headers |= {"accept": given["accept"]} if "accept" in given else {}
    headers |= {f"{_PREFIX}custom-attributes": given["custom-attributes"]} if "custom-attributes" in given else {}
    return Job(
        inference_id=job_id,
        endpoint=endpoint,
        headers=headers,
        input_uri=input_uri,
        body=request.body,
        output_uri=f"{output.text('S3OutputPath').rstrip('/')}/{name}{given.get('s3outputpathextension', '.out')}",
        failure_uri=f"{failures.rstrip('/')}/{name}-error.out" if failures else "",
        received=time.time(),
        ttl_seconds=_read_seconds(given, "requestttlseconds", (60, 21_600), _TTL_SECONDS),
        timeout_seconds=_read_seconds(given, "invocationtimeoutseconds", (1, 3600), _TIMEOUT_SECONDS),
    )


def _read_seconds(given: dict[str, str], name: str, limits: tuple[int, int], default: int) -> int:
    text = given.get(name, str(default))
    if not text.isdigit() or not limits[0] <= int(text) <= limits[1]:
        raise refuse(f"{name} must be {limits[0]} to {limits[1]} seconds.")
    return int(text)


def _format(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
