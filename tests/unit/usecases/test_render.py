"""`render`: the files of what a deploy would apply, the revision's number, and what the registry is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from typing_extensions import override

from dockyard.adapters.k8s.render.files import FileRenderer
from dockyard.domain.attempt import AttemptKind, AttemptStatus
from dockyard.domain.errors import UnavailableError, UsageError
from dockyard.domain.image import ImageDigest, ImageSettings
from dockyard.domain.rendering import LOCK, GitPlace, RenderForm, RenderLock, RenderShape
from dockyard.domain.request import RenderRequest
from dockyard.domain.result import RenderResult, ResultStatus
from dockyard.ports_rendering import FolderChange
from dockyard.usecases.render import render
from support.k8s_bench import K8sBench, run, want
from support.k8s_values import KEY, REPOSITORY

SHAPE = RenderShape(form=RenderForm.PLAIN, namespace="models", git=GitPlace())
OTHER = ImageDigest("registry.example.com/elsewhere@sha256:1")


def make_request(folder: Path, version: int = 1, **fields: object) -> RenderRequest:
    named = {name: fields.pop(name) for name in ("image", "revision") if name in fields}
    deploy = want(version, image=ImageSettings(repository=REPOSITORY), **fields)
    return RenderRequest(deploy=deploy, shape=SHAPE, folder=folder, **named)  # type: ignore[arg-type]


def write(bench: K8sBench, folder: Path, version: int = 1, **fields: object) -> RenderResult:
    return render(bench.open(), FileRenderer(), make_request(folder, version, **fields))


@pytest.fixture
def bench() -> K8sBench:
    return K8sBench()


def test_image_is_built_pushed_and_named_by_its_digest_and_no_cluster_is_asked(bench: K8sBench, tmp_path: Path) -> None:
    result = write(bench, tmp_path)
    assert (result.status, result.revision) == (ResultStatus.RENDERED, 1)
    assert result.image.startswith(f"{REPOSITORY}@sha256:")
    deployment = yaml.safe_load((tmp_path / "deployment.yaml").read_text())
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == result.image
    lock = json.loads((tmp_path / LOCK).read_text())
    assert (lock["model"]["version"], lock["image"], lock["deployment"]) == ("1", result.image, str(KEY))
    assert bench.cluster.list_deployments() == ()


def test_numbers_go_on_with_each_other_revision_and_stay_for_the_same(bench: K8sBench, tmp_path: Path) -> None:
    assert [write(bench, tmp_path, one).revision for one in (1, 1, 2)] == [1, 1, 2]
    assert write(bench, tmp_path, 2, memory="2Gi").revision == 3
    assert write(bench, tmp_path, 2, memory="2Gi", image=OTHER).revision == 4
    assert write(bench, tmp_path, 2, memory="2Gi", image=OTHER, revision=9).revision == 9
    assert write(bench, tmp_path, 2, memory="2Gi", image=OTHER).status is ResultStatus.UNCHANGED


def test_image_that_is_named_is_neither_built_nor_pushed(bench: K8sBench, tmp_path: Path) -> None:
    assert write(bench, tmp_path, image=OTHER).image == OTHER
    assert bench.faults.calls == []


def test_pods_get_what_was_measured_of_the_image_that_is_built_here_or_named(bench: K8sBench, tmp_path: Path) -> None:
    image = write(bench, tmp_path / "built").image
    other = K8sBench()
    other.images = bench.images
    bench.images.delete_image(next(iter(bench.images.list_unused_images(frozenset()))).fingerprint)
    write(other, tmp_path / "named", image=image)
    assert [read_memory(tmp_path / one) for one in ("built", "named")] == ["640Mi", "640Mi"]


@pytest.mark.parametrize(("said", "given"), [(None, "1Gi"), ("2Gi", "2Gi")])
def test_image_that_cannot_be_asked_what_was_measured_is_rendered_and_that_is_said(
    bench: K8sBench, tmp_path: Path, said: str | None, given: str
) -> None:
    bench.images.failures["read_footprint"] = UnavailableError("registry-unreachable", "registry.example.com does not answer")
    assert write(bench, tmp_path, image=OTHER, memory=said).status is ResultStatus.RENDERED
    assert read_memory(tmp_path) == given
    assert any("registry.example.com does not answer" in note for note in bench.progress.notes)


def read_memory(folder: Path) -> str:
    deployment = yaml.safe_load((folder / "deployment.yaml").read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return str(container["resources"]["limits"]["memory"])


def test_history_tells_of_a_render_and_nothing_claims_that_it_serves(bench: K8sBench, tmp_path: Path) -> None:
    write(bench, tmp_path)
    write(bench, tmp_path)
    (attempt,) = bench.registry.list_attempts(KEY, 9)
    assert (attempt.kind, attempt.status, attempt.revision) == (AttemptKind.RENDER, AttemptStatus.SUCCEEDED, 1)
    assert bench.record_status(1) is None


def test_history_waits_where_the_registry_is_away(bench: K8sBench, tmp_path: Path) -> None:
    class Leaving(FileRenderer):
        @override
        def write_files(self, folder: Path, lock: RenderLock, files: Mapping[str, bytes]) -> FolderChange:
            bench.registry.is_reachable = False
            return super().write_files(folder, lock, files)

    result = render(bench.open(), Leaving(), make_request(tmp_path))
    assert (result.status, [one.code for one in result.failures]) == (ResultStatus.PARTIAL, ["record-pending"])
    assert (tmp_path / "deployment.yaml").exists()
    assert len(bench.queue.list_entries()) == 1


def test_what_a_deploy_refuses_a_render_refuses_too(bench: K8sBench, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="DOCKYARD_REVISION"):
        write(bench, tmp_path, env=(("DOCKYARD_REVISION", "7"),))
    assert not list(tmp_path.iterdir())


def test_folder_and_deploy_agree_on_the_revision(bench: K8sBench, tmp_path: Path) -> None:
    rendered = write(bench, tmp_path)
    deployed = run(bench, image=ImageSettings(repository=REPOSITORY))
    assert (rendered.revision, rendered.image, rendered.model) == (deployed.revision, deployed.image, deployed.model)
