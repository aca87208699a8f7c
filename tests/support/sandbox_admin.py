"""Asks a sandbox's admin API."""

from __future__ import annotations

import json
import urllib.request

from dockyard_sandbox.fields import Fields, as_fields
from dockyard_sandbox.sandbox import Sandbox


def ask_admin(sandbox: Sandbox, method: str, route: str, body: object = None) -> Fields:
    """The answer of `/_sandbox/<route>`. Raises urllib's HTTPError."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{sandbox.url}/_sandbox/{route}", data=content, method=method)
    with urllib.request.urlopen(request) as answer:
        return as_fields(json.load(answer))
