"""Values are held to the service model: whole patterns, both ends of every limit, and Java's character classes."""

from __future__ import annotations

import pytest

from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.shapes import Shapes

SHAPES = Shapes("sagemaker")


def add_tag(key: str, value: str = "") -> dict[str, object]:
    return {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m", "Tags": [{"Key": key, "Value": value}]}


@pytest.mark.parametrize("key", ["a", "ключ", "schlüssel ١٢", "a_.:/=+-@", "k" * 128, "non\u00a0breaking"])
def test_tag_keys_of_letters_numbers_separators_and_signs_are_legal(key: str) -> None:
    assert SHAPES.check_request("AddTags", add_tag(key))


@pytest.mark.parametrize("key", ["", "a#", "tab\t", "line\n", "k" * 129, "{x}"])
def test_other_tag_keys_are_not(key: str) -> None:
    with pytest.raises(ApiError) as caught:
        SHAPES.check_request("AddTags", add_tag(key))
    assert caught.value.code == "ValidationException"


@pytest.mark.parametrize("text", ["plain", "symbols € + ½ — «quoted»", "combining e\u0301"])
def test_descriptions_take_every_printable_category(text: str) -> None:
    body = {"ModelPackageGroupName": "g", "ModelPackageGroupDescription": text}
    assert SHAPES.check_request("CreateModelPackageGroup", body)


def test_descriptions_take_no_control_characters() -> None:
    with pytest.raises(ApiError):
        SHAPES.check_request("CreateModelPackageGroup", {"ModelPackageGroupName": "g", "ModelPackageGroupDescription": "a\x00"})


def test_pattern_is_of_the_whole_string() -> None:
    with pytest.raises(ApiError):
        SHAPES.check_request("DescribeModel", {"ModelName": "m\n"})


def test_null_is_as_if_it_were_not_there() -> None:
    assert SHAPES.check_request("ListModels", {"NameContains": None}) == {}


def test_true_is_no_number_and_one_is_no_boolean() -> None:
    with pytest.raises(ApiError, match="integer"):
        SHAPES.check_request("ListModels", {"MaxResults": True})
    with pytest.raises(ApiError, match="boolean"):
        SHAPES.check_request("CreateModel", {"ModelName": "m", "EnableNetworkIsolation": 1})


def test_values_of_the_environment_are_not_shown() -> None:
    body = {"ModelName": "m", "PrimaryContainer": {"Image": "i", "Environment": {"A": "secret" * 200}}}
    with pytest.raises(ApiError) as caught:
        SHAPES.check_request("CreateModel", body)
    assert "secret" not in caught.value.message
    assert "primaryContainer.environment.A.member" in caught.value.message


def test_answer_may_have_an_empty_list_where_a_request_may_not() -> None:
    shapes = Shapes("ecr")
    shapes.check_response("BatchDeleteImage", {"imageIds": [], "failures": []})
    with pytest.raises(ApiError, match="length greater than or equal to 1"):
        shapes.check_request("BatchDeleteImage", {"repositoryName": "team/demo", "imageIds": []})
