"""`render terraform`: the file of the endpoint that a deploy would make, and what is refused before a model is looked up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockyard.adapters.terraform.renderer import TerraformRenderer
from dockyard.domain.errors import UsageError
from dockyard.domain.image import ImageDigest, ImageSettings
from dockyard.domain.rendering import LOCK, ModuleShape
from dockyard.domain.request import TerraformRequest
from dockyard.domain.result import RenderResult, ResultStatus
from dockyard.domain.sagemaker import Rollout, RolloutKind, SageMakerPolicy
from dockyard.usecases.render import render_terraform
from support.sagemaker_bench import SageMakerBench, want
from support.sagemaker_values import GIVEN_ROLE, KEY, REPOSITORY

SHAPE = ModuleShape(source="../modules/endpoint")
OTHER = ImageDigest("registry.example.com/elsewhere@sha256:1")


@pytest.fixture
def bench() -> SageMakerBench:
    return SageMakerBench()


def write(
    bench: SageMakerBench,
    folder: Path,
    version: int = 1,
    image: ImageDigest | None = None,
    **settings: object,
) -> RenderResult:
    deploy = want(version, image=ImageSettings(repository=REPOSITORY), **{"role": GIVEN_ROLE, **settings})
    request = TerraformRequest(deploy=deploy, shape=SHAPE, folder=folder, image=image)
    return render_terraform(bench.open(), TerraformRenderer(), request)


def test_image_is_built_pushed_and_named_by_its_digest_and_nothing_is_deployed(bench: SageMakerBench, tmp_path: Path) -> None:
    result = write(bench, tmp_path)
    assert (result.status, result.revision, result.form) == (ResultStatus.RENDERED, 1, "terraform")
    assert result.written == ("main.tf", LOCK)
    assert str(result.image) in (tmp_path / "main.tf").read_text()
    lock = json.loads((tmp_path / LOCK).read_text())
    assert (lock["form"], lock["namespace"], lock["deployment"]) == ("terraform", None, str(KEY))
    assert bench.account.endpoints == {}


def test_numbers_go_on_with_each_other_revision_and_stay_for_the_same(bench: SageMakerBench, tmp_path: Path) -> None:
    assert [write(bench, tmp_path, one).revision for one in (1, 1, 2)] == [1, 1, 2]
    assert write(bench, tmp_path, 2).status is ResultStatus.UNCHANGED
    assert write(bench, tmp_path, 2, image=OTHER).revision == 3


def test_shadow_leaves_the_revision_that_serves_and_becomes_one_when_it_is_rendered_without(
    bench: SageMakerBench, tmp_path: Path
) -> None:
    in_shadow = SageMakerPolicy(rollout=Rollout(kind=RolloutKind.SHADOW))
    first = write(bench, tmp_path, policy=in_shadow)
    second = write(bench, tmp_path, 2, policy=in_shadow)
    text = (tmp_path / "main.tf").read_text()
    assert "shadow " in text
    assert str(first.image) in text
    assert (second.revision, second.image, second.model) == (1, first.image, first.model)
    assert write(bench, tmp_path, 2, policy=in_shadow).status is ResultStatus.UNCHANGED
    third = write(bench, tmp_path, 2)
    assert (third.revision, third.image != first.image) == (2, True)
    assert "shadow " not in (tmp_path / "main.tf").read_text()


def test_shadow_with_other_settings_than_what_serves_is_refused(bench: SageMakerBench, tmp_path: Path) -> None:
    write(bench, tmp_path)
    policy = SageMakerPolicy(rollout=Rollout(kind=RolloutKind.SHADOW))
    with pytest.raises(UsageError, match="settings") as caught:
        write(bench, tmp_path, 2, policy=policy, env=(("THREADS", "2"),))
    assert caught.value.code == "setting-invalid"


def test_role_is_never_guessed(bench: SageMakerBench, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="as which role") as caught:
        write(bench, tmp_path, role="")
    assert caught.value.code == "setting-invalid"
    assert bench.faults.calls == []
