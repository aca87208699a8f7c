"""Owns the looks at who may do what: the execution role, and the permissions of whoever deploys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from dockyard.adapters.sagemaker.errors import read_code
from dockyard.adapters.sagemaker.looks import GUIDE, Look, Scene
from dockyard.adapters.sagemaker.policies import (
    SERVICE,
    Grantee,
    Statement,
    list_statements,
    list_texts,
    render_deployer_policy,
)
from dockyard.domain.finding import Finding, approve, object_to, warn
from dockyard.domain.sagemaker import derive_role_name

_ROLE = re.compile(r"arn:(?P<partition>[a-z-]+):iam::(?P<account>\d{12}):role/(?P<name>.+)")
_SESSION = re.compile(r"arn:(?P<partition>[a-z-]+):sts::(?P<account>\d{12}):assumed-role/(?P<name>[^/]+)/.+")
_MISSING = "NoSuchEntity"
_CORE = frozenset(
    {
        "iam:PassRole",
        "sagemaker:CreateEndpoint",
        "sagemaker:CreateEndpointConfig",
        "sagemaker:CreateModel",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
        "sagemaker:ListTags",
    }
)
"""What every deployment does, and only policies of the caller's own can allow. The rest may be unneeded this time, or allowed
by a policy of the bucket, key or repository, which a simulation does not see."""
_ONLY_FOR_OWN_ROLE = "OwnExecutionRole"
_AFTERWARDS = frozenset({"Packages"})
"""Statements for what comes when a revision serves; without them it serves all the same."""


def _see_role(scene: Scene) -> Iterator[Finding]:
    code, arn = "execution-role", scene.settings.role
    parts = _ROLE.fullmatch(arn)
    if parts is None:
        yield object_to(code, f"{arn} is not the ARN of a role", "give the role as arn:aws:iam::<account>:role/<name>")
        return
    if (parts["partition"], parts["account"]) != (scene.account.partition, scene.account.id):
        message = f"the execution role {arn} is not of account {scene.account.id}, whose credentials these are"
        yield object_to(code, message, "SageMaker takes roles of the endpoint's own account only; name one of it")
        return
    try:
        role = scene.clients.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
    except Exception as error:
        if read_code(error) != _MISSING:
            raise
        yield _tell_missing(scene, arn)
        return
    yield from _judge_role(arn, role)


def _tell_missing(scene: Scene, arn: str) -> Finding:
    if _is_own(scene):
        return approve(
            "execution-role", f"the execution role {derive_role_name(scene.endpoint)} will be made with the deployment"
        )
    remedy = f"make it as {GUIDE} says, or leave the role out: Dockyard makes one for the deployment"
    return object_to("execution-role", f"the execution role {arn} does not exist", remedy)


def _judge_role(arn: str, role: Mapping[str, Any]) -> Iterator[Finding]:
    if role["Arn"] != arn:
        yield object_to("execution-role", f"the role's ARN is {role['Arn']}, not {arn}", "give it with its path")
    elif not allows_service(role["AssumeRolePolicyDocument"], SERVICE):
        message = f"the execution role {arn} does not let {SERVICE} assume it"
        yield object_to("execution-role", message, f"give it the trust policy of {GUIDE}")
    else:
        yield approve("execution-role", f"the execution role {arn} lets {SERVICE} assume it")


def allows_service(document: object, service: str) -> bool:
    """Whether a trust policy lets a service assume the role; its conditions are taken as fulfilled."""
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    statements = list_statements(policy) if isinstance(policy, Mapping) else []
    effects = {str(one.get("Effect")) for one in statements if _is_about(one, service)}
    return "Allow" in effects and "Deny" not in effects


def _is_about(statement: Statement, service: str) -> bool:
    principal = statement.get("Principal")
    services = list_texts(principal.get("Service")) if isinstance(principal, Mapping) else list_texts(principal)
    actions = [action.lower() for action in list_texts(statement.get("Action"))]
    return any(one in {service, "*"} for one in services) and any(fnmatchcase("sts:assumerole", one) for one in actions)


def _is_own(scene: Scene) -> bool:
    return scene.settings.role.rpartition("/")[2] == derive_role_name(scene.endpoint)


def _see_permissions(scene: Scene) -> Iterator[Finding]:
    source = _find_source(scene)
    if source is None:
        message = f"the permissions of {scene.caller} cannot be simulated"
        yield warn("permissions", message, "use a user or role of IAM, or deploy without this look")
        return
    statements = list_statements(render_deployer_policy(_grantee(scene), scene.settings))
    wanted = [one for one in statements if one["Sid"] != _ONLY_FOR_OWN_ROLE or _is_own(scene)]
    denials = [denial for batch in _make_batches(wanted) for denial in _simulate(scene, source, batch)]
    sure = sorted({one.action for one in denials if one.is_sure})
    perhaps = sorted({one.action for one in denials} - set(sure))
    remedy = f"give it the policy of {GUIDE}"
    if sure:
        yield object_to("permissions", f"{source} may not: {', '.join(sure)}", remedy)
    if perhaps:
        yield warn("permissions", f"by its own policies {source} may not: {', '.join(perhaps)}", remedy)
    if not denials:
        yield approve("permissions", f"{source} may do what a deployment takes, by its own policies")


def _grantee(scene: Scene) -> Grantee:
    return Grantee(account=scene.account, endpoint=scene.endpoint, package_group=scene.package_group)


def _find_source(scene: Scene) -> str | None:
    """Whose policies count: an assumed role's session names the role without its path."""
    session = _SESSION.fullmatch(scene.caller)
    if session is None:
        return scene.caller if ":user/" in scene.caller else None
    return str(scene.clients.client("iam").get_role(RoleName=session["name"])["Role"]["Arn"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Statements about the same resources, which are simulated in one call."""

    resources: tuple[str, ...]
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Denial:
    """An action that a simulation did not allow."""

    action: str
    is_sure: bool


def _make_batches(statements: Sequence[Statement]) -> Iterator[_Batch]:
    by_resources: dict[tuple[str, ...], list[Statement]] = {}
    for one in statements:
        by_resources.setdefault(tuple(map(_make_concrete, list_texts(one["Resource"]))), []).append(one)
    for resources, alike in by_resources.items():
        yield _Batch(resources=resources, statements=tuple(alike))


def _simulate(scene: Scene, source: str, batch: _Batch) -> Iterator[_Denial]:
    """The actions of a batch that are denied; not surely, where policies ask for what only a real call has."""
    actions = {action for one in batch.statements for action in list_texts(one["Action"])}
    is_core = any(one["Sid"] not in _AFTERWARDS for one in batch.statements)
    for one in _ask(scene, source, batch, sorted(actions)):
        action, decision = str(one["EvalActionName"]), one["EvalDecision"]
        if decision != "allowed":
            is_known = decision == "explicitDeny" or not one.get("MissingContextValues")
            yield _Denial(action=action, is_sure=is_known and is_core and action in _CORE)


def _ask(scene: Scene, source: str, batch: _Batch, actions: list[str]) -> Iterator[Mapping[str, Any]]:
    """What is decided about each action; one by one where IAM refuses to be asked about them together.

    It does so for actions that "require different authorization information", and which do is told nowhere.
    """
    try:
        answer = scene.clients.client("iam").simulate_principal_policy(
            PolicySourceArn=source,
            ActionNames=actions,
            ResourceArns=list(batch.resources),
            ContextEntries=[entry for one in batch.statements for entry in _list_context(one)],
        )
    except Exception as error:
        if read_code(error) != "InvalidInput" or len(actions) == 1:
            raise
        for action in actions:
            yield from _ask(scene, source, batch, [action])
    else:
        yield from answer["EvaluationResults"]


def _make_concrete(arn: str) -> str:
    """A resource that the pattern is for; a lone `*` is what actions without resources are simulated with."""
    return arn if arn == "*" else arn.replace("*", "dockyard")


def _list_context(statement: Statement) -> list[dict[str, object]]:
    conditions = statement.get("Condition", {})
    entries = [pair for keys in conditions.values() for pair in keys.items()] if isinstance(conditions, Mapping) else []
    return [
        {"ContextKeyName": key, "ContextKeyType": "stringList", "ContextKeyValues": list_texts(value)} for key, value in entries
    ]


ROLE_LOOKS = (
    Look(code="execution-role", what="the execution role", action="iam:GetRole", see=_see_role),
    Look(code="permissions", what="the caller's permissions", action="iam:SimulatePrincipalPolicy", see=_see_permissions),
)
