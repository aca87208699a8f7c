"""sagemaker-runtime as a service: which of its calls a path is, and the shape of their errors.

Owns the dispatch. What the calls do is in `invocations` and `async_invocations`.
"""

from __future__ import annotations

from collections.abc import Callable

from dockyard_sandbox.invocations import InvocationError, Invocations, answer_error
from dockyard_sandbox.response_stream import stream_answer
from dockyard_sandbox.routes import HttpRequest, HttpResponse


class Runtime:
    """The service `runtime`."""

    def __init__(self, invocations: Invocations, invoke_async: Callable[[HttpRequest], HttpResponse]) -> None:
        self._invocations = invocations
        self._invoke_async = invoke_async

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer InvokeEndpoint, InvokeEndpointWithResponseStream or InvokeEndpointAsync."""
        try:
            return self._find_call(request)(request)
        except InvocationError as error:
            return answer_error(error)

    def _invoke_with_stream(self, request: HttpRequest) -> HttpResponse:
        return stream_answer(self._invocations.invoke(request))

    def _find_call(self, request: HttpRequest) -> Callable[[HttpRequest], HttpResponse]:
        call = request.path.rpartition("/")[2]
        if request.method == "POST" and call == "invocations":
            return self._invocations.invoke
        if request.method == "POST" and call == "invocations-response-stream":
            return self._invoke_with_stream
        if request.method == "POST" and call == "async-invocations":
            return self._invoke_async
        raise InvocationError(501, "UnknownOperationException", f"The sandbox does not offer {request.method} {call}.")
