"""What is rendered, applied by others on a real cluster: Flux from git, kubectl, Helm. Dockyard sees it and finds no drift."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockyard.adapters.k8s.render.files import FileRenderer
from dockyard.domain.image import ImageDigest
from dockyard.domain.rendering import GitPlace, RenderForm, RenderShape
from support.cluster_stand_in import open_namespace, push_stand_in, wait_until
from support.deployments import Ended, Place, make_told_place
from support.k8s_variants import VARIANTS
from support.lab import ROOT
from support.told_models import SOUND

pytestmark = pytest.mark.lab
AUTHOR = ("-c", "user.name=ann", "-c", "user.email=ann@example.com")

CONFIG = """\
image:
  mirrors: {{docker.io: ["http://{registry}"]}}
  insecure_registries: ["{registry}"]
environments:
  k8s: {{k8s: {{namespace: {namespace}, replicas: 1, cpu: 50m}}, grace_seconds: 5, request_timeout_seconds: 5}}
"""
NOT_TO_BE_HAD = {RenderForm.KSERVE, RenderForm.HELM}
"""Forms without CRDs in the lab, and without objects."""


@dataclass(kw_only=True)
class Yard:
    """A user's folder, which is a git repository, and a namespace."""

    place: Place
    namespace: str
    image: str
    environ: dict[str, str]

    def render(self, version: int, form: str, folder: str, *more: str) -> Ended:
        """Render a version."""
        model = ("-m", f"models:/{SOUND}/{version}", "--name", "shop", "--image", self.image)
        return self.place.run("render", "k8s", *model, "--format", form, "-o", folder, "--json", *more).expect(0)

    def look(self) -> dict[str, object]:
        """The row of `status`."""
        (row,) = self.place.run("status", "k8s/shop", "--json").expect(0).result["rows"]
        return {name: row[name] for name in ("state", "revision")} | {"version": row["model"]["version"], "on": row["capacity"]}

    def drift(self) -> int:
        """How `drift` ends."""
        return self.place.run("drift", "k8s/shop", "--json").code

    def call(self, *command: str) -> str:
        """Run a program that shall succeed; return what it printed, complaints included."""
        done = subprocess.run(
            command, cwd=self.place.folder, env=self.environ, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory, lab_kubeconfig: Path, lab_engine: str, lab_registry: str) -> Iterator[Yard]:
    place = make_told_place(tmp_path_factory.mktemp("render"))
    place.extra["KUBECONFIG"] = str(lab_kubeconfig)
    with open_namespace(lab_kubeconfig) as (namespace, _):
        place.configure(CONFIG.format(namespace=namespace, registry=lab_registry))
        image = push_stand_in(lab_engine, lab_registry)
        yield Yard(place=place, namespace=namespace, image=image, environ=os.environ | {"KUBECONFIG": str(lab_kubeconfig)})


def test_flux_deploys_commits_takes_back_what_was_changed_by_hand_and_drift_agrees(yard: Yard, lab_flux_health: str) -> None:
    del lab_flux_health
    url = yard.call(str(ROOT / "lab/addons/gitops"), "repository", yard.namespace).strip()
    yard.call("git", "clone", "-q", url, "apps")
    flux = ("flux", "apps/wine", "--git-url", url, "--git-path", "wine")
    yard.render(1, *flux)
    commit(yard, "version 1")
    yard.call("kubectl", "apply", "-f", "apps/wine/flux-gitrepository.yaml", "-f", "apps/wine/flux-kustomization.yaml")
    try:
        await_flux(yard)
        assert yard.look() == {
            "state": "serving", "revision": 1, "version": "1",
            "on": f"1 of 1 pods, 1Gi each, in {yard.namespace}, applied by kustomize-controller",
        }  # fmt: skip
        assert yard.drift() == 0
        assert yard.render(1, *flux).envelope["status"] == "unchanged"

        yard.render(2, *flux)
        commit(yard, "version 2")
        await_flux(yard)
        assert (yard.look()["revision"], yard.look()["version"], yard.drift()) == (2, "2", 0)

        yard.call(
            "kubectl", "-n", yard.namespace, "patch", "service", "shop", "--patch", '{"spec": {"sessionAffinity": "ClientIP"}}'
        )
        yard.call(
            "kubectl",
            "-n",
            yard.namespace,
            "label",
            "poddisruptionbudget",
            "shop",
            "app.kubernetes.io/name=other",
            "--overwrite",
        )
        assert yard.drift() == 4
        await_flux(yard)
        assert yard.drift() == 0

        yard.call("git", "-C", "apps", *AUTHOR, "revert", "--no-edit", "HEAD")
        yard.call("git", "-C", "apps", "push", "-q")
        await_flux(yard)
        assert (yard.look()["revision"], yard.look()["version"], yard.drift()) == (1, "1", 0)
        attempts = yard.place.run("history", "k8s/shop", "--json").expect(0).result["attempts"]
        assert [(one["kind"], one["revision"]) for one in attempts] == [("render", 2), ("render", 1)]
    finally:
        yard.call("kubectl", "delete", "-f", "apps/wine/flux-kustomization.yaml", "-f", "apps/wine/flux-gitrepository.yaml")
    assert "shop" not in yard.call(
        "kubectl", "-n", yard.namespace, "get", "deployments,services,poddisruptionbudgets", "-o", "name"
    )


def commit(yard: Yard, message: str) -> None:
    yard.call("git", "-C", "apps", "add", "-A")
    yard.call("git", "-C", "apps", *AUTHOR, "commit", "-q", "-m", message)
    yard.call("git", "-C", "apps", "push", "-q", "origin", "HEAD:main")


def await_flux(yard: Yard) -> None:
    """Have Flux look now, and wait until it says that the newest commit is applied and ready."""
    head = yard.call("git", "-C", "apps", "rev-parse", "HEAD").strip()
    asked = f"reconcile.fluxcd.io/requestedAt={os.urandom(4).hex()}"
    for kind in ("gitrepository", "kustomization"):
        yard.call("kubectl", "-n", "flux-system", "annotate", "--overwrite", kind, "k8s-shop", asked)

    def is_done() -> bool:
        found = json.loads(yard.call("kubectl", "-n", "flux-system", "get", "kustomization", "k8s-shop", "-o", "json"))
        status = found.get("status", {})
        conditions = {one["type"]: one["status"] for one in status.get("conditions", [])}
        handled = f"reconcile.fluxcd.io/requestedAt={status.get('lastHandledReconcileAt')}"
        return handled == asked and conditions.get("Ready") == "True" and status.get("lastAppliedRevision", "").endswith(head)

    wait_until(is_done)


def test_kubectl_apply_and_helm_install_give_what_a_deploy_ends_with(yard: Yard, lab_tools: Path) -> None:
    yard.render(1, "kustomize", "kustomized")
    yard.call("kubectl", "apply", "-k", "kustomized/overlays/k8s")
    yard.call("kubectl", "-n", yard.namespace, "rollout", "status", "deployment/shop", "--timeout=180s")
    assert str(yard.look()["on"]).endswith("applied by kubectl-client-side-apply")
    assert yard.drift() == 0
    model = ("-m", f"models:/{SOUND}/1", "--name", "shop", "--repository", yard.image.partition("@")[0])
    assert yard.place.run("deploy", "k8s", *model, "--plan", "--json").expect(0).envelope["status"] == "unchanged"
    yard.call("kubectl", "delete", "-k", "kustomized/overlays/k8s")

    yard.render(1, "helm", "helmed")
    chart = ("shop", str(ROOT / "helm/model-server"), "-n", yard.namespace)
    yard.call(str(lab_tools / "helm"), "install", *chart, "-f", "helmed/values.yaml", "--wait", "--timeout", "180s")
    assert str(yard.look()["on"]).endswith("applied by helm")
    assert yard.drift() == 0
    yard.call(str(lab_tools / "helm"), "uninstall", "shop", "-n", yard.namespace)


def test_every_form_passes_a_strict_dry_run_without_a_warning(yard: Yard) -> None:
    folder = yard.place.folder / "forms"
    strict = ("kubectl", "apply", "--dry-run=server", "--validate=strict")
    shown, count = [], 0
    for form in sorted(set(RenderForm) - NOT_TO_BE_HAD):
        shape = RenderShape(form=form, namespace=yard.namespace, git=GitPlace(url="https://git.example.com/a.git"))
        for name, blueprint in VARIANTS.items():
            root = folder / form.value / name.replace(" ", "-")
            files = FileRenderer().render_files(dataclasses.replace(blueprint, image=ImageDigest(yard.image)), shape)
            write(root, files, yard.namespace)
            count += sum("kustomization.yaml" not in path or "flux" in path for path in files)
            if form is RenderForm.KUSTOMIZE:
                shown.append(yard.call(*strict, "-k", str(root / "overlays/k8s")))
                shutil.rmtree(root)
    shown.append(yard.call(*strict, "-R", "-f", str(folder)))
    assert "Warning" not in "".join(shown)
    assert "".join(shown).count("(server dry run)") == count


def write(folder: Path, files: Mapping[str, bytes], namespace: str) -> None:
    """Write files; there is no Argo CD here, so its object goes elsewhere."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.replace(b"namespace: argocd", f"namespace: {namespace}".encode()))
