"""Every value of a request is held to the service's own model, and problems are told in the user's words."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone

import pytest
from botocore.loaders import Loader
from hypothesis import given, settings
from hypothesis import strategies as st

from dockyard.adapters.sagemaker.patterns import can_read, matches_whole
from dockyard.adapters.sagemaker.shapes import find_input, find_shape
from dockyard.adapters.sagemaker.validation import check_request
from dockyard.domain.names import SAGEMAKER_ENDPOINT, derive_name
from dockyard.domain.sagemaker import derive_repository_name, derive_revision_name, derive_role_name

ROLE = "arn:aws:iam::123456789012:role/wine"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine@sha256:" + "a" * 64
UNHURRIED = settings(deadline=None)  # the first example loads the service's model
SERVICES = ("sagemaker", "sagemaker-runtime", "application-autoscaling", "cloudwatch", "ecr", "iam")


def tell(operation: str, params: Mapping[str, object], service: str = "sagemaker") -> list[str]:
    return [str(problem) for problem in check_request(service, operation, params)]


def model(**changes: object) -> dict[str, object]:
    return {"ModelName": "wine", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}, **changes}


def config(**variant: object) -> dict[str, object]:
    usual = {"VariantName": "AllTraffic", "ModelName": "wine", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    return {"EndpointConfigName": "wine", "ProductionVariants": [{**usual, **variant}]}


def test_requests_that_the_service_takes_have_no_problem() -> None:
    tags = [{"Key": "größe: 1/2 @x", "Value": "été 日本 _.:/=+-@"}]

    assert tell("CreateModel", model(Tags=tags)) == []
    assert tell("CreateEndpointConfig", config(ContainerStartupHealthCheckTimeoutInSeconds=600)) == []


@pytest.mark.parametrize(
    ("operation", "params", "problem"),
    [
        ("CreateModel", model(ModelName="my_first_model"), "`CreateModel.ModelName`: my_first_model is not of the form"),
        ("CreateModel", model(ModelName="w" * 64), "`CreateModel.ModelName`: has 64 characters; the service takes 63 at most"),
        ("CreateModel", model(ModelName=7), "`CreateModel.ModelName`: must be a text, and is of type int"),
        ("CreateModel", {"ExecutionRoleArn": ROLE}, "`CreateModel.ModelName`: is missing"),
        ("CreateModel", model(Model="x"), "`CreateModel.Model`: is not known to the service"),
        ("CreateModel", model(ExecutionRoleArn="arn:aws:iam::12:role/wine"), "`role`: arn:aws:iam::12:role/wine is not of the"),
        ("CreateModel", model(PrimaryContainer={"Image": "i" * 256}), "`image`: has 256 characters; the service takes 255"),
        ("CreateModel", model(Tags=[{"Key": "a!", "Value": ""}]), "`tags`: a! is not of the form"),
        ("CreateModel", model(Tags=[{"Key": str(n), "Value": ""} for n in range(51)]), "`tags`: has 51 entries; the service"),
        ("CreateModel", model(VpcConfig={"Subnets": [], "SecurityGroupIds": ["sg-1"]}), "`subnets`: has 0 entries"),
        ("CreateModel", model(EnableNetworkIsolation=1), "`network_isolation`: must be true or false, and is of type int"),
        ("CreateEndpointConfig", config(InstanceType="ml.bogus"), "`instance`: ml.bogus is not one of the 2"),
        ("CreateEndpointConfig", config(InitialInstanceCount=True), "`count`: must be a whole number, and is of type bool"),
        ("CreateEndpointConfig", config(VolumeSizeInGB=513), "`volume_gb`: is 513; the service takes 512 at most"),
        (
            "CreateEndpointConfig",
            config(ModelDataDownloadTimeoutInSeconds=59),
            "`download_timeout_seconds`: is 59; the service takes 60 and more",
        ),
    ],
)
def test_value_that_the_service_does_not_take_is_told(operation: str, params: Mapping[str, object], problem: str) -> None:
    told = tell(operation, params)

    assert [one for one in told if one.startswith(problem)], told


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("ml.bogus", "ml.m5.large"),
        ("m5.xlarge", "ml.m5.xlarge"),
        ("ml.m5.larg", "ml.m5.large"),
        ("ml.c7g.larg", "ml.c7g.large"),
    ],
)
def test_wrong_instance_type_is_told_with_the_nearest(wrong: str, nearest: str) -> None:
    (told,) = tell("CreateEndpointConfig", config(InstanceType=wrong))

    assert told.endswith(f"; nearest: {nearest}")


def test_unknown_member_is_told_with_the_nearest() -> None:
    assert tell("CreateModel", model(ExecutionRole="x")) == [
        "`CreateModel.ExecutionRole`: is not known to the service; nearest: ExecutionRoleArn"
    ]


def test_short_enumeration_is_told_whole() -> None:
    update = {
        "EndpointName": "a",
        "EndpointConfigName": "b",
        "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "x"}],
    }

    (told,) = tell("UpdateEndpoint", update)

    assert told.endswith("x is not one of DesiredInstanceCount, DesiredWeight, DataCaptureConfig")


def test_values_of_environment_variables_are_never_told() -> None:
    env = {"TOKEN": "s3cret" * 300, "1A": "hunter2", "B": 5}

    told = tell("CreateModel", model(PrimaryContainer={"Image": IMAGE, "Environment": env}))

    assert len(told) == 3
    assert not [one for one in told if "s3cret" in one or "hunter2" in one]
    assert "`env.TOKEN`: has 1800 characters; the service takes 1024 at most" in told


def test_unprintable_value_is_told_escaped_and_long_one_is_cut() -> None:
    (told,) = tell("CreateModel", model(Tags=[{"Key": "\x1b[31m" + "k" * 100, "Value": ""}]))

    assert told.isprintable()
    assert len(told) < 200


def test_request_body_has_the_size_that_the_runtime_takes() -> None:
    def ask(size: int) -> list[str]:
        return tell("InvokeEndpoint", {"EndpointName": "wine", "Body": b"x" * size}, "sagemaker-runtime")

    assert ask(6 * 1024 * 1024) == []
    assert ask(6 * 1024 * 1024 + 1) == ["`InvokeEndpoint.Body`: has 6291457 bytes; the service takes 6291456 at most"]


def test_times_and_unions_are_checked() -> None:
    action = {
        "ServiceNamespace": "sagemaker",
        "ScheduledActionName": "night",
        "ResourceId": "endpoint/wine/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }

    assert tell("PutScheduledAction", {**action, "StartTime": datetime.now(timezone.utc)}, "application-autoscaling") == []
    assert tell("PutScheduledAction", {**action, "StartTime": []}, "application-autoscaling") == [
        "`PutScheduledAction.StartTime`: must be a time, and is of type list"
    ]


def test_checking_a_request_takes_less_than_a_second_with_the_model_loaded_anew() -> None:
    began = time.process_time()
    Loader().load_service_model("sagemaker", "service-2")
    for _ in range(20):
        assert check_request("sagemaker", "CreateEndpointConfig", config()) == ()

    assert time.process_time() - began < 1


def _list_patterns() -> Iterator[tuple[str, str]]:
    for service in SERVICES:
        shapes = Loader().load_service_model(service, "service-2")["shapes"]
        yield from ((f"{service}.{name}", shape["pattern"]) for name, shape in shapes.items() if "pattern" in shape)


def test_every_pattern_of_the_services_can_be_read() -> None:
    patterns = dict(_list_patterns())

    assert len(patterns) > 500
    assert [name for name, pattern in patterns.items() if not can_read(pattern)] == []


@UNHURRIED
@given(st.text(max_size=40))
def test_tag_pattern_takes_what_unicode_says(text: str) -> None:
    fits = all(unicodedata.category(one)[0] in "LZN" or one in "_.:/=+-@" for one in text)

    assert matches_whole(str(find_shape("sagemaker", "TagValue").metadata["pattern"]), text) == fits


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"\p{Print}+", "a b~", True),
        (r"\p{Print}+", "a\tb", False),
        (r"[\p{L}_]+", "ß_", True),
        (r"[\p{L}]+", "1", False),
        (r"([\p{N}]*)${1,128}", "123", True),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a😀\t", True),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a\n", False),
        (r"\A\S[\p{Print}]*\z", "a b", True),
        (r"a", "ab", False),
        (r"a(", "anything that Python cannot read a pattern for", True),
        (r"[a\[b]+", "a[b", True),
    ],
)
def test_patterns_of_java_mean_here_what_they_mean_there(pattern: str, text: str, fits: bool) -> None:
    assert matches_whole(pattern, text) is fits


@UNHURRIED
@given(st.text(min_size=1, max_size=80))
def test_every_derived_name_is_one_that_the_service_takes(name: str) -> None:
    endpoint = derive_name(SAGEMAKER_ENDPOINT, name)
    revision = derive_revision_name(endpoint, "0123456789abcdef")

    assert tell("CreateEndpoint", {"EndpointName": endpoint, "EndpointConfigName": revision}) == []
    assert tell("CreateModel", model(ModelName=revision)) == []
    assert tell("CreateRepository", {"repositoryName": derive_repository_name(endpoint)}, "ecr") == []
    assert tell("GetRole", {"RoleName": derive_role_name(endpoint)}, "iam") == []


_NAME = find_input("sagemaker", "CreateEndpoint")
assert _NAME is not None
_PATTERN = str(_NAME.members["EndpointName"].metadata["pattern"])


@UNHURRIED
@given(st.from_regex(re.compile(_PATTERN, re.ASCII), fullmatch=True))
def test_endpoint_name_of_the_services_pattern_is_refused_only_for_its_length(name: str) -> None:
    told = tell("CreateEndpoint", {"EndpointName": name, "EndpointConfigName": "wine"})

    assert bool(told) == (len(name) > 63)


@UNHURRIED
@given(st.integers(min_value=-10, max_value=7000))
def test_memory_of_serverless_endpoints_comes_in_six_sizes(memory: int) -> None:
    variant = {"VariantName": "a", "ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": memory, "MaxConcurrency": 1}}

    told = tell("CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [variant]})

    assert (told == []) == (memory in {1024, 2048, 3072, 4096, 5120, 6144})
