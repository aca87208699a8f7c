"""Sessions of Dockyard's own with a sandbox, whose SDK tries as often as ever and hardly waits in between."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.retries import standard
from botocore.retries.quota import RetryQuota
from urllib3 import HTTPResponse

from dockyard.adapters.sagemaker.session import Session
from dockyard.domain.sagemaker_place import AwsAccess
from dockyard_sandbox.front import ConnectionCut
from dockyard_sandbox.routes import HttpRequest
from dockyard_sandbox.sandbox import Sandbox

SERVICES = (
    "application-autoscaling",
    "cloudwatch",
    "ecr",
    "iam",
    "logs",
    "s3",
    "sagemaker",
    "sagemaker-runtime",
    "service-quotas",
    "sts",
)
_ATTEMPTS = 6
_NO_END = 10**9


def open_quick_session(environ: Mapping[str, str]) -> Session:
    """A session whose clients are made while the environment says where AWS is; afterwards they know."""
    session = Session(AwsAccess(region=environ["AWS_REGION"]))
    with _environment(environ):
        for service in SERVICES:
            hurry(session.client(service))
    return session


def hurry(client: Any) -> None:  # noqa: ANN401  boto3's clients have no types
    """Let a client try again at once, and as often as its settings say however many calls have failed before."""
    name = client.meta.service_model.service_id.hyphenize()
    identity = f"retry-config-{name}"
    handler = standard.RetryHandler(
        retry_policy=standard.RetryPolicy(
            retry_checker=standard.StandardRetryConditions(max_attempts=_ATTEMPTS),
            retry_backoff=standard.ExponentialBackoff(random=lambda: 0.0),
        ),
        retry_event_adapter=standard.RetryEventAdapter(),
        retry_quota=standard.RetryQuotaChecker(RetryQuota(_NO_END)),
    )
    client.meta.events.unregister(f"needs-retry.{name}", unique_id=identity)
    client.meta.events.register(f"needs-retry.{name}", handler.needs_retry, unique_id=identity)


def shorten(session: Session, sandbox: Sandbox) -> None:
    """Let a session's clients reach a sandbox of this process without a socket, which is half of what a call costs."""

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        place = urlsplit(request.url)
        headers = {name.lower(): _read_text(value) for name, value in request.headers.items()}
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        try:
            told = sandbox.answer(
                HttpRequest(
                    method=request.method,
                    path=place.path,
                    query=place.query,
                    headers={"host": place.netloc, **headers},
                    body=body.encode() if isinstance(body, str) else bytes(body),
                )
            )
        except ConnectionCut as cut:
            raise ConnectionClosedError(endpoint_url=request.url) from cut
        content = told.body if told.chunks is None else b"".join(told.chunks)
        content = b"" if request.method == "HEAD" else content  # as on a socket, refusals included
        raw = HTTPResponse(
            body=BytesIO(content),
            headers=dict(told.headers),
            status=told.status,
            preload_content=False,
            request_method=request.method,
        )
        return AWSResponse(request.url, told.status, raw.headers, raw)

    for service in SERVICES:
        session.client(service).meta.events.register("before-send", answer)


def _read_text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@contextmanager
def _environment(environ: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
