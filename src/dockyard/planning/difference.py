"""Owns the differences that a plan shows: what is, beside what is wanted, setting by setting."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping

from dockyard.domain.deployment import LocalSettings, RevisionSpec
from dockyard.domain.observed import ObservedLocal
from dockyard.domain.plan import Change


def diff_deployment(
    local: ObservedLocal, after: RevisionSpec | None, *, number: int | None, port: int | None
) -> tuple[Change, ...]:
    """Compare a deployment with the spec, revision number and port that it shall have (None: it shall not be there)."""
    serving = local.serving_revision
    before = _describe(serving.spec if serving else None, local.serving, local.port)
    wanted = _describe(after, number, port)
    names = [*wanted, *(name for name in before if name not in wanted)]
    pairs = ((name, before.get(name), wanted.get(name)) for name in names)
    changes = [Change(what=name, before=old, after=new) for name, old, new in pairs if old != new]
    if serving is not None and after is not None:
        changes += _diff_condition(local)
    return tuple(changes)


def _describe(spec: RevisionSpec | None, number: int | None, port: int | None) -> Mapping[str, str]:
    facts: dict[str, str] = {}
    if number is not None:
        facts["revision"] = str(number)
    if spec is not None:
        facts["model"] = spec.model.title
        facts["model digest"] = spec.model.digest
        facts["image fingerprint"] = spec.fingerprint
        facts |= _describe_settings(spec.settings)
    if port is not None:
        facts["port"] = str(port)
    return facts


def _describe_settings(settings: LocalSettings) -> Mapping[str, str]:
    facts: dict[str, str] = {}
    for field in dataclasses.fields(settings):
        if field.name != "env":
            value = getattr(settings, field.name)
            facts[field.name.replace("_", " ")] = str(getattr(value, "value", value))
    # A model's environment may hold secrets: that a variable is set or has changed may be shown, its value never.
    return facts | {f"env {name}": f"*** ({_tell_apart(value)})" for name, value in settings.env}


def _tell_apart(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:4]


def _diff_condition(local: ObservedLocal) -> list[Change]:
    serving = local.serving_revision
    found: list[Change] = []
    if serving is not None and serving.status.value != "ready":
        found.append(Change(what="condition", before=serving.status.value, after="ready"))
    if not local.is_forwarding:
        found.append(Change(what="forwarder", before="not running", after="running"))
    return found
