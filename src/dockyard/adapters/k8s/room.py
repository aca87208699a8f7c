"""Owns how many more pods a namespace's rules leave room for: ResourceQuota and LimitRange. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from dockyard.domain.finding import Finding, object_to, warn
from dockyard.domain.k8s import SizedSettings

Json = Mapping[str, Any]
_OURS = frozenset({"NotTerminating", "NotBestEffort"})
"""The scopes of quotas that our pods are in; a quota with another one does not count them."""


def find_narrow_quotas(quotas: Iterable[Json], settings: SizedSettings, pods: int) -> Iterator[Finding]:
    """What has no room for so many pods more: a warning, for other pods may end meanwhile."""
    need = {name: amount * pods for name, amount in _list_needs(settings).items()}
    for quota in quotas:
        if not _counts_us(quota):
            continue
        status = quota.get("status") or {}
        used = status.get("used") or {}
        left = {name: _read(hard) - _read(used.get(name, "0")) for name, hard in (status.get("hard") or {}).items()}
        narrow = sorted(name for name, amount in need.items() if name in left and left[name] < amount)
        if narrow:
            told = ", ".join(f"{name}: {left[name].normalize():f} left, {need[name].normalize():f} needed" for name in narrow)
            name = quota["metadata"]["name"]
            yield warn("quota", f"quota {name} has no room for {pods} more pods: {told}", "`kubectl describe quota` tells all")


def find_limits(ranges: Iterable[Json], settings: SizedSettings) -> Iterator[Finding]:
    """The limits that a pod of these settings is beyond."""
    asked = {"cpu": _read(settings.cpu), "memory": _read(settings.memory)}
    limits = {"cpu": _read(settings.cpu_limit), "memory": _read(settings.memory)}
    rules = ((one, rule) for one in ranges for rule in (one.get("spec") or {}).get("limits") or [])
    for one, rule in rules:
        broken = _break(rule, asked, limits) if rule.get("type") in {"Container", "Pod"} else ()
        for what in broken:
            told = f"limit range {one['metadata']['name']} allows {what}"
            yield object_to("limit-range", told, "change `cpu`, `cpu_limit` or `memory`")


def _break(rule: Json, asked: Mapping[str, Decimal], limits: Mapping[str, Decimal]) -> Iterator[str]:
    for name, text in (rule.get("max") or {}).items():
        if limits.get(name, Decimal(0)) > _read(text):
            yield f"at most {text} of {name}"
    for name, text in (rule.get("min") or {}).items():
        if name in asked and asked[name] < _read(text):
            yield f"at least {text} of {name}"
    for name, text in (rule.get("maxLimitRequestRatio") or {}).items():
        if name in asked and limits[name] > asked[name] * _read(text):
            yield f"a limit of {name} of at most {text} times the request"


def _list_needs(settings: SizedSettings) -> Mapping[str, Decimal]:
    """What one pod takes of each kind that quotas know."""
    cpu, memory, limit = _read(settings.cpu), _read(settings.memory), _read(settings.cpu_limit)
    one, storage = Decimal(1), _read(settings.storage)
    return {
        "pods": one,
        "count/pods": one,
        "cpu": cpu,
        "requests.cpu": cpu,
        "limits.cpu": limit,
        "memory": memory,
        "requests.memory": memory,
        "limits.memory": memory,
        "ephemeral-storage": storage,
        "requests.ephemeral-storage": storage,
        "limits.ephemeral-storage": storage,
    }


def _counts_us(quota: Json) -> bool:
    spec = quota.get("spec") or {}
    return not spec.get("scopeSelector") and _OURS.issuperset(spec.get("scopes") or ())


def _read(text: object) -> Decimal:
    from kubernetes.utils.quantity import parse_quantity

    return Decimal(parse_quantity(str(text)))
