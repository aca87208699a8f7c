"""ECR's control API on the wire: JSON 1.1, every request and answer checked against botocore's service model.

Owns the service `ecr`. What calls do is in `ecr`. Must not know the data plane.
"""

from __future__ import annotations

import json
import secrets

from dockyard_sandbox.ecr import Ecr
from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.repositories import EcrError
from dockyard_sandbox.routes import HttpRequest, HttpResponse, read_json
from dockyard_sandbox.shapes import Shapes

_TARGET = "AmazonEC2ContainerRegistry_V20150921."


class EcrService:
    """The service `ecr`."""

    def __init__(self, ecr: Ecr) -> None:
        self._ecr = ecr
        self._shapes = Shapes("ecr")

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a control call."""
        target = request.headers.get("x-amz-target", "")
        operation = target.removeprefix(_TARGET)
        try:
            if not target.startswith(_TARGET) or operation not in self._ecr.operations:
                raise EcrError("UnknownOperationException", f"The sandbox does not offer {target!r}")
            body = self._ecr.call(operation, self._shapes.check_request(operation, read_json(request)))
        except (EcrError, ApiError) as error:
            return _refuse(error.code, error.message)
        except ValueError:
            return _refuse("SerializationException", "The request is not a JSON object")
        self._shapes.check_response(operation, body)
        return _answer(200, body)


def _refuse(code: str, message: str) -> HttpResponse:
    """ECR calls what its model forbids an invalid parameter."""
    named = "InvalidParameterException" if code == "ValidationException" else code
    return _answer(400, {"__type": named, "message": message})


def _answer(status: int, body: dict[str, object]) -> HttpResponse:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": secrets.token_hex(16)}
    return HttpResponse(status=status, headers=headers, body=json.dumps(body).encode())
