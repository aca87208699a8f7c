"""A service of AWS in JSON 1.1, such as SageMaker's control plane: request in, checked, carried out, checked, answer out.

Owns the order of these. Must not know what any operation does.
"""

from __future__ import annotations

from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.operations.call import ApiCall, Operations
from dockyard_sandbox.protocol import answer_error, answer_operation, read_body, read_target
from dockyard_sandbox.routes import HttpRequest, HttpResponse
from dockyard_sandbox.shapes import Shapes
from dockyard_sandbox.world import Worlds


class ControlPlane:
    """Answers JSON 1.1 calls of a service, which `name` is botocore's name of."""

    def __init__(self, worlds: Worlds, operations: Operations, name: str = "sagemaker") -> None:
        self._worlds = worlds
        self._operations = operations
        self._name = name
        self._shapes = Shapes(name)

    @property
    def offered(self) -> frozenset[str]:
        """The operations that it carries out."""
        return frozenset(self._operations)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The operation's answer, or the error that AWS gives."""
        try:
            return self._answer(request)
        except ApiError as error:
            return answer_error(error, request, self._name)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        name = read_target(request)
        if request.scope is None:
            raise ApiError("MissingAuthenticationTokenException", "Missing Authentication Token", status=403)
        operation = self._operations.get(name)
        if operation is None:
            raise ApiError("UnknownOperationException", f"The sandbox does not offer {name or 'this'}.")
        fields = self._shapes.check_request(name, read_body(request))
        body = operation(ApiCall(operation=name, request=fields, world=self._worlds.in_region(request.region)))
        self._shapes.check_response(name, body)
        return answer_operation(body)
