"""Owns how what was typed becomes a request to render. Must not contact anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dockyard.domain.errors import UsageError
from dockyard.domain.image import ImageDigest
from dockyard.domain.rendering import GitPlace, ModuleShape, RenderForm, RenderShape
from dockyard.domain.request import K8sDeployRequest, RenderRequest, SageMakerDeployRequest, TerraformRequest
from dockyard.domain.settings import EnvironmentSettings

_DIGEST = re.compile(r"[^\s@]+/[^\s@]+@sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderWish:
    """What a render was told beside what a deploy is."""

    form: RenderForm
    folder: str
    image: str | None
    revision: int | None
    git: tuple[str | None, str, str | None]
    """URL, branch and path."""


def find_repository(image: str | None) -> str | None:
    """The repository of an image that was named. Raises UsageError `usage` where it is not named by its digest."""
    if image is None:
        return None
    if not _DIGEST.fullmatch(image):
        raise UsageError("usage", "`--image` takes an image by its digest", hint="as registry.example.com/models@sha256:…")
    return image.rpartition("@")[0]


def make_render_request(deploy: K8sDeployRequest, place: EnvironmentSettings, wish: RenderWish, here: Path) -> RenderRequest:
    """Return the request for a deployment and what was typed. Raises UsageError `usage`."""
    if place.k8s.access.namespace is None:
        raise UsageError(
            "usage",
            "nothing says which namespace the objects are for: what a context says elsewhere is not asked",
            hint="give `--namespace`, or set `k8s.namespace` for the environment in dockyard.yaml",
        )
    return RenderRequest(
        deploy=deploy,
        shape=RenderShape(form=wish.form, namespace=place.k8s.access.namespace, git=_find_git(wish), rollout=deploy.rollout),
        folder=_find_folder(wish.folder, here),
        image=ImageDigest(wish.image) if wish.image else None,
        revision=wish.revision,
    )


def make_terraform_request(
    deploy: SageMakerDeployRequest, module: str, place: tuple[str, Path], image: str | None, revision: int | None
) -> TerraformRequest:
    """Return the request for a deployment and what was typed; `place` is the folder, and from where."""
    return TerraformRequest(
        deploy=deploy,
        shape=ModuleShape(source=module),
        folder=_find_folder(*place),
        image=ImageDigest(image) if image else None,
        revision=revision,
    )


def _find_folder(typed: str, here: Path) -> Path:
    return (here / Path(typed).expanduser()).resolve()


def _find_git(wish: RenderWish) -> GitPlace:
    """Where a GitOps tool finds the folder. Raises UsageError `usage` where a form needs to know and nothing says so."""
    url, branch, path = wish.git
    if wish.form not in {RenderForm.ARGO_CD, RenderForm.FLUX}:
        return GitPlace(url=url, branch=branch, path=path or ".")
    if url is None and wish.form is RenderForm.ARGO_CD:
        raise UsageError("usage", "an Application needs the address of its git repository", hint="give `--git-url`")
    if path is None and Path(wish.folder).is_absolute():
        raise UsageError("usage", "nothing says where in the git repository the folder is", hint="give `--git-path`")
    return GitPlace(url=url, branch=branch, path=(path or Path(wish.folder).as_posix()).strip("/") or ".")
