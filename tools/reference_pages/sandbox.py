"""Owns the page of the sandbox: what it offers, what goes wrong on a script, its own API."""

from __future__ import annotations

from collections.abc import Mapping

from dockyard_sandbox.faults import CALL_FAULTS, CONSISTENCY, ENDPOINT_FAULTS, Rule
from dockyard_sandbox.sandbox import Sandbox, SandboxSettings
from dockyard_sandbox.testing import FakeRunner, make_fake_parts
from reference_pages.field_docs import read_fields
from reference_pages.markdown import block, code, page, table

ABOUT = """
`dockyard sandbox up` starts a stand-in for AWS on one loopback port, see [cli.md](cli.md). SageMaker's endpoints run
the real image, with SageMaker's argument, port, limits and health check; S3, ECR, IAM, STS, CloudWatch and what else a
deployment asks are on the same port.
"""
OFFERED = """
Requests are held to botocore's service model: required members, types, lengths, ranges, patterns, enumerations, and no others.
An operation that is not here is refused with UnknownOperationException.
"""
FAULTS = """
A script is a list of rules. All rules that a call counts for count it; of those that are due the first happens.
Rules reach every service on the port, not only SageMaker.
"""
EXAMPLE = """
curl -X PUT $AWS_ENDPOINT_URL/_sandbox/faults -d '{"rules": [
  {"kind": "throttle", "operation": "Describe*", "times": 3},
  {"kind": "reset-after", "operation": "CreateEndpoint"},
  {"kind": "access-denied", "service": "s3", "operation": "PutObject", "nth": 2},
  {"kind": "rollback-empty-reason", "operation": "UpdateEndpoint"},
  {"kind": "consistency", "resources": ["endpoint-config", "role"], "seconds": 5}
]}'
"""
NOT = """
It checks no signatures; who calls matters only to the call log. A policy that is set holds for every caller. A model
has one container, and an inference component one specification. Instances differ in the memory that their containers
get, and in nothing else. Prices are made up. Quotas are those of instances behind endpoints: none of the accelerated
types, 20 of the others.
"""


def render_sandbox() -> str:
    """Return the page."""
    sandbox = Sandbox(SandboxSettings(make_parts=make_fake_parts(FakeRunner())))
    try:
        offered, routes = sorted(sandbox.offered), sandbox.admin.list_routes()
    finally:
        sandbox.close()
    api = table(("request", "what it does"), [(code(f"{one.method} /_sandbox/{one.name}"), one.text or "") for one in routes])
    return page(
        "Sandbox",
        ABOUT,
        "## SageMaker's operations",
        OFFERED,
        ", ".join(code(name) for name in offered) + ".",
        "## What goes wrong on a script",
        FAULTS,
        block(EXAMPLE, "sh"),
        "### A rule",
        table(("member", "meaning"), [(code(field.name), field.text) for field in read_fields(Rule)]),
        "### Kinds that happen to a call",
        _list_kinds(CALL_FAULTS),
        "### Kinds that happen to an endpoint",
        _list_kinds(ENDPOINT_FAULTS),
        "### Eventual consistency",
        f"{code(CONSISTENCY)}: while the rule stands, what is made or changed is not seen for `seconds`.",
        "## Its own API",
        api,
        "## What it does not do",
        NOT,
    )


def _list_kinds(kinds: Mapping[str, str]) -> str:
    return table(("kind", "meaning"), [(code(kind), text) for kind, text in kinds.items()])
