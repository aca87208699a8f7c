"""Owns `predict`: one request to a deployment, through the same port that its clients use."""

from __future__ import annotations

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import UsageError
from dockyard.domain.result import PredictResult
from dockyard.ports import Request
from dockyard.usecases.observe import require_serving
from dockyard.usecases.workbench import Workbench


def predict(bench: Workbench, key: DeploymentKey, body: bytes | None, content_type: str) -> PredictResult:
    """Send a body, or without one the model's own input example.

    Raises `deployment-not-found`, `nothing-serving`, `scorer-unreachable`, `smoke-test-failed`.
    """
    seen, revision = require_serving(bench, key)
    if body is None:
        request = bench.images.read_proof(revision.spec.fingerprint, revision.image)
        if request is None:
            raise UsageError("usage", f"the model of {key} has no input example", hint="give the request's body with `--data`")
    else:
        request = Request(body=body, content_type=content_type)
    answer = bench.sites.find(key.environment).invoke(key, request)
    return PredictResult(key=key, endpoint=seen.endpoint_name or "", value=answer.value, seconds=answer.seconds)
