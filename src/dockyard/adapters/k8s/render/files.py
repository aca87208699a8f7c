"""Owns the files of a form: one object a file, named after its kind, in folders as the tool of that form has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import yaml

from dockyard.adapters.k8s.manifests import Manifest, list_values, render_manifests
from dockyard.adapters.k8s.render.forms import (
    make_argo_objects,
    make_flux_objects,
    make_inference_service,
)
from dockyard.adapters.k8s.render.progressive import make_canary, make_rollout
from dockyard.adapters.k8s.render.values import make_values
from dockyard.adapters.rendered_folder import read_lock, write_files
from dockyard.adapters.rendered_secrets import refuse_secrets
from dockyard.domain.k8s import Blueprint, derive_object_name
from dockyard.domain.k8s_rollout import K8sRollout
from dockyard.domain.rendering import RenderForm, RenderLock, RenderShape
from dockyard.ports_rendering import FolderChange

_HEAD = "# Rendered by `dockyard render`, which writes it anew: change dockyard.yaml instead.\n"
_SECRETS = "put it into a Secret of the namespace, and name that in `k8s.env_secrets`"
_INNER = "manifests"
"""The folder that a GitOps tool is pointed at; the object that points there lies beside it."""
_POINTERS: Mapping[RenderForm, Callable[[Blueprint, RenderShape, str], tuple[Manifest, ...]]] = {
    RenderForm.ARGO_CD: make_argo_objects,
    RenderForm.FLUX: make_flux_objects,
}
_BESIDE = {RenderForm.ARGO_CD: "", RenderForm.FLUX: "flux-"}
"""What their names begin with: a file `kustomization.yaml` would be taken for Kustomize's own."""
_CONVERSIONS: Mapping[RenderForm, Callable[[tuple[Manifest, ...]], tuple[Manifest, ...]]] = {
    RenderForm.PLAIN: tuple,
    RenderForm.KSERVE: make_inference_service,
}
_PROGRESSIVE: Mapping[RenderForm, Callable[[tuple[Manifest, ...], K8sRollout], tuple[Manifest, ...]]] = {
    RenderForm.ARGO_ROLLOUTS: make_rollout,
    RenderForm.FLAGGER: make_canary,
}


class FileRenderer:
    """Renders with the templates of deploys, into folders of this machine."""

    def render_files(self, blueprint: Blueprint, shape: RenderShape) -> Mapping[str, bytes]:
        """Return the files by path. Raises UsageError `secret-found`, and `setting-invalid` for what a form cannot say."""
        documents = _arrange(blueprint, shape)
        refuse_secrets(documents.values(), hint=_SECRETS)
        return {path: _write(document) for path, document in documents.items()}

    def read_lock(self, folder: Path) -> RenderLock | None:
        """What was rendered into a folder last."""
        return read_lock(folder)

    def write_files(self, folder: Path, lock: RenderLock, files: Mapping[str, bytes]) -> FolderChange:
        """Bring a folder to these files. Raises ConflictError `render-conflict`."""
        return write_files(folder, lock, files)


def _arrange(blueprint: Blueprint, shape: RenderShape) -> Mapping[str, Manifest]:
    """The documents of a form by path."""
    objects, name = render_manifests(blueprint, shape.namespace), derive_object_name(blueprint.key)
    if shape.form is RenderForm.HELM:
        return {"values.yaml": make_values(list_values(blueprint, shape.namespace), objects)}
    if shape.form is RenderForm.KUSTOMIZE:
        return _arrange_kustomize(_name_files(objects, name), blueprint.key.environment, shape.namespace)
    if shape.form in _POINTERS:
        pointers = _POINTERS[shape.form](blueprint, shape, _INNER)
        inner = {f"{_INNER}/{path}": item for path, item in _name_files(objects, name).items()}
        beside = _name_files(pointers, pointers[0]["metadata"]["name"])
        return inner | {f"{_BESIDE[shape.form]}{path}": item for path, item in beside.items()}
    if shape.form in _PROGRESSIVE:
        return _name_files(_PROGRESSIVE[shape.form](objects, shape.rollout), name)
    return _name_files(_CONVERSIONS[shape.form](objects), name)


def _arrange_kustomize(base: Mapping[str, Manifest], environment: str, namespace: str) -> Mapping[str, Manifest]:
    """The base has no namespace: overlays, this one and those of users, say where it goes."""
    return {
        **{f"base/{path}": _without_namespace(item) for path, item in base.items()},
        "base/kustomization.yaml": _customize(list(base)),
        f"overlays/{environment}/kustomization.yaml": _customize(["../../base"]) | {"namespace": namespace},
    }


def _customize(resources: list[str]) -> Manifest:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}


def _without_namespace(item: Manifest) -> Manifest:
    return item | {"metadata": {key: value for key, value in item["metadata"].items() if key != "namespace"}}


def _name_files(objects: Iterable[Manifest], name: str) -> dict[str, Manifest]:
    """Paths after kinds; an object beside the one that has the deployment's own name adds how it differs."""
    found: dict[str, Manifest] = {}
    for item in objects:
        suffix = item["metadata"]["name"].removeprefix(name).strip("-")
        found["-".join(part for part in (item["kind"].lower(), suffix) if part) + ".yaml"] = item
    return found


def _write(document: Manifest) -> bytes:
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1_000_000)
    return (_HEAD + text).encode()
