"""InvokeEndpoint: a client's request on its way to a container, and the answer or SageMaker's error on its way back.

Owns the limits, the choice of who answers, and the words of errors. Must not change endpoints.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

from dockyard_sandbox.arns import ACCOUNT
from dockyard_sandbox.capture import CapturedExchange, Payload
from dockyard_sandbox.container_client import ContainerAnswer, invoke_container
from dockyard_sandbox.invocation_log import Invocation, InvocationLog
from dockyard_sandbox.protocol import make_request_id
from dockyard_sandbox.routes import HttpRequest, HttpResponse
from dockyard_sandbox.runner import Container
from dockyard_sandbox.serving import Serving, ServingComponent, ServingEndpoint, ServingVariant, Target
from dockyard_sandbox.traffic import Draw, choose_target, choose_variant

MAX_BODY = 6_291_456
MAX_SERVERLESS_BODY = 4_194_304
TIMEOUT_SECONDS = 60.0
_PREFIX = "x-amzn-sagemaker-"
_PASSED_ON = ("content-type", "accept", f"{_PREFIX}custom-attributes", f"{_PREFIX}inference-id", f"{_PREFIX}session-id")
_MAX_ATTRIBUTES = 1024
_NO_CAPACITY = (
    "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress (if configured) or "
    "try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API."
)
_NAME_A_COMPONENT = (
    "Inference Component Name header is required for endpoints to which you plan to deploy inference components. Please "
    "include Inference Component Name header or consider using SageMaker models."
)


class InvocationError(Exception):
    """A refusal. `fields` are further members of the error."""

    def __init__(self, status: int, code: str, message: str, fields: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = dict(fields or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a request goes."""

    endpoint: ServingEndpoint
    variant: ServingVariant
    target: Target
    component: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationSettings:
    """How invocations are carried out."""

    timeout_seconds: float = TIMEOUT_SECONDS
    draw: Draw = field(default=random.random)
    on_silence: Callable[[Container], None] = field(default=lambda _: None)
    """Told of each container that gave no answer."""
    capture: Callable[[CapturedExchange], None] = field(default=lambda _: None)
    """Told of each request that was answered well."""


class Invocations:
    """Carries requests to containers."""

    def __init__(self, serving: Serving, log: InvocationLog, settings: InvocationSettings | None = None) -> None:
        self._serving = serving
        self._log = log
        self._settings = settings or InvocationSettings()
        self._in_flight: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def find_endpoint(self, request: HttpRequest) -> ServingEndpoint:
        """The endpoint that a request names. Raises InvocationError where it does not take requests."""
        name = unquote(request.path.split("/")[2])
        endpoint = self._serving.find_serving(request.region, name)
        if endpoint is None or not endpoint.serves:
            raise refuse(f"Endpoint {name} of account {ACCOUNT} not found.")
        return endpoint

    def invoke(self, request: HttpRequest) -> HttpResponse:
        """InvokeEndpoint. Raises InvocationError."""
        started = time.monotonic()
        endpoint = self.find_endpoint(request)
        if "AsyncInferenceConfig" in endpoint.config:
            raise refuse(f"Endpoint {endpoint.name} is asynchronous: invoke it with InvokeEndpointAsync.")
        route = self.find_route(endpoint, request.headers)
        _refuse_large(request.body, route.variant)
        self._send_shadows(endpoint, request)
        with self._limit_concurrency(route):
            answer = self.ask(route, _headers_for_container(request.headers), request.body, started=started)
        response = _answer(route, answer)
        self._settings.capture(
            CapturedExchange(
                endpoint=endpoint,
                variant=route.variant.name,
                request=Payload(content_type=request.headers.get("content-type", ""), body=request.body),
                answer=Payload(content_type=response.headers["Content-Type"], body=response.body),
                inference_id=request.headers.get(f"{_PREFIX}inference-id", ""),
            )
        )
        return response

    def find_route(self, endpoint: ServingEndpoint, headers: Mapping[str, str]) -> Route:
        """Who answers a request. Raises InvocationError."""
        component = headers.get(f"{_PREFIX}inference-component", "")
        if component or endpoint.components:
            return self._find_component_route(endpoint, component)
        wanted = headers.get(f"{_PREFIX}target-variant", "")
        candidates = [variant for variant in endpoint.variants if wanted in {"", variant.name}]
        if not candidates:
            raise refuse(f"Variant {wanted} not found for endpoint {endpoint.name}.")
        variant = choose_variant(candidates, self._settings.draw)
        target = choose_target(variant.targets, self._settings.draw) if variant else None
        if variant is None or target is None:
            needs_component = any("ModelName" not in one.definition for one in candidates)
            raise refuse(_NAME_A_COMPONENT) if needs_component else _no_instances()
        return Route(endpoint=endpoint, variant=variant, target=target)

    def ask(
        self, route: Route, headers: Mapping[str, str], body: bytes, *, started: float, timeout: float | None = None
    ) -> ContainerAnswer:
        """Ask the container, and note it. `started` is the monotonic time at which the request came."""
        waited = time.monotonic() - started
        answer = invoke_container(route.target.container.address, headers, body, timeout or self._settings.timeout_seconds)
        self._log.observe(
            Invocation(
                time=time.time(),
                region=route.endpoint.region,
                endpoint=route.endpoint.name,
                variant=route.variant.name,
                config_name=route.target.config_name,
                status=answer.status if 200 <= answer.status < 300 else 424,
                model_status=answer.status,
                model_seconds=answer.seconds,
                overhead_seconds=waited,
                component=route.component,
            )
        )
        if not answer.status:
            self._settings.on_silence(route.target.container)
        return answer

    def _find_component_route(self, endpoint: ServingEndpoint, name: str) -> Route:
        if not name:
            raise refuse(_NAME_A_COMPONENT)
        component = next((one for one in endpoint.components if one.name == name), None)
        if component is None:
            raise refuse(f"Inference Component {name} of account {ACCOUNT} not found on endpoint {endpoint.name}.")
        target = choose_target(component.targets, self._settings.draw)
        if target is None:
            raise refuse(_NO_CAPACITY)
        return Route(endpoint=endpoint, variant=_variant_of(endpoint, component), target=target, component=name)

    def _send_shadows(self, endpoint: ServingEndpoint, request: HttpRequest) -> None:
        """A copy for each shadow variant, by its weight against the production variant's; answers are thrown away."""
        production = max(sum(variant.weight for variant in endpoint.variants), 0.0)
        for shadow in endpoint.shadows:
            sampled = production > 0 and self._settings.draw() < shadow.weight / production
            target = choose_target(shadow.targets, self._settings.draw) if sampled else None
            if target is not None:
                route = Route(endpoint=endpoint, variant=shadow, target=target)
                headers, now = _headers_for_container(request.headers), time.monotonic()
                copy = threading.Thread(
                    target=self.ask, args=(route, headers, request.body), kwargs={"started": now}, daemon=True
                )
                copy.start()

    @contextmanager
    def _limit_concurrency(self, route: Route) -> Iterator[None]:
        serverless = route.variant.serverless
        key = (route.endpoint.arn, route.variant.name)
        with self._lock:
            if serverless is not None and self._in_flight[key] >= serverless.whole("MaxConcurrency", 1):
                raise InvocationError(429, "ThrottlingException", "Rate exceeded")
            self._in_flight[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_flight[key] -= 1


def refuse(message: str) -> InvocationError:
    """What is wrong with a request."""
    return InvocationError(400, "ValidationError", message)


def answer_error(error: InvocationError) -> HttpResponse:
    """The error as sagemaker-runtime sends it."""
    if error.status == 413:
        return HttpResponse(status=413, headers={"Content-Type": "text/plain"}, body=error.message.encode())
    body = json.dumps({"Message": error.message, "message": error.message, **error.fields}).encode()
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code, "x-amzn-RequestId": make_request_id()}
    return HttpResponse(status=error.status, headers=headers, body=body)


def explain_failure(endpoint: ServingEndpoint, target: Target, answer: ContainerAnswer) -> InvocationError:
    """The ModelError for what a container answered."""
    kind = "client" if 400 <= answer.status < 500 else "server"
    text = answer.body.decode("utf-8", "replace")
    console = f"https://{endpoint.region}.console.aws.amazon.com/cloudwatch/home?region={endpoint.region}"
    message = (
        f'Received {kind} error ({answer.status}) from primary with message "{text}". See '
        f"{console}#logEventViewer:group={endpoint.log_group} in account {ACCOUNT} for more information."
    )
    group = f"arn:aws:logs:{endpoint.region}:{ACCOUNT}:log-group:{endpoint.log_group}"
    fields = {
        "OriginalStatusCode": answer.status,
        "OriginalMessage": text,
        "LogStreamArn": f"{group}:log-stream:{target.instance}",
    }
    return InvocationError(424, "ModelError", message, fields)


def _answer(route: Route, answer: ContainerAnswer) -> HttpResponse:
    if not 200 <= answer.status < 300:
        raise explain_failure(route.endpoint, route.target, answer)
    headers = {
        "Content-Type": answer.headers.get("content-type", "application/octet-stream"),
        "x-Amzn-Invoked-Production-Variant": route.variant.name,
        "x-amzn-RequestId": make_request_id(),
    }
    attributes = answer.headers.get(f"{_PREFIX}custom-attributes")
    if attributes:
        headers["X-Amzn-SageMaker-Custom-Attributes"] = attributes
    return HttpResponse(headers=headers, body=answer.body)


def _headers_for_container(headers: Mapping[str, str]) -> dict[str, str]:
    attributes = headers.get(f"{_PREFIX}custom-attributes", "")
    if len(attributes) > _MAX_ATTRIBUTES or not attributes.isascii():
        raise refuse(f"CustomAttributes must be at most {_MAX_ATTRIBUTES} visible US-ASCII characters.")
    return {name: headers[name] for name in _PASSED_ON if name in headers}


def _refuse_large(body: bytes, variant: ServingVariant) -> None:
    limit = MAX_BODY if variant.serverless is None else MAX_SERVERLESS_BODY
    if len(body) > limit:
        raise InvocationError(413, "413", f"HTTP content length exceeded {limit} bytes.")


def _no_instances() -> InvocationError:
    return InvocationError(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.")


def _variant_of(endpoint: ServingEndpoint, component: ServingComponent) -> ServingVariant:
    return next(variant for variant in endpoint.variants if variant.name == component.variant_name)
