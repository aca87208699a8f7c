"""Every pattern of the services that the sandbox checks is one that Python understands, and means the same."""

from __future__ import annotations

import pytest
from botocore.session import Session

from dockyard_sandbox.shapes import _compile


@pytest.mark.parametrize("service", ["sagemaker", "ecr", "application-autoscaling", "service-quotas", "pricing"])
def test_every_pattern_compiles(service: str) -> None:
    model = Session().get_service_model(service)
    patterns = {model.shape_for(name).metadata.get("pattern") for name in model.shape_names}
    for pattern in patterns - {None}:
        _compile(pattern)


def test_surrogate_pairs_of_java_are_characters_beyond_the_first_plane() -> None:
    pattern = _compile(r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*")
    assert pattern.fullmatch("endpoint/wine 🍷\n")
    assert not pattern.fullmatch("\x00")


def test_printable_is_what_ascii_prints() -> None:
    assert _compile(r"\p{Print}+").fullmatch("a policy~")
    assert not _compile(r"\p{Print}+").fullmatch("größe")
