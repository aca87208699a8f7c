"""Owns the ports Cluster and CandidateControl: a deployment's objects, looked at, compared and applied by one field manager.

The Deployment is applied first and deleted last, so that whatever there is of a deployment leads back to one that is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import timezone
from typing import Any

from dockyard.adapters.k8s.api import APPLY, MERGE, Json, KubeApi
from dockyard.adapters.k8s.compare import compare_objects
from dockyard.adapters.k8s.division import render_objects, render_traffic
from dockyard.adapters.k8s.kinds import CUSTOM, KINDS, OPTIONAL, PODS, REPLICA_SETS, locate, name_definition
from dockyard.adapters.k8s.labels import (
    MANAGER,
    SERVED_AT,
    is_made_by_controller,
    is_ours,
    select_all_pods,
    select_deployment,
    write_selector,
)
from dockyard.adapters.k8s.looks import Found, describe_found, drop_candidates, group_replica_sets, is_of_candidate
from dockyard.adapters.k8s.manifests import Manifest
from dockyard.adapters.k8s.replicas import (
    AUTOSCALERS,
    HOLDER,
    find_first_replicas,
    hold_replicas,
    is_left_to_autoscaler,
    keep_replicas,
    owns_replicas,
    takes_back,
)
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError, NotFoundError
from dockyard.domain.k8s import BRING_REQUESTS, Blueprint, Difference, ObservedK8s, TrafficBlueprint, derive_object_name
from dockyard.ports import Clock


class KubeCluster:
    """The namespace of one environment."""

    def __init__(self, api: KubeApi, clock: Clock, *, takes_over: bool) -> None:
        """`takes_over`: whether fields that another manager owns are taken over."""
        self._api = api
        self._clock = clock
        self._takes_over = takes_over

    def describe_deployment(self, key: DeploymentKey, *, is_watched: bool = False) -> ObservedK8s:
        """How a deployment is, looked at now. Raises ConflictError `name-taken`."""
        namespace = self._api.namespace
        deployment = self._find_own(key, "Deployment", derive_object_name(key))
        objects = tuple(self._list_objects(key, ("Deployment",) if is_watched else tuple(KINDS)))
        selector = write_selector(select_all_pods(key))
        replica_sets = self._api.list(REPLICA_SETS.format(namespace), selector) if objects else []
        pods = self._api.list(PODS.format(namespace), selector) if objects else []
        found = Found(
            namespace=namespace,
            deployment=deployment,
            replica_sets=tuple(replica_sets),
            pods=tuple(pods),
            objects=objects,
        )
        return describe_found(key, found)

    def find_differences(self, blueprint: Blueprint) -> tuple[Difference, ...]:
        """What of a deployment's objects is not as the blueprint has it."""
        manifests = self._render(blueprint)
        return (
            *(difference for manifest in manifests for difference in self._compare(blueprint.key, manifest)),
            *(
                Difference(what=f"{kind}/{item['metadata']['name']}", before="there", after=None)
                for kind, item in self._list_superfluous(blueprint, manifests)
            ),
        )

    def apply_blueprint(self, blueprint: Blueprint, *, dry_run: bool) -> None:
        """Bring a deployment's objects to a blueprint, and delete those that it has no more."""
        manifests = self._render(blueprint)
        self._require_kinds(manifests)
        if not dry_run:
            # An autoscaler that is to go must not answer what is applied.
            self._delete_superfluous(blueprint, manifests, AUTOSCALERS)
        self._apply_all(blueprint.key, manifests, dry_run=dry_run)
        if not dry_run:
            self._delete_superfluous(blueprint, manifests, KINDS)

    def confirm_revision(self, key: DeploymentKey, number: int) -> None:
        """Note on a revision that it has been proved, now. Raises NotFoundError `no-revision`."""
        group = self._find_replica_sets(key).get(number)
        if not group:
            raise NotFoundError("no-revision", f"{key} has no revision {number}")
        now = self._clock.now().astimezone(timezone.utc).isoformat()
        path = f"{REPLICA_SETS.format(self._api.namespace)}/{group[0]['metadata']['name']}"
        self._api.patch(path, {"metadata": {"annotations": {SERVED_AT: now}}}, MERGE, {"fieldManager": MANAGER})

    def remove_revision(self, key: DeploymentKey, number: int) -> None:
        """Delete a revision's ReplicaSets with their pods."""
        for one in self._find_replica_sets(key).get(number, []):
            self._api.delete(f"{REPLICA_SETS.format(self._api.namespace)}/{one['metadata']['name']}")

    def direct_traffic(self, blueprint: TrafficBlueprint) -> None:
        """Give the candidate its share of the requests, or all of them to the stable revision."""
        manifests = render_traffic(blueprint, self._api.namespace)
        self._apply_all(blueprint.key, manifests, dry_run=False)
        gone = BRING_REQUESTS - {one["kind"] for one in manifests}
        for kind, item in self._list_objects(blueprint.key, tuple(gone)):
            if not is_of_candidate(item):
                self._api.delete(self._locate(kind, item["metadata"]["name"]))

    def delete_candidate(self, key: DeploymentKey) -> None:
        """Delete all objects of a deployment's candidate; its Deployment, by which it is known, comes last."""
        for kind, item in reversed(tuple(self._list_objects(key))):
            if is_of_candidate(item):
                self._api.delete(self._locate(kind, item["metadata"]["name"]))

    def _apply_all(self, key: DeploymentKey, manifests: tuple[Manifest, ...], *, dry_run: bool) -> None:
        for manifest in manifests:
            self._apply_over(self._find_own(key, manifest["kind"], manifest["metadata"]["name"]), manifest, dry_run)

    def _render(self, blueprint: Blueprint) -> tuple[Manifest, ...]:
        return render_objects(blueprint, self._api.namespace)

    def _require_kinds(self, manifests: tuple[Manifest, ...]) -> None:
        for kind, group in ((one["kind"], one["apiVersion"]) for one in manifests if one["kind"] in CUSTOM):
            served = self._api.get(f"/apis/{group}") or {}
            if all(one["kind"] != kind for one in served.get("resources") or ()):
                raise NotFoundError(
                    "kind-missing",
                    f"the cluster has no {kind} of {group}: it lacks the CustomResourceDefinition {name_definition(kind)}",
                    hint=f"install {CUSTOM[kind]}, or leave out the setting that wants it",
                )

    def _compare(self, key: DeploymentKey, manifest: Manifest) -> tuple[Difference, ...]:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        live = self._find_own(key, kind, name)
        if live is None:
            return (Difference(what=f"{kind}/{name}", before=None, after="there"),)
        # What another manager owns is shown as well: that is what somebody has changed by hand.
        found = compare_objects(f"{kind}/{name}", live, self._apply(manifest, dry_run=True, force=True))
        is_free = is_left_to_autoscaler(manifest)
        return tuple(one for one in found if not (is_free and one.what.endswith(" spec.replicas")))

    def _apply_over(self, live: Json | None, manifest: Manifest, dry_run: bool) -> None:
        """Apply a manifest over what there is; the number of pods changes hands only where it is to."""
        force, is_free = self._takes_over, is_left_to_autoscaler(manifest)
        if live is not None and takes_back(manifest, live):
            self._apply(keep_replicas(manifest, live), dry_run=True, force=force)  # all else must be ours already
            force = True
        if is_free and live is not None and owns_replicas(live) and not dry_run:
            self._hold(manifest, live["spec"]["replicas"])
        self._apply(manifest, dry_run=dry_run, force=force)
        if is_free and live is None and not dry_run:
            self._hold(manifest, find_first_replicas(manifest))

    def _hold(self, manifest: Manifest, replicas: int) -> None:
        self._apply(hold_replicas(manifest, replicas), dry_run=False, force=False, manager=HOLDER)

    def _apply(self, manifest: Manifest, *, dry_run: bool, force: bool, manager: str = MANAGER) -> Json:
        query = {"fieldManager": manager, "fieldValidation": "Strict", "force": str(force).lower()}
        query |= {"dryRun": "All"} if dry_run else {}
        return self._api.patch(self._locate(manifest["kind"], manifest["metadata"]["name"]), manifest, APPLY, query)

    def _find_own(self, key: DeploymentKey, kind: str, name: str) -> Json | None:
        """An object, which must be this deployment's. Raises ConflictError `name-taken`."""
        found = self._api.get(self._locate(kind, name))
        if found is None or is_ours(found["metadata"].get("labels") or {}, key):
            return found
        raise ConflictError(
            "name-taken",
            f"{kind} {name} in namespace {self._api.namespace} was not made for {key}",
            hint="give the deployment another name with `--name`, or the environment a namespace of its own",
        )

    def _list_objects(self, key: DeploymentKey, kinds: tuple[str, ...] = tuple(KINDS)) -> Iterator[tuple[str, Json]]:
        selector = write_selector(select_deployment(key))
        for kind in kinds:
            for item in self._api.list(KINDS[kind].format(self._api.namespace), selector, is_optional=kind in OPTIONAL):
                if not is_made_by_controller(item):
                    yield kind, item

    def _delete_superfluous(self, blueprint: Blueprint, manifests: tuple[Manifest, ...], kinds: Collection[str]) -> None:
        for kind, item in self._list_superfluous(blueprint, manifests):
            if kind in kinds:
                self._api.delete(self._locate(kind, item["metadata"]["name"]))

    def _list_superfluous(self, blueprint: Blueprint, manifests: tuple[Manifest, ...]) -> Iterator[tuple[str, Json]]:
        """Objects of the deployment, or of its candidate, that a blueprint does not have."""
        wanted = {(one["kind"], one["metadata"]["name"]) for one in manifests}
        for kind, item in self._list_objects(blueprint.key):
            if is_of_candidate(item) == blueprint.is_candidate and (kind, item["metadata"]["name"]) not in wanted:
                yield kind, item

    def _find_replica_sets(self, key: DeploymentKey) -> Mapping[int, list[Mapping[str, Any]]]:
        found = self._api.list(REPLICA_SETS.format(self._api.namespace), write_selector(select_deployment(key)))
        return group_replica_sets(drop_candidates(found))

    def _locate(self, kind: str, name: str) -> str:
        return locate(kind, self._api.namespace, name)
