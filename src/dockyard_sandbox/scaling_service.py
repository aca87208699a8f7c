"""Application Auto Scaling on the wire: what concerns SageMaker is answered here, everything else by moto.

Owns the service `application-autoscaling`. What calls do is in `scaling`.
"""

from __future__ import annotations

import threading

from dockyard_sandbox.aws import Aws
from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.protocol import answer_error, answer_operation, read_body, read_target
from dockyard_sandbox.routes import HttpRequest, HttpResponse, Service
from dockyard_sandbox.scaling import Scaling
from dockyard_sandbox.serving import Serving
from dockyard_sandbox.shapes import Shapes

_NAME = "application-autoscaling"


class ScalingService:
    """The service `application-autoscaling`."""

    def __init__(self, serving: Serving, aws: Aws, others: Service) -> None:
        self._serving = serving
        self._aws = aws
        self._others = others
        self._shapes = Shapes(_NAME)
        self._lock = threading.Lock()
        self._by_region: dict[str, Scaling] = {}

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a call."""
        try:
            body = read_body(request)
            if body.text("ServiceNamespace", "sagemaker") != "sagemaker":
                return self._others.answer(request)
            operation, scaling = read_target(request), self._find(request.region)
            if operation not in scaling.operations:
                raise ApiError("UnknownOperationException", f"The sandbox does not offer {operation or 'this'}.")
            told = scaling.call(operation, self._shapes.check_request(operation, body))
        except ApiError as error:
            return answer_error(error, request, _NAME)
        self._shapes.check_response(operation, told)
        return answer_operation(told)

    def _find(self, region: str) -> Scaling:
        with self._lock:
            if region not in self._by_region:
                self._by_region[region] = Scaling(region, self._serving, self._aws)
            return self._by_region[region]
