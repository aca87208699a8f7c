"""Whether a container passes SageMaker's health check.

Owns `GET /ping` and waiting for it. Must not start or stop containers.
"""

from __future__ import annotations

import http.client
import time

from dockyard_sandbox.pace import Pace
from dockyard_sandbox.runner import Container

PING_SECONDS = 2.0
"""How long `/ping` may take. https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""
_INTERVAL = 0.05


def passes_ping(address: str) -> bool:
    """Whether the container answers 200 in time."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=PING_SECONDS)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def becomes_healthy(container: Container, seconds: float, pace: Pace) -> bool:
    """Whether the container passes within so many of our seconds.

    A container that has ended fails at once: SageMaker starts it again until the time is over, with the same end.
    """
    deadline = time.monotonic() + seconds
    while container.exit_code() is None:
        if passes_ping(container.address):
            return True
        if time.monotonic() >= deadline or not pace.pause(_INTERVAL):
            return False
    return False
