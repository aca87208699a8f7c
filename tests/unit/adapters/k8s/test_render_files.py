"""Files of every form: fit for production, the same bytes each time, and the same objects that a deploy applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from dockyard.adapters.k8s.manifests import render_manifests
from dockyard.adapters.k8s.render.files import FileRenderer
from dockyard.domain.errors import UsageError
from dockyard.domain.k8s import Blueprint
from dockyard.domain.rendering import GitPlace, RenderForm, RenderShape
from support.k8s_values import make_blueprint
from support.k8s_variants import VARIANTS, assert_fit

Json = dict[str, Any]
AS_DEPLOYED = {RenderForm.PLAIN: "", RenderForm.ARGO_CD: "manifests/", RenderForm.FLUX: "manifests/"}
WITH_PODS = {
    **AS_DEPLOYED,
    RenderForm.KUSTOMIZE: "base/",
    RenderForm.ARGO_ROLLOUTS: "",
    RenderForm.FLAGGER: "",
    RenderForm.KSERVE: "",
}
# not a secret: made up here, in the form that such keys have
AWS_KEY = "AKIA" + "A" * 16


def render(blueprint: Blueprint, form: RenderForm, **git: str) -> Mapping[str, bytes]:
    return FileRenderer().render_files(blueprint, RenderShape(form=form, namespace="models", git=GitPlace(**git)))


def parse(files: Mapping[str, bytes], prefix: str = "") -> dict[str, Json]:
    return {
        path.removeprefix(prefix): yaml.load(text, Loader=yaml.CSafeLoader)
        for path, text in files.items()
        if path.startswith(prefix)
    }


@pytest.fixture(params=VARIANTS)
def blueprint(request: pytest.FixtureRequest) -> Blueprint:
    return VARIANTS[request.param]


@pytest.mark.parametrize("form", RenderForm)
def test_two_renders_are_equal_to_the_byte(blueprint: Blueprint, form: RenderForm) -> None:
    first = render(blueprint, form, url="https://git.example.com/r.git")
    assert list(first.items()) == list(render(blueprint, form, url="https://git.example.com/r.git").items())
    assert all(content.startswith(b"# Rendered by") and content.endswith(b"\n") for content in first.values())


@pytest.mark.parametrize("form", WITH_PODS)
def test_checklist_of_production_holds_for_every_form(blueprint: Blueprint, form: RenderForm) -> None:
    assert_fit(parse(render(blueprint, form), WITH_PODS[form]).values(), blueprint)


@pytest.mark.parametrize("form", AS_DEPLOYED)
def test_objects_are_those_of_a_deploy_one_a_file(blueprint: Blueprint, form: RenderForm) -> None:
    found = parse(render(blueprint, form), AS_DEPLOYED[form])
    applied = {f"{one['kind'].lower()}.yaml": one for one in render_manifests(blueprint, "models")}
    assert {path: found[path] for path in applied} == applied


def test_kustomize_overlay_gives_the_base_its_namespace(blueprint: Blueprint) -> None:
    files = parse(render(blueprint, RenderForm.KUSTOMIZE))
    overlay, base = files.pop("overlays/k8s/kustomization.yaml"), files.pop("base/kustomization.yaml")
    assert (overlay["resources"], overlay["namespace"]) == (["../../base"], "models")
    assert base["resources"] == [path.removeprefix("base/") for path in files]
    for path, item in files.items():
        item["metadata"]["namespace"] = "models"
        assert item in render_manifests(blueprint, "models"), path


def test_gitops_tools_are_pointed_at_the_manifests() -> None:
    flux = parse(
        render(make_blueprint(), RenderForm.FLUX, url="https://git.example.com/r.git", path="apps/wine", branch="live")
    )
    kustomization, repository = flux["flux-kustomization.yaml"]["spec"], flux["flux-gitrepository.yaml"]["spec"]
    assert (kustomization["path"], kustomization["prune"], kustomization["wait"]) == ("./apps/wine/manifests", True, True)
    assert (repository["url"], repository["ref"]) == ("https://git.example.com/r.git", {"branch": "live"})
    assert kustomization["sourceRef"]["name"] == flux["flux-gitrepository.yaml"]["metadata"]["name"] == "k8s-wine"
    own = parse(render(make_blueprint(), RenderForm.FLUX))
    assert own["flux-kustomization.yaml"]["spec"]["sourceRef"]["name"] == "flux-system"
    assert own["flux-kustomization.yaml"]["spec"]["path"] == "./manifests"
    assert "flux-gitrepository.yaml" not in own
    argo = parse(render(make_blueprint(), RenderForm.ARGO_CD, url="u", path="wine"))["application.yaml"]["spec"]
    assert (argo["source"]["path"], argo["destination"]["namespace"]) == ("wine/manifests", "models")


def test_rollout_flagger_and_kserve_take_over_what_they_make_themselves() -> None:
    kinds = {form: {one["kind"] for one in parse(render(VARIANTS["all"], form)).values()} for form in WITH_PODS}
    rest = {"PodDisruptionBudget", "NetworkPolicy"}
    assert kinds[RenderForm.ARGO_ROLLOUTS] == {"Rollout", "Service", *rest}
    assert kinds[RenderForm.FLAGGER] == {"Deployment", "Canary", *rest}
    assert kinds[RenderForm.KSERVE] == {"InferenceService", *rest}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DB_PASSWORD", "s3cr3t-canary"),
        ("SERVICE_TOKEN", "s3cr3t-canary"),
        ("NOTE", AWS_KEY),
        ("NOTE", "https://ann:s3cr3t-canary@example.com/"),
        ("NOTE", "-----BEGIN RSA " + "PRIVATE KEY-----"),
    ],
)
@pytest.mark.parametrize("form", [RenderForm.PLAIN, RenderForm.HELM, RenderForm.KSERVE])
def test_what_looks_like_a_secret_is_refused_and_not_shown(form: RenderForm, variable: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        render(make_blueprint(env=((variable, value),)), form)
    assert (caught.value.code, value in str(caught.value)) == ("secret-found", False)


def test_ordinary_variables_and_names_of_secrets_are_none() -> None:
    harmless = (
        ("HF_HOME", "/opt/hf"),
        ("MAX_TOKENS", "100"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("URL", "https://example.com/a@b"),
    )
    assert render(make_blueprint(env=harmless, env_secrets=("db-password",)), RenderForm.PLAIN)
