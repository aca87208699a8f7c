"""IAM policies as AWS reads them: what one allows, and what is left of it without an action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dockyard.adapters.sagemaker.policies import Document, list_statements, list_texts
from dockyard_sandbox.calls import Permission
from dockyard_sandbox.fields import as_fields
from dockyard_sandbox.policy import read_policy


def allows(document: Document, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
    """Whether a policy allows an action on a resource; the names of condition keys are in lower case."""
    return read_policy(as_fields(document)).allows(Permission(action=action, resource=resource), context or {})


def find_denied(document: Document, needed: Iterable[tuple[str, str]], context: Mapping[str, str]) -> list[str]:
    """The actions, on these resources, that a policy does not allow."""
    return sorted({action for action, resource in needed if not allows(document, action, resource, context)})


def list_actions(document: Document) -> set[str]:
    """All actions that a policy names."""
    return {action for one in list_statements(document) for action in list_texts(one["Action"])}


def take_away(document: Document, action: str) -> Document:
    """A policy without an action, nor statements that are then empty."""
    left = [(one, [name for name in list_texts(one["Action"]) if name != action]) for one in list_statements(document)]
    return {**document, "Statement": [{**one, "Action": actions} for one, actions in left if actions]}
