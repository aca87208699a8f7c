"""Owns the ClusterExaminer port: what can be told of a cluster before anything is made. Changes nothing.

What may not be looked at is a warning of `doctor`; a deploy goes without that look, for the role that it runs under need not
allow it. Whether nodes reach a registry only a pod can tell.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dockyard.adapters.k8s.api import Json, KubeApi
from dockyard.adapters.k8s.kinds import CUSTOM, KINDS, name_definition
from dockyard.adapters.k8s.permissions import Permission, list_permissions
from dockyard.adapters.k8s.room import find_limits, find_narrow_quotas
from dockyard.domain.errors import CredentialsError, DockyardError
from dockyard.domain.finding import Finding, approve, object_to, warn
from dockyard.domain.k8s_demand import Demand

GUIDE = "docs/how-to/deploy-to-kubernetes.md"
OLDEST = (1, 28)
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_ARCHITECTURE = "kubernetes.io/arch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look."""

    code: str
    what: str
    """What it looks at, as `the quotas`."""
    permission: str
    see: Callable[[KubeApi, Demand], Iterator[Finding]]


class KubePreflight:
    """The cluster and the namespace of one environment."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api

    def examine(self, demand: Demand) -> tuple[Finding, ...]:
        """Look at the server, and where that answers at everything else."""
        try:
            version = self._api.get("/version") or {}
        except DockyardError as error:
            return (object_to("cluster", error.message, error.hint or "does `kubectl version` answer?"),)
        return (_tell_version(version), *(finding for look in LOOKS for finding in self._take(look, demand)))

    def _take(self, look: Look, demand: Demand) -> tuple[Finding, ...]:
        try:
            return tuple(look.see(self._api, demand))
        except CredentialsError:
            if demand.is_first is not None:
                return ()
            return (warn(look.code, f"{look.what} may not be looked at", f"allow {look.permission}, see {GUIDE}"),)
        except DockyardError as error:
            return (warn(look.code, f"{look.what} cannot be looked at: {error.message}", error.hint or "try again"),)


def _tell_version(version: Json) -> Finding:
    text = str(version.get("gitVersion", "unknown"))
    digits = tuple("".join(filter(str.isdecimal, str(version.get(part, "")))) for part in ("major", "minor"))
    if all(digits) and tuple(map(int, digits)) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return object_to("cluster", f"the server is Kubernetes {text}, and {oldest} is the oldest that will do", "update it")
    return approve("cluster", f"Kubernetes {text} answers")


def _see_namespace(api: KubeApi, _: Demand) -> Iterator[Finding]:
    found = api.get(f"/api/v1/namespaces/{api.namespace}")
    if found is None:
        remedy = f"`kubectl create namespace {api.namespace}`, or name another one"
        yield object_to("namespace", f"there is no namespace {api.namespace}", remedy)
        return
    if (found.get("status") or {}).get("phase") == "Terminating":
        yield object_to("namespace", f"namespace {api.namespace} is being deleted", "wait, and make it again")
        return
    level = (found["metadata"].get("labels") or {}).get("pod-security.kubernetes.io/enforce", "privileged")
    yield approve("namespace", f"namespace {api.namespace} is there; the pods are fit for its Pod Security level, {level}")


def _see_permissions(api: KubeApi, demand: Demand) -> Iterator[Finding]:
    wanted = list_permissions(demand.blueprint.policy.list_kinds(), is_first=demand.is_first)
    missing = [str(one) for one in wanted if not _may(api, one)]
    if missing:
        remedy = f"{GUIDE} has the role"
        yield object_to("permissions", f"not allowed in namespace {api.namespace}: {', '.join(missing)}", remedy)
    else:
        yield approve("permissions", f"all {len(wanted)} permissions are there")


def _may(api: KubeApi, permission: Permission) -> bool:
    resource, _, subresource = permission.resource.partition("/")
    attributes = {"namespace": api.namespace, "verb": permission.verb, "group": permission.group, "resource": resource}
    answer = api.ask(_REVIEWS, {"spec": {"resourceAttributes": {**attributes, "subresource": subresource}}})
    return bool((answer.get("status") or {}).get("allowed"))


def _see_quotas(api: KubeApi, demand: Demand) -> Iterator[Finding]:
    items = _list_items(api, f"/api/v1/namespaces/{api.namespace}/resourcequotas")
    found = tuple(find_narrow_quotas(items, demand.blueprint.settings, demand.more_pods))
    yield from found or (approve("quota", f"{demand.more_pods} more pods are within {len(items)} quotas"),)


def _see_limits(api: KubeApi, demand: Demand) -> Iterator[Finding]:
    items = _list_items(api, f"/api/v1/namespaces/{api.namespace}/limitranges")
    found = tuple(find_limits(items, demand.blueprint.settings))
    yield from found or (approve("limit-range", f"the pods are within {len(items)} limit ranges"),)


def _see_kinds(api: KubeApi, demand: Demand) -> Iterator[Finding]:
    """Objects of kinds that something else brings into a cluster."""
    for kind in demand.blueprint.policy.list_kinds():
        if kind not in CUSTOM:
            continue
        version = "/".join(KINDS[kind].split("/")[2:4])
        known = (api.get(f"/apis/{version}") or {}).get("resources") or []
        if kind in {one.get("kind") for one in known}:
            yield approve("kinds", f"the cluster knows {kind} of {version}")
        else:
            remedy = f"install {CUSTOM[kind]}, or leave out the setting that wants it"
            yield object_to("kinds", f"the cluster lacks the CustomResourceDefinition {name_definition(kind)}", remedy)


def _see_nodes(api: KubeApi, demand: Demand) -> Iterator[Finding]:
    wanted, architecture = dict(demand.blueprint.spec.settings.node_selector), demand.platform.split("/")[1]
    nodes = [one for one in _list_items(api, "/api/v1/nodes") if wanted.items() <= _labels(one).items()]
    if not nodes:
        remedy = "change `node_selector`, unless nodes come when they are needed"
        yield warn("nodes", f"no node has the labels {json.dumps(wanted)}", remedy)
        return
    others = [one for one in nodes if _labels(one).get(_ARCHITECTURE) != architecture]
    told = f"{len(others)} of {len(nodes)} nodes are not {architecture}, which the image is for"
    if len(others) == len(nodes):
        yield object_to("nodes", told, "set `image.platform` to what nodes are")
    elif others:
        yield warn("nodes", told, f"add `{_ARCHITECTURE}: {architecture}` to `node_selector`")
    else:
        yield approve("nodes", f"{len(nodes)} nodes are {architecture}, as the image is")
    yield _tell_registry(nodes, demand)


def _tell_registry(nodes: list[Json], demand: Demand) -> Finding:
    host = demand.blueprint.image.partition("/")[0]
    reached = [one for one in nodes if any(name.startswith(f"{host}/") for name in _list_images(one))]
    if reached:
        return approve("registry", f"{len(reached)} of {len(nodes)} nodes have images from {host}")
    return approve("registry", f"no node has an image from {host} yet; whether they reach it only a pod can tell")


def _list_images(node: Json) -> Iterator[str]:
    for image in (node.get("status") or {}).get("images") or []:
        yield from image.get("names") or []


def _labels(node: Json) -> dict[str, Any]:
    return node["metadata"].get("labels") or {}


def _list_items(api: KubeApi, path: str) -> list[Json]:
    return list((api.get(path) or {}).get("items") or [])


LOOKS = (
    Look(code="namespace", what="the namespace", permission="get on namespaces", see=_see_namespace),
    Look(code="permissions", what="permissions", permission="create on selfsubjectaccessreviews", see=_see_permissions),
    Look(code="kinds", what="the kinds of objects", permission="the API's discovery", see=_see_kinds),
    Look(code="quota", what="the quotas", permission="list on resourcequotas", see=_see_quotas),
    Look(code="limit-range", what="the limit ranges", permission="list on limitranges", see=_see_limits),
    Look(code="nodes", what="the nodes", permission="list on nodes in the whole cluster", see=_see_nodes),
)
