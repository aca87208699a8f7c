"""What is rendered is valid, strictly, by the schemas of every Kubernetes from 1.28 to 1.37."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

import pytest
import yaml

from dockyard.adapters.k8s.render.files import FileRenderer
from dockyard.domain.rendering import GitPlace, RenderForm, RenderShape
from support.k8s_variants import VARIANTS
from support.kubernetes_schemas import OF_OTHERS, validate
from support.tracking_renders import Rendering, distinct_objects

pytestmark = pytest.mark.lab


def test_objects_are_valid_by_the_schemas_of_ten_versions(tmp_path_factory: pytest.TempPathFactory) -> None:
    objects = [
        yaml.safe_load(content)
        for form in (RenderForm.PLAIN, RenderForm.FLAGGER)
        for blueprint in VARIANTS.values()
        for content in FileRenderer().render_files(blueprint, make_shape(form)).values()
    ]
    own = [one for one in objects if one["kind"] not in OF_OTHERS]
    assert len(own) > 5 * len(VARIANTS)
    wrong = {**own[0], "spec": {**own[0]["spec"], "replica": 2}}
    assert len(validate(own, tmp_path_factory).splitlines()) == 10 * len(own)
    with pytest.raises(subprocess.CalledProcessError):
        validate([wrong], tmp_path_factory)


def test_tracking_chart_is_valid_by_the_schemas_of_ten_versions(
    tracking_renders: Mapping[str, Rendering], tmp_path_factory: pytest.TempPathFactory
) -> None:
    distinct = [one for one in distinct_objects(tracking_renders.values()) if one["kind"] not in OF_OTHERS]
    assert len(distinct) > 2 * len(tracking_renders)
    assert len(validate(distinct, tmp_path_factory).splitlines()) == 10 * len(distinct)


def make_shape(form: RenderForm) -> RenderShape:
    return RenderShape(form=form, namespace="models", git=GitPlace())
