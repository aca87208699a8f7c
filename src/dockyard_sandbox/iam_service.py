"""IAM: moto's, and the simulation of policies, which moto does not have.

Owns SimulatePrincipalPolicy, decided by the policy that holds in the sandbox. Must not read the policies that moto stores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from urllib.parse import parse_qs

from dockyard_sandbox.calls import Permission
from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.guard import Guard
from dockyard_sandbox.policy import make_account_context
from dockyard_sandbox.protocol import answer_error, make_request_id
from dockyard_sandbox.routes import HttpRequest, HttpResponse, Service

_SIMULATION = "SimulatePrincipalPolicy"
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


class IamService:
    """Answers the simulation, and passes everything else on."""

    def __init__(self, guard: Guard, others: Service | None) -> None:
        self._guard = guard
        self._others = others

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The answer."""
        form = {name: values[-1] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        if form.get("Action") == _SIMULATION:
            return self._simulate(form, request.region)
        if self._others is None:
            error = ApiError("UnknownOperationException", "This sandbox was started without IAM.", status=501)
            return answer_error(error, request, "iam")
        return self._others.answer(request)

    def _simulate(self, form: Mapping[str, str], region: str) -> HttpResponse:
        context = {**make_account_context(region), **_read_context(form)}
        results = "".join(
            self._decide(Permission(action=action, resource=resource), context)
            for action in _read_list(form, "ActionNames")
            for resource in list(_read_list(form, "ResourceArns")) or ["*"]
        )
        body = (
            f'<{_SIMULATION}Response xmlns="{_NAMESPACE}"><{_SIMULATION}Result><IsTruncated>false</IsTruncated>'
            f"<EvaluationResults>{results}</EvaluationResults></{_SIMULATION}Result>"
            f"<ResponseMetadata><RequestId>{make_request_id()}</RequestId></ResponseMetadata></{_SIMULATION}Response>"
        )
        return HttpResponse(headers={"Content-Type": "text/xml"}, body=body.encode())

    def _decide(self, permission: Permission, context: Mapping[str, str]) -> str:
        decision = "allowed" if self._guard.allows(permission, context) else "implicitDeny"
        return (
            f"<member><EvalActionName>{escape(permission.action)}</EvalActionName>"
            f"<EvalResourceName>{escape(permission.resource)}</EvalResourceName><EvalDecision>{decision}</EvalDecision>"
            f"<MatchedStatements/><MissingContextValues/></member>"
        )


def _read_list(form: Mapping[str, str], name: str) -> Iterator[str]:
    number = 1
    while f"{name}.member.{number}" in form:
        yield form[f"{name}.member.{number}"]
        number += 1


def _read_context(form: Mapping[str, str]) -> dict[str, str]:
    names = list(_read_list({key.removesuffix(".ContextKeyName"): value for key, value in form.items()}, "ContextEntries"))
    entries = (f"ContextEntries.member.{number}.ContextKeyValues.member.1" for number in range(1, len(names) + 1))
    return {name.lower(): form.get(entry, "") for name, entry in zip(names, entries, strict=True)}
