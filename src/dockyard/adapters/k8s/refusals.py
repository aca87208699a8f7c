"""Owns what refusals of a Kubernetes API server mean here. Its messages name objects and fields, never a secret's value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dockyard.domain.errors import ConflictError, CredentialsError, DockyardError, TransientError, UsageError
from dockyard.domain.k8s_hints import QUOTA_WORDS, explain_refused_pod

TRANSIENT = frozenset({429, 500, 502, 503, 504})
"""Statuses that may pass by themselves."""
_ADMISSION = ("admission webhook", "violates PodSecurity", "ValidatingAdmissionPolicy")


def explain_refusal(status: int, body: bytes, what: str) -> DockyardError:
    """Return the error for an answer with that status; `what` says what was to be done."""
    found = _parse(body)
    message = str(found.get("message") or f"status {status}")[:1000]
    conflicts = list(_list_conflicts(found))
    if conflicts:
        return _tell_conflict(what, conflicts)
    if status == 409:
        return TransientError("cluster-busy", f"could not {what}: {message}", hint="somebody else changed it; try again")
    if status in TRANSIENT:
        return TransientError("cluster-busy", f"could not {what}: {message}", hint="the API server is in trouble; try again")
    return _explain_final(status, message, what)


def _explain_final(status: int, message: str, what: str) -> DockyardError:
    told = f"could not {what}: {message}"
    if status == 401:
        hint = "sign in again, or name another context"
        return CredentialsError("credentials-refused", told, hint=hint)
    if any(words in message for words in (QUOTA_WORDS, *_ADMISSION)):
        code, hint = explain_refused_pod(message)
        return DockyardError(code, told, hint=hint)
    if status == 403:
        hint = "`kubectl auth can-i` tells what this user may; docs/how-to/deploy-to-kubernetes.md lists what is needed"
        return CredentialsError("credentials-refused", told, hint=hint)
    if status == 404:
        return UsageError("cluster-refused", told, hint="is there such a namespace? Dockyard makes none")
    return DockyardError("cluster-refused", told, hint="a setting has a value that Kubernetes does not take")


def _tell_conflict(what: str, conflicts: list[str]) -> ConflictError:
    return ConflictError(
        "field-conflict",
        f"could not {what}: {conflicts[0]}",
        hint="take the change back where it was made, or take the fields over with `--force-conflicts`",
        details=tuple(conflicts[1:]),
    )


def _list_conflicts(found: Mapping[str, Any]) -> Iterator[str]:
    for one in (found.get("details") or {}).get("causes") or []:
        if one.get("reason") == "FieldManagerConflict":
            yield f"{one.get('field', 'a field')}: {one.get('message', 'is owned by another manager')}"


def _parse(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
