"""What the API server's refusals mean: each has a code, and says what was to be done."""

from __future__ import annotations

import json

import pytest

from dockyard.adapters.k8s.refusals import explain_refusal
from dockyard.domain.errors import ConflictError, CredentialsError, DockyardError, TransientError, UsageError


@pytest.mark.parametrize(
    ("status", "message", "family", "code"),
    [
        (401, "Unauthorized", CredentialsError, "credentials-refused"),
        (403, 'deployments.apps is forbidden: User "ann" cannot patch', CredentialsError, "credentials-refused"),
        (403, 'admission webhook "rules" denied the request: no', DockyardError, "admission-refused"),
        (403, "exceeded quota: small, requested: count/services=1", DockyardError, "quota-exceeded"),
        (404, 'namespaces "models" not found', UsageError, "cluster-refused"),
        (409, "the object has been modified", TransientError, "cluster-busy"),
        (422, 'Deployment.apps "wine" is invalid', DockyardError, "cluster-refused"),
        (429, "too many requests", TransientError, "cluster-busy"),
        (500, "etcdserver: leader changed", TransientError, "cluster-busy"),
    ],
)
def test_status_and_words_decide(status: int, message: str, family: type[DockyardError], code: str) -> None:
    error = explain_refusal(status, json.dumps({"kind": "Status", "message": message}).encode(), "apply deployments/wine")
    assert type(error) is family
    assert (error.code, error.message) == (code, f"could not apply deployments/wine: {message}")
    assert error.hint


def test_fields_of_others_are_a_conflict_that_names_each() -> None:
    causes = [
        {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl"', "field": ".spec.replicas"},
        {"reason": "FieldManagerConflict", "message": 'conflict with "hpa"', "field": ".spec.paused"},
    ]
    error = explain_refusal(409, json.dumps({"details": {"causes": causes}}).encode(), "apply deployments/wine")
    assert isinstance(error, ConflictError)
    assert error.code == "field-conflict"
    assert error.message == 'could not apply deployments/wine: .spec.replicas: conflict with "kubectl"'
    assert error.details == ('.spec.paused: conflict with "hpa"',)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]"])
def test_body_that_is_no_status_tells_the_number(body: bytes) -> None:
    assert explain_refusal(418, body, "read pods").message == "could not read pods: status 418"
