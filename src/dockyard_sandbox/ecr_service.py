"""ECR's control API on the wire: JSON 1.1, every request and answer checked against botocore's service model.

Owns the service `ecr`. What calls do is in `ecr`. Must not know the data plane.
"""

from __future__ import annotations

from dockyard_sandbox.ecr import Ecr
from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.protocol import answer_error, answer_operation, read_body, read_target
from dockyard_sandbox.registry_tokens import RegistryTokens
from dockyard_sandbox.repositories import EcrError, Repositories
from dockyard_sandbox.routes import HttpRequest, HttpResponse
from dockyard_sandbox.shapes import Shapes


class EcrService:
    """The service `ecr`."""

    def __init__(self, repositories: Repositories, tokens: RegistryTokens, *, address: str) -> None:
        self._repositories = repositories
        self._tokens = tokens
        self._address = address
        self._shapes = Shapes("ecr")

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a control call."""
        try:
            return self._answer(request)
        except EcrError as error:
            return answer_error(ApiError(error.code, error.message), request, "ecr")
        except ApiError as error:
            # What its model forbids, ECR calls an invalid parameter.
            code = "InvalidParameterException" if error.code == "ValidationException" else error.code
            return answer_error(ApiError(code, error.message, status=error.status), request, "ecr")

    def _answer(self, request: HttpRequest) -> HttpResponse:
        operation = read_target(request)
        ecr = Ecr(self._repositories, self._tokens, address=self._address, region=request.region)
        if operation not in ecr.operations:
            raise ApiError("UnknownOperationException", f"The sandbox does not offer {operation or 'this'}.")
        body = ecr.call(operation, self._shapes.check_request(operation, read_body(request)))
        self._shapes.check_response(operation, body)
        return answer_operation(body)
