"""One request to a container's /invocations, within a time.

Owns the exchange. Must not choose the container, nor know what its answer means to a client of SageMaker.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for each "
    "container in Amazon CloudWatch, resolve the issue, and try again."
)
_GONE = "The container primary closed the connection before it had answered."


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerAnswer:
    """What came back. `status` 0: nothing did, and `body` says why. `seconds` is how long the container took."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


def invoke_container(address: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> ContainerAnswer:
    """Post to `/invocations`. The names of the answer's headers are lower case."""
    host, _, port = address.rpartition(":")
    started = time.monotonic()
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout_seconds)
    try:
        connection.request("POST", "/invocations", body=body, headers={**headers, "Connection": "close"})
        answer = connection.getresponse()
        content = answer.read()
    except TimeoutError:
        return ContainerAnswer(status=0, body=TIMED_OUT.encode(), seconds=time.monotonic() - started)
    except (OSError, http.client.HTTPException):
        return ContainerAnswer(status=0, body=_GONE.encode(), seconds=time.monotonic() - started)
    finally:
        connection.close()
    names = {name.lower(): value for name, value in answer.getheaders()}
    return ContainerAnswer(status=answer.status, headers=names, body=content, seconds=time.monotonic() - started)
