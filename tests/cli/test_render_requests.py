"""Claims about what `render` asks of the use cases for what was typed and configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.domain.rendering import GitPlace, ModuleShape, RenderForm, RenderShape
from dockyard.domain.request import RenderRequest, SageMakerDeployRequest, TerraformRequest
from support.fake_kit import CommandLine

CONFIG = """
image: {repository: registry.example.com/models}
environments:
  prod: {target: k8s, k8s: {namespace: models, replicas: 3, rollout: {kind: canary, steps: [20]}}}
  aws: {target: sagemaker, sagemaker: {role: "arn:aws:iam::123456789012:role/wine", count: 3}}
  hidden: {target: sagemaker, env: {DB: {env: DB_PASSWORD}}}
"""
DIGEST = "registry.example.com/other@sha256:" + "0" * 64


def ask(dockyard: CommandLine, *typed: str) -> RenderRequest:
    """What `render k8s` asks of the use cases."""
    ended = dockyard("render", "k8s", "-m", "wine", "--env", "prod", *typed)
    assert ended.code == 0, ended.err
    verb, request = dockyard.kit.calls[-1]
    assert verb == "render"
    assert isinstance(request, RenderRequest)
    return request


@pytest.fixture
def configured(dockyard: CommandLine) -> CommandLine:
    (dockyard.folder / "dockyard.yaml").write_text(CONFIG, encoding="utf-8")
    return dockyard


def test_what_is_rendered_is_what_would_be_deployed(configured: CommandLine) -> None:
    request = ask(configured, "-o", "out")
    assert configured.deploy("k8s", "-m", "wine", "--env", "prod").code == 0
    assert request.deploy == configured.kit.calls[-1][1]
    assert request.shape == RenderShape(
        form=RenderForm.PLAIN, namespace="models", git=GitPlace(), rollout=request.deploy.rollout
    )
    assert request.shape.rollout.shares == (20,)
    assert (request.folder, request.image, request.revision) == ((configured.folder / "out").resolve(), None, None)


def test_flags_go_before_the_configuration(configured: CommandLine) -> None:
    request = ask(configured, "-o", "/srv/out", "--namespace", "other", "--replicas", "7", "--image", DIGEST, "--revision", "4")
    assert (request.shape.namespace, request.deploy.policy.replicas) == ("other", 7)
    assert (request.folder, request.image, request.revision) == (Path("/srv/out"), DIGEST, 4)
    assert request.deploy.image.repository == "registry.example.com/other"


@pytest.mark.parametrize(
    ("typed", "git"),
    [
        (("--format", "flux", "-o", "apps/wine"), GitPlace(path="apps/wine")),
        (
            ("--format", "argo-cd", "-o", "./wine/", "--git-url", "u", "--git-branch", "b"),
            GitPlace(url="u", branch="b", path="wine"),
        ),
        (("--format", "flux", "-o", "/srv/wine", "--git-path", "/wine/"), GitPlace(path="wine")),
        (("--format", "flux", "-o", "."), GitPlace(path=".")),
    ],
)
def test_place_in_git_is_the_folder_unless_it_is_named(configured: CommandLine, typed: tuple[str, ...], git: GitPlace) -> None:
    assert ask(configured, *typed).shape.git == git


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("-o", "out", "--image", "registry.example.com/models:1"), "by its digest"),
        (("-o", "out", "--format", "argo-cd"), "git repository"),
        (("-o", "/srv/wine", "--format", "flux"), "where in the git repository"),
    ],
)
def test_wrong_usage_is_refused(configured: CommandLine, typed: tuple[str, ...], words: str) -> None:
    ended = configured("render", "k8s", "-m", "wine", "--env", "prod", *typed)
    assert (ended.code, words in ended.err) == (2, True)


def test_namespace_is_never_guessed(dockyard: CommandLine) -> None:
    ended = dockyard("render", "k8s", "-m", "wine", "-o", "out", "--repository", "registry.example.com/models")
    assert (ended.code, "--namespace" in ended.err) == (2, True)


def test_endpoint_as_terraform_is_the_one_that_would_be_deployed(configured: CommandLine) -> None:
    typed = ("-m", "wine", "--env", "aws", "--rollout", "canary", "--instance", "ml.c5.large")
    ended = configured("render", "terraform", *typed, "-o", "out", "--module", "../modules/endpoint", "--image", DIGEST)
    assert ended.code == 0, ended.err
    request = configured.kit.calls[-1][1]
    assert isinstance(request, TerraformRequest)
    assert configured.deploy("sagemaker", *typed, "-y").code == 0
    deployed = configured.kit.calls[-1][1]
    assert isinstance(deployed, SageMakerDeployRequest)
    assert (request.deploy.settings, request.deploy.policy) == (deployed.settings, deployed.policy)
    assert request.deploy.image.repository == "registry.example.com/other"
    assert (request.shape, request.folder) == (ModuleShape(source="../modules/endpoint"), (configured.folder / "out").resolve())
    assert (request.image, request.revision) == (DIGEST, None)


def test_secret_variables_are_not_written_into_a_file(configured: CommandLine) -> None:
    ended = configured("render", "terraform", "-m", "wine", "--env", "hidden", "-o", "out", "--module", "m")
    assert (ended.code, "the secret DB would stand in the file" in ended.err) == (2, True)
