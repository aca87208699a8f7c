"""An endpoint as Terraform: what the file says, and what is refused."""

from __future__ import annotations

import dataclasses
import re

import pytest

from dockyard.adapters.terraform.hcl import write_attributes, write_value
from dockyard.adapters.terraform.renderer import TerraformRenderer
from dockyard.domain.errors import UsageError
from dockyard.domain.image import ImageDigest
from dockyard.domain.rendering import ModuleShape
from dockyard.domain.sagemaker import (
    Instances,
    ModelDelivery,
    Rollout,
    RolloutKind,
    SageMakerPolicy,
    Scaling,
    ScheduledCapacity,
)
from dockyard.domain.sagemaker_blueprint import EndpointBlueprint
from dockyard.domain.sagemaker_capture import DataCapture
from dockyard.domain.sagemaker_component import Component
from dockyard.domain.sagemaker_package import PackagePolicy
from support.sagemaker_values import REPOSITORY
from support.terraform_values import BARE, FULL, QUEUE, SERVERLESS, make_blueprint
from terraform_readme import MODULES, read_declarations

SHAPE = ModuleShape(source="../modules/endpoint")
NIGHT = ScheduledCapacity(name="night", schedule="cron(0 22 * * ? *)", minimum=1, maximum=1)


def render(blueprint: EndpointBlueprint) -> str:
    (text,) = TerraformRenderer().render_files(blueprint, SHAPE).values()
    return text.decode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('say "${hello}" for $5 and 5%{', '"say \\"$${hello}\\" for $5 and 5%%{"'),
        ("a\\b\nc\x07é", '"a\\\\b\\nc\\u0007é"'),
        (True, "true"),
        (0.5, "0.5"),
        (["a", 1], '["a", 1]'),
        ({"a": 1, "b:c": "d"}, '{ a = 1, "b:c" = "d" }'),
        ({}, "{}"),
    ],
)
def test_values_are_written_so_that_terraform_reads_the_same(value: object, text: str) -> None:
    assert write_value(value) == text  # type: ignore[arg-type]


def test_attributes_are_aligned() -> None:
    assert write_attributes({"a": 1, "long": True}, "  ") == "  a    = 1\n  long = true\n"


def test_module_is_called_with_image_by_digest_role_and_policy() -> None:
    text = render(FULL)
    assert f'image              = "{FULL.image}"' in text
    assert 'source             = "../modules/endpoint"' in text
    assert 'instances          = { type = "ml.c5.large", count = 2, startup_timeout_seconds = 600' in text
    assert (
        "alarms             = { errors = 0, error_percent = 0.5, p99_milliseconds = 250, period_seconds = 30, periods = 2 }"
        in text
    )
    assert 'GREETING          = "say \\"$${hello}\\""' in text
    assert 'DOCKYARD_REVISION = "1"' in text


def test_tags_lead_back_to_the_model_and_do_not_claim_that_dockyard_keeps_the_endpoint() -> None:
    text = render(FULL)
    assert '"dockyard:model-version" = "1"' in text
    assert "dockyard:deployment" not in text


def test_schedule_volume_and_one_direction_of_capture_are_told() -> None:
    policy = SageMakerPolicy(scaling=Scaling(minimum=1, maximum=2, schedule=(NIGHT,)))
    capture = DataCapture(destination="s3://a/b", captures_output=False)
    text = render(make_blueprint(policy, capacity=Instances(volume_gb=30), data_capture=capture))
    assert 'schedule = { night = { schedule = "cron(0 22 * * ? *)", min = 1, max = 1 } }' in text
    assert "volume_gb = 30" in text
    assert '{ uri = "s3://a/b", percent = 100, output = false }' in text
    assert "requests_per_instance" not in text


def test_shadow_is_an_image_beside_the_one_that_serves_and_a_first_revision_has_none() -> None:
    policy = SageMakerPolicy(rollout=Rollout(kind=RolloutKind.SHADOW, shadow_percent=20))
    first = make_blueprint(policy)
    assert "shadow" not in render(first)
    coming = ImageDigest(f"{REPOSITORY}@sha256:{'b' * 64}")
    text = render(dataclasses.replace(first, shadow=coming))
    assert f'shadow             = {{ image = "{coming}", percent = 20 }}' in text
    assert f'image              = "{first.image}"' in text
    assert 'kind = "all-at-once"' in text


def test_alarms_that_nobody_asked_for_are_not_made() -> None:
    assert "alarms             = { errors = 0 }" in render(BARE)
    watched = SageMakerPolicy(rollout=Rollout(alarms=("business",)))
    assert 'alarms             = { errors = 0, names = ["business"] }' in render(make_blueprint(watched))


@pytest.mark.parametrize("blueprint", [FULL, BARE, QUEUE, SERVERLESS])
def test_only_arguments_that_the_module_has_are_given(blueprint: EndpointBlueprint) -> None:
    call = render(blueprint).partition('module "endpoint" {')[2].partition("\n}\n")[0]
    variables = {one.name for one in read_declarations(MODULES / "endpoint") if one.kind == "variable"}
    assert set(re.findall(r"^  (\w+) +=", call, re.MULTILINE)) - {"source"} <= variables


def test_equal_blueprints_give_equal_bytes() -> None:
    assert render(FULL) == render(FULL)


@pytest.mark.parametrize(
    ("blueprint", "word"),
    [
        (make_blueprint(component=Component(memory_mb=1024)), "component"),
        (make_blueprint(delivery=ModelDelivery.ARCHIVE), "delivery: archive"),
        (make_blueprint(kms_key="alias/models"), "kms_key"),
        (make_blueprint(SageMakerPolicy(package=PackagePolicy(group="wine"))), "model_package"),
    ],
)
def test_what_the_module_has_no_argument_for_is_refused(blueprint: EndpointBlueprint, word: str) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        render(blueprint)
    assert caught.value.code == "setting-invalid"


def test_everything_that_is_refused_is_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        render(make_blueprint(component=Component(memory_mb=1024), kms_key="alias/models"))
    assert len(caught.value.details) == 1


def test_variable_that_looks_like_a_secret_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError, match="DB_PASSWORD") as caught:
        render(make_blueprint(env=(("DB_PASSWORD", "hunter2"),)))  # not a secret: made up here
    assert (caught.value.code, "hunter2" in str(caught.value)) == ("secret-found", False)
