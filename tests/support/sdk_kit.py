"""What the scenarios of the SageMaker SDK share. Runs in a Python that has the SDK; imports without it, too."""

from __future__ import annotations

import json
import os
import time
import traceback
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SECONDS = 60.0
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
    end = time.monotonic() + SECONDS
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


def ask(endpoint: Any, **more: Any) -> Any:  # noqa: ANN401
    answer = endpoint.invoke(body=json.dumps({"inputs": [1]}), content_type="application/json", **more)
    return json.loads(answer.body.read())["predictions"]


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
