"""Owns the permissions that Dockyard needs in a namespace: those of the role in docs/how-to/deploy-to-kubernetes.md. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dockyard.adapters.k8s.kinds import KINDS


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Permission:
    """One verb on one resource."""

    group: str
    """Empty: the core group."""
    resource: str
    """With its subresource, as `pods/log`."""
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{'.' if self.group else ''}{self.group}"


_ALWAYS = (
    ("apps", "replicasets", "list patch delete"),
    ("", "pods", "list"),
    ("", "pods/log", "get"),
    ("", "pods/proxy", "create"),
    ("coordination.k8s.io", "leases", "get create update delete"),
)
_OTHERS = (("", "services/proxy", "create"), ("", "pods/proxy", "get"))
"""What `predict` needs, and watching a candidate."""
_OBJECTS = {None: "get list create patch delete", True: "get list create patch delete", False: "get list patch"}
"""What the objects of a deployment need, by whether it is the first deploy, which is taken back by deleting them."""


def list_permissions(kinds: Iterable[str], *, is_first: bool | None) -> tuple[Permission, ...]:
    """Return what a deploy of such objects needs, its taking back included; None: all that any command needs."""
    objects = ((*_split(KINDS[kind]), _OBJECTS[is_first]) for kind in kinds)
    always = (*_ALWAYS, *(_OTHERS if is_first is None else ()))
    return tuple(
        Permission(group=group, resource=resource, verb=verb)
        for group, resource, verbs in (*objects, *always)
        for verb in verbs.split()
    )


def _split(path: str) -> tuple[str, str]:
    """Group and resource of a path like `/apis/apps/v1/namespaces/{}/deployments`."""
    parts = path.strip("/").split("/")
    return (parts[1] if parts[0] == "apis" else ""), parts[-1]
