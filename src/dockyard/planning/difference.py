"""Owns the differences that a plan shows: what is, beside what is wanted, setting by setting."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping

from dockyard.domain.deployment import RevisionSpec, RevisionStatus
from dockyard.domain.observed import ObservedDeployment, ObservedLocal
from dockyard.domain.plan import Change


def diff_deployment(
    seen: ObservedDeployment, after: RevisionSpec | None, *, number: int | None, endpoint: str | None
) -> tuple[Change, ...]:
    """Compare a deployment with the spec, revision number and endpoint that it shall have (None: it shall not be there)."""
    serving = seen.serving_revision
    before = _describe(serving.spec if serving else None, seen.serving, seen.endpoint_name)
    wanted = _describe(after, number, endpoint)
    names = [*wanted, *(name for name in before if name not in wanted)]
    pairs = ((name, before.get(name), wanted.get(name)) for name in names)
    changes = [Change(what=name, before=old, after=new) for name, old, new in pairs if old != new]
    if serving is not None and after is not None:
        changes += _diff_condition(seen)
    return tuple(changes)


def _describe(spec: RevisionSpec | None, number: int | None, endpoint: str | None) -> Mapping[str, str]:
    facts: dict[str, str] = {}
    if number is not None:
        facts["revision"] = str(number)
    if spec is not None:
        facts["model"] = spec.model.title
        facts["model digest"] = spec.model.digest
        facts["image fingerprint"] = spec.fingerprint
        facts |= _describe_settings(spec)
    if endpoint is not None:
        facts["endpoint"] = endpoint
    return facts


def _describe_settings(spec: RevisionSpec) -> Mapping[str, str]:
    settings = {name: value for name, value in dataclasses.asdict(spec)["settings"].items() if name != "env"}
    # A model's environment may hold secrets: that a variable is set or has changed may be shown, its value never.
    variables = {f"env {name}": f"*** ({_tell_apart(value)})" for name, value in spec.settings.env}
    return dict(_flatten(settings)) | variables


def _flatten(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Settings as lines: those of a group behind its name, those that are not set not at all."""
    for name, value in values.items():
        title = prefix + name.replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{title} ")
        elif isinstance(value, tuple):
            yield from ((title, ", ".join(_tell(one) for one in value)) for _ in value[:1])
        elif value not in {None, ""}:
            yield title, _tell(value)


def _tell(value: object) -> str:
    return "=".join(map(str, value)) if isinstance(value, tuple) else str(getattr(value, "value", value))


def _tell_apart(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:4]


def _diff_condition(seen: ObservedDeployment) -> list[Change]:
    serving = seen.serving_revision
    found: list[Change] = []
    if serving is not None and serving.status is not RevisionStatus.READY:
        found.append(Change(what="condition", before=serving.status.value, after=RevisionStatus.READY.value))
    if isinstance(seen, ObservedLocal) and not seen.is_forwarding:
        found.append(Change(what="forwarder", before="not running", after="running"))
    return found
